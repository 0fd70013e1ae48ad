"""The way to a plan: cached if nothing changed, examined else, refused with every problem."""

from __future__ import annotations

import subprocess
import sys

import pytest
from examining import PREFIXES, PROCESSORS, make_app, make_target, node

from transmissions.errors import ConfigError
from transmissions.prepare import prepare

PIPE = ":demo a :Transmission ; :pipe (:a) . :a a :Widget ; :settings :set ."
HEAVY = ("rdflib", "pyshacl", "pyoxigraph", "importlib.metadata", "rich", "jinja2", "difflib", "argparse")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep the plans of these tests to themselves."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_second_time_is_cached(tmp_path):
    """An unchanged app is not examined again, and its plan and notes are the same."""
    app = make_app(tmp_path, PIPE, ":set :size 5 . :spare a :ConfigSet ; :size 6 .")
    first, second = prepare(app), prepare(app)
    assert (first.cached, first.why) == (False, "first run")
    assert (second.cached, second.why) == (True, "cached")
    assert (second.plan, second.problems) == (first.plan, first.problems)
    assert len(first.problems) == 1


def test_every_input_counts(tmp_path, monkeypatch):
    """Any changed byte of configs, target, shapes or processor code has the app examined again, by name."""
    monkeypatch.chdir(tmp_path)
    app = make_app(tmp_path, PIPE, ":set :size 5 .")
    target = make_target(tmp_path, ":set :low 1 .")
    changes = {
        "apps/demo/transmissions.ttl changed": lambda: (app.folder / "transmissions.ttl").write_text(f"{PREFIXES}{PIPE} #"),
        "apps/demo/config.ttl changed": lambda: (app.folder / "config.ttl").write_text(f"{PREFIXES}:set :size 7 ."),
        "target/tt.ttl changed": lambda: (target / "tt.ttl").write_text(f"{PREFIXES}:set :low 2 ."),
        "apps/demo/shapes.ttl appeared": lambda: (app.folder / "shapes.ttl").write_text(PREFIXES),
        "processors changed": lambda: (tmp_path / "processors" / "widgets.py").write_text(f"{PROCESSORS}#"),
        "apps/demo/config.ttl is gone": (app.folder / "config.ttl").unlink,
    }
    prepare(app, target=target)
    for why, change in changes.items():
        assert prepare(app, target=target).cached
        change()
        assert prepare(app, target=target).why == why


def test_overrides_have_plans_of_their_own(tmp_path):
    """`--set` is part of what a plan is cached under."""
    app = make_app(tmp_path, PIPE, ":set :size 5 .")
    prepare(app)
    changed = prepare(app, overrides=["a.size=8"])
    assert not changed.cached
    assert node(changed.plan).settings["size"] == 8
    assert node(prepare(app).plan).settings["size"] == 5


def test_an_invalid_config_is_never_cached(tmp_path):
    """Each start says all that is wrong, and the first good one is examined."""
    app = make_app(tmp_path, PIPE, ":set :size 0 ; :mode 'x' .")
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            prepare(app)
        assert {problem.code for problem in caught.value.problems} == {"range", "choice"}
    app = make_app(tmp_path, PIPE, ":set :size 5 .")
    assert prepare(app).why == "first run"


def test_the_cache_can_be_left_alone(tmp_path):
    """Without it nothing is read or written."""
    app = make_app(tmp_path, PIPE, ":set :size 5 .")
    assert not prepare(app, use_cache=False).cached
    assert not (tmp_path / "cache").exists()


def test_compat_is_another_plan(tmp_path):
    """What --compat lets pass is refused without it, though it is cached."""
    app = make_app(tmp_path, PIPE, ":set :sise 5 .")
    assert prepare(app, compat=True).problems[0].severity == "warning"
    with pytest.raises(ConfigError):
        prepare(app)


def test_a_profile_must_exist(tmp_path):
    """An unknown profile is a problem that names the folder of profiles."""
    with pytest.raises(ConfigError, match="no profile 'fats'"):
        prepare(make_app(tmp_path, PIPE, ":set :size 5 ."), profile="fats")


def imported_by_two_starts(folder, **how):
    """Return what two starts of an app say: whether the plan was cached, and which heavy modules they imported."""
    script = f"""
import sys
from transmissions import homes
from transmissions.prepare import prepare
prepared = prepare(homes.find_app({str(folder)!r}), **{how!r})
print(prepared.cached, *(name for name in {HEAVY!r} if name in sys.modules))
"""
    command = [sys.executable, "-c", script]
    return [subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]


def test_a_cached_start_imports_no_parser(tmp_path):
    """Neither RDF, SHACL nor metadata is imported where the cache holds."""
    first, second = imported_by_two_starts(make_app(tmp_path, PIPE, ":set :size 5 .").folder)
    assert first.startswith("False rdflib pyshacl")
    assert second == "True"


def test_an_app_examined_apart_leaves_no_parser_behind(tmp_path):
    """Where a child process examines the app, the process that runs it imports no parser either."""
    folder = make_app(tmp_path, PIPE, ":set :size 5 .").folder
    assert imported_by_two_starts(folder, apart=True) == ["False", "True"]
