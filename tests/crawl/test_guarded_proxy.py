"""The proxy a browser goes through: whoever names a visitor reaches what the guard lets through, and nobody anything else."""

import asyncio
import contextlib
import socket

import pytest
from egress_table import HOSTILE, HOSTILE_ADDRESSES
from local_server import Page, ResetNow, serving

from transmissions.processors.egress import Allowed
from transmissions.processors.guarded_proxy import GuardedProxy

MOST = 1 << 20


@contextlib.contextmanager
def rebinding(monkeypatch, *answers):
    """Have names be at these addresses, one after the other, and count how often is asked."""
    asked = []

    async def getaddrinfo(self, host, port, **_):
        address = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with monkeypatch.context() as patch:
        patch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
        yield asked


async def say(proxy, visitor, first, *headers, then=b""):
    """Send the head of a request, and return all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    credential = [f"Proxy-Authorization: {visitor.credential}"] if visitor else []
    writer.write("\r\n".join([f"{first} HTTP/1.1", *credential, *headers, "", ""]).encode() + then)
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


def talk(*firsts, allow=(), most=MOST, then=b""):
    """Send requests through a proxy, and return the answers and the visitor."""

    async def each():
        async with GuardedProxy() as proxy:
            with proxy.visit(Allowed(allow), most) as visitor:
                return [await say(proxy, visitor, first, then=then) for first in firsts], visitor

    return asyncio.run(each())


def test_pages_come_through():
    """A request is passed on without what was for the proxy, and its answer comes back whole."""
    with serving({"/a": Page(b"x" * 100_000)}, "127.0.0.2") as server:
        (answer,), _ = talk(f"GET {server.url}/a?b=c", allow=["127.0.0.2"])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"x" * 100_000
    assert b"Connection: close" in head
    (seen,) = server.seen
    assert (seen.path, seen.query) == ("/a", "b=c")
    assert seen.headers["connection"] == "close"
    assert "proxy-authorization" not in seen.headers


def test_a_tunnel_carries_anything():
    """After CONNECT, bytes go both ways as they are."""
    with serving({"/a": Page(b"hello")}, "127.0.0.2") as server:
        place = server.url.removeprefix("http://")
        (answer,), _ = talk(f"CONNECT {place}", allow=["127.0.0.2"], then=b"GET /a HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.")
    assert answer.endswith(b"hello")


def test_nobody_else_is_served():
    """Without the word of a visitor who is there nothing is passed on, nor with that of one who has gone."""

    async def strangers(url):
        async with GuardedProxy() as proxy:
            with proxy.visit(Allowed(["127.0.0.2"]), MOST) as gone:
                pass
            asked = [None, gone]
            return [await say(proxy, who, f"{verb} {url}") for who in asked for verb in ("GET", "CONNECT")]

    with serving({}, "127.0.0.2") as server:
        answers = asyncio.run(strangers(server.url + "/"))
    assert {answer.split()[1] for answer in answers} == {b"407"}
    assert server.connections == 0


@pytest.mark.parametrize("url", [url for url in HOSTILE if url and url.isprintable() and " " not in url])
def test_hostile_urls_are_refused(url):
    """Whatever the guard refuses is refused."""
    (answer,), _ = talk(f"GET {url}")
    assert answer.split()[1] in {b"403", b"400"}


@pytest.mark.parametrize("host", [*HOSTILE_ADDRESSES[:-1], "localhost", "printer.local", "2130706433", "0x7f.1", "a@127.0.0.1"])
def test_hostile_tunnels_are_refused(host):
    """A tunnel is judged like a request."""
    (answer,), _ = talk(f"CONNECT {f'[{host}]' if ':' in host else host}:80")
    assert answer.split()[1] == b"403"


@pytest.mark.parametrize("address", [address for address in HOSTILE_ADDRESSES if ":" not in address])
def test_names_that_lead_to_local_addresses_are_refused(monkeypatch, address):
    """A name is judged by its addresses, and what was refused is known afterwards."""
    with rebinding(monkeypatch, address):
        (answer,), visitor = talk("GET http://innocent.example.org/")
    assert answer.split()[1] == b"403"
    assert ("innocent.example.org", 80) in visitor.refused


def test_a_name_is_asked_for_once(monkeypatch):
    """The connection is made to the addresses that were judged, whatever the name server says next."""
    with (
        rebinding(monkeypatch, "127.0.0.2", "127.0.0.3") as asked,
        serving({"/": Page(b"fine")}, "127.0.0.2") as server,
        serving({}, "127.0.0.3", server.server_port) as canary,
    ):
        (answer,), _ = talk(f"GET http://rebinding.example.org:{server.server_port}/", allow=["127.0.0.2"])
    assert answer.endswith(b"fine")
    assert asked == ["rebinding.example.org"]
    assert canary.connections == 0


def test_what_a_page_may_fetch_is_bounded():
    """An answer is cut off where there is too much, and nothing more is passed on."""
    with serving({"/a": Page(b"x" * 200_000)}, "127.0.0.2") as server:
        answers, visitor = talk(f"GET {server.url}/a", f"GET {server.url}/a", allow=["127.0.0.2"], most=100_000)
    assert len(answers[0]) < 110_000
    assert answers[1].split()[1] == b"413"
    assert visitor.left < 0
    assert server.connections == 1


@pytest.mark.parametrize("first", ["GET", "GET /", "", "GET http://example.org/ HTTP/1.1 x", "\x00"])
def test_nonsense_is_refused(first):
    """What is no request is answered so, and ends only itself."""
    (answer,), _ = talk(first)
    assert answer.split()[1] in {b"400", b"403", b"407"}


def broken():
    yield b"HTTP/1.1 200 OK\r\nContent-"
    raise ResetNow


def test_servers_that_break_off_end_only_their_request():
    """The next request is served as if nothing had been."""
    answers = {"/bad": b"nonsense\r\n", "/a": Page(b"fine")}
    with serving(lambda seen: broken() if seen.path == "/reset" else answers[seen.path], "127.0.0.2") as server:
        (bad, reset, fine), _ = talk(*(f"GET {server.url}{path}" for path in ("/bad", "/reset", "/a")), allow=["127.0.0.2"])
    assert bad == reset == b""
    assert fine.endswith(b"fine")


def test_a_page_that_is_left_keeps_nothing_open():
    """Connections end with the visit they belong to, also those nothing comes over."""

    async def leave(url):
        async with GuardedProxy() as proxy:
            with proxy.visit(Allowed(["127.0.0.2"]), MOST) as visitor:
                waiting = asyncio.create_task(say(proxy, visitor, f"CONNECT {url.removeprefix('http://')}"))
                while not visitor.at_work:
                    await asyncio.sleep(0.01)
            return await waiting

    with serving({}, "127.0.0.2") as server:
        assert asyncio.run(leave(server.url)) in {b"", b"HTTP/1.1 200 OK\r\n\r\n"}
