"""Sinks for messages: webhooks, Redis and NATS, each against a server."""

import contextlib
import hashlib
import hmac
import json
import socket
import threading

import pytest
from local_server import Page, serving
from nats_server import nats_serving

from transmissions import NodeFailed, Secret, UsageError
from transmissions.processors.bus_nats import NATSSink
from transmissions.processors.bus_redis import RedisSink
from transmissions.processors.bus_webhook import WebhookSink
from transmissions.testing import through

NUMBERS = [{"n": number} for number in range(5)]


def bodies(server):
    return [json.loads(seen.body) for seen in server.seen]


@pytest.fixture
def hook():
    """Serve a URL that takes everything."""
    with serving({"/hook": Page(b"ok")}) as server:
        yield server


@pytest.fixture(scope="module")
def redis_server():
    """Serve what Redis would."""
    fakeredis = pytest.importorskip("fakeredis")
    with fakeredis.TcpFakeServer(("127.0.0.1", 0), server_type="redis") as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def redis(redis_server):
    """Return a client of the server, empty, and its URL."""
    import redis

    port = redis_server.server_address[1]
    with redis.Redis(port=port) as client:
        client.flushall()
        client.url = f"redis://127.0.0.1:{port}/0"
        yield client


@pytest.fixture
def nobody():
    """Return a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_webhook_gets_each_message(hook):
    """Every message is a request of its own, as JSON, and goes on."""
    assert through(WebhookSink(url=hook.url + "/hook"), NUMBERS) == NUMBERS
    assert bodies(hook) == NUMBERS
    assert {(seen.method, seen.headers["content-type"]) for seen in hook.seen} == {("POST", "application/json")}


def test_a_webhook_gets_several_messages_at_once(hook):
    """With a batch, as many as wait go in one request, always in a list."""
    through(WebhookSink(url=hook.url + "/hook", batch=3), NUMBERS)
    assert all(isinstance(body, list) and len(body) <= 3 for body in bodies(hook))
    assert [message for body in bodies(hook) for message in body] == NUMBERS


def test_a_webhook_is_signed(hook):
    """The signature is the HMAC of the very bytes that are sent."""
    through(WebhookSink(url=hook.url + "/hook", signature_key=Secret("k3y"), input_field="n"), NUMBERS[1:2])
    (seen,) = hook.seen
    assert seen.body == b"1"
    assert seen.headers["x-hub-signature-256"] == "sha256=" + hmac.new(b"k3y", b"1", hashlib.sha256).hexdigest()


@pytest.mark.parametrize(("status", "said"), [(500, "answered 500"), (404, "answered 404"), (302, "does not take messages")])
def test_a_webhook_that_refuses_is_an_error(status, said):
    """A reply that is no success fails the message, and a redirect is not followed."""
    with serving({"/hook": Page(b"", {"Location": "/other"}, status), "/other": Page()}) as server:
        with pytest.raises(NodeFailed, match=said):
            through(WebhookSink(url=server.url + "/hook"), NUMBERS[:1])
        assert [seen.path for seen in server.seen] == ["/hook"]


def test_a_webhook_is_tried_again():
    """What fails is sent again as `:retry` says, and what had arrived is not."""
    refusals = iter([200, 200, 503, 200, 200, 200])
    with serving(lambda _: Page(b"", {}, next(refusals))) as server:
        assert through(WebhookSink(url=server.url), NUMBERS, retry={"delay": 1}) == NUMBERS
        assert [body["n"] for body in bodies(server)] == [0, 1, 2, 2, 3, 4]


def test_what_is_no_json_is_an_error_of_its_message(hook):
    """A message that cannot be written as JSON fails alone."""
    messages = [{"n": 0}, {"n": float("nan")}, {"n": 2}]
    assert through(WebhookSink(url=hook.url + "/hook"), messages, on_error="skip") == [{"n": 0}, {"n": 2}]
    assert [body["n"] for body in bodies(hook)] == [0, 2]


def test_redis_keeps_messages_in_a_stream(redis):
    """Each message is an entry of the stream, in order."""
    assert through(RedisSink(url=redis.url, stream="builds", data_field="m"), NUMBERS) == NUMBERS
    assert [json.loads(fields[b"m"]) for _, fields in redis.xrange("builds")] == NUMBERS


def test_redis_publishes(redis):
    """Whoever listens to the channel gets every message."""
    with redis.pubsub() as listener:
        listener.subscribe("lines")
        assert listener.get_message(timeout=5)["type"] == "subscribe"
        through(RedisSink(url=redis.url, channel="lines"), NUMBERS)
        assert [json.loads(listener.get_message(timeout=5)["data"]) for _ in NUMBERS] == NUMBERS


def test_redis_refuses_the_wrong_kind_of_key(redis):
    """What the server says is the sentence of the error."""
    redis.set("builds", "a text")
    with pytest.raises(NodeFailed, match=r"redis://127.0.0.1:\d+/0: .*WRONGTYPE"):
        through(RedisSink(url=redis.url, stream="builds"), NUMBERS[:1])


def test_nats_gets_each_message():
    """Every message is published to the subject, in order, and goes on."""
    with nats_serving() as server:
        assert through(NATSSink(url=server.url, subject="a.b"), NUMBERS) == NUMBERS
        assert [(subject, json.loads(data)) for subject, data in server.published] == [("a.b", one) for one in NUMBERS]


def test_nats_lets_in_who_has_the_token():
    """A token is sent to log in, and without it nothing is."""
    with nats_serving(token="t0ken") as server:
        through(NATSSink(url=server.url, subject="a", token=Secret("t0ken")), NUMBERS)
        assert len(server.published) == 5
        with pytest.raises(NodeFailed, match=r"(?i)authorization"):
            through(NATSSink(url=server.url, subject="a"), NUMBERS[:1])


def test_nats_over_tls_is_never_without():
    """A server that does not speak TLS gets no word of what was to be secret."""
    with nats_serving(token="t0ken") as server:
        url = server.url.replace("nats:", "tls:")
        with pytest.raises(NodeFailed, match=r"tls://127\.0\.0\.1:\d+: it does not speak TLS"):
            through(NATSSink(url=url, subject="a", token=Secret("t0ken")), NUMBERS[:1])
        assert (server.published, server.logins) == ([], [])


def test_jet_stream_acknowledges():
    """With JetStream each message is acknowledged; without a stream that keeps it, it is an error."""
    with nats_serving(stream="S") as server:
        assert through(NATSSink(url=server.url, subject="a", jet_stream=True), NUMBERS) == NUMBERS
        server.stream = ""
        with pytest.raises(NodeFailed, match=r"nats://127\.0\.0\.1"):
            through(NATSSink(url=server.url, subject="a", jet_stream=True, timeout=200), NUMBERS[:1])


def test_nats_comes_back():
    """After a connection that was cut the next attempt makes a new one."""
    with nats_serving() as server:

        class Cutting(NATSSink):
            async def send(self, parts):
                if not getattr(self, "is_cut", False) and self._client:
                    self.is_cut = True
                    server.cut()
                await super().send(parts)

        through(Cutting(url=server.url, subject="a", timeout=500), NUMBERS * 300, retry={"delay": 1})
        assert {data for _, data in server.published} == {json.dumps(one).encode() for one in NUMBERS}
        assert len(server.published) >= 1500


@pytest.mark.parametrize(
    "make",
    [
        lambda port: RedisSink(url=f"redis://u:pw@127.0.0.1:{port}", stream="s"),
        lambda port: NATSSink(url=f"nats://u:pw@127.0.0.1:{port}", subject="s"),
    ],
)
def test_a_server_that_is_not_there(make, nobody):
    """A server that cannot be reached is an error of the message that names it, without its password."""
    with pytest.raises(NodeFailed) as caught:
        through(make(nobody), NUMBERS[:1])
    assert f"127.0.0.1:{nobody}" in str(caught.value)
    assert "pw" not in str(caught.value)


INFO = b'INFO {"max_payload": "all"}\r\n'


@pytest.mark.parametrize(
    ("make", "greeting", "answer"),
    [
        (lambda port: RedisSink(url=f"redis://127.0.0.1:{port}", stream="s"), b"", b":none\r\n"),
        (lambda port: RedisSink(url=f"redis://127.0.0.1:{port}", stream="s"), b"", b"$-5\r\n"),
        (lambda port: RedisSink(url=f"redis://127.0.0.1:{port}", stream="s"), b"", b"*1\r\n" * 20_000),
        (lambda port: NATSSink(url=f"nats://127.0.0.1:{port}", subject="s"), b"INFO []\r\n", b""),
        (lambda port: NATSSink(url=f"nats://127.0.0.1:{port}", subject="s"), b"INFO " + b"x" * 2**18, b""),
        (lambda port: NATSSink(url=f"nats://127.0.0.1:{port}", subject="s"), INFO, b"PONG\r\n"),
    ],
)
def test_a_server_that_says_what_nobody_understands_is_named(make, greeting, answer):
    """Its library falls over that with errors of other kinds."""

    def serve():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(greeting)
            while connection.recv(65_536):
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        with pytest.raises(NodeFailed, match=rf"Sink: \w+://127\.0\.0\.1:{port}: "):
            through(make(port), NUMBERS[:1])
        thread.join()


def test_redis_does_not_know_every_option():
    """An option of the URL that the library does not have is told before anything is sent."""
    with pytest.raises(NodeFailed, match=r"redis://x: .*'foo'"):
        through(RedisSink(url="redis://x?foo=bar", stream="s"), NUMBERS)


@pytest.mark.parametrize(
    ("sink", "settings", "said"),
    [
        (WebhookSink, {"url": "ftp://x/"}, "url"),
        (RedisSink, {}, "either :stream or :channel"),
        (RedisSink, {"stream": "a", "channel": "b"}, "either :stream or :channel"),
        (RedisSink, {"url": "http://x", "stream": "a"}, "redis://"),
        (RedisSink, {"url": "redis://x:port", "stream": "a"}, "is no URL"),
        (RedisSink, {"url": "redis://x/main", "stream": "a"}, "'main' is no number of a database"),
        (NATSSink, {"subject": "a b"}, "blanks or wildcards"),
        (NATSSink, {"subject": "a.>"}, "blanks or wildcards"),
        (NATSSink, {"subject": "a", "url": "nats://"}, "name a server"),
    ],
)
def test_settings_that_cannot_be_meant(sink, settings, said):
    """What no server could make of is refused before the run."""
    with pytest.raises(UsageError, match=said):
        sink(**settings)
