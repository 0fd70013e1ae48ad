"""Every rule a setting can break, in our own words and at its place."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from examining import PROCESSORS, codes, examine, make_app, marked, only, write_turtle

from transmissions import homes
from transmissions.commands import validate as command
from transmissions.errors import UsageError
from transmissions.validate import check

PIPE = ":demo a :Transmission ; :pipe (:a) ."
ORIGINAL_APPS = Path(os.environ.get("TRANSMISSIONS_ORIGINAL_APPS", "/nowhere"))


def fault(tmp_path, turtle, config=None):
    """Return the one fault of a widget."""
    plan, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; {turtle} .", config)
    assert plan is None
    return only(problems)


@pytest.mark.parametrize(
    ("turtle", "code", "at", "message", "label"),
    [
        (":size 0", "range", "0", "size must be at least 1 items", "0 is too small"),
        (":size 101", "range", "101", "size must be at most 100 items", "101 is too large"),
        (":size 'many'", "datatype", "'many'", "size must be a whole number", "is 'many'"),
        (":size 1.5", "datatype", "1.5", "size must be a whole number", "is '1.5'"),
        (":size []", "datatype", "[]", "size must be a whole number", "is '[ … ]'"),
        (f":size {9**20}", "datatype", f"{9**20}", "size must be a whole number of at most 18 digits", f"is '{9**20}'"),
        (f":size '-{9**20}'", "datatype", f"'-{9**20}'", "size must be a whole number of at most 18 digits", f"is '-{9**20}'"),
        (f":ratio {9**50}", "datatype", f"{9**50}", "ratio must be a number of at most 40 digits", f"is '{9**50}'"),
        (":tags []", "datatype", "[]", "tags must be a text", "is a blank node"),
        (":value []", "datatype", "[]", "value must be a single value", "is a blank node"),
        (":size 5, 6", "too-many-values", "6", "size takes one value, not 2", "one too many"),
        (":tags 1, 2, 3, 4, 5, 6", "too-many-values", "6", "tags takes at most 5 values, not 6", "one too many"),
        (f":tags '{'x' * 41}'", "length", f"'{'x' * 41}'", "tags must be at most 40 characters long", "has 41"),
        (":ratio 'x'", "datatype", "'x'", "ratio must be a number", "is 'x'"),
        (":strict 'yes'", "datatype", "'yes'", "strict must be true or false", "is 'yes'"),
        (":mode 'fats'", "choice", "'fats'", "mode must be one of fast, slow", "is none of them"),
        (":name 'A1'", "pattern", "'A1'", "name must match [a-z]+", "'A1' does not"),
        (":home 'no iri'", "datatype", "'no iri'", "home must be an IRI", "is 'no iri'"),
        (":rename 'x'", "datatype", "'x'", "rename must be a node with settings of its own, `[ … ]`", "is 'x'"),
        (":rename [ :pre 'x' ]", "missing-setting", "[ :pre 'x' ]", "rename needs the setting post", "has no post"),
        (":rename [ :pre 'x' ; :post 'y' ; :pots 'z' ]", "unknown-setting", ":pots", "rename has no setting pots", ""),
        (":low 20", "range", "20", "low must be less than size", "20 is not less than 10 (size, default)"),
        (":sise 5", "unknown-setting", ":sise", "Widget has no setting sise", ""),
    ],
)
def test_a_broken_rule_is_told_at_its_place(tmp_path, turtle, code, at, message, label):
    """Code, place, sentence and label say what is wrong with which value."""
    problem = fault(tmp_path, turtle)
    assert (problem.code, marked(problem.span), problem.message, problem.label) == (code, at, message, label)


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        ("s", "Lister opens a group of messages, so it cannot be left out"),
        ("c", "Closer closes a group of messages, so it cannot be left out"),
    ],
)
def test_what_opens_or_closes_a_group_cannot_be_left_out(tmp_path, left_out, sentence):
    """Without it the steps behind would find themselves in other groups than the app is written for."""
    turtle = ":demo a :Transmission ; :pipe (:s :c) . :s a :Lister . :c a :Closer ."
    problem = only(examine(tmp_path, turtle, overrides=[f"{left_out}.enabled=false"])[1])
    assert (problem.code, problem.message, marked(problem.span)) == ("enabled", sentence, "false")


def test_a_node_that_is_left_out_is_checked_all_the_same(tmp_path):
    """To enable it must not bring faults to light that were there before."""
    problem = fault(tmp_path, ":sise 5 ; :enabled false")
    assert (problem.code, marked(problem.span)) == ("unknown-setting", ":sise")


@pytest.mark.parametrize(
    ("turtle", "at", "words"),
    [
        (":width 70 ; :encoding 'utf-99' ; :concurrency 2", "'utf-99'", "LookupError: unknown encoding: utf-99"),
        (":width 13 ; :concurrency 2", "13", "ValueError: an unlucky width"),
        (":width 13 ; :encoding 'utf-8'", "13", "ValueError: an unlucky width"),
    ],
)
def test_what_a_processor_refuses_is_told_at_its_setting(tmp_path, turtle, at, words):
    """Every processor is made once, and once more without each setting if it raises: the place is the one that matters."""
    plan, problems = examine(tmp_path, f"{PIPE} :a a :Picky ; {turtle} .")
    assert plan is None
    assert (marked(only(problems).span), only(problems).message) == (at, words)


@pytest.mark.parametrize(
    ("turtle", "at"),
    [
        (":a a :Templater ; :template '{% if' ; :targetField 'heading {{ 1 }}'", "'{% if'"),
        (":a a :Templater ; :template '{{ x' ; :targetField '1'", "'{{ x'"),
        (":a a :PatternMatcher ; :tell true ; :patterns ([ :pattern 'ab' ] [ :pattern '(' ])", "'('"),
        (":a a :Templater ; :template 'x' ; :templateFilename 'y'", ":a"),
    ],
)
def test_what_is_refused_is_told_at_the_setting_without_which_it_would_not_be(tmp_path, turtle, at):
    """Though the error may name none, and may have the value of another in it; of several it is the one it does name."""
    problem = only(examine(tmp_path, f"{PIPE} {turtle} .")[1])
    assert (problem.code, marked(problem.span)) == ("refused", at)


def test_what_is_raised_when_a_processor_is_made_has_its_line_of_code(tmp_path):
    """It is not known from the setting where in a class the fault lies."""
    problem = only(examine(tmp_path, f"{PIPE} :a a :Picky ; :width 13 .")[1])
    line = PROCESSORS[: PROCESSORS.index("raise ValueError")].count("\n") + 1
    assert problem.help == f"raised in {tmp_path}/processors/widgets.py:{line}, __post_init__"


def test_what_has_no_type_is_told_to_be_no_setting(tmp_path):
    """A class attribute looks like one to who writes the class."""
    app = make_app(tmp_path, f"{PIPE} :a a :Mild ; :howMuch 2 .")
    lines = [
        "from transmissions import Processor",
        "class Mild(Processor):",
        '"""Do."""',
        "how_much = 1",
        "def process(self, m): ...",
    ]
    (tmp_path / "processors" / "mild.py").write_text("\n    ".join(lines).replace("    class", "class"))
    problem = only(check(app)[1])
    assert (problem.code, problem.help) == (
        "unknown-setting",
        "`how_much` in mild.py:4 has no type, and only what has one is a setting: `how_much: int = …`",
    )


def test_a_processor_with_a_secret_is_not_made(tmp_path):
    """The variable may be set only where the app runs."""
    plan, problems = examine(tmp_path, f"{PIPE} :a a :Picky ; :token [ :env 'NOT_SET_HERE' ] .")
    assert plan is not None
    assert not problems


def test_a_rule_across_files_names_the_other_place(tmp_path):
    """A comparison tells the other value, its name and where that was written."""
    problem = fault(tmp_path, ":low 40 ; :settings :set", ":set :size 30 .")
    assert problem.label == "40 is not less than 30 (size, config.ttl:3)"


def test_a_rule_against_a_default_is_told_where_the_other_value_stands(tmp_path):
    """What nobody wrote has no place, so the caret is under the value that was written."""
    problem = fault(tmp_path, ":size 2")
    assert (marked(problem.span), problem.label) == ("2", "low is 2 (default)")


def test_a_missing_setting_says_what_it_is_for(tmp_path):
    """The declaration's own description helps."""
    problem = only(examine(tmp_path, f"{PIPE} :a a :Needy .")[1])
    assert (problem.code, problem.message) == ("missing-setting", "Needy needs the setting template")
    assert (marked(problem.span), problem.help) == (":a", "The template to fill.")


@pytest.mark.parametrize(
    ("turtle", "near"),
    [
        (":sise 5", "size"),
        (":Tag 'x'", "tags"),
        (":onEror :skip", "onError"),
        (":onErr :skip", "onError"),
        (":setings :set", "settings"),
    ],
)
def test_a_misspelt_setting_is_answered_with_the_nearest(tmp_path, turtle, near):
    """Settings of the processor and of the node are both offered."""
    assert fault(tmp_path, turtle).help == f"did you mean `:{near}`?"


def test_a_misspelt_pipe_is_answered_with_the_right_name(tmp_path):
    """The terms of a transmission that are no settings are offered, too."""
    _, problems = examine(tmp_path, ":demo a :Transmission ; :pip (:a) . :a a :Plain .")
    assert next(problem.help for problem in problems if problem.code == "unknown-setting") == "did you mean `:pipe`?"


@pytest.mark.parametrize(
    ("second", "code", "at", "words"),
    [
        (":name 'in'", "two-arguments", "'in'", "two arguments have the name 'in'"),
        (":name 'out' ; :field 'in'", "two-arguments", "'in'", "two arguments have the field 'in'"),
        (":name 'out'", "", "", ""),
    ],
)
def test_arguments_must_be_told_apart(tmp_path, second, code, at, words):
    """Two of one name or one field are a fault at the second, once."""
    turtle = f":demo a :Transmission ; :pipe (:a) ; :argument ( [ :name 'in' ] [ {second} ] ) . :a a :Plain ."
    _, problems = examine(tmp_path, turtle)
    assert [(p.code, marked(p.span), p.message) for p in problems] == ([(code, at, words)] if code else [])


def test_only_one_argument_takes_many_words(tmp_path):
    """Nobody could say which words belong to which; the one that does may stand in front of others."""
    turtle = ":demo a :Transmission ; :pipe (:a) ; :argument ( [ :name 'in' ; :many true ] [ :name 'out' ] {} ) . :a a :Plain ."
    assert not examine(tmp_path, turtle.format(""))[1]
    problem = only(examine(tmp_path, turtle.format("[ :name 'more' ; :many true ]"))[1])
    assert (problem.code, marked(problem.span), problem.message) == (
        "two-arguments",
        "true",
        "only one argument can take many words",
    )


def test_only_many_words_can_be_together(tmp_path):
    """One word is no list."""
    turtle = ":demo a :Transmission ; :pipe (:a) ; :argument [ :name 'in' ; :together true{} ] . :a a :Plain ."
    assert not examine(tmp_path, turtle.format(" ; :many true"))[1]
    problem = only(examine(tmp_path, turtle.format(""))[1])
    assert (problem.code, marked(problem.span)) == ("together", "true")


def test_unknown_settings_are_warnings_under_compat(tmp_path):
    """The original let them pass, so --compat does."""
    plan, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; :sise 5 .", compat=True)
    assert plan
    assert only(problems).severity == "warning"


def test_a_fault_placed_twice_is_told_once(tmp_path):
    """A shared settings node, or a node in two pipes, has its fault once."""
    text = """
        :demo a :Transmission ; :pipe (:a :b) . :two a :Transmission ; :pipe (:a) .
        :a a :Widget ; :settings :set . :b a :Widget ; :settings :set . :set :size 0 .
        """
    assert only(examine(tmp_path, text)[1]).code == "range"


def test_two_missing_settings_at_one_node_are_two_faults(tmp_path):
    """Problems at the same place are told apart by what is missing."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; :rename [ ] .")
    assert codes(problems) == ["missing-setting", "missing-setting"]


@pytest.mark.parametrize(
    ("turtle", "code"),
    [
        (":token 'sk-live-1234'", "secret"),
        (":token [ :env 'sk-live-1234' ]", "secret"),
        (":tokne 'sk-live-1234'", "unknown-setting"),
        (":token 'sk-live-1234' ; :size 0", "range"),
    ],
)
def test_a_secret_in_a_file_is_refused_and_never_printed(tmp_path, turtle, code):
    """Neither sentence nor source line of any problem shows the value."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; {turtle} .")
    assert code in codes(problems)
    assert "1234" not in repr(problems)


def test_a_secret_on_the_command_line_is_refused_and_never_printed(tmp_path):
    """A secret is a reference to the environment, nothing else."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget .", overrides=["a.token=sk-live-1234"])
    assert only(problems).code == "secret"
    assert "1234" not in repr(problems)


@pytest.mark.parametrize("override", ["b.token=hunter2", "atoken=hunter2", "a.key=hunter2"])
def test_what_a_faulty_override_holds_is_never_printed(tmp_path, override):
    """It may be a secret whose setting was misspelt."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget .", overrides=[override])
    assert "hunter2" not in repr(problems)


def test_a_secret_takes_no_more_than_the_name_of_a_variable(tmp_path):
    """What is written beside it would be ignored, and may be the secret."""
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; :token [ :env 'TOKEN' ; :value 'hunter2' ] .")
    assert only(problems).code == "unknown-setting"
    assert "hunter2" not in repr(problems)


def test_a_broken_module_in_use_stops_the_app(tmp_path):
    """That it is broken was noted before it was known that a node needs it."""
    app = make_app(tmp_path, f"{PIPE} :a a :Mine .")
    (tmp_path / "processors" / "mine.py").write_text("class Mine(Processor):\n    )(\n")
    plan, problems = check(app)
    assert plan is None
    assert (only(problems).code, only(problems).severity) == ("broken-module", "error")


@pytest.fixture
def without_libraries(monkeypatch):
    """Make an environment that lacks what the library's extras need."""
    monkeypatch.setattr("transmissions.extras.metadata.requires", lambda _: ['no-such-lib>=1; extra == "http"'])


def test_missing_libraries_are_told_once_for_all_that_need_them(tmp_path, without_libraries):
    """The first place that needs them is marked, the mend is a command, and what else is wrong is told, too."""
    turtle = ":demo a :Transmission ; :pipe (:a :b) . :a a :HttpClient . :b a :HTTPSink ; :url 'http://a/' ; :sise 1 ."
    problems = examine(tmp_path, turtle, overrides=["a.url=http://b/"])[1]
    assert codes(problems) == ["missing-library", "unknown-setting"]
    assert problems[0].message == "HttpClient and 1 more need 'no-such-lib', not installed here"
    assert marked(problems[0].span) == ":a"
    assert problems[0].help == f"install it: {sys.executable} -m pip install 'no-such-lib>=1'"


def test_what_is_left_out_needs_no_library(tmp_path, without_libraries):
    """A node that is not enabled is not made."""
    turtle = ":demo a :Transmission ; :pipe (:a :b) . :a a :NOP . :b a :HTTPSink ; :url 'http://a/' ; :enabled false ."
    assert examine(tmp_path, turtle)[1] == []


def test_an_override_of_a_node_whose_class_is_unknown_is_no_second_fault(tmp_path):
    """A node that could not be placed is there all the same."""
    turtle = ":demo a :Transmission ; :pipe (:a) . :a a :Wigdet ."
    assert codes(examine(tmp_path, turtle, overrides=["a.size=1"])[1]) == ["unknown-processor"]


def test_concurrency_cannot_apply_where_order_matters(tmp_path):
    """A processor that closes groups sees its messages in order or not at all."""
    text = ":demo a :Transmission ; :pipe (:l :a) . :l a :Lister . :a a :Closer ; :concurrency 4 ."
    assert only(examine(tmp_path, text)[1]).code == "concurrency"


@pytest.mark.parametrize(
    ("turtle", "code"),
    [
        (":metricss [ ]", "unknown-setting"),
        (":metrics [ :format 'xml' ]", "choice"),
        (":argument [ :kind :Path ]", "missing-setting"),
        (":argument [ :name 'in' ; :kind :Pat ]", "choice"),
        (":deadLetters 'a', 'b'", "too-many-values"),
    ],
)
def test_terms_about_the_transmission_are_checked(tmp_path, turtle, code):
    """Arguments, metrics and the rest are closed records like settings."""
    _, problems = examine(tmp_path, f":demo a :Transmission ; :pipe (:a) ; {turtle} . :a a :Plain .")
    assert only(problems).code == code


@pytest.mark.parametrize(
    ("turtle", "faults"),
    [
        (":a a :Widget ; :sise 5 ; :settings :set .", ["unknown-setting", "syntax"]),
        (":a a :Widget ; :size 0 ; :tags [ ] .", ["range", "datatype", "syntax"]),
        (":a a :Needy ; :settings :set .", ["syntax"]),
        (":a a :Widget ; :size 2 .", ["syntax"]),
        (":a a :Widget ; :low 30 .", ["syntax"]),
        (":a a :Widget ; :rename :one .", ["syntax"]),
    ],
)
def test_what_is_certainly_wrong_is_told_though_another_file_cannot_be_read(tmp_path, turtle, faults):
    """And nothing that the other file may have put right: what is missing, or wrong beside a default only."""
    _, problems = examine(tmp_path, f"{PIPE} {turtle}", ":set :size 1 ; ]")
    assert sorted(codes(problems)) == sorted(faults)


def test_syntax_faults_of_all_files_are_told_at_once(tmp_path):
    """Each file's first fault of syntax is reported, and structure still is where it can be read."""
    app = make_app(tmp_path, f"{PIPE} :a a :Plaine .", ":x :size .")
    _, problems = check(app)
    assert {Path(problem.span.file).name for problem in problems} == {"transmissions.ttl", "config.ttl"}
    assert "unknown-processor" in codes(problems)


def test_a_number_with_a_comma_is_two(tmp_path):
    """Which is how some write a fraction; two numbers with a space between are meant as two."""
    assert fault(tmp_path, ":ratio 2,5").help == "a fraction is written with a point: 2.5"
    assert fault(tmp_path, ":ratio 2, 5").help == ""


def test_a_setting_that_is_misspelt_is_not_missing_too(tmp_path):
    """It is one fault, though the setting is needed; another one that is needed is missing all the same."""
    assert fault(tmp_path, ":rename [ :pre 'x' ; :pots 'y' ]").code == "unknown-setting"
    _, problems = examine(tmp_path, f"{PIPE} :a a :Widget ; :rename [ :prae 'y' ] .")
    assert [problem.message for problem in problems] == ["rename needs the setting post", "rename has no setting prae"]


def test_a_pipe_that_is_misspelt_is_one_fault(tmp_path):
    """It is not missing, too; nor is it said to be what the settings of nodes nobody placed are for."""
    problem = only(
        examine(tmp_path, ":demo a :Transmission ; :pip (:a) . :a a :Widget ; :settings :set .", ":set :size 1 .")[1]
    )
    assert (problem.code, marked(problem.span), problem.help) == ("unknown-setting", ":pip", "did you mean `:pipe`?")
    _, problems = examine(tmp_path, ":demo a :Transmission ; :pip (:a) . :a a :Widget .", compat=True)
    assert codes(problems) == ["missing-pipe", "unknown-setting"]


def test_settings_are_not_noted_as_spare_where_the_pipes_are_at_fault(tmp_path):
    """The nodes that use them may be those that could not be placed."""
    _, problems = examine(tmp_path, ":demo :pipe (:a) . :a a :Widget ; :settings :set .", ":set :size 1 .")
    assert only(problems).code == "not-a-transmission"


def test_a_missing_file_is_a_problem(tmp_path):
    """Not a traceback: the app's file that is not there is named."""
    app = make_app(tmp_path, PIPE)
    (app.folder / "transmissions.ttl").unlink()
    problem = only(check(app)[1])
    assert (problem.code, Path(problem.span.file).name) == ("missing-file", "transmissions.ttl")


def test_two_classes_with_one_iri_are_a_problem(tmp_path):
    """The registry's faults belong to the examination, said once."""
    app = make_app(tmp_path, f"{PIPE} :a a :Plain .")
    clash = 'from transmissions import Processor\n\n\nclass Plain(Processor):\n    """Another."""\n    process = print\n'
    (tmp_path / "processors" / "other.py").write_text(clash)
    assert "two-classes" in codes(check(app)[1])


def test_the_whole_graph_is_never_shown_to_rdflib_s_log(tmp_path, caplog):
    """An ill-typed literal is our problem, not a logged traceback."""
    for setting in (":size", ":rename", ":buffer"):
        assert fault(tmp_path, f"{setting} '1x'^^<http://www.w3.org/2001/XMLSchema#integer>").code == "datatype"
    assert not caplog.records


def test_a_user_s_own_shapes_are_honoured(tmp_path):
    """`shapes.ttl` beside an app runs over the files as they are written, and its faults are located there."""
    app = make_app(tmp_path, f"{PIPE} :a a :Widget ; :settings :set .", ":set :name 'abc' ; :size 5 .")
    shapes = """
        @prefix sh: <http://www.w3.org/ns/shacl#> .
        :Names a sh:NodeShape ; sh:targetSubjectsOf :name ; sh:property [ sh:path :name ; sh:minLength 5 ] .
        """
    write_turtle(app.folder / "shapes.ttl", shapes)
    problem = only(check(app)[1])
    assert (Path(problem.span.file).name, marked(problem.span)) == ("config.ttl", "'abc'")


def run_command(capsys, *words):
    """Return exit code, stdout and stderr of `trans validate`."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    code = command.call(parser.parse_args(list(words)))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_prints_a_line_for_a_good_app(tmp_path, capsys, monkeypatch):
    """`trans validate APP` says ok and how many nodes there are."""
    make_app(tmp_path, f"{PIPE} :a a :Plain .")
    monkeypatch.chdir(tmp_path)
    assert run_command(capsys, "apps/demo") == (0, "apps/demo: ok, 1 node\n", "")
    assert run_command(capsys) == (0, "apps/demo: ok, 1 node\n", "")


def test_a_part_that_is_not_there_is_none_to_check(tmp_path, capsys, monkeypatch):
    """`trans validate APP.PART` says that the part is not there; one that is there is checked with its app."""
    make_app(tmp_path, f"{PIPE} :a a :Plain .")
    monkeypatch.chdir(tmp_path)
    assert run_command(capsys, "demo.demo") == (0, "apps/demo: ok, 1 node\n", "")
    with pytest.raises(UsageError, match=r"demo has no transmission 'dmo'"):
        run_command(capsys, "demo.dmo")


@pytest.mark.parametrize(("written", "meant"), [(":true", "true"), ("'False'", "false"), ("'yes'", "true"), ("'off'", "false")])
def test_a_truth_is_shown_as_it_is_written(tmp_path, written, meant):
    """Other spellings of true and false are answered with the right one."""
    problem = fault(tmp_path, f":strict {written}")
    assert (problem.code, problem.help) == ("datatype", f"write `{meant}`, without quotes or a colon")


def test_the_command_shows_problems_with_a_caret(tmp_path, capsys, monkeypatch):
    """Problems go to stderr with the source line, the verdict to stdout, and the exit code is 2."""
    make_app(tmp_path, f"{PIPE} :a a :Widget ; :size 0 .")
    monkeypatch.chdir(tmp_path)
    code, out, err = run_command(capsys, "demo")
    assert (code, out) == (2, "apps/demo: 1 error\n")
    assert re.search(r"--> apps/demo/transmissions.ttl:3:\d+", err)
    assert "^ 0 is too small" in err


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_other_forms_are_data_on_stdout(tmp_path, capsys, monkeypatch, form):
    """With a format for machines nothing else stands on stdout."""
    make_app(tmp_path, f"{PIPE} :a a :Widget ; :size 0 .")
    monkeypatch.chdir(tmp_path)
    code, out, err = run_command(capsys, "demo", "--format", form)
    assert (code, err) == (2, "")
    assert "size must be at least 1" in out


def test_where_nothing_is_wrong_github_is_told_nothing(tmp_path, capsys, monkeypatch):
    """Not even an empty line."""
    make_app(tmp_path, f"{PIPE} :a a :Plain .", "")
    monkeypatch.chdir(tmp_path)
    assert run_command(capsys, "demo", "--format", "github") == (0, "", "")


def test_the_command_takes_files(tmp_path, capsys, monkeypatch):
    """A file of an app stands for the app; any other Turtle file is checked for its syntax."""
    make_app(tmp_path, f"{PIPE} :a a :Plain .", "")
    write_turtle(tmp_path / "lonely.ttl", ":x :y .")
    monkeypatch.chdir(tmp_path)
    assert run_command(capsys, "apps/demo/config.ttl")[1] == "apps/demo: ok, 1 node\n"
    assert run_command(capsys, "lonely.ttl")[:2] == (2, "lonely.ttl: 1 error\n")


def test_the_command_starts_without_an_event_loop(tmp_path):
    """Checking needs SHACL, but neither the engine's loop nor a terminal's colours."""
    app = make_app(tmp_path, f"{PIPE} :a a :Plain .")
    call = f"main(['validate', {str(app.folder)!r}])"
    script = f"import sys; from transmissions.cli import main; {call}; print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "'pyshacl'" in done.stderr
    assert "'rich'" not in done.stderr
    assert "'jinja2'" not in done.stderr


def test_the_working_directory_is_no_home_for_code(tmp_path):
    """`python -m transmissions` puts it on the path, where it would even stand in for Python's own modules."""
    make_app(tmp_path, f"{PIPE} :a :implementedBy 'evil:Evil' .")
    for name in ("evil", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    command = [sys.executable, "-m", "transmissions", "validate", "demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "there is no module 'evil'" in done.stderr


@pytest.mark.skipif(not ORIGINAL_APPS.is_dir(), reason="TRANSMISSIONS_ORIGINAL_APPS names no folder")
def test_the_original_s_apps_have_no_faults_but_missing_processors():
    """Turtle written for the original parses and means the same."""
    for folder in sorted((ORIGINAL_APPS / "apps").iterdir()):
        _, problems = check(homes.find_app(str(folder)), compat=True)
        assert {problem.code for problem in problems if problem.is_error} <= {"unknown-processor"}, folder


@pytest.mark.parametrize(
    ("said", "term", "mend"),
    [
        (
            ":when [ :field 'a' ; :equals 'b' ]",
            "when",
            "it belongs to a branch of a :Route; a :Filter keeps messages by its :where",
        ),
        (":branches ( ( :b ) )", "branches", "it belongs to a :FanOut or a :Route"),
    ],
    ids=["a condition", "branches"],
)
def test_a_term_of_branches_is_none_of_a_processor(tmp_path, said, term, mend):
    """A condition that would never be looked at is an error that says where conditions go."""
    problem = only(examine(tmp_path, f"{PIPE} :a a :Widget ; {said} . :b a :Widget .")[1])
    assert (problem.code, problem.message, problem.help) == ("unknown-setting", f"Widget has no setting {term}", mend)
