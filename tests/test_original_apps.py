"""Apps as people bring them from the original: with `--compat` they run as they are.

The folder of the original's own integration apps is no part of this project; TRANSMISSIONS_ORIGINAL_APPS may name a copy of
it (with its `apps.json`), and then every case of it is run. The apps below exercise the same features.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from old_apps import run, write

from transmissions.cli import main
from transmissions.errors import ConfigError, UsageError
from transmissions.homes import find_app
from transmissions.validate import check

FOLDER = os.environ.get("TRANSMISSIONS_ORIGINAL_APPS", "")
MENDED = {"config-settings": 4, "pathops": 6}
"""Cases whose own count is right only as long as SetMessage does nothing."""


def cases():
    """Return the cases of the original's folder, if there is one."""
    return json.loads(Path(FOLDER, "apps.json").read_text()) if FOLDER else [{"label": "absent"}]


@pytest.mark.skipif(not FOLDER, reason="TRANSMISSIONS_ORIGINAL_APPS names no folder")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["label"])
def test_an_app_of_the_original_passes_its_own_test(tmp_path, case):
    """Each prints its mark as often as it should, from unmodified Turtle."""
    place = shutil.copytree(FOLDER, tmp_path / "original")
    command = [sys.executable, "-P", "-m", "transmissions", "run", "--compat", *shlex.split(case["command"])]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.count("TEST_PASSED")) == (0, MENDED.get(case["label"], case["requiredMatchCount"]))


def test_a_palette_and_repeated_prefixes_are_fine(tmp_path):
    """Nodes that stand in no pipe, a prefix written twice and @base mean what they meant."""
    folder = write(tmp_path / "app", transmissions=":t a :Transmission ; :pipe (:N :SM) .", config="[] :todo 'nothing' .")
    assert run(folder, {"a": 1}).shown[0]["a"] == 1


def test_settings_come_from_where_they_always_did(tmp_path):
    """Blank nodes, nodes in transmissions.ttl or config.ttl, none at all, and some that no file describes."""
    turtle = """
        :t a trn:Transmission ; trn:pipe (:bare :dangling :blank :here :there) .
        :bare a :TestSettings .
        :dangling a :TestSettings ; :settings :nowhere .
        :blank a :TestSettings ; :settings [ :me "blank" ; :name "a", "b" ; ] .
        :here a :TestSettings ; :settings :local . :local a :Settings ; :me "here" ; :uri <sub> .
        :there a :TestSettings ; trn:settings :distant .
        """
    config = """:distant a :ConfigSet ; :me "there" ; :items ( :i1 :i2 ) . :i1 :value "one" . :i2 :value 2 . :spare :x "y" ."""
    text = run(write(tmp_path / "app", transmissions=turtle, config=config), speaks=False).text
    told = [line.partition(" = ")[2] for line in text.splitlines()]
    assert [json.loads(value) for value in told] == [
        "blank",
        "a",
        "b",
        "here",
        "http://purl.org/stuff/path/sub",
        "one",
        2,
        "there",
    ]


def test_a_target_overrides_property_by_property(tmp_path):
    """What tt.ttl says wins, the rest of the settings node stays, and files go to the target."""
    turtle = (
        ":t a :Transmission ; :pipe (:set :write) . :set a :SetText ; :settings :text . :write a :FileWriter ; :settings :out ."
    )
    config = """:text a :ConfigSet ; :text "mine" ; :targetField "content" . :out :destinationFile "out/mine.txt" ."""
    folder = write(tmp_path / "app", transmissions=turtle, config=config)
    target = write(tmp_path / "target", tt=""":text a :ConfigSet ; :text "theirs" .""")
    run(folder)
    run(folder, target=target)
    assert (folder / "data/out/mine.txt").read_text() == "mine"
    assert (target / "out/mine.txt").read_text() == "theirs"


NESTED = """
    :outer a :Transmission ; rdfs:label "outer" ; :pipe (:inner :last) .
    :inner a :Transmission ; rdfs:label "inner" ; :pipe (:a :deep) .
    :deep a :Transmission ; :pipe (:b) .
    :a a :SetField ; :field "a" ; :value 1 . :b a :SetField ; :field "b" ; :value 2 .
    :last a :ShowMessage .
    """


def test_nested_transmissions_are_laid_out_in_place(tmp_path):
    """One may begin with another, tags name the leaves, and what is nested does not run once more by itself."""
    (message,) = run(write(tmp_path / "app", transmissions=NESTED)).shown
    assert (message["a"], message["b"], message["tags"]) == (1, 2, "a.b.last")


@pytest.mark.parametrize("subtask", ["inner", "outer"])
def test_a_subtask_is_a_label_or_a_name(tmp_path, monkeypatch, subtask):
    """`app.subtask` runs that transmission alone."""
    write(tmp_path / "src/apps/test/old", transmissions=NESTED)
    monkeypatch.chdir(tmp_path)
    assert run(f"old.{subtask}").messages[0]["tags"] == {"inner": "a.b", "outer": "a.b.last"}[subtask]
    with pytest.raises(UsageError, match="old has no transmission 'other'; it has outer, inner, deep"):
        run("old.other")


GOTO = """
    :main a :EntryTransmission ; :pipe (:go :SM) . :go a :GOTO {} .
    :other-way a :Transmission ; :pipe (:one) . :one a :SetText ; :settings [ :text "went" ] .
    """


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("", {"gotoTarget": "other-way"}),
        ('; :settings [ :gotoTarget "other-way" ]', {}),
        ("; :settings [ :gotoTarget :other-way ]", {}),
        ("", {"gotoTarget": "http://purl.org/stuff/transmissions/other-way"}),
    ],
)
def test_goto_runs_another_transmission(tmp_path, settings, message):
    """Its target is a name or an IRI, in a setting or the message; one step there is enough for its changes to come back."""
    (found,) = run(write(tmp_path / "app", transmissions=GOTO.format(settings)), message).shown
    assert (found["content"], found["tags"]) == ("went", "go.one.SM")


def test_a_processor_of_the_app_is_python_beside_it(tmp_path):
    """A class in the app's own `processors/` works, with settings."""
    python = '''
        from transmissions import Processor

        class Shout(Processor):
            """Shouts."""

            mark: str = "!"
            "What stands behind."

            def process(self, message):
                message["said"] = message["first"] + message["second"] + self.mark
                return message
        '''
    turtle = """:t a :Transmission ; :pipe (:s) . :s a :Shout ; :settings [ :mark "?" ] ."""
    folder = write(tmp_path / "app", transmissions=turtle, **{"processors__Shout.py": python})
    assert run(folder, {"first": "A", "second": "B"}).messages[0]["said"] == "AB?"


@pytest.mark.parametrize("place", ["processors__Shout.js", "Shout.js"])
def test_a_processor_in_javascript_is_named_and_its_port_described(tmp_path, place):
    """There is nothing to run it with, so the error says what to write instead."""
    turtle = ":t a :Transmission ; :pipe (:s) . :s a :Shout ."
    folder = write(tmp_path / "app", transmissions=turtle, **{place: "export default class Shout {}"})
    with pytest.raises(ConfigError) as caught:
        run(folder)
    (problem,) = caught.value.problems
    assert problem.message == "there is no processor :Shout: Shout.js is JavaScript"
    assert "write processors/Shout.py with `class Shout(Processor)`" in problem.help


@pytest.mark.parametrize("name", ["McpServer", "ProcessorTemplate", "Stash", "JsonRestructurer", "Throttle", "S3Reader"])
def test_a_class_that_is_not_here_has_a_successor(tmp_path, capsys, name):
    """The error says what does its work, with classes that exist, and so does `trans describe`."""
    folder = write(tmp_path / "app", transmissions=f":t a :Transmission ; :pipe (:s) . :s a :{name} .")
    with pytest.raises(ConfigError) as caught:
        run(folder)
    told = caught.value.problems[0].help
    assert main(["describe", name]) == 2
    assert capsys.readouterr().err.strip() == f"error: no processor or app '{name}'; {told}"
    assert all(main(["describe", named]) == 0 for named in re.findall("`:([A-Z][A-Za-z]+)`", told))


def test_loops_collect_with_and_without_an_array(tmp_path):
    """ForEach, Accumulate and Unfork: one message goes on, with all items in it."""
    turtle = """
        :t a :Transmission ; :pipe (:each :texts :list :UF :SM) . :each a :ForEach ; :settings :of .
        :texts a :Accumulate ; :settings [ :label "test" ] .
        :list a :Accumulate ; :settings [ :accumulatorType "array" ; :targetField "a.list" ] .
        """
    folder = write(tmp_path / "app", transmissions=turtle, config=""":of a :ConfigSet ; :forEach "x.things" .""")
    (message,) = run(folder, {"x": {"things": ["a", "b"]}}).shown
    assert (message["accumulate"], message["a"]["list"], message["x"]["things"]) == ("ab", ["a", "b"], ["a", "b"])


def test_files_are_found_copied_and_walked_below_the_app(tmp_path):
    """Relative names are looked up in `data/`, walks begin in the app's folder, and copies land beside."""
    turtle = """
        :t a :Transmission ; :pipe (:copy :walk :read :SM) .
        :copy a :FileCopy ; :settings [ :source "in.md" ; :destination "copies/out.md" ] .
        :walk a :DirWalker ; :settings [ :sourceDir "data" ; :includePattern "*.md" ] . :read a :FileReader .
        """
    ran = run(write(tmp_path / "app", transmissions=turtle, **{"data__in.md": "text"}))
    assert sorted(one["filepath"] for one in ran.shown if not one["done"]) == ["copies/out.md", "in.md"]
    assert [one.get("content") for one in ran.shown] == ["text", "text", None]


def test_settings_nobody_reads_are_warnings(tmp_path):
    """What the original let pass is told with its place, and is an error without --compat."""
    turtle = """:t a :Transmission ; :pipe (:e) .
        :e a :ForEach ; :settings [ :feild 1 ; :loglevel 'debug' ; :processWhenDone 'false' ] ."""
    app = find_app(str(write(tmp_path / "app", transmissions=turtle)))
    for compat, severity in ((True, "warning"), (False, "error")):
        told = [problem for problem in check(app, compat=compat)[1] if problem.severity != "note"]
        assert [(problem.severity, problem.code) for problem in told] == [(severity, "unknown-setting")]
        assert told[0].span.text.strip().startswith(":e a :ForEach")


CONVERTER = """
    :c a trn:Transmission ; trn:pipe (:read :each :retree :messages :page :write) .
    :read a :FileReader ; trn:settings :readFile . :each a :JSONWalker . :messages a :JSONWalker . :page a :MarkdownFormatter .
    :retree a :Restructure ; trn:settings :retreeConvs . :write a :FileWriter ; trn:settings :Writer .
    """
CONVERTER_SETTINGS = """
    :ReadFile a trn:ConfigSet ; trn:settings :readFile ; :sourceFile "never read" .
    :Writer a trn:ConfigSet ; trn:destinationFile "DESTINATION" .
    :retreeConvs a trn:ReMap ; trn:rename (:p1 :p2 :p3) .
    :p1 trn:pre "content.uuid" ; trn:post "meta.conv_uuid" . :p2 trn:pre "content.name" ; trn:post "meta.conv_name" .
    :p3 trn:pre "content.chat_messages" ; trn:post "content" .
    """


def test_a_converter_of_chats_writes_every_message(tmp_path):
    """Loops in loops: a file for each message, named whole, and nothing in the placeholder of the settings."""
    messages = [{"uuid": f"abc{number}", "text": f"text {number}", "created_at": "2024-11-30"} for number in range(3)]
    talks = [{"uuid": f"{name}-1", "name": name, "chat_messages": messages} for name in ("aaaa", "bbbb")]
    folder = write(tmp_path / "app", transmissions=CONVERTER, config=CONVERTER_SETTINGS, data__in=json.dumps(talks))
    run(folder, {"sourceFile": "in"})
    written = sorted(str(file.relative_to(folder / "data")) for file in (folder / "data").rglob("*") if file.is_file())
    pages = [f"{name}/2024-11-30_abc{number}.md" for name in ("aaaa", "bbbb") for number in range(3)]
    assert written == [*pages, "in"]
    assert (folder / "data" / pages[4]).read_text().startswith("# [bbbb](https://claude.ai/chat/bbbb-1)\n\nabc1\n\ntext 1\n")
