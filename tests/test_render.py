"""Problems as text and as data for machines."""

from __future__ import annotations

import json

import pytest

from transmissions import formats
from transmissions.problem import Label, Problem, Span
from transmissions.render import render, render_all

LINE = "    :lowWaterMark 900000 ;"
SPAN = Span("apps/demo/config.ttl", 12, 19, 6, LINE)
HIGH = Span("apps/demo/config.ttl", 9, 5, 14, "    :highWaterMark 838860 ;")
PROBLEM = Problem(
    "error",
    "range",
    "lowWaterMark must be less than highWaterMark",
    SPAN,
    "900000 is not less than 838860",
    "lower it",
    (Label(HIGH, "the other one"),),
)


def at(text, column, width=1, line=1):
    """Make a problem on a line of text."""
    return Problem("error", "x", "wrong", Span("a.ttl", line, column, width, text))


def caret(problem):
    """Return the shown source line and the columns of its carets."""
    *_, source, marks = render(problem).splitlines()
    return source, marks.index("^"), marks.count("^")


def test_a_problem_is_shown_with_its_line_and_caret():
    """Severity, code and sentence, place, source line, caret with label, the second place, and the mend."""
    assert render(PROBLEM).splitlines() == [
        "error[range]: lowWaterMark must be less than highWaterMark",
        "  --> apps/demo/config.ttl:12:19",
        "   |",
        "12 |     :lowWaterMark 900000 ;",
        "   |                   ^^^^^^ 900000 is not less than 838860",
        "  ::: apps/demo/config.ttl:9:5",
        "   |",
        " 9 |     :highWaterMark 838860 ;",
        "   |     -------------- the other one",
        "   = help: lower it",
    ]


def test_a_problem_without_a_place_is_its_sentence():
    """Where there is no span there is no frame; where a file cannot be shown, only its name."""
    assert render(Problem("warning", "x", "odd", help="mend it")) == "warning[x]: odd\n  = help: mend it"
    assert render(at("", 1, width=0)) == "error[x]: wrong\n --> a.ttl:1:1"


@pytest.mark.parametrize(
    ("text", "column", "width", "start", "count"),
    [
        ("\t:a \t :b", 7, 2, 12, 2),
        ("日本 :b", 4, 2, 5, 2),
        (":b 日本", 4, 2, 3, 4),
        ("e\u0301 :b", 4, 2, 2, 2),
        ("\u202e\x00 :b", 4, 2, 14, 2),
    ],
)
def test_the_caret_stands_under_the_text(text, column, width, start, count):
    """Tabs, wide, combining and hidden characters do not move the caret away from what it marks."""
    _, first, marks = caret(at(text, column, width))
    assert (first - len("1 | "), marks) == (start, count)


def test_hidden_characters_are_written_out():
    """Control and direction characters of a file never reach the terminal, neither in the line nor in the words."""
    shown = render(at('"a\u202eb\x1b[2Jc"', 1)._replace(message="bad\x07\nname", help="\u2066x"))
    assert "\\u{202e}" in shown
    assert "bad\\u{7} name" in shown
    assert not set(shown) & set("\u202e\x1b\x07\u2066")


@pytest.mark.parametrize("column", [1, 60, 500, 996])
def test_a_long_line_is_cut_around_the_caret(column):
    """Of a very long line about 120 columns are shown, and the caret still stands under its place."""
    text = "".join(f"{number:04}" for number in range(250))
    source, first, count = caret(at(text, column, 4))
    assert source[first : first + count] == text[column - 1 : column + 3]
    assert len(source) <= 4 + 122


def test_a_stretch_longer_than_the_window_is_marked_to_its_edge():
    """A marked stretch that leaves the window does not widen it."""
    _, _, count = caret(at("x" * 5000, 1, 5000))
    assert count == 120


def test_all_problems_are_in_order_and_each_is_there_once():
    """Problems come by file and line, the same fault of a place once, and the last line counts them."""
    other = at("x", 1)
    warning = PROBLEM._replace(severity="warning", code="odd", span=SPAN._replace(line=2))
    lines = render_all([PROBLEM, warning, other, PROBLEM._replace(label="again")]).splitlines()
    assert [line for line in lines if "[" in line] == [
        "error[x]: wrong",
        "warning[odd]: lowWaterMark must be less than highWaterMark",
        "error[range]: lowWaterMark must be less than highWaterMark",
    ]
    assert lines[-1] == "2 errors, 1 warning"
    assert "again" not in "".join(lines)


def test_two_faults_of_one_place_are_both_shown():
    """Only the same sentence at the same place is the same fault."""
    assert render_all([at("x", 1), at("x", 1)._replace(message="worse")]).endswith("2 errors")


def test_colour_changes_nothing_but_colour():
    """Without its escape sequences the coloured text is the plain one."""
    coloured = render(PROBLEM, color=True)
    for code in ("1;31", "1;34", "1", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == render(PROBLEM)


def test_json_has_every_part():
    """The JSON form is a list of objects with the place in plain fields."""
    (found,) = json.loads(formats.to_json([PROBLEM]))
    assert found["file"] == "apps/demo/config.ttl"
    assert (found["line"], found["column"], found["endColumn"]) == (12, 19, 25)
    assert (found["severity"], found["code"], found["help"]) == ("error", "range", "lower it")
    assert found["related"][0]["text"] == "the other one"


def test_sarif_has_the_shape_of_2_1_0():
    """A SARIF log has version, a driver with rules, and results that point into files by URI and region."""
    log = json.loads(formats.to_sarif([PROBLEM, at("x", 1)._replace(severity="note"), Problem("warning", "y", "nowhere")]))
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert log["version"] == "2.1.0"
    assert [result["level"] for result in run["results"]] == ["warning", "note", "error"]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [result["ruleId"] for result in run["results"]]
    physical = run["results"][2]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "apps/demo/config.ttl"
    assert physical["region"] == {"startLine": 12, "startColumn": 19, "endColumn": 25}


def test_a_file_name_that_is_no_text_is_escaped():
    """A name of bytes that are not UTF-8 becomes a URI like any other."""
    problem = Problem("error", "x", "is wrong", Span("a\udcff b.ttl", 1, 1, 1, "x"))
    location = json.loads(formats.to_sarif([problem]))["runs"][0]["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "a%FF%20b.ttl"


def test_github_commands_are_escaped():
    """A workflow command stays on one line, whatever the file's name and the message hold."""
    problem = at("x", 1)._replace(message="100 %\nbad", span=Span("a,b:c.ttl", 1, 2, 3, "x"))
    assert formats.to_github([problem]) == "::error file=a%2Cb%3Ac.ttl,line=1,col=2,endColumn=5,title=x::100 %25 bad"
    assert formats.to_github([problem._replace(severity="note", span=None)]) == "::notice title=x::100 %25 bad"
