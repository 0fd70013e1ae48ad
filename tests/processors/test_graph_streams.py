"""RDFParse, RDFSerialize, RDFMerge, and how graphs stand in messages."""

import json
import resource

import pyoxigraph
import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from transmissions import RunError
from transmissions.processors.flow import Unfork
from transmissions.processors.graph_streams import RDFMerge, RDFParse, RDFSerialize
from transmissions.processors.graph_text import Prefix
from transmissions.testing import through

DATA = "@prefix e: <http://e/> .\ne:a e:b [ e:c 1 ], 'x'@en .\ne:d e:b e:a .\n"
EX = Prefix(prefix="e", namespace="http://e/")


def triples(text):
    """Return the triples of a text of TriG."""
    return {str(quad) for quad in pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.TRIG)}


def as_graph(text):
    """Return a text of Turtle as a graph to compare."""
    return Graph().parse(data=text, format="turtle")


@pytest.mark.parametrize("syntax", ["turtle", "trig", "ntriples", "nquads", "rdfxml", "jsonld", "n3"])
def test_every_syntax_goes_out_and_comes_in(bench, syntax):
    """A graph written in a syntax and parsed again is the same graph."""
    (message,) = bench.through(RDFSerialize(format=syntax, prefixes=(EX,)), {"graph": DATA})
    (message,) = bench.through(RDFParse(input_field="content", format=syntax), {"content": message["content"]})
    assert isomorphic(as_graph(message["graph"]), as_graph(DATA))
    assert "content" not in message


@pytest.mark.parametrize(("name", "syntax"), [("p.ttl", ""), ("p.txt", "text/turtle"), ("p.txt", ".ttl"), ("p.txt", "turtle")])
def test_a_file_is_parsed_in_parts(bench, name, syntax):
    """By suffix, media type or name; blank nodes keep their labels in all parts, and prefixes are kept."""
    (bench.app / name).write_text(DATA)
    parts = bench.through(RDFParse(source_file=name, format=syntax, size=1), {"kept": 1})
    assert [part["kept"] for part in parts] == [1] * 4
    assert all("e:" in part["graph"] and part["filePath"].endswith(name) for part in parts)
    assert isomorphic(as_graph("\n".join(part["graph"] for part in parts)), as_graph(DATA))


@pytest.mark.parametrize("settings", [{"source_file": "p.ttl"}, {"input_field": "content"}])
def test_a_byte_order_mark_is_dropped(bench, settings):
    """Editors on Windows write one, and no syntax of RDF has a place for it."""
    (bench.app / "p.ttl").write_text(f"\ufeff{DATA}")
    (part,) = bench.through(RDFParse(**settings), {"content": f"\ufeff{DATA}"})
    assert isomorphic(as_graph(part["graph"]), as_graph(DATA))


def test_a_message_for_each_graph(bench):
    """Triples that follow each other in one graph stay together, up to the size."""
    data = "GRAPH <http://e/g> { <a:s> <a:p> 1, 2, 3 } <a:s> <a:p> 4 . <http://e/h> { <a:s> <a:p> 5 }"
    parts = bench.through(RDFParse(input_field="content", per="graph", size=2), {"content": data})
    assert [(part["graphName"], len(triples(part["graph"]))) for part in parts] == [
        ("http://e/g", 2),
        ("http://e/g", 1),
        ("", 1),
        ("http://e/h", 1),
    ]


def test_relative_iris_are_resolved(bench):
    """Against the base that is set."""
    (part,) = bench.through(RDFParse(input_field="content", base="http://e/x/"), {"content": "<> <p> <../q> ."})
    assert triples(part["graph"]) == {"<http://e/x/> <http://e/x/p> <http://e/q>"}


ENTITIES = '<!DOCTYPE r [<!ENTITY a "{}">\n<!ENTITY b "{}">]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'


@pytest.mark.parametrize(
    ("settings", "content", "fault"),
    [
        ({}, "<a:b> <c:d>\n  'x", r"field 'content':2:\d+: "),
        ({}, "e:a e:b e:c .", "field 'content':1:1: the prefix e: has not been declared"),
        ({"format": "turtel"}, "", "'turtel' is no syntax .*did you mean 'turtle'"),
        ({"base": "no iri"}, "", "field 'content': "),
        ({"format": "jsonld"}, '{"@context": "http://127.0.0.1/c", "a": 1}', "remote contexts"),
        ({"format": "rdfxml"}, ENTITIES.format("aaaa", "&a;&a;"), "field 'content':2: an entity of XML"),
        ({"format": "rdfxml"}, ENTITIES.format("a" * 200, ""), "field 'content':1: an entity of XML"),
        ({}, 5, "not text but a int"),
    ],
)
def test_what_is_no_rdf_is_an_error(bench, settings, content, fault):
    """With line and column; nothing is fetched, and XML's entities cannot grow."""
    with pytest.raises(RunError, match=fault):
        bench.through(RDFParse(input_field="content", **settings), {"content": content})


def test_entities_of_xml_in_a_file(bench):
    """Short ones, for namespaces, are read; nested ones are refused where they stand, however late."""
    (bench.app / "p.rdf").write_text(ENTITIES.format("http://e/", "b"))
    assert bench.through(RDFParse(source_file="p.rdf"), {}) == []
    (bench.app / "p.rdf").write_text(f"<!--{'x' * 200_000}-->\n{ENTITIES.format('aaa', '&a;')}")
    with pytest.raises(RunError, match=r"p\.rdf:3: an entity"):
        bench.through(RDFParse(source_file="p.rdf"), {})
    (bench.app / "p.rdf").write_text("")
    assert bench.through(RDFParse(source_file="p.rdf"), {}) == []


def test_a_large_file_costs_no_memory(bench):
    """200,000 triples, 13 MB, are parsed and dropped within a few MB."""
    with (bench.app / "big.nt").open("w") as file:
        file.writelines(f"<http://example.org/subject/{n}> <http://e/p> <http://e/o> .\n" for n in range(200_000))
    step = bench.attach(RDFParse(source_file="big.nt"))
    parts = step.produce({})
    next(parts)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in parts) == 199
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024


def test_a_graph_is_written_with_prefixes(bench):
    """In the syntax that is set."""
    step = RDFSerialize(prefixes=(EX,), target_field="out.text")
    assert bench.through(step, {"graph": "<http://e/a> <http://e/b> 1 ."})[0]["out"]["text"].endswith("e:a e:b 1 .\n")
    (message,) = bench.through(RDFSerialize(format="jsonld"), {"graph": "<http://e/a> <http://e/b> 1 ."})
    assert json.loads(message["content"])[0]["@id"] == "http://e/a"


def test_named_graphs_are_not_lost_silently(bench):
    """A syntax without them is an error, unless they are to be merged."""
    message = {"graph": "<http://e/g> { <a:s> <a:p> 1 }"}
    with pytest.raises(RunError, match=r"turtle cannot hold the named graph <http://e/g>; set :named"):
        bench.through(RDFSerialize(), dict(message))
    assert bench.through(RDFSerialize(named="merge"), dict(message))[0]["content"] == "<a:s> <a:p> 1 .\n"
    assert "<http://e/g>" in bench.through(RDFSerialize(format="nquads"), dict(message))[0]["content"]


@pytest.mark.parametrize("prefix", [Prefix(prefix="a b", namespace="http://e/"), Prefix(prefix="a", namespace="no iri")])
def test_bad_prefixes_are_refused(prefix):
    """Before anything runs."""
    with pytest.raises(RunError, match=r"the prefix 'a'|'a b' is no prefix"):
        RDFSerialize(prefixes=(prefix,))


def test_graphs_become_one(bench):
    """Doubles are kept once; the same label in two messages is two nodes, unless they are parts of one document."""
    messages = [{"graph": "_:x <a:p> <a:o> . <a:s> <a:p> 1 ."}, {"graph": "_:x <a:p> <a:o> . <a:s> <a:p> 1 ."}]
    assert bench.through(RDFMerge(), *messages) == [{"graph": "_:b1 <a:p> <a:o> .\n<a:s> <a:p> 1 .\n_:b2 <a:p> <a:o> .\n"}]
    (shared,) = bench.through(RDFMerge(blank_nodes="shared", target_field="all"), *messages)
    assert triples(shared["all"]) == {"_:x <a:p> <a:o>", '<a:s> <a:p> "1"^^<http://www.w3.org/2001/XMLSchema#integer>'}


def test_the_parts_of_a_document_become_one_again():
    """Each document's message goes on with its own graph."""
    steps = [RDFParse(input_field="content", size=1), RDFMerge(blank_nodes="shared")]
    messages = [{"content": DATA, "n": 1}, {"content": "<a:b> <c:d> 1, 2 .", "n": 2}]
    first, second = through(steps, messages)
    assert isomorphic(as_graph(first["graph"]), as_graph(DATA))
    assert (first["n"], second["n"], len(triples(second["graph"]))) == (1, 2, 2)
    assert through([RDFParse(input_field="content"), Unfork()], messages) == messages


def test_merging_has_a_bound(bench):
    """More triples than the limit are an error."""
    with pytest.raises(RunError, match="more than 2 triples together"):
        bench.through(RDFMerge(limit=2), {"graph": "<a:s> <a:p> 1, 2, 3 ."})


def test_quoted_triples_are_graphs_too(bench):
    """A triple as a term keeps its blank nodes apart as well."""
    graph = "<a:s> <a:p> <<( _:x <a:q> 1 )>> . _:x <a:r> 2 ."
    (message,) = bench.through(RDFMerge(), {"graph": graph})
    assert message["graph"].count("_:b1") == 2
