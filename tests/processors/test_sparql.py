"""SPARQLSelect and SPARQLUpdate, at a real endpoint and over embedded stores."""

import asyncio
import json
import sys

import pyoxigraph
import pytest
from local_server import Page, serving
from sparql_endpoint import sparql_endpoint

from transmissions import RunError, Secret, UsageError
from transmissions.processors.files import FileReader
from transmissions.processors.sparql import SPARQLSelect, SPARQLUpdate

INSERT = "INSERT DATA { GRAPH <{{ graph }}> { <{{ uri }}> <http://e/title> '{{ title }}' } }"
SELECT = "SELECT ?page ?title { GRAPH <{{ graph }}> { ?page <http://e/title> ?title } } ORDER BY ?title"
GRAPH = "http://e/content"


@pytest.fixture
def endpoint():
    """Yield an endpoint that wants a login."""
    with sparql_endpoint("ann:sesame") as endpoint:
        yield endpoint


def at(url, **settings):
    """Return the settings that lead to an endpoint."""
    return {"endpoint": url, "user": Secret("ann"), "password": Secret("sesame"), "graph": GRAPH, **settings}


def test_what_is_put_into_an_endpoint_is_found_there(bench, endpoint):
    """The original's way: a file's content goes into a store, and comes back as SPARQL's JSON."""
    (bench.app / "page.json").write_text('{"uri": "http://e/p", "title": "It\'s \\"quoted\\" \\\\ here\\n"}')
    read = FileReader(source_file="page.json", media_type="application/json", target_field="contentBlocks")
    (message,) = bench.through(read, {})
    put = SPARQLUpdate(template=INSERT, **at(f"{endpoint.url}/update"))
    (message,) = bench.through(put, message)
    (message,) = bench.through(SPARQLSelect(template=SELECT, **at(f"{endpoint.url}/query")), message)
    assert message["updateStatus"] == "success"
    assert message["queryResults"]["head"] == {"vars": ["page", "title"]}
    assert message["queryResults"]["results"]["bindings"] == [
        {"page": {"type": "uri", "value": "http://e/p"}, "title": {"type": "literal", "value": 'It\'s "quoted" \\ here\n'}}
    ]
    assert message["graph"] == GRAPH


def test_endpoints_stand_in_a_file_of_the_app(bench, endpoint, monkeypatch):
    """The original's endpoints.json is read: the entry of the right type, its credentials or the variables they are in."""
    monkeypatch.setenv("SPARQL_PASSWORD", "sesame")
    credentials = {"user": "ann", "passwordEnv": "SPARQL_PASSWORD"}
    entries = [
        {"name": kind, "type": kind, "url": f"{endpoint.url}/{kind}", "credentials": credentials}
        for kind in ("query", "update")
    ]
    (bench.app / "endpoints.json").write_text(json.dumps(entries))
    (bench.app / "put.njk").write_text(INSERT)
    put = SPARQLUpdate(endpoint_settings="endpoints.json", template_filename="put.njk", graph=GRAPH, no_cache=True, delay=1)
    (message,) = bench.through(put, {"contentBlocks": {"uri": "http://e/p", "title": "T"}})
    select = SPARQLSelect(endpoint_settings="endpoints.json", template=SELECT, graph=GRAPH, plain=True, sparql_use_form=True)
    assert bench.through(select, message)[0]["queryResults"] == [{"page": "http://e/p", "title": "T"}]


def test_an_endpoint_in_a_targets_file_is_guarded(bench, endpoint, tmp_path, monkeypatch):
    """It travels with the data, so it may not lead to the loopback unless that is allowed, nor name environment variables."""
    bench.target = tmp_path / "site"
    bench.target.mkdir()
    file = bench.target / "endpoints.json"
    file.write_text(json.dumps([{"url": f"{endpoint.url}/query", "credentials": {"user": "ann", "password": "sesame"}}]))
    settings = {"endpoint_settings": "endpoints.json", "template": "ASK {}"}
    with pytest.raises(RunError, match="127"):
        bench.through(SPARQLSelect(**settings), {})
    (message,) = bench.through(SPARQLSelect(allow=("127.0.0.1",), **settings), {})
    assert message["queryResults"]["boolean"] is True
    monkeypatch.setenv("OTHER", "x")
    file.write_text(json.dumps({"url": endpoint.url, "credentials": {"passwordEnv": "OTHER"}}))
    with pytest.raises(RunError, match="only a file in the app's own folder may name an environment variable"):
        bench.through(SPARQLSelect(**settings), {})


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"template": "SELECT {"}, r"http://127.*/query answered 400 .*: Parse error: error at 1:"),
        ({"template": "ASK {}", "password": Secret("no")}, "answered 401 .*: please say who you are"),
    ],
)
def test_an_error_of_the_endpoint_is_an_error(bench, endpoint, settings, fault):
    """With the sentence the endpoint says."""
    with pytest.raises(RunError, match=fault):
        bench.through(SPARQLSelect(**at(f"{endpoint.url}/query") | settings), {})


def test_a_graph_is_no_answer_to_a_question_for_rows(bench):
    """An endpoint that answers CONSTRUCT with one is told of as such, and not as bad JSON."""
    with serving({"/query": Page(b"<a> <b> <c> .", {"Content-Type": "text/turtle; charset=utf-8"})}) as server:
        select = SPARQLSelect(endpoint=f"{server.url}/query", template="CONSTRUCT WHERE { ?s ?p ?o }")
        with pytest.raises(RunError, match=r"answered with a graph \(text/turtle\), and not as to SELECT or ASK"):
            bench.through(select, {})


JSON = {"Content-Type": "application/sparql-results+json"}


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (Page(b"<h1>Log in</h1>", {"Content-Type": "text/html"}), "answered text/html, and not JSON: <h1>Log in</h1>"),
        (Page(b"[1]", JSON), r"answered JSON that is no result of SELECT or ASK: \[1\]"),
        (Page(b'{"results": {"bindings": [{"x": null}]}}', JSON), "no result of SELECT or ASK"),
        (Page(b'{"results": {"bindings": []}', JSON), ":1:29: not valid JSON"),
        (
            Page(b'{"boolean": true}', {**JSON, "X-SQL-State": "S1TAT", "X-SQL-Message": "time out"}),
            "a part .* only: time out;",
        ),
    ],
)
def test_odd_answers_are_told_as_what_they_are(bench, page, fault):
    """A page for people, a part of the rows, or JSON of another form: none is taken for an answer."""
    with serving({"/query": page}) as server:
        select = SPARQLSelect(endpoint=f"{server.url}/query", template="ASK {}", plain=True)
        with pytest.raises(RunError, match=fault):
            bench.through(select, {})


@pytest.mark.parametrize("name", ["knowledge", "memory", "memory:one"])
def test_nodes_share_an_embedded_store(bench, name):
    """A folder or memory: what one node puts in, another finds while both are at work."""
    put = SPARQLUpdate(store=name, template=INSERT)
    ask = SPARQLSelect(store=name, template=SELECT, plain=True, graph=GRAPH)
    message = {"uri": "http://e/p", "title": "T", "contentBlocks": {"graph": GRAPH}}

    async def both():
        async with bench.attach(put), bench.attach(ask):
            return await ask.process(await put.process(message))

    assert asyncio.run(both())["queryResults"] == [{"page": "http://e/p", "title": "T"}]


def test_only_an_endpoint_needs_the_library_for_requests(bench, monkeypatch):
    """An embedded store works without it; what asks an endpoint says what is missing before the run."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    (message,) = bench.through(SPARQLSelect(store="memory", template="ASK {}", plain=True), {})
    assert (message["queryResults"], SPARQLSelect.extra) == (True, "")
    with pytest.raises(UsageError, match=r"SPARQLUpdate without :store needs 'aiohttp'.*-m pip install"):
        SPARQLUpdate(endpoint="http://a.example/", template="INSERT DATA {}")


def test_a_folder_keeps_what_was_put_and_memory_does_not(bench):
    """The next run finds the folder's content."""
    for store, expected in (("kept", [{"s": "http://e/p"}]), ("memory", [])):
        bench.through(SPARQLUpdate(store=store, template="INSERT DATA { <http://e/p> a <http://e/T> }"), {})
        (message,) = bench.through(SPARQLSelect(store=store, template="SELECT ?s { ?s ?p ?o }", plain=True), {})
        assert message["queryResults"] == expected
    assert (bench.output / "kept").is_dir()


@pytest.mark.parametrize(
    ("cls", "text", "fault"),
    [
        (SPARQLSelect, "SELECT { ", "the query is not SPARQL: error at 1:"),
        (SPARQLUpdate, "INSERT {", "the update is not SPARQL"),
        (SPARQLSelect, "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "is for SPARQLConstruct"),
        (SPARQLSelect, "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", "would fetch from the network"),
        (SPARQLUpdate, "load <http://127.0.0.1/>", "would fetch from the network"),
    ],
)
def test_faults_of_a_query_are_told_by_an_embedded_store(bench, cls, text, fault):
    """No SPARQL, another kind of it, and what would reach past the door to the network."""
    with pytest.raises(RunError, match=fault):
        bench.through(cls(store="memory", template=text), {})


def test_a_store_outside_the_run_or_broken_is_an_error(bench):
    """The folder must be one of the run, and a store."""
    with pytest.raises(RunError, match="outside the folders"):
        bench.through(SPARQLSelect(store="../../elsewhere", template="ASK {}"), {})
    (bench.output / "no").mkdir(parents=True)
    (bench.output / "no/CURRENT").write_text("nonsense")
    with pytest.raises(RunError, match="cannot open the store"):
        bench.through(SPARQLSelect(store="no", template="ASK {}"), {})


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "one of :endpoint, :endpointSettings and :store"),
        ({"store": "a", "endpoint": "http://e/"}, "one of :endpoint"),
        ({"store": "a", "user": Secret("x"), "password": Secret("y")}, ":user and :password belong together"),
        ({"endpoint": "http://e/", "user": Secret("x")}, ":user and :password belong together"),
        ({"endpoint": "no url"}, ":endpoint"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, fault):
    """Before anything runs."""
    with pytest.raises(UsageError, match=fault):
        SPARQLSelect(template="ASK {}", **settings)


def test_rows_are_plain(bench):
    """Numbers and truths are Python's, IRIs and blank nodes are text, and what is no value of its type stays text."""
    values = ["1", "-2.5", "1e3", "true", "'x'@en", "<http://e/>", "'no'^^<http://www.w3.org/2001/XMLSchema#int>"]
    select = SPARQLSelect(store="memory", template=f"SELECT ?v {{ VALUES ?v {{ {' '.join(values)} }} }}", plain=True)
    (message,) = bench.through(select, {})
    assert [row["v"] for row in message["queryResults"]] == [1, -2.5, 1000.0, True, "x", "http://e/", "no"]
    (message,) = bench.through(SPARQLSelect(store="memory", template="ASK {}", plain=True), {})
    assert message["queryResults"] is True


def test_files_of_endpoints_must_say_which(bench):
    """An absent file, no JSON, no fitting entry, an unset variable."""
    for content, fault in (
        (None, "no file 'e.json' with endpoints"),
        ("{", "not valid JSON"),
        ('[{"type": "update", "url": "http://e/"}]', "no endpoint of type 'query'"),
        ('{"url": "http://e/", "credentials": {"userEnv": "NO_SUCH_VARIABLE"}}', "NO_SUCH_VARIABLE is not set"),
    ):
        if content:
            (bench.app / "e.json").write_text(content)
        with pytest.raises(RunError, match=fault):
            bench.through(SPARQLSelect(endpoint_settings="e.json", template="ASK {}"), {})


def test_an_update_fills_no_store_with_what_a_value_smuggles_in(bench):
    """A title that tries to end its text stays one literal."""
    evil = "x' . <http://e/evil> a <http://e/E> } } ; DROP ALL ; #"
    put = SPARQLUpdate(store="kept", template=INSERT, graph=GRAPH)
    bench.through(put, {"uri": f"http://e/p> {evil}", "title": evil})
    store = pyoxigraph.Store.read_only(str(bench.output / "kept"))
    assert [quad.object.value for quad in store] == [evil]
