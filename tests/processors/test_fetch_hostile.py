"""The one door to the network, with servers, names and URLs that mean ill."""

import asyncio
import gc
import gzip
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import time

import brotli
import pytest
from bombs import bombs
from egress_table import HOSTILE, HOSTILE_ADDRESSES
from local_server import Page, ResetNow, redirect, serving

from transmissions.processors.fetch import Door, FetchError, Refused, Request


def fetch(url, *, trusted=False, **settings):
    async def send():
        async with Door(**{"timeout": 10, **settings}) as door:
            return await door.fetch(Request(url), trusted=trusted)

    return asyncio.run(send())


def at(port, url):
    """Return a URL of the table with the port of the canary, where it has none."""
    return re.sub(r"^(http://(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:@\\\[]+))(?=/|$)", rf"\1:{port}", url)


@pytest.fixture
def canary():
    """Serve on all addresses of this machine what nothing hostile may reach."""
    with serving({"/": Page(b"reached")}, host="::") as server:
        yield server


def test_the_canary_sees_nothing_of_hostile_urls(canary):
    """And would, for a URL that is trusted."""
    for url in HOSTILE:
        with pytest.raises(Refused):
            fetch(at(canary.server_port, url))
    assert canary.connections == 0
    assert fetch(f"http://localhost:{canary.server_port}/", trusted=True).body == b"reached"


@pytest.mark.parametrize("trusted", [True, False])
def test_the_canary_sees_nothing_of_hostile_redirects(canary, trusted):
    """A trusted URL makes nothing it redirects to trusted, except on its own server."""
    urls = [at(canary.server_port, url) for url in HOSTILE if url.isprintable() and ":" in url]
    with serving(lambda seen: redirect(urls[int(seen.path[1:])].encode().decode("latin-1")), "127.0.0.2") as server:
        for number, _ in enumerate(urls):
            with pytest.raises(Refused, match="redirects to what is refused"):
                fetch(f"{server.url}/{number}", trusted=trusted, allow=["127.0.0.2"])
        assert len(server.seen) == len(urls)
    assert canary.connections == 0


def answering(monkeypatch, *answers):
    """Let name servers give these addresses, one answer after the other, and return the names asked for."""
    asked = []

    def look_up(host, port, *_, **__):
        asked.append(host)
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in answers[min(len(asked), len(answers)) - 1]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_is_asked_for_once_and_the_connection_goes_where_it_was_checked(monkeypatch):
    """A second answer, to a private address, is never asked for."""
    with serving({"/": Page(b"good")}, "127.0.0.2") as good, serving({}, "127.0.0.1", good.server_port) as canary:
        asked = answering(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
        reply = fetch(f"http://rebind.example:{good.server_port}/", allow=["127.0.0.2"])
        assert (reply.body, asked, canary.connections) == (b"good", ["rebind.example"], 0)
        assert good.seen[0].headers["host"] == f"rebind.example:{good.server_port}"


def test_one_bad_address_of_a_name_is_enough(monkeypatch):
    """Whichever place it has in the answer."""
    with serving({}, "127.0.0.2") as server:
        answering(monkeypatch, ["127.0.0.2", "127.0.0.1"])
        with pytest.raises(Refused, match=r"^http://mixed.example:\d+/: 'mixed.example' is at 127.0.0.1, a loopback address"):
            fetch(f"http://mixed.example:{server.server_port}/", allow=["127.0.0.2"])
    assert server.connections == 0


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_name_for_a_hostile_address_is_refused(monkeypatch, address):
    """The name says nothing; what counts is where it leads."""
    answering(monkeypatch, [address])
    with pytest.raises(Refused, match=r"'innocent\.example' is at"):
        fetch("http://innocent.example/")


def test_a_connection_of_a_trusted_url_is_not_lent_to_another(monkeypatch, canary):
    """The same name from a page is checked, though there is a connection to it."""
    answering(monkeypatch, ["127.0.0.1"])
    url = f"http://name.example:{canary.server_port}/"

    async def both():
        async with Door() as door:
            await door.fetch(Request(url), trusted=True)
            await door.fetch(Request(url), trusted=False)

    with pytest.raises(Refused):
        asyncio.run(both())
    assert len(canary.seen) == 1


OK = b"HTTP/1.1 200 OK\r\n"


def drip(head):
    """Answer slowly, and never stop for long."""
    yield head
    for _ in range(20):
        time.sleep(0.1)
        yield b"x"


def reset(length=b"Content-Length: 9\r\n", pause=0.0):
    yield b"HTTP/1.1 200 OK\r\n" + length + b"\r\nabc"
    time.sleep(pause)
    raise ResetNow


@pytest.mark.parametrize(("answer", "sentence"), [
    (OK + b"Content-Length: 9\r\n\r\nabc", "broke off.*received 3 of 9"),
    (OK + b"Content-Length: -1\r\n\r\nabc", "not proper HTTP"),
    (OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "not proper HTTP"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", "chunk size"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n10\r\nabc", "broke off"),
    (OK + b"X: " + b"x" * 20_000 + b"\r\n\r\n", "not proper HTTP: Got more than 16384 bytes"),
    (OK + b"A: b\r\n" * 5000 + b"\r\n", "Too many headers"),
    (b"HTTP/1.1 200 " + b"x" * 20_000, "not proper HTTP"),
    (b"\x00\x01 hello\r\n\r\n", "not proper HTTP"),
    (b"", "closed the connection without an answer"),
    (Page(b"x", {"Content-Encoding": "lzma"}), "no decoder for the content-encoding 'lzma'"),
    (Page(brotli.compress(b"x" * 99)[:-1], {"Content-Encoding": "br"}), "the br body ends early"),
    (Page(b"x", {"Content-Encoding": "gzip, gzip"}), "no decoder for the content-encoding 'gzip, gzip'"),
    (Page(b"no gzip", {"Content-Encoding": "gzip"}), "the body is not gzip"),
    (Page(gzip.compress(b"x" * 99)[:-4], {"Content-Encoding": "gzip"}), "the gzip body ends early"),
    (Page(b"\x1f", {"Content-Encoding": "gzip"}), "the gzip body ends early"),
    (Page(b"x" * 1001), "the body is larger than 1000 bytes"),
    (OK + b"\r\n" + b"x" * 1001, "the body is larger than 1000 bytes"),
    (Page(gzip.compress(b"") * 99, {"Content-Encoding": "gzip"}), "the body is larger than 1000 bytes"),
])  # fmt: skip
def test_a_broken_answer_is_an_error_that_says_how(answer, sentence):
    """And names the URL."""
    with serving({"/": answer}) as server, pytest.raises(FetchError, match=rf"(?s)^{server.url}/: .*{sentence}"):
        fetch(f"{server.url}/", trusted=True, max_bytes=1000)


@pytest.mark.parametrize("length", [b"Content-Length: 9\r\n", b"", b"Transfer-Encoding: chunked\r\n\r\n"])
@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_a_reset_in_mid_body_is_an_error(length, pause):
    """What came before is not passed off as the whole, not where only the end of the connection ends it either."""
    with serving(lambda _: reset(length, pause)) as server, pytest.raises(FetchError, match=r"broke|reset|garbled|proper"):
        fetch(server.url, trusted=True)


def test_a_body_that_its_connection_ends_is_whole():
    """If that is in good order."""
    with serving({"/": OK + b"\r\nabc"}) as server:
        assert fetch(f"{server.url}/", trusted=True).body == b"abc"


def test_t2_42_a_server_that_takes_its_time_is_given_up_with_the_figure():
    """A head that does not end, and a body in drops."""
    with serving(lambda seen: drip(OK + b"\r\n" if seen.path == "/body" else OK)) as server:
        with pytest.raises(FetchError, match=r"no answer within 0\.3 s"):
            fetch(f"{server.url}/head", trusted=True, timeout=0.3)
        with pytest.raises(FetchError, match=r"the answer was not whole in 1 s"):
            fetch(f"{server.url}/body", trusted=True, timeout=1)


def test_t2_42_a_stream_that_stalls_is_given_up_with_the_figure():
    """However long the whole may take, and whatever came before."""

    async def read(url):
        async with Door(timeout=0.2) as door, door.stream(Request(url), trusted=True) as answer:
            return [piece async for piece in answer.pieces]

    def stall():
        yield OK + b"\r\nabc"
        time.sleep(1)

    with serving(lambda _: stall()) as server, pytest.raises(FetchError, match=r"nothing came for 0\.2 s"):
        asyncio.run(read(server.url))


def test_a_request_that_is_given_up_leaves_nothing_open():
    """Cancelling is no reason for a connection to stay."""

    async def send(url):
        async with Door() as door:
            await asyncio.wait_for(door.fetch(Request(url), trusted=True), 0.2)

    with serving(lambda _: drip(OK + b"\r\n")) as server, pytest.raises(TimeoutError):
        asyncio.run(send(server.url))
    gc.collect()


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path):
    """And the error says what is wrong with it."""
    make = shlex.split("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key -out cert")
    if not shutil.which("openssl"):
        pytest.skip("no openssl here to make a certificate")
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with serving({}, tls=context) as server, pytest.raises(FetchError, match=r"TLS failed: the certificate is not good: self"):
        fetch(server.url, trusted=True)
    assert server.seen == []


def test_what_keeps_a_connection_from_being_made_is_named(monkeypatch):
    """The name, the port, or TLS; never the key in the URL."""
    with serving({}) as server, pytest.raises(FetchError, match=r"TLS failed: .*WRONG_VERSION_NUMBER"):
        fetch(server.url.replace("http", "https"), trusted=True)
    with pytest.raises(FetchError, match=r"^http://127.0.0.1:\d+/\?…: no connection to 127.0.0.1 port \d+: connection refused"):
        fetch(f"{server.url}/?key=secret", trusted=True)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(socket.gaierror(-2, "Name not known")))
    with pytest.raises(FetchError, match=r"no address is known for 'none.example': name not known"):
        fetch("http://none.example/")


PEAK = r"""
import asyncio, re, sys
from transmissions.processors.fetch import Door, FetchError, Request
def peak(): return int(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1])
async def main(warm_up, *urls):
    async with Door(max_bytes=10 * 2**20) as door:
        await door.fetch(Request(warm_up), trusted=True)
        before = peak()
        for url in urls:
            try:
                await door.fetch(Request(url), trusted=True)
            except FetchError as error:
                print(str(error).rpartition(": ")[2])
        print(peak() - before)
asyncio.run(main(*sys.argv[1:]))
"""


def test_a_bomb_takes_no_more_memory_than_the_limit():
    """1 MB that would be 1 GiB is given up at 10 MiB, in every encoding."""
    pages = {f"/{name}": Page(body, {"Content-Encoding": name}) for name, body in bombs().items()}
    with serving({"/": Page(b"x"), **pages}) as server:
        urls = [f"{server.url}{path}" for path in ("/", *pages)]
        done = subprocess.run([sys.executable, "-P", "-c", PEAK, *urls], capture_output=True, text=True, check=True, timeout=60)
    *sentences, grown = done.stdout.splitlines()
    assert sentences == ["the body is larger than 10485760 bytes"] * 4
    assert int(grown) < 32 * 1024


def test_what_grows_beyond_measure_is_refused_early():
    """A guarded body ends where it is 200 times what was sent; one of the user's own URL may be so, up to the limit."""
    bomb = Page(gzip.compress(bytes(40 << 20)), {"Content-Encoding": "gzip"})

    with serving({"/": bomb}) as server:
        assert len(fetch(f"{server.url}/", trusted=True).body) == 40 << 20
        with pytest.raises(FetchError, match="more than 200 times as large as what was sent"):
            fetch(f"{server.url}/", allow=["127.0.0.1"])
