"""Processors and apps are described to people and programs, and generated files are held against the code."""

from __future__ import annotations

import argparse
import json

import pytest

from transmissions import extras, homes
from transmissions.commands import describe, graph, shapes
from transmissions.commands import list as list_command
from transmissions.errors import FAILED, OK, ConfigError, UsageError
from transmissions.prepare import prepare
from transmissions.reference import generated_files, rows_of, split_example
from transmissions.registry import Registry

SHOUT = '''
from typing import Annotated, Literal

from transmissions import Processor, Range, Record, Unit


class Voice(Record):
    """Whose voice."""

    who: str


class Shout(Processor):
    """Say it louder.

    Much louder.

        :loud a :Shout .
    """

    times: Annotated[int, Range(ge=1, le=9), Unit("ms")] = 2
    "How often | it is said."
    mode: Literal["high", "low"]
    voice: tuple[Voice, ...] = ()

    def process(self, message):
        return message
'''

APP = """
@prefix : <http://purl.org/stuff/transmissions/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:mine a :EntryTransmission ; rdfs:label "say it" ;
    :argument ( [ :name "file" ; :kind :Path ; :many true ; :required true ; rdfs:comment "what is said" ] [ :name "how" ] ) ;
    :pipe ( :first [ a :Route ; :branches ( [ :when [ :field "kind" ; :equals "x" ] ; :pipe ( :loud ) ] ( :quiet ) ) ] ) .
:first a :NOP . :loud a :Shout ; :mode "high" . :quiet a :NOP .
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make a home with a processor and an app the working directory."""
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "loud.py").write_text(SHOUT)
    app = tmp_path / "apps" / "mine"
    app.mkdir(parents=True)
    (app / "transmissions.ttl").write_text(APP)
    (app / "about.md").write_text("# mine\n\nSays it\nlouder. And more.\n\nSecond paragraph.\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def run(command, *words):
    """Run a command as the command line does."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.call(parser.parse_args(words))


def test_a_processor_is_described_for_people(here, capsys):
    """Summary, prose, every setting with its type and default, and the example are shown."""
    assert run(describe, "Shout") == OK
    text = capsys.readouterr().out
    assert f"Shout (processor, {here}/processors/loud.py:13)\nSay it louder.\n\nMuch louder." in text
    assert ":times  integer, ≥ 1, ≤ 9, in ms (default 2)\n      How often | it is said." in text
    assert ":mode  high or low, required" in text
    assert ":voice.who  string, required" in text
    assert text.endswith("Example:\n  :loud a :Shout .\n")


def test_a_processor_is_described_for_programs(here, capsys):
    """The whole Spec is one JSON object."""
    run(describe, "http://purl.org/stuff/transmissions/Shout", "--json")
    spec = json.loads(capsys.readouterr().out)
    assert (spec["name"], spec["settings"][0]["le"], spec["settings"][2]["fields"][0]["term"]) == ("Shout", 9, "who")


def test_an_app_is_described_for_people(here, capsys):
    """What it is about, how it is called, and its pipe with the branches are shown."""
    assert run(describe, "mine") == OK
    text = capsys.readouterr().out
    assert "Says it louder. And more.\n\nusage: trans run mine FILE… [HOW]\n" in text
    assert "\n  file  Path  what is said\n" in text
    assert "first  NOP\n" in text
    assert "kind equals x\n" in text
    assert "Second" not in text


def test_what_is_left_out_of_a_pipe_is_named(here, capsys):
    """Who reads what an app is made of learns what it could do besides, and what to set."""
    (here / "apps" / "mine" / "config.ttl").write_text(
        "@prefix : <http://purl.org/stuff/transmissions/> . :quiet :enabled false ."
    )
    run(describe, "mine")
    assert "\n  left out, as :enabled is false:\n    route/2/quiet  NOP\n" in capsys.readouterr().out


def test_an_app_is_described_for_programs(here, capsys):
    """Its pipes are the plan's, as JSON."""
    run(describe, "mine", "--json")
    app = json.loads(capsys.readouterr().out)
    assert app["about"] == "Says it louder. And more."
    assert [argument["name"] for argument in app["arguments"]] == ["file", "how"]
    assert app["transmissions"][0]["pipe"][1]["kind"] == "first"


@pytest.mark.parametrize(("name", "near"), [("Shoot", "Shout"), ("mime", "mine")])
def test_what_cannot_be_described_has_a_suggestion(here, name, near):
    """Processors and apps are both looked at for the nearest name."""
    with pytest.raises(UsageError, match=f"'{name}'; did you mean '{near}'"):
        run(describe, name)


def test_a_processor_that_cannot_be_used_is_a_config_error(here):
    """What is wrong with the class is said instead of a description."""
    (here / "processors" / "loud.py").write_text(SHOUT.replace("mode: Literal", "mode: dict"))
    with pytest.raises(ConfigError):
        run(describe, "Shout")


def test_an_app_is_described_without_the_libraries_a_run_of_it_needs(here, capsys, monkeypatch):
    """They are warned of, with the command that installs them; to run it stays an error."""
    monkeypatch.setattr(extras, "_requirements", lambda _: ["no-such-lib>=6"])
    file = here / "apps" / "mine" / "transmissions.ttl"
    file.write_text(file.read_text().replace(":first a :NOP", ':first a :YAMLReader ; :sourceFile "x"'))
    for command in (describe, graph):
        assert run(command, "mine") == OK
        out, err = capsys.readouterr()
        assert "YAMLReader" in out
        assert "warning[missing-library]: YAMLReader needs 'no-such-lib'" in err
    with pytest.raises(ConfigError, match="no-such-lib"):
        prepare(homes.find_app("mine"))


def test_a_part_an_app_does_not_have_is_not_described(here, capsys):
    """Nor drawn: the app as a whole is something else than what was asked for."""
    for command in (describe, graph):
        assert run(command, "mine.mine") == OK
        with pytest.raises(UsageError, match="mine has no transmission 'yours'; it has mine"):
            run(command, "mine.yours")


def write_own(here, app, name="Own"):
    """Give an app a processor of its own."""
    folder = here / "apps" / app / "processors"
    folder.mkdir(parents=True)
    (folder.parent / "transmissions.ttl").write_text(APP.replace(":Shout", f":{name}"))
    (folder / "steps.py").write_text(SHOUT.replace("class Shout", f"class {name}"))


def test_the_processor_of_one_app_is_described(here, capsys):
    """By its name alone, from where the app is run by its name, and with a suggestion for a name that is nearly it."""
    write_own(here, "one")
    assert run(describe, "Own") == OK
    assert f"Own (processor, {here}/apps/one/processors/steps.py:13)" in capsys.readouterr().out
    with pytest.raises(UsageError, match="'Owm'; did you mean 'Own'"):
        run(describe, "Owm")


def test_a_processor_that_two_apps_have_is_told_apart_by_the_app(here, capsys):
    """Which is named in front of it, also by its path."""
    write_own(here, "one")
    write_own(here, "two")
    with pytest.raises(UsageError, match="'Own' is a processor of one and of two: `trans describe one Own`"):
        run(describe, "Own")
    assert run(describe, "apps/two", "Own") == OK
    assert "apps/two/processors/steps.py" in capsys.readouterr().out
    with pytest.raises(UsageError, match="app 'two' has no processor 'Owm'; did you mean 'Own'"):
        run(describe, "two", "Owm")


def test_apps_are_listed_with_what_they_are_about(here, capsys):
    """Each app has one line on stdout; where was searched is on stderr."""
    assert run(list_command) == OK
    out, err = capsys.readouterr()
    line = next(line for line in out.splitlines() if line.startswith("mine "))
    assert line.endswith(f"  Says it louder. ({here}/apps/mine)")
    assert err.strip() == f"searched: {here}/apps, {homes.bundled().folder}/apps"


def test_processors_are_listed_on_demand(here, capsys):
    """The user's own stand among the bundled ones."""
    run(list_command, "-v")
    out = capsys.readouterr().out
    assert "\nShout " in out
    assert "\nNOP " in out


def test_lists_are_json_on_demand(here, capsys):
    """One object holds apps, processors and the places."""
    run(list_command, "--json", "-v")
    found = json.loads(capsys.readouterr().out)
    assert {"name": "mine", "about": "Says it louder. And more.", "folder": f"{here}/apps/mine", "home": "user"} in found[
        "apps"
    ]
    assert "Shout" in [processor["name"] for processor in found["processors"]]
    assert found["searched"][0] == str(here)


@pytest.fixture
def checkout(here, monkeypatch):
    """Make the working directory the bundled home, with its files generated."""
    home = homes.home_of(here)
    monkeypatch.setattr(homes, "bundled", lambda: home)
    (here / "docs" / "reference").mkdir(parents=True)
    (here / "docs" / "reference" / "gone.md").write_text("old")
    assert run(shapes, "--write") == OK
    return here


def test_generated_files_are_fresh_after_writing(checkout, capsys):
    """Writing makes the shapes and a page for each module, and removes what describes nothing."""
    assert run(shapes, "--check") == OK
    assert sorted(path.name for path in (checkout / "docs" / "reference").iterdir()) == ["README.md", "loud.md", "nodes.md"]
    assert ":ShoutShape" in (checkout / "configs" / "processors.ttl").read_text()


def test_a_changed_class_makes_generated_files_stale(checkout, capsys):
    """The check fails, shows the difference and names the files."""
    source = checkout / "docs" / "reference" / "loud.md"
    source.write_text(source.read_text().replace("Much louder.", "Softly."))
    capsys.readouterr()
    assert run(shapes, "--check") == FAILED
    out, err = capsys.readouterr()
    assert "-Softly.\n+Much louder.\n" in out
    assert err == f"trans shapes: {source} is stale; run trans shapes --write\n"


def test_a_page_of_a_module_that_is_gone_is_found(checkout, capsys):
    """A leftover page fails the check too."""
    (checkout / "docs" / "reference" / "old.md").write_text("")
    assert run(shapes, "--check") == FAILED
    assert "old.md describes nothing" in capsys.readouterr().err


def test_shapes_are_printed_as_turtle(checkout, capsys):
    """Without a flag the Turtle goes to stdout."""
    capsys.readouterr()
    assert run(shapes) == OK
    assert capsys.readouterr().out == (checkout / "configs" / "processors.ttl").read_text()


def test_a_page_shows_settings_as_a_table(here):
    """Pipes in prose do not break the table, and examples are fenced."""
    (here / "docs").mkdir()
    spec = Registry(homes.homes_for(homes.find_app("mine"))).named("Shout")
    page = generated_files([spec], here)[here / "docs" / "reference" / "loud.md"]
    assert "| `times` | integer, ≥ 1, ≤ 9, in ms | `2` | How often \\| it is said. |" in page
    assert "```turtle\n:loud a :Shout .\n```" in page
    assert [row.term for row in rows_of(spec.settings)] == ["times", "mode", "voice", "voice.who"]


@pytest.mark.parametrize("example", ["    :a a :B ;\n\n        :c 1 .\n", "```turtle\n:a a :B ;\n\n    :c 1 .\n```\n"])
def test_examples_are_told_from_prose(example):
    """A fenced block and an indented one are both Turtle; what stands around them is prose."""
    assert split_example(f"Summary.\n\nBefore.\n\n{example}\nAfter.") == ("Before.\n\nAfter.", ":a a :B ;\n\n    :c 1 .")
