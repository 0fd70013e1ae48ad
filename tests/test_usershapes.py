"""A user's own shapes: what they find, where it is shown, and what is refused."""

from __future__ import annotations

import re
import socket
import subprocess

import pytest

from transmissions import located, usershapes
from transmissions.patterns import runs_away
from transmissions.turtle import Document
from transmissions.usershapes import check_user_shapes

HEAD = (
    "@prefix : <http://e/> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
)
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def load(text, name):
    """Load a text behind the usual prefixes."""
    return located.load(Document(name, HEAD + text))


def check(data, rules, **options):
    """Return what shapes for the class :T find in some data."""
    shapes = load(f":S a sh:NodeShape ; sh:targetClass :T ;\n{rules} .", "shapes.ttl")
    return check_user_shapes([load(data, "a.ttl")], shapes, **options)


def marked(span):
    """Return the text that stands over a caret."""
    return span.text[span.column - 1 :][: span.width]


def test_every_kind_of_result_is_located():
    """A value, a value too many, a property, a list member and a missing thing are each shown where they are."""
    data = ':a a :T ; :n 5 , "no" ,\n 7 ; :name "x" ; :odd 1 ; :step ( :s [ :rate -1 ] ) .'
    rules = f"""sh:closed true ; sh:ignoredProperties ( <{RDF}type> :step ) ;
        sh:property [ sh:path :n ; sh:maxCount 2 ; sh:datatype xsd:integer ] , [ sh:path :name ; sh:pattern "^y" ] ,
          [ sh:path ( :step [ sh:zeroOrMorePath <{RDF}rest> ] <{RDF}first> :rate ) ; sh:minInclusive 0 ] ,
          [ sh:path :x ; sh:minCount 1 ]"""
    found = {problem.message: (marked(problem.span), problem.span.line) for problem in check(data, rules)}
    assert found == {
        "`:n` takes at most 2": ("7", 3),
        "`:n` must be of the datatype xsd:integer": ('"no"', 2),
        "`:name` must match the pattern ^y": ('"x"', 3),
        "`:step/…/rdf:first/:rate` must be at least 0": ("-1", 3),
        "`:odd` is not allowed here": (":odd", 3),
        "`:x` is missing": (":a", 2),
    }


def test_paths_of_every_kind_lead_to_a_place():
    """Inverse and alternative paths are followed as well; the rule that asks is shown beside."""
    rules = """sh:property [ sh:path [ sh:inversePath :of ] ; sh:nodeKind sh:BlankNode ] ,
        [ sh:path [ sh:alternativePath ( :p :q ) ] ; sh:in ( 1 2 ) ]"""
    problems = check(":a a :T ; :q 3 . :b :of :a .", rules)
    assert [marked(problem.span) for problem in problems] == ["3", ":a"]
    assert [marked(problem.related[0].span) for problem in problems] == ["sh:in", "sh:nodeKind"]
    assert problems[0].message == "this must be one of 1, 2"


def test_the_shapes_own_words_are_used():
    """`sh:message` is the sentence and `sh:severity` the severity of a problem."""
    (problem,) = check(
        ":a a :T ; :n 5 .", 'sh:property [ sh:path :n ; sh:maxInclusive 4 ; sh:message "too many" ; sh:severity sh:Warning ]'
    )
    assert (problem.severity, problem.message) == ("warning", "too many")


@pytest.mark.parametrize(("bound", "words"), [("Min", "needs at least 2 that fit"), ("Max", "takes at most 0 that fit")])
def test_counts_of_values_that_fit_are_said_in_our_words(bound, words):
    """What sh:qualifiedValueShape asks for is a sentence, not the validator's dump of the shape."""
    count = {"Min": 2, "Max": 0}[bound]
    rule = f"sh:property [ sh:path :n ; sh:qualifiedValueShape [ sh:pattern 'a' ] ; sh:qualified{bound}Count {count} ]"
    (problem,) = check(":a a :T ; :n 'a' .", rule)
    assert words in problem.message


def test_several_files_are_one_graph():
    """What one file says satisfies the shape of another, and each problem is in its own file."""
    shapes = load(
        ":S a sh:NodeShape ; sh:targetClass :T ; sh:property [ sh:path :n ; sh:minCount 1 ; sh:maxInclusive 4 ] .", "shapes.ttl"
    )
    problems = check_user_shapes([load(":a a :T . :b a :T ; :n 1 .", "a.ttl"), load(":a :n 9 .", "b.ttl")], shapes)
    assert [problem.span.where for problem in problems] == [("b.ttl", 2, 7)]


def test_a_conforming_graph_has_no_problems():
    """Shapes that are kept say nothing."""
    assert check(":a a :T ; :n 1 .", "sh:property [ sh:path :n ; sh:minCount 1 ]") == []


@pytest.mark.parametrize(
    ("rule", "at", "words"),
    [
        ('sh:property [ sh:path :n ; sh:pattern "^(a+)+$" ]', '"^(a+)+$"', "can run for ever"),
        ('sh:property [ sh:path :n ; sh:pattern "(" ]', '"("', "not a regular expression"),
        ("sh:js [ sh:jsFunctionName 'f' ]", "[ sh:jsFunctionName 'f' ]", "JavaScript"),
        ("sh:sparql [ sh:select 'SELECT $this { SERVICE <http://e/> { ?s ?p ?o } }' ]", "'SELECT", "SERVICE"),
        ("sh:sparql [ sh:select 'SELECT $this FROM <http://e/> { }' ]", "'SELECT", "FROM"),
    ],
)
def test_shapes_that_reach_out_or_run_for_ever_are_refused(rule, at, words, monkeypatch):
    """What can be seen to be dangerous is refused at its place, and nothing is run."""
    monkeypatch.setattr(subprocess, "run", None)
    problem = check(":a a :T .", rule)[0]
    assert words in problem.message
    assert marked(problem.span).startswith(at)


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [("^a*a*a*a*a*a*a*a*a*a*b$", ""), ("(?P<x>a+)(?P=x)+b", ""), ("^A*A*A*A*A*A*A*A*A*A*b$", "i")],
)
def test_patterns_that_cannot_be_seen_to_hang_are_tried_and_stopped(pattern, flags):
    """A pattern that keeps the C code of a regular expression busy over the texts of the app is refused where it is."""
    rules = f"""sh:property [ sh:path :n ; sh:pattern "x" ] , [ sh:path :n ; sh:pattern "{pattern}" ; sh:flags "{flags}" ]"""
    (problem,) = check(f':a a :T ; :n "{"a" * 3000}!" .', rules)
    assert (problem.code, marked(problem.span)) == ("limit", f'"{pattern}"')
    assert "longer than 0.3 s" in problem.message


def test_shapes_that_never_end_are_stopped():
    """Whatever keeps the validator busy is stopped at the time limit, which is named."""
    parts = " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(12))
    rule = f"sh:sparql [ sh:select 'SELECT $this WHERE {{ {parts} }}' ]"
    data = ":a a :T . " + " ".join(f":s{n} :p {n} ." for n in range(30))
    (problem,) = check(data, rule, seconds=1.0)
    assert problem.code == "limit"
    assert "longer than 1 s" in problem.message


def test_only_what_shapes_compute_is_counted():
    """Neither the start of the validator nor a busy machine makes shapes take too long."""
    (problem,) = check(":a a :T .", "sh:property [ sh:path :n ; sh:minCount 1 ]", seconds=0.01)
    assert problem.code != "limit"


def test_shapes_that_are_wrong_themselves_are_a_problem_of_theirs():
    """Shapes that SHACL cannot use are a problem in the shapes file, in one line."""
    (problem,) = check(":a a :T .", 'sh:property [ sh:path :n ; sh:minCount "x" ]')
    assert problem.span.file == "shapes.ttl"
    assert problem.message.startswith("these shapes cannot be run: MinCount")


def test_a_validator_that_dies_is_a_problem(monkeypatch):
    """Whatever ends the validating process, the outcome is a located problem and never an exception."""
    for code, output, words in (
        (1, "Traceback\nMemoryError\n", "1024 MiB"),
        (-24, "", "longer than 5 s"),
        (-9, "", "more time or memory"),
        (1, "x\nValueError: no", "ValueError: no"),
    ):
        done = subprocess.CompletedProcess([], code, "", output)
        monkeypatch.setattr(subprocess, "run", lambda *_args, done=done, **_kwargs: done)
        (problem,) = check(":a a :T .", "sh:closed false")
        assert words in problem.message
        assert problem.span.file == "shapes.ttl"


@pytest.mark.parametrize("event", ["socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"])
def test_the_validating_process_has_no_way_out(event):
    """In the process that runs shapes, opening a connection or another process is refused."""
    with pytest.raises(PermissionError, match=event):
        usershapes._stay_inside(event, ())
    assert usershapes._stay_inside("open", ("a.ttl", "r", 0)) is None


def test_a_query_within_the_graph_is_run():
    """SPARQL that stays inside is allowed, and its results are located."""
    select = "SELECT $this ?value WHERE { $this <http://e/n> ?value . FILTER (?value > 4) }"
    (problem,) = check(":a a :T ; :n 5 .", f'sh:sparql [ sh:message "n is large" ; sh:select "{select}" ]')
    assert problem.message == "n is large"
    assert problem.span.file == "a.ttl"


@pytest.mark.parametrize(
    "pattern", [r"^(a+)+$", r"(a*)*", r"(.*,)*x", r"(\w+\s?)*$", r"(a+|b)*", r"((a+))+", r"(x+x+)+y", r"([^b]+a?)+"]
)
def test_a_loop_in_a_loop_is_seen(pattern):
    """An inner loop whose rounds nothing tells apart makes a pattern dangerous."""
    assert runs_away(pattern)


@pytest.mark.parametrize("pattern", [r"^(a|aa)+$", r"(a|a)*", r"(ab|a|b)+c", r"^(\d{3}|[a-f0-9])*$"])
def test_alternatives_that_share_out_a_text_are_seen(pattern):
    """A loop whose alternatives can match the same text in two manners makes a pattern dangerous."""
    assert runs_away(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(foo|foobar)+$",
        r"(x|y)+",
        r"^([a-z]+-)*[a-z]+$",
        r"^\d{4}-\d\d$",
        r"^(foo|bar)*$",
        r"(?:/[^/]+)*",
        r"^([^,]+,)*$",
        r"(a{2}){3}",
        r"(?>a+)+",
        "",
    ],
)
def test_an_honest_pattern_is_let_through(pattern):
    """Separated rounds, counted rounds and plain loops are fine."""
    assert not runs_away(pattern)
    assert re.compile(pattern)


def test_no_socket_is_opened_here(monkeypatch):
    """Checking shapes opens no socket in the calling process."""
    monkeypatch.setattr(socket.socket, "connect", None)
    assert check(":a a :T .", "sh:seeAlso <http://localhost/>") == []
