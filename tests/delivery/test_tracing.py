"""Spans of OpenTelemetry, kept in memory by its own SDK: of a run, its nodes, requests and deliveries."""

import asyncio
import http.server
import json
import os
import subprocess
import sys
import threading

import pytest
from delivering import PREFIX, make_home, running
from waiting import eventually

import transmissions

pytest.importorskip("opentelemetry.sdk")
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SHOWS = """
import sys, transmissions
transmissions.run("numbers", collect=True)
sys.exit("opentelemetry" in sys.modules)
"""
SET_UP = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
provider = TracerProvider()
exporter = ConsoleSpanExporter(formatter=lambda span: span.to_json(None) + "\\n")
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
"""


@pytest.fixture
def exported(tmp_path, monkeypatch):
    """Give what is exported, with a home to work in; afterwards OpenTelemetry is as it was."""
    make_home(tmp_path, monkeypatch)
    monkeypatch.delenv("TRACEPARENT", raising=False)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return exporter


def by_name(exported):
    """Return the spans there are by name."""
    return {span.name: span for span in exported.get_finished_spans()}


def test_a_run_has_a_span_with_one_for_each_node(exported):
    """They say what was counted, and belong together."""
    transmissions.run("skips", message={"count": 5})
    spans = by_name(exported)
    run, node = spans["run skips"], spans["node skips/odd"]
    assert node.parent.span_id == run.context.span_id
    assert (run.attributes["transmissions.messages"], run.attributes["transmissions.outcome"]) == (3, "incomplete")
    counted = [node.attributes[f"transmissions.{name}"] for name in ("received", "sent", "failed", "skipped")]
    assert counted == [5, 3, 2, 2]
    assert [event.name for event in node.events] == ["error", "skip"] * 2
    assert "1 is odd" in node.events[0].attributes["error"]


def test_a_failure_is_one_of_its_node_and_of_the_run(exported):
    """With the kind of error, and what it says."""
    with pytest.raises(transmissions.NodeFailed):
        transmissions.run("stops")
    failed = [span for span in by_name(exported).values() if span.status.status_code is trace.StatusCode.ERROR]
    assert sorted(span.name.partition(" ")[0] for span in failed) == ["node", "run"]
    assert {span.attributes["error.type"] for span in failed} == {"ValueError", "NodeFailed"}
    assert all("1 is odd" in span.status.description for span in failed)


def test_of_many_failures_the_first_are_told(exported):
    """All of them are counted."""
    transmissions.run("skips", message={"count": 500})
    node = by_name(exported)["node skips/odd"]
    assert (node.attributes["transmissions.failed"], len(node.events)) == (250, 32)


def test_a_run_belongs_to_the_span_it_begins_in(exported):
    """Of a program that uses the library."""

    async def main():
        with trace.get_tracer("test").start_as_current_span("mine"):
            async with transmissions.open("numbers") as run:
                await run.wait()

    asyncio.run(main())
    spans = by_name(exported)
    assert spans["run numbers"].parent.span_id == spans["mine"].context.span_id


def test_a_delivery_belongs_to_what_its_client_does(exported):
    """As the header of its request says; the request, its run and its delivery share a trace."""
    with running("numbers") as server:
        events = server.ask("POST", "/apps/numbers/stream", traceparent=PARENT, x_request_id="r1")[2].splitlines()
        server.ask("GET", "/healthz")
        assert eventually(lambda: {"run numbers", "deliver ndjson", "POST"} <= set(by_name(exported)))
    spans = by_name(exported)
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {PARENT.split("-")[1]}
    asked, delivered, run = spans["POST"], spans["deliver ndjson"], spans["run numbers"]
    assert f"{asked.parent.span_id:016x}" == PARENT.split("-")[2]
    assert delivered.parent.span_id == run.parent.span_id == asked.context.span_id
    assert (asked.attributes["http.response.status_code"], asked.attributes["url.path"]) == (200, "/apps/numbers/stream")
    assert run.attributes["transmissions.request_id"] == delivered.attributes["transmissions.request_id"] == "r1"
    told = {name.partition(".")[2]: value for name, value in delivered.attributes.items()}
    assert (told["protocol"], told["ended"], told["resumed"]) == ("ndjson", "complete", False)
    assert (told["messages"], told["bytes"]) == (len(events), sum(len(event) + 1 for event in events))
    assert "GET" not in spans


@pytest.fixture
def asked():
    """Give a server that answers with the headers it is asked with."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(dict(self.headers)).lower().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def ask(url, fields, tmp_path):
    """Return the headers a request of HttpClient has."""
    folder = tmp_path / "apps" / "asks"
    folder.mkdir()
    (folder / "transmissions.ttl").write_text(f"{PREFIX}:asks a :EntryTransmission ; :pipe ( [ a :HttpClient ; {fields} ] ) .")
    return transmissions.run(str(folder), message={"url": url}).messages[0]["http"]["data"]


def test_a_request_to_where_the_app_says_carries_the_trace(exported, asked, tmp_path):
    """So that what the other server does belongs to the run."""
    headers = ask(asked, f':url "{asked}"', tmp_path)
    span = by_name(exported)["run asks"].context
    assert headers["traceparent"].startswith(f"00-{span.trace_id:032x}-{span.span_id:016x}-")


def test_a_request_to_where_a_message_says_carries_none(exported, asked, tmp_path):
    """Strangers need not know what belongs together."""
    assert "traceparent" not in ask(asked, ':urlField "url" ; :allow "127.0.0.1"', tmp_path)


def test_without_opentelemetry_set_up_nothing_of_it_is_imported(tmp_path, monkeypatch):
    """A run costs what it did."""
    make_home(tmp_path, monkeypatch)
    ended = subprocess.run([sys.executable, "-c", SHOWS], env={**os.environ, "TRACEPARENT": PARENT}, timeout=60)
    assert ended.returncode == 0


def test_a_run_of_the_command_line_belongs_to_what_its_environment_says(tmp_path, monkeypatch):
    """As programs that start others hand it on; spans are exported before the process ends."""
    make_home(tmp_path, monkeypatch)
    (tmp_path / "set_up").mkdir()
    (tmp_path / "set_up" / "sitecustomize.py").write_text(SET_UP)
    paths = os.pathsep.join([str(tmp_path / "set_up"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "TRACEPARENT": PARENT, "PYTHONPATH": paths}
    command = [sys.executable, "-P", "-m", "transmissions", "numbers", "-q"]
    ended = subprocess.run(command, env=environment, timeout=60, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    spans = [json.loads(line) for line in ended.stdout.splitlines()]
    [run] = [span for span in spans if span["name"] == "run numbers"]
    assert run["context"]["trace_id"] == f"0x{PARENT.split('-')[1]}"
    assert run["parent_id"] == f"0x{PARENT.split('-')[2]}"
