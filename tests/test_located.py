"""Turtle as a graph that knows where every term was written."""

from __future__ import annotations

import logging
import socket
from itertools import pairwise
from pathlib import Path

import pyoxigraph
import pytest
from rdflib import RDF, XSD, Graph, Literal, URIRef
from rdflib.compare import isomorphic

from transmissions import located
from transmissions.errors import ConfigError
from transmissions.iri import resolve
from transmissions.turtle import Document

ROOT = Path(__file__).resolve().parent.parent
EX = "http://example.org/"
HEAD = "@prefix : <http://example.org/> .\n"


def load(text, name="a.ttl"):
    """Load a text behind the usual prefix."""
    return located.load(Document(name, HEAD + text))


def marked(span):
    """Return the text that stands over a caret."""
    return span.text[span.column - 1 :][: span.width]


def iri(name):
    """Return an IRI of the example namespace."""
    return URIRef(EX + name)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_term_of_a_triple_is_placed(end):
    """Subject, predicate and object each have their own stretch, whatever comes before and however lines end."""
    graph = load(f':é😀 :p "日本" ;{end}\t a :T , "x"@en ,{end} 42 .')
    s = iri("é😀")
    assert [marked(span) for span in graph.triple(s, iri("p"), Literal("日本"))] == [":é😀", ":p", '"日本"']
    assert graph.triple(s, RDF.type, iri("T"))[1][1:4] == (3, 3, 1)
    assert [span.where[1:] for span in graph.triple(s, RDF.type, Literal(42))] == [(2, 1), (3, 3), (4, 2)]
    assert marked(graph.triple(s, RDF.type, Literal("x", lang="en"))[2]) == '"x"@en'


def test_a_blank_node_stands_at_its_bracket():
    """What `[ … ]` says has the bracket as subject, also nested; as a value the whole of it is marked."""
    graph = load(":a :p [ :q [ :r 1 ] ; :s 2 ] .")
    inner = graph.graph.value(predicate=iri("r"), object=Literal(1))
    outer = graph.graph.value(iri("a"), iri("p"))
    subject, _, value = graph.triple(inner, iri("r"), Literal(1))
    assert (subject.column, marked(subject), marked(value)) == (12, "[", "1")
    assert graph.node(outer).column == 7
    assert marked(graph.triple(iri("a"), iri("p"), outer)[2]) == "[ :q [ :r 1 ] ; :s 2 ]"
    assert marked(graph.triple(outer, iri("q"), inner)[2]) == "[ :r 1 ]"


def test_list_members_are_placed():
    """Each cell of a list stands at its member, the first at the bracket; the member is the object of its cell."""
    graph = load(":a :p ( :b [ :c 1 ] 'd' ) , () .")
    (head,) = set(graph.graph.objects(iri("a"), iri("p"))) - {RDF.nil}
    cells = [cell for cell in graph.graph.transitive_objects(head, RDF.rest) if cell != RDF.nil]
    assert [graph.node(cell).column for cell in cells] == [7, 12, 21]
    members = [graph.triple(cell, RDF.first, graph.graph.value(cell, RDF.first))[2] for cell in cells]
    assert [marked(span) for span in members] == [":b", "[ :c 1 ]", "'d'"]
    assert marked(graph.triple(iri("a"), iri("p"), RDF.nil)[2]) == "()"


def test_a_text_of_several_lines_is_marked_on_its_first():
    """What stands behind a text of several lines is placed on the line it is really on."""
    graph = load(':a :p """one\ntwo\n  three""" , :b .')
    assert graph.triple(iri("a"), iri("p"), Literal("one\ntwo\n  three"))[2][1:4] == (2, 7, 6)
    assert graph.triple(iri("a"), iri("p"), iri("b"))[2].where[1:] == (4, 14)


def test_the_first_place_counts():
    """A triple said twice keeps its first place, and a term that is no subject stands where it is first mentioned."""
    graph = load(":a :p :b .\n:a :p :b , :c .\n:b :p :c .")
    assert graph.triple(iri("a"), iri("p"), iri("b"))[0].line == 2
    assert graph.node(iri("b")).where[1:] == (4, 1)
    assert graph.node(iri("c")).where[1:] == (3, 12)
    assert graph.node(iri("none")) is graph.triple(iri("c"), iri("p"), iri("a")) is None


SYNTAX = r"""
@base <http://base.org/x/y> . PREFIX e: <../e#> prefix é: <http://é/>
<#f> e:a\-b é:日本 , <?q>, <//h/p>, <z/../w>, <> ; ; .
[] a [ ] , [ e:p () ] . [ e:q (1 -2.50 +.5 1e6 1.e0 ( "x" ) true false) ] .
_:b.c e:p _:b.c, _:d ; e:q "a\tb\u00e9\U0001F600\"\\", 'it"s', '''a'b
''c''', "l"@en-gb , "t"^^e:t, "5"^^<http://www.w3.org/2001/XMLSchema#integer>.
e:x.y e:%41:b e:1 .#comment
BASE <http://other.org/>
<a>a<b>;<p>"é"@fr.
"""


def judged(document):
    """Return the graph that pyoxigraph reads, by way of N-Triples."""
    quads = pyoxigraph.parse(document.text, format=pyoxigraph.RdfFormat.TURTLE, base_iri=document.base)
    triples = (quad.triple for quad in quads)
    return Graph().parse(data=pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.N_TRIPLES), format="nt")


def test_the_graph_is_the_one_the_gate_reads():
    """All of Turtle's syntax gives the same graph as pyoxigraph, and each triple has a place."""
    document = Document("a.ttl", SYNTAX)
    graph = located.load(document)
    assert isomorphic(graph.graph, judged(document))
    assert all(graph.triple(*triple) for triple in graph.graph)


@pytest.mark.parametrize("file", sorted(ROOT.glob("apps/*/*.ttl")), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_apps_are_read_as_rdflib_reads_them(file):
    """Each Turtle file of the bundled apps gives the same graph as rdflib's own parser."""
    graph = located.load(file)
    assert isomorphic(graph.graph, Graph().parse(data=graph.document.text, format="turtle", publicID=graph.document.base))


def test_relative_iris_are_resolved_by_the_standard():
    """The examples of RFC 3986, section 5.4, come out as written there."""
    base = "http://a/b/c/d;p?q"
    wanted = {"g:h": "g:h", "g": "http://a/b/c/g", "./g/": "http://a/b/c/g/", "/g": "http://a/g", "//g": "http://g"}
    wanted |= {"?y": "http://a/b/c/d;p?y", "#s": f"{base}#s", "g;x?y#s": "http://a/b/c/g;x?y#s", "": base, ".": "http://a/b/c/"}
    wanted |= {"..": "http://a/b/", "../../g": "http://a/g", "../../../g": "http://a/g", "g;x=1/../y": "http://a/b/c/y"}
    assert {reference: resolve(base, reference) for reference in wanted} == wanted


def test_relative_iris_are_below_the_file(tmp_path):
    """A file's own IRI is the base; a text without a file has an invented one that leads nowhere."""
    (tmp_path / "a.ttl").write_text("<x> <y> <../z> .")
    (triple,) = located.load(tmp_path / "a.ttl").graph
    assert str(triple[2]) == (tmp_path.parent / "z").as_uri()
    (triple,) = located.load(Document("a b.ttl", "<> <y> <z> .")).graph
    assert str(triple[0]) == "http://doc.invalid/a%20b.ttl"


@pytest.mark.parametrize(
    ("text", "code", "at", "words"),
    [
        (':a :p "<b/>"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#HTML> .', "limit", '"<b/>"', "markup"),
        (':a :p "1e999999999"^^<http://www.w3.org/2001/XMLSchema#decimal> .', "limit", '"1e999999999"', "exponent"),
        (':a :p "1e٩٩٩٩٩٩٩٩٩"^^<http://www.w3.org/2001/XMLSchema#decimal> .', "limit", '"1e٩', "exponent"),
        (f':a :p 1 , "P{"9" * 4000}Y"^^<http://www.w3.org/2001/XMLSchema#duration> .', "syntax", "<http", "cannot be read"),
        (f':a :p "{"1" * 5000}"^^<http://www.w3.org/2001/XMLSchema#int> .', "limit", '"1111', "4,300"),
        (
            ":a <http://www.w3.org/2002/07/owl#imports> <http://e/x> .",
            "import",
            "<http://www.w3.org/2002/07/owl#imports>",
            "fetched",
        ),
    ],
)
def test_a_term_that_leads_astray_is_refused(text, code, at, words):
    """Values that keep rdflib busy for ever, and imports, are refused at their place."""
    with pytest.raises(ConfigError) as caught:
        load(text)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert marked(problem.span).startswith(at)
    assert words in problem.message


def test_nothing_is_fetched(monkeypatch):
    """No socket is opened, whatever IRIs a file has."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    text = (
        "<http://localhost/a> a <http://localhost/b> . @base <http://localhost/c> . <#x> <http://www.w3.org/ns/shacl#js> <d> ."
    )
    assert len(load(text).graph) == 2


def test_an_ill_typed_literal_is_read_in_silence(caplog):
    """A text that does not fit its datatype is SHACL's business: it is loaded, and rdflib logs no traceback."""
    with caplog.at_level(logging.DEBUG):
        graph = load(':a :p "many"^^<http://www.w3.org/2001/XMLSchema#integer> .')
    assert caplog.records == []
    assert [(str(value), value.datatype) for value in graph.graph.objects()] == [("many", XSD.integer)]


def test_every_place_reads_back_as_its_term():
    """The text at a value's place, read on its own, is that value."""
    graph = load(":a :p 1 , 2.0 , 3e0 , true , 'x'@en , :b , <c> , 'y'^^:t .")
    for _, _, value in graph.graph:
        span = graph.triple(iri("a"), iri("p"), value)[2]
        assert set(load(f":a :p {marked(span)} .").graph.objects()) == {value}


def test_values_keep_their_order_by_place():
    """The places of a property's values are in the order they are written in."""
    graph = load(":a :p :z , :y ,\n :x .")
    places = [graph.triple(iri("a"), iri("p"), iri(name))[2].where for name in "zyx"]
    assert all(one < other for one, other in pairwise(places))
