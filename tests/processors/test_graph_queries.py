"""SPARQLQuery and SPARQLConstruct."""

import pytest

from transmissions import RunError
from transmissions.processors.graph_queries import SPARQLConstruct, SPARQLQuery
from transmissions.processors.graph_text import Prefix
from transmissions.testing import through

DATA = "@prefix e: <http://e/> . e:a e:size 1 ; e:name 'A' . e:g { e:b e:size 2.5 }"
SELECT = "SELECT ?s ?n { ?s <http://e/size> ?n } ORDER BY ?n"


def test_rows_become_a_list():
    """With plain values; named graphs are seen too, unless the query is to see the default graph only."""
    rows = [{"s": "http://e/a", "n": 1}, {"s": "http://e/b", "n": 2.5}]
    assert through(SPARQLQuery(query=SELECT), [{"graph": DATA}])[0]["rows"] == rows
    assert through(SPARQLQuery(query=SELECT, union=False), [{"graph": DATA}])[0]["rows"] == rows[:1]


def test_rows_become_messages():
    """Each goes without the graph, in order."""
    items = through(SPARQLQuery(query=SELECT, each=True, rows_field="row.is"), [{"graph": DATA, "k": 1}])
    assert items == [{"k": 1, "row": {"is": {"s": f"http://e/{s}", "n": n}}} for s, n in (("a", 1), ("b", 2.5))]


def test_asking_gives_a_truth():
    """The query may name fields of the message."""
    step = SPARQLQuery(query="ASK { ?s <http://e/name> '{{ name }}' }")
    messages = [{"graph": DATA, "name": name} for name in ("A", "' } #")]
    assert [message["rows"] for message in through(step, messages)] == [True, False]


def test_a_graph_is_made_of_a_graph():
    """In its place, or beside it; each triple once."""
    query = "PREFIX e: <http://e/> CONSTRUCT { e:all e:has ?s } WHERE { ?s ?p ?o }"
    step = SPARQLConstruct(query=query, prefixes=(Prefix(prefix="e", namespace="http://e/"),))
    (message,) = through(step, [{"graph": DATA}])
    assert message["graph"].count("e:all e:has") == 1
    assert sorted(message["graph"].split("e:has ")[1].rstrip(" .\n").split(" , ")) == ["e:a", "e:b"]


@pytest.mark.parametrize(
    ("cls", "template", "fault"),
    [
        (SPARQLQuery, "SELECT {", "not SPARQL: error at 1:"),
        (SPARQLQuery, "CONSTRUCT WHERE { ?s ?p ?o }", "is for SPARQLConstruct"),
        (SPARQLConstruct, "ASK {}", "is for SPARQLQuery"),
        (SPARQLQuery, "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", "would fetch"),
        (SPARQLQuery, "SELECT {{ name }}", "would stand bare"),
    ],
)
def test_queries_that_cannot_be_asked_are_errors(bench, cls, template, fault):
    """No SPARQL, the wrong kind, the network."""
    with pytest.raises(RunError, match=fault):
        bench.through(cls(query=template), {"graph": DATA, "name": "x y"})


def test_a_graph_that_is_none_is_an_error(bench):
    """With its place."""
    with pytest.raises(RunError, match="field 'graph':1:1: unexpected end"):
        bench.through(SPARQLQuery(query="ASK {}"), {"graph": "<a:b . "})
