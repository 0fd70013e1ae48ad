"""The one door to the network, with servers that are good."""

import ast
import asyncio
import gc
import gzip
import subprocess
import sys
import zlib
from pathlib import Path

import brotli
import pytest
from backports import zstd
from local_server import Page, redirect, serving

from transmissions import RunError
from transmissions.processors.fetch import Door, FetchError, Reply, Request

TEXT = b"a text " * 1000


def fetch(*requests, trusted=True, **settings):
    """Send requests one after the other through a door, and return the replies."""

    async def send():
        async with Door(**{"timeout": 10, **settings}) as door:
            return [await door.fetch(one if isinstance(one, Request) else Request(one), trusted=trusted) for one in requests]

    replies = asyncio.run(send())
    gc.collect()  # an unclosed connection would warn here
    return replies


def test_a_reply_has_status_headers_and_body():
    """Header names are in lower case; an answer of 404 is a reply like any other."""
    with serving({"/a": Page(b"{}", {"Content-Type": "Application/JSON; charset=utf-8", "X-One": "1"})}) as server:
        found, missing = fetch(f"{server.url}/a?b=c", f"{server.url}/none")
    assert (found.status, found.reason, found.body, found.json()) == (200, "OK", b"{}", {})
    assert (found.headers["x-one"], found.content_type, found.url) == ("1", "application/json", f"{server.url}/a?b=c")
    assert missing.status == 404


def test_method_headers_and_body_are_sent():
    """As they are; nothing is added but what the client has to say of itself."""
    with serving({}) as server:
        fetch(Request(f"{server.url}/x?y=%20z", "put", {"X-One": "1"}, b"body"))
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.query, seen.body) == ("PUT", "/x", "y=%20z", b"body")
    assert seen.headers["x-one"] == "1"
    assert seen.headers["accept-encoding"] == "gzip, deflate, br, zstd"


@pytest.mark.parametrize(("header", "body", "text"), [
    ("text/html; charset=iso-8859-1", b"\xfc", "ü"),
    ('text/html; Charset="windows-1252"', b"\x80", "€"),
    ("text/html", b"\xef\xbb\xbf\xc3\xbc\xff", "ü�"),
    ("text/html; charset=hex", b"\xc3\xbc", "ü"),
])  # fmt: skip
def test_text_is_read_in_the_charset_of_the_headers(header, body, text):
    """Else as UTF-8; what is no text there is marked."""
    assert Reply(200, "OK", "http://example.org/", {"content-type": header}, body).text() == text


def test_a_body_that_is_not_json_is_an_error_that_names_the_url():
    """And the place in the body."""
    with pytest.raises(RunError, match=r"^http://example.org/:1:2: not valid JSON"):
        Reply(200, "OK", "http://example.org/", {}, b"{").json()


@pytest.mark.parametrize(("coding", "body"), [
    ("gzip", gzip.compress(TEXT, mtime=0)),
    ("x-gzip, identity", gzip.compress(TEXT[:7], mtime=0) + gzip.compress(TEXT[7:], mtime=0) + bytes(512)),
    ("deflate", zlib.compress(TEXT)),
    ("deflate", zlib.compress(TEXT)[2:-4]),
    ("br", brotli.compress(TEXT)),
    ("zstd", zstd.compress(TEXT[:7]) + zstd.compress(TEXT[7:])),
    ("identity", TEXT),
], ids=["gzip", "members", "deflate", "bare deflate", "br", "zstd", "none"])  # fmt: skip
def test_a_body_is_decoded(coding, body):
    """Several streams in one body, padding behind them, and bare deflate are all met with."""
    with serving({"/": Page(body, {"Content-Encoding": coding})}) as server:
        (reply,) = fetch(server.url)
    assert reply.body == TEXT
    assert "content-encoding" not in reply.headers


def test_connections_are_used_again_and_nothing_else_is_kept():
    """No cookie comes back in the next request."""
    with serving({"/": Page(b"x", {"Set-Cookie": "session=1"})}) as server:
        fetch(server.url, server.url, server.url)
    assert server.connections == 1
    assert not any("cookie" in seen.headers for seen in server.seen)


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    """A proxy would look up names where nothing is checked."""
    with serving({"/": Page(b"x")}) as server, serving({}) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert fetch(server.url)[0].body == b"x"
    assert proxy.connections == 0


@pytest.mark.parametrize(("status", "method", "then"), [
    (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"), (303, "HEAD", "HEAD"),
    (302, "PUT", "PUT"), (307, "POST", "POST"), (308, "POST", "POST"),
])  # fmt: skip
def test_a_redirect_changes_the_method_as_http_says(status, method, then):
    """And with the method, the body and what is said about it."""
    body = None if method == "HEAD" else b"body"
    with serving({"/": redirect("/there?x=1", status), "/there": Page(b"x")}) as server:
        (reply,) = fetch(Request(server.url, method, {"Content-Language": "de"}, body))
    assert reply.url == f"{server.url}/there?x=1"
    assert (server.seen[1].method, server.seen[1].body) == (then, body if then == method and body else b"")
    assert ("content-language" in server.seen[1].headers) == (then == method)


def test_credentials_stay_with_the_server_they_are_for():
    """Those of the URL and of any header; another port is another server."""
    with serving({"/a": Page(b"x")}) as other, serving({"/": redirect("/on"), "/on": redirect(f"{other.url}/a")}) as server:
        url = server.url.replace("//", "//user:pass%20word@")
        request = Request(url, headers={"X-Key": "k", "Cookie": "c", "Accept": "text/html"})
        (reply,) = fetch(request, allow=["127.0.0.1"])
    assert [seen.headers["authorization"] for seen in server.seen] == ["Basic dXNlcjpwYXNzIHdvcmQ="] * 2
    assert other.seen[0].headers.keys() & {"authorization", "x-key", "cookie", "accept"} == {"accept"}
    assert reply.url == f"{other.url}/a"


def test_redirects_are_counted():
    """A circle ends in an error, and 0 returns what came."""
    with serving({"/": redirect("/b"), "/b": redirect("/")}) as server:
        with pytest.raises(FetchError, match="redirects more than 3 times"):
            fetch(server.url, redirects=3)
        assert len(server.seen) == 4
        assert fetch(server.url, redirects=0)[0].status == 302


def test_ipv6_literals_are_fetched():
    """With the brackets where they belong."""
    with serving({"/": Page(b"six")}, host="::1") as server:
        assert fetch(server.url)[0].body == b"six"
        assert server.seen[0].headers["host"] == f"[::1]:{server.server_port}"


def test_a_stream_gives_the_body_piece_by_piece():
    """Leaving early is no fault, and closes the connection."""
    body = zlib.compress(bytes(2**20))

    async def first_piece(url):
        async with Door() as door, door.stream(Request(url), trusted=True) as answer:
            return answer.status, len(await anext(answer.pieces))

    with serving({"/": Page(body, {"Content-Encoding": "deflate"})}) as server:
        assert asyncio.run(first_piece(server.url)) == (200, 65536)
    gc.collect()


@pytest.mark.parametrize("request_", [
    Request("http://example.org/", "GET /x"), Request("http://example.org/", headers={"A": "b\r\nC: d"}),
    Request("http://example.org/", headers={"A B": "c"}),
])  # fmt: skip
def test_a_request_cannot_smuggle_another(request_):
    """Methods and headers are one line each."""
    with pytest.raises(FetchError, match="not one HTTP has room for"):
        fetch(request_)


NETWORK = {"aiohttp", "ftplib", "http", "httpx", "httpx2", "requests", "smtplib", "socket", "ssl", "urllib.request", "uvicorn"}
SDKS = {"anthropic", "mcp", "openai"}
OPEN_SOCKETS = {
    "connections.py",  # the door
    "guarded_proxy.py",  # the way out of a browser, by the rules of the door
    "http_listener.py",  # what listens
    "page_serving.py",  # a pair of sockets between processes of one run
    "page_workers.py",  # its other end
    "sdk_connections.py",  # the client the libraries below are given; their URLs are settings and never come with messages
}
USE_SDKS = {"llm_anthropic.py", "llm_openai.py", "mcp_client.py", "mcp_session.py", "mcp_stdio.py"}
LIBRARY = sorted((Path(__file__).parents[2] / "processors").glob("*.py"))


def imports(file):
    """Yield the modules a file imports when it runs."""
    tree = ast.parse(file.read_text("utf-8"))
    for_types = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    typing = {inner for node in for_types for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if node not in typing and isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif node not in typing and isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


def importing(libraries):
    """Return the modules of the library that import one of these."""
    named = {file.name: [{name, name.split(".")[0]} for name in imports(file)] for file in LIBRARY}
    return {file for file, names in named.items() if any(one & libraries for one in names)}


def test_nothing_else_in_the_library_opens_a_socket():
    """Whatever fetches goes through the door, and one server listens."""
    assert importing(NETWORK) == OPEN_SOCKETS
    assert importing(SDKS) == USE_SDKS


def test_a_start_pays_for_no_network_library():
    """They are imported when something is fetched, or something listens."""
    modules = ("fetch", "http_client", "http_proxy", "http_server", "github", "squirt")
    names = ", ".join(f"transmissions.processors.{module}" for module in modules)
    code = f"import sys, {names}; print(*{{'aiohttp', 'yarl', 'idna', 'starlette', 'uvicorn'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
