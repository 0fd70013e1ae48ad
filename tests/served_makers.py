"""A way to make each processor that talks to a server or needs a program, with one at the other end."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_server import Page, serving
from makers import Held
from nats_server import nats_serving
from search_services import brave, searxng, serper
from websockets.sync.server import serve

from transmissions import Secret
from transmissions.processors.bus_nats import NATSSink
from transmissions.processors.bus_redis import RedisSink
from transmissions.processors.bus_webhook import WebhookSink
from transmissions.processors.crawl_fetch import PageFetch
from transmissions.processors.github import GitHubList
from transmissions.processors.http_client import HttpClient, HttpGet
from transmissions.processors.http_proxy import HttpProxy
from transmissions.processors.http_server import HttpServer
from transmissions.processors.http_sink import HTTPSink
from transmissions.processors.llm import Chat
from transmissions.processors.llm_stream import ChatStream
from transmissions.processors.mcp_client import Argument, McpClient
from transmissions.processors.mermaid import MermaidRenderer
from transmissions.processors.robots import RobotsCheck
from transmissions.processors.squirt import SquirtReceiver
from transmissions.processors.stream_sources import NDJSONSource, SSESource
from transmissions.processors.web_search_providers import BraveSearch, SearXNGSearch, SerperSearch
from transmissions.processors.web_sockets import WebSocketSink, WebSocketSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from websockets.sync.server import ServerConnection

    from transmissions import Processor
    from transmissions.running import Run

    Served = Callable[[], contextlib.AbstractContextManager[Held]]

TOOLS = Path(__file__).with_name("mcp_tools.py")
JSON = {"Content-Type": "application/json"}
CHOICE = {"index": 0, "finish_reason": "stop"}
DELTA = {"id": "c", "model": "m", "choices": [{**CHOICE, "delta": {"content": "Hi"}}]}
MODEL = {"provider": "openai", "api_key": Secret("sk-0123456789"), "model": "m"}
TEXT = Argument(name="text", field="content")
NUMBERS = [{"n": number} for number in range(5)]


def page(body: Any, **headers: str) -> Page:
    """Return an answer of JSON."""
    return Page(json.dumps(body).encode(), {**JSON, **headers})


ANSWERS = {
    "/": page([1], Date="x"),
    "/users/a/repos": page([{"name": "r"}]),
    "/chat/completions": page({"model": "m", "choices": [{**CHOICE, "message": {"role": "assistant", "content": "Hi"}}]}),
    "/stream/chat/completions": Page(
        b"data: %s\n\ndata: [DONE]\n\n" % json.dumps(DELTA).encode(), {"Content-Type": "text/event-stream"}
    ),
    "/events": Page(b"data: 1\n\nevent: end\ndata: 2\n\n", {"Content-Type": "text/event-stream"}),
    "/lines": Page(b'{"n": 1}\n{"n": 2}\n', {"Content-Type": "application/x-ndjson"}),
    "/mermaid/svg": Page(b"<svg></svg>", {"Content-Type": "image/svg+xml"}),
}


def fetching(make: Callable[[str], Processor], messages: Sequence[Any]) -> Served:
    """Return a processor that asks a server of HTTP, whose URL it is made with."""

    @contextlib.contextmanager
    def held() -> Iterator[Held]:
        with serving(ANSWERS) as server:
            yield Held(lambda: make(server.url), [{**message, "url": server.url} for message in messages])

    return held


def searching(make: Callable[..., Processor], service: Callable[[Sequence[str]], Any], **settings: Any) -> Served:
    """Return a processor that searches, with a service that finds something."""

    @contextlib.contextmanager
    def held() -> Iterator[Held]:
        with serving(service(["https://a.example/", "https://b.example/"])) as server:
            asked = [{"query": "roses"}, {"query": "oaks", "include_content": False}]
            yield Held(lambda: make(url=server.url, **settings), asked)

    return held


def web_socket(make: Callable[[str], Processor]) -> Served:
    """Return a processor that talks to a server of WebSockets, which says something and takes what comes."""

    def handle(socket: ServerConnection) -> None:
        socket.send('{"n": 1}')
        if make is WebSocketSink:
            for _ in socket:
                pass

    @contextlib.contextmanager
    def held() -> Iterator[Held]:
        with serve(handle, "127.0.0.1", 0) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
            yield Held(lambda: make(url=url), NUMBERS)
            server.shutdown()
            thread.join()

    return held


@contextlib.contextmanager
def redis() -> Iterator[Held]:
    """Hold RedisSink."""
    fakeredis = pytest.importorskip("fakeredis")
    with fakeredis.TcpFakeServer(("127.0.0.1", 0), server_type="redis") as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"redis://127.0.0.1:{server.server_address[1]}/0"
        yield Held(lambda: RedisSink(url=url, stream="s"), NUMBERS)
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def nats() -> Iterator[Held]:
    """Hold NATSSink."""
    with nats_serving() as server:
        yield Held(lambda: NATSSink(url=server.url, subject="s"), NUMBERS)


def ask_and_end(run: Run) -> None:
    """Send a server that listens in a run one request, and end the run, which would have no end."""

    def talk(_: str, fields: dict[str, Any]) -> None:
        threading.Thread(target=ask, args=(fields["url"],)).start()

    def ask(url: str) -> None:
        with urllib.request.urlopen(url, b"{}", timeout=10) as answer:
            assert answer.status == 202
        run.drain()

    run.on("listening", talk)


PAGES = [{"index": 0, "host": "here", "options": {}}, {"event": "search_start"}]
"""A page as a frontier gives it out, and what is none."""

SERVED: dict[str, Served] = {
    "BraveSearch": searching(BraveSearch, brave, key=Secret("k-0123456789")),
    "Chat": fetching(lambda url: Chat(**MODEL, base_url=url), [{"content": "a"}, {"content": ""}]),
    "ChatStream": fetching(lambda url: ChatStream(**MODEL, base_url=f"{url}/stream"), [{"content": "a"}, {"content": "b"}]),
    "GitHubList": fetching(lambda url: GitHubList(base_url=url), [{"github": {"name": "a"}}]),
    "HTTPSink": fetching(lambda url: HTTPSink(url=url), NUMBERS),
    "HttpClient": fetching(lambda url: HttpClient(url=url), NUMBERS),
    "HttpGet": fetching(lambda url: HttpGet(url=url), NUMBERS),
    "HttpProxy": fetching(lambda url: HttpProxy(base_url=url), [{"http": {"path": "/lines"}}, {"http": {}}]),
    "HttpServer": lambda: contextlib.nullcontext(Held(lambda: HttpServer(port=0), [{}], prepare=ask_and_end)),
    "McpClient": lambda: contextlib.nullcontext(
        Held(lambda: McpClient(command=(sys.executable, str(TOOLS)), tool="count", arguments=(TEXT,)), [{"content": "a"}])
    ),
    "MermaidRenderer": fetching(lambda url: MermaidRenderer(server=url), [{"content": "graph A"}]),
    "NATSSink": nats,
    "NDJSONSource": fetching(lambda url: NDJSONSource(url=f"{url}/lines"), [{}, {}]),
    "RedisSink": redis,
    "PageFetch": fetching(lambda _: PageFetch(allow=("127.0.0.1",), tries=1), PAGES),
    "RobotsCheck": fetching(lambda _: RobotsCheck(allow=("127.0.0.1",)), PAGES),
    "SSESource": fetching(lambda url: SSESource(url=f"{url}/events", end_event=("end",)), [{}, {}]),
    "SearXNGSearch": searching(SearXNGSearch, searxng),
    "SerperSearch": searching(SerperSearch, serper, key=Secret("k-0123456789")),
    "SquirtReceiver": fetching(lambda url: SquirtReceiver(allow=("127.0.0.1",)), [{}, {"title": "T"}]),
    "WebSocketSink": web_socket(WebSocketSink),
    "WebSocketSource": web_socket(WebSocketSource),
    "WebhookSink": fetching(lambda url: WebhookSink(url=url, batch=2), NUMBERS),
}
"""By the name of each class, what it is held to the contract with while the block lasts."""
