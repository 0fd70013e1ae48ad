"""HttpClient and HttpGet, against a server on the loopback."""

import pytest
from local_server import Page, redirect, serving

from transmissions import NodeFailed, RunError, Secret, UsageError
from transmissions.processors.fetching import SecretHeader
from transmissions.processors.http_client import HttpClient, HttpGet
from transmissions.testing import through

JSON = {"Content-Type": "application/json"}


def test_a_reply_is_written_whole():
    """Status, headers and data, where redirects led to."""
    with serving({"/": redirect("/there"), "/there": Page(b'{"a": 1}', JSON)}) as server:
        (message,) = through(HttpClient(url=server.url), [{"x": 1}])
    headers = message["http"].pop("headers")
    assert message == {"x": 1, "http": {
        "status": 200, "statusText": "OK", "contentType": "application/json", "data": {"a": 1}, "url": f"{server.url}/there",
    }}  # fmt: skip
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(("kind", "read_as", "data"), [
    ("application/ld+json", "auto", [1]), ("text/plain", "auto", "[1]"), ("application/atom+xml", "auto", "[1]"),
    ("image/png", "auto", b"[1]"), ("text/plain", "json", [1]), ("application/json", "text", "[1]"),
    ("text/plain", "bytes", b"[1]"),
])  # fmt: skip
def test_data_is_what_the_content_type_says(kind, read_as, data):
    """Unless `readAs` knows better."""
    with serving({"/": Page(b"[1]", {"Content-Type": kind})}) as server:
        (message,) = through(HttpClient(url=server.url, read_as=read_as, target_field="r"), [{}])
    assert message["r"]["data"] == data


@pytest.mark.parametrize(("value", "body_as", "sent", "kind"), [
    ({"a": "ü"}, "auto", '{"a": "ü"}'.encode(), "application/json"), ("ü", "auto", "ü".encode(), "text/plain; charset=utf-8"),
    (b"\0", "auto", b"\0", "application/octet-stream"), ("ü", "json", '"ü"'.encode(), "application/json"),
    ({"a": "ü&", "b": [1, 2]}, "form", b"a=%C3%BC%26&b=1&b=2", "application/x-www-form-urlencoded"),
])  # fmt: skip
def test_a_body_is_sent_as_what_it_is(value, body_as, sent, kind):
    """Text, bytes, JSON or a form, with the content type that goes with it."""
    with serving({}) as server:
        through(HttpClient(url=server.url, method="POST", body_field="v", body_as=body_as), [{"v": value}])
    assert (server.seen[0].method, server.seen[0].body, server.seen[0].headers["content-type"]) == ("POST", sent, kind)


def test_headers_are_public_or_secret():
    """A header of one's own wins over one that the body would bring."""
    secret = SecretHeader(name="Authorization", prefix="Bearer ", value=Secret("t0ken"))
    step = {"headers": ("X-One: a: b", "content-type: text/turtle"), "secret_headers": (secret,), "body": "x"}
    with serving({}) as server:
        through(HttpClient(url=server.url, **step), [{}])
    headers = server.seen[0].headers
    assert (headers["x-one"], headers["content-type"], headers["authorization"]) == ("a: b", "text/turtle", "Bearer t0ken")


def test_a_status_of_failure_is_kept_or_fails():
    """When it fails, it says how long the server asks to wait."""
    with serving({"/": Page(b"no", {"Retry-After": "30"}, 429)}) as server:
        assert through(HttpClient(url=server.url), [{}])[0]["http"]["status"] == 429
        with pytest.raises(NodeFailed, match=r"answered 429 Too Many Requests \(retry-after: 30\)"):
            through(HttpClient(url=server.url, on_status="fail"), [{}])


def test_no_reply_is_an_error_or_a_field():
    """Nothing is swallowed unless a field is named for it."""
    with serving({"/": b""}) as server:
        with pytest.raises(NodeFailed, match="closed the connection without an answer"):
            through(HttpClient(url=server.url), [{}])
        (message,) = through(HttpClient(url=server.url, error_field="httpError"), [{}])
    assert message == {"httpError": f"{server.url}/: the server closed the connection without an answer"}


def test_a_request_is_sent_again_as_its_node_says():
    """Also after a status, where that is an error."""
    answers = iter([b"", Page(b"busy", {}, 503), Page(b"x", {"Content-Type": "text/plain"})])
    with serving(lambda _: next(answers)) as server:
        step = HttpClient(url=server.url, method="POST", on_status="fail")
        (message,) = through(step, [{}], retry={"attempts": 2, "delay": 1})
    assert message["http"]["data"] == "x"


def test_a_url_of_a_message_is_guarded():
    """Unless its host is allowed; one in the settings may lead anywhere."""
    with serving({"/": Page(b"x", {"Content-Type": "text/html"})}) as server:
        with pytest.raises(NodeFailed, match=r"'127\.0\.0\.1' is a loopback address, and :allow does not name it"):
            through(HttpClient(url_field="link"), [{"link": server.url}])
        assert server.connections == 0
        (message,) = through(HttpGet(url_field="link", allow=("127.0.0.1",)), [{"link": server.url}])
    assert message["content"] == "x"


def test_a_url_stands_in_a_field_of_that_name_unless_settings_say_otherwise():
    """It is guarded, and a URL in the settings wins."""
    with serving({"/": Page(b"x", {"Content-Type": "text/plain"})}) as server:
        (message,) = through(HttpClient(allow=("127.0.0.1",)), [{"url": server.url}])
        assert message["http"]["data"] == "x"
        with pytest.raises(NodeFailed, match="is a loopback address"):
            through(HttpClient(), [{"url": server.url}])
        through(HttpClient(url=server.url), [{"url": "http://192.0.2.1/"}])


@pytest.mark.parametrize(("settings", "fault"), [
    ({"url_field": ""}, "needs either :url or :urlField"),
    ({"url": "http://a.example/", "url_field": "u"}, "needs either"),
    ({"url": "ftp://a.example/"}, ":url 'ftp://a.example/': only http and https"),
    ({"url": "http://a.example/", "headers": ("no colon",)}, "not `Name: value`"),
    ({"secret_headers": (SecretHeader(name="A", value=Secret("b")),)}, "any URL in a message would"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(settings, fault):
    """Before anything runs."""
    with pytest.raises(UsageError, match=fault):
        HttpClient(**settings)


def test_messages_that_cannot_be_sent_are_refused(bench):
    """The URL is missing, or what should be a form is none."""
    with pytest.raises(RunError, match="no field 'link'"):
        bench.through(HttpClient(url_field="link"), {"x": 1})
    step = HttpClient(url="http://127.0.0.1:1/", body_field="v", body_as="form")
    with pytest.raises(RunError, match="a form is made of an object"):
        bench.through(step, {"v": [1]})


def test_a_page_is_fetched_as_text():
    """In its charset; a page that is not there is an error."""
    with serving({"/": Page(b"\xfc", {"Content-Type": "text/html; charset=latin-1"})}) as server:
        assert through(HttpGet(url=server.url), [{}]) == [{"content": "ü"}]
        with pytest.raises(NodeFailed, match="/none answered 404 Not Found"):
            through(HttpGet(url=f"{server.url}/none"), [{}])


def test_many_messages_share_a_few_connections():
    """Also when several are on their way at once, each reply comes back in its own message."""
    with serving(lambda seen: Page(seen.body, JSON)) as server:
        step = HttpClient(url=server.url, method="POST", body_field="n")
        messages = through(step, [{"n": number} for number in range(200)], concurrency=8)
    assert [message["http"]["data"] for message in messages] == list(range(200))
    assert server.connections <= 8


def test_a_dry_run_says_what_would_be_sent():
    """Without sending it."""
    assert list(HttpClient(url_field="u", method="PUT").foresee({})) == ["sends PUT to the URL in `u` of a message"]
