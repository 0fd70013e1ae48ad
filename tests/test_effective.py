"""Which value of a setting holds, and as what."""

from __future__ import annotations

import pytest
from examining import codes, examine, make_app, make_target, marked, node, only, write_turtle

from transmissions import homes
from transmissions.validate import check

PIPE = ":demo a :Transmission ; :pipe (:a) ."


def settings(tmp_path, turtle, config=None, **options):
    """Return the settings that hold for one widget."""
    plan, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; {turtle} .", config, **options)
    assert not [problem for problem in problems if problem.is_error], problems
    return node(plan).settings


@pytest.mark.parametrize(
    ("turtle", "value"),
    [
        (":size 5", {"size": 5}),
        (":size '5'", {"size": 5}),
        (":ratio '2.5'", {"ratio": 2.5}),
        (":ratio 1e2", {"ratio": 100.0}),
        (":ratio 3", {"ratio": 3}),
        (":strict 'true'", {"strict": True}),
        (":strict false", {"strict": False}),
        (":mode 'slow'", {"mode": "slow"}),
        (":mode :slow", {"mode": "slow"}),
        (":name 'abc'", {"name": "abc"}),
        (":tags 'b', 'a'", {"tags": ["b", "a"]}),
        (":tags ('b' 'a' 'b')", {"tags": ["b", "a", "b"]}),
        (":tags <http://x.org/y>, 5", {"tags": ["http://x.org/y", "5"]}),
        (":tags ()", {"tags": []}),
        (":ratio ()", {}),
        (":tags <sub/file>", {"tags": ["sub/file"]}),
        (":home <http://x.org/>", {"home": "http://x.org/"}),
        (":home 'http://x.org/'", {"home": "http://x.org/"}),
        (":value 5", {"value": 5}),
        (f":value -{9**20}", {"value": -(9**20)}),
        (":value '5'", {"value": "5"}),
        (":value true", {"value": True}),
        (":token [ :env 'TOKEN' ]", {"token": {"env": "TOKEN"}}),
        (":rename [ :pre 'x' ; :post 'y' ]", {"rename": [{"pre": "x", "post": "y"}]}),
        (
            ":rename ( [ :pre 'x' ; :post 'y' ] [ :pre 'z' ; :post 'w' ] )",
            {"rename": [{"pre": "x", "post": "y"}, {"pre": "z", "post": "w"}]},
        ),
    ],
)
def test_a_value_is_read_by_its_setting_s_type(tmp_path, turtle, value):
    """Plain texts are read by their form, lists keep their order, IRIs stand for their text."""
    share = {"share": 2} if "size" in value else {"share": 5}
    assert settings(tmp_path, turtle) == {**value, **share}


def test_a_decimal_up_to_one_is_a_share_of_another_setting(tmp_path):
    """A fraction is resolved with what holds for the other, and a default fraction too."""
    assert settings(tmp_path, ":size 80 ; :share 0.25") == {"size": 80, "share": 20}
    assert settings(tmp_path, ":size 80 ; :share 30") == {"size": 80, "share": 30}


def test_named_records_may_be_described_in_another_layer(tmp_path):
    """The original's lists of IRIs are records, found wherever they are described."""
    config = ":set a :ConfigSet ; :rename (:r1 :r2) . :r1 :pre 'x' ; :post 'y' . :r2 :pre 'z' ; :post 'w' ."
    found = settings(tmp_path, ":settings :set", config)
    assert found["rename"] == [{"pre": "x", "post": "y"}, {"pre": "z", "post": "w"}]


def test_the_strongest_layer_wins_for_each_property(tmp_path):
    """`--set`, then tt.ttl, transmissions.ttl, config.ttl, the default: for every setting on its own."""
    app = make_app(
        tmp_path,
        f"{PIPE} :a a :Widget ; :settings :set . :set :size 30 ; :low 30 ; :mode 'slow' .",
        ":set :size 40 ; :low 4 ; :mode 'fast' ; :name 'config' .",
    )
    target = make_target(tmp_path, ":set :size 20 ; :low 3 .")
    plan, _ = check(app, target=target, overrides=["a.size=10"])
    assert node(plan).settings == {"size": 10, "low": 3, "mode": "slow", "name": "config", "share": 5}


def test_what_stands_on_the_node_wins_over_its_settings_node(tmp_path):
    """Both are looked at; in one file the node itself is nearer."""
    assert settings(tmp_path, ":name 'inline' ; :settings [ :name 'linked' ; :size 8 ]") == {
        "name": "inline",
        "size": 8,
        "share": 4,
    }


def test_a_stronger_layer_replaces_all_values(tmp_path):
    """Values of one property are never mixed from two files."""
    assert settings(tmp_path, ":settings :set . :set :tags 'one'", ":set :tags 'two', 'three' .")["tags"] == ["one"]


def test_a_node_placed_twice_is_set_by_its_path(tmp_path):
    """`--set` with a path speaks about one place, with a name about all."""
    text = ":demo a :Transmission ; :pipe (:a) . :two a :Transmission ; :pipe (:a) . :a a :Widget ."
    plan, _ = examine(tmp_path, text, overrides=["two/a.size=4", "a.low=1"])
    assert node(plan, "demo/a").settings == {"low": 1, "share": 5}
    assert node(plan, "two/a").settings == {"low": 1, "size": 4, "share": 2}


def test_settings_that_nodes_share_are_set_by_their_name(tmp_path):
    """`--set` with the name of what `:settings` leads to speaks about every node that has those settings, and no other."""
    nodes = ":a a :Widget ; :settings :set . :b a :Widget ; :settings :set . :c a :Widget ."
    text = f":demo a :Transmission ; :pipe (:a :b :c) . {nodes}"
    plan, _ = examine(tmp_path, text, ":set :low 2 .", overrides=["set.size=4"])
    assert [node(plan, f"demo/{name}").settings.get("size") for name in "abc"] == [4, 4, None]
    _, problems = examine(tmp_path, text, ":set :low 2 .", overrides=["sets.size=4"])
    assert problems[0].help == "did you mean `set`?"


@pytest.mark.parametrize(
    ("override", "code", "at", "mend"),
    [
        ("a.size", "bad-override", "a.size", ""),
        ("aa.size=5", "unknown-node", "aa", "did you mean `a`?"),
        ("a.sise=5", "unknown-setting", "sise", "did you mean `:size`?"),
        ("a.size=five", "datatype", "five", ""),
        ("a.size=500", "range", "500", ""),
        ("a.rename=x", "bad-override", "x", ""),
        ("a.retry.attempts=2", "bad-override", "a.retry", "say it in Turtle, of the node: `:retry [ :attempts … ]`"),
    ],
)
def test_a_fault_of_an_override_has_a_caret(tmp_path, override, code, at, mend):
    """The text of `--set` is the line the fault is shown in."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget .", overrides=[override])
    problem = next(problem for problem in problems if problem.code == code)
    assert problem.span.file == "--set"
    assert marked(problem.span) == at
    assert problem.help == mend


def test_the_last_override_holds(tmp_path):
    """A single value may be set twice on a command line; many values add up."""
    found = settings(tmp_path, ":tags 'x'", overrides=["a.size=4", "a.size=6", "a.tags=b", "a.tags=a"])
    assert found == {"size": 6, "share": 3, "tags": ["b", "a"]}


def test_the_plan_says_where_a_setting_was_written(tmp_path):
    """Origins name file, line and column of each setting, so that a failure at run time can."""
    plan, _ = examine(tmp_path, f"{PIPE} :a a :Widget ; :settings :set .", ":set\n :size 5 .")
    origin = node(plan).origins["size"]
    assert origin.file.endswith("config.ttl")
    assert origin[1:] == (4, 8)


def test_terms_about_the_node_are_no_settings(tmp_path):
    """Buffers, retries, concurrency and the policy stand in the plan's own fields."""
    turtle = ":buffer [ :maxItems 5 ] ; :retry [ :attempts '2' ] ; :concurrency 4 ; :ordered false ; :onError :deadLetter"
    plan, _ = examine(tmp_path, f"{PIPE} :a a :Plain ; {turtle} .")
    found = node(plan)
    assert found.settings == {}
    assert found.buffer["max_items"] == 5
    assert (found.retry, found.concurrency, found.ordered, found.on_error) == ({"attempts": 2}, 4, False, "deadLetter")


@pytest.mark.parametrize(
    ("turtle", "code"),
    [
        (":buffer [ :maxItms 5 ]", "unknown-setting"),
        (":buffer [ :maxBufferSize 100 ; :lowWaterMark 90 ; :highWaterMark 50 ]", "range"),
        (":buffer 5", "datatype"),
        (":retry [ :attempts 0 ]", "range"),
        (":onError :explode", "choice"),
        (":concurency ()", "unknown-setting"),
        (":concurrency 0", "range"),
    ],
)
def test_terms_about_the_node_are_checked_like_settings(tmp_path, turtle, code):
    """A closed record or a choice of the engine's own is no different from a processor's."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Plain ; {turtle} .")
    assert only(problems).code == code


def test_two_settings_nodes_are_one_too_many(tmp_path):
    """A node has one `:settings`; the second is shown."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; :settings [ :size 5 ], [ :size 6 ] .")
    assert codes(problems) == ["two-settings"]


def test_dangling_settings_offer_the_nearest_node(tmp_path):
    """A link to settings no file describes is an error, and a warning under --compat."""
    text = f"{PIPE} :a a :Widget ; :settings :widgetSetings ."
    _, problems = examine(tmp_path, text, ":widgetSettings a :ConfigSet ; :size 5 .")
    assert codes(problems) == ["dangling-settings", "unused-settings"]
    assert problems[0].help == "did you mean `:widgetSettings`?"
    assert examine(tmp_path, text, compat=True)[0]


def test_settings_of_another_namespace_are_said_to_be(tmp_path):
    """They look the same, and the name alone would be no help."""
    config = "@prefix s: <https://purl.org/stuff/transmissions/> . s:set s:size 2 ."
    problem = only(examine(tmp_path, f"{PIPE} :a a :Widget ; :settings :set .", config)[1])
    assert problem.code == "dangling-settings"
    assert problem.help == (
        "there is <https://purl.org/stuff/transmissions/set>, but the namespace is <http://purl.org/stuff/transmissions/>"
    )


def test_a_target_fills_dangling_settings(tmp_path):
    """What only a target describes is no fault once the target is named."""
    app = make_app(tmp_path, f"{PIPE} :a a :Needy ; :settings :own .")
    assert not check(app)[0]
    plan, problems = check(app, target=make_target(tmp_path, ":own :template 'x' ."))
    assert node(plan).settings == {"template": "x"}
    assert not problems


@pytest.mark.parametrize("text", [":set :command 'rm' .", ":demo :argument [ :name 'file' ; :default '/etc/passwd' ] ."])
def test_a_target_may_not_set_what_is_protected(tmp_path, text):
    """Commands never come with the data, nor paths by way of an argument's default."""
    app = make_app(tmp_path, f"{PIPE} :a a :Widget ; :settings :set .", ":set :size 5 .")
    _, problems = check(app, target=make_target(tmp_path, text))
    assert only(problems).code == "protected-setting"


@pytest.mark.parametrize(
    "link", [":a a :Plain", ":x a :Transmission", ":a :implementedBy 'os:system'", ":demo :pipe (:a)", ":a :settings :b"]
)
@pytest.mark.parametrize("where", ["config", "target"])
def test_links_belong_in_transmissions_ttl(tmp_path, link, where):
    """Neither config.ttl nor tt.ttl says which code runs."""
    app = make_app(tmp_path, f"{PIPE} :a a :Widget .", f"{link} ." if where == "config" else None)
    target = make_target(tmp_path, f"{link} .") if where == "target" else None
    assert "misplaced-link" in codes(check(app, target=target)[1])


def test_settings_of_the_original_that_have_no_effect_are_noted(tmp_path):
    """`:loglevel` is taken and noted, not refused."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; :loglevel 'debug' .")
    assert (only(problems).severity, only(problems).code) == ("note", "ignored-setting")


def test_unused_settings_are_noted(tmp_path):
    """Settings no node uses are worth a note in an app, not in a target that serves several."""
    app = make_app(tmp_path, f"{PIPE} :a a :Widget .", ":spare a :ConfigSet ; :size 5 .")
    _, problems = check(app, target=make_target(tmp_path, ":other a :ConfigSet ; :size 5 ."))
    assert (only(problems).severity, only(problems).code, marked(only(problems).span)) == ("note", "unused-settings", ":spare")


def test_a_record_nothing_describes_is_a_fault(tmp_path):
    """A list of records must not lead into the void."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; :rename (:r1) .")
    assert "undescribed-record" in codes(problems)


PROFILES = homes.bundled().folder / "configs" / "profiles"
PROFILED = ":demo a :Transmission ; :pipe (:a :b :c) . :a a :StreamMonitor . :c a :StreamBufferManager ."


@pytest.mark.parametrize("profile", [path.stem for path in PROFILES.glob("*.ttl")])
def test_a_profile_sets_every_node_of_a_class_weakest_of_all(tmp_path, profile):
    """What the app says wins over the profile, which wins over the defaults; every profile we ship is free of faults."""
    text = f"{PROFILED} :b a :StreamBufferManager ; :maxBufferSize 99 ."
    plan, problems = examine(tmp_path, text, profile=profile)
    assert not problems
    assert node(plan, "demo/b").settings["max_buffer_size"] == 99
    assert node(plan, "demo/c").settings["max_buffer_size"] != 1_048_576
    assert node(plan, "demo/c").settings["max_items"] == node(plan, "demo/b").settings["max_items"]


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        (":StreamMonitor :smaple 2 .", "unknown-setting", ":smaple"),
        (":StreamMonitr :sample 2 .", "unknown-processor", ":StreamMonitr"),
    ],
)
def test_a_fault_of_a_profile_is_located_in_it(tmp_path, monkeypatch, text, code, at):
    """A misspelt setting and a misspelt class are told where the profile has them."""
    app = make_app(tmp_path, ":demo a :Transmission ; :pipe (:a) . :a a :StreamMonitor .")
    write_turtle(tmp_path / "own.ttl", text)
    monkeypatch.setattr("transmissions.validate.profile_file", lambda *_: tmp_path / "own.ttl")
    problem = only(check(app, profile="own")[1])
    assert (problem.code, marked(problem.span), problem.span.file) == (code, at, str(tmp_path / "own.ttl"))
    assert problem.help.startswith("did you mean")


def test_a_class_has_settings_in_a_profile_only(tmp_path):
    """In the app's own files a class is nobody's settings."""
    plan, _ = examine(tmp_path, f"{PROFILED} :b a :Plain . :StreamMonitor :sample 2 .")
    assert "sample" not in node(plan).settings
