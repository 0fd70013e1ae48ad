"""HttpProxy, against a server on the loopback."""

import pytest
from local_server import Page, redirect, serving

from transmissions import NodeFailed, UsageError
from transmissions.processors.http_proxy import HttpProxy
from transmissions.testing import through


def passed(request, served=None, base="/base/"):
    """Pass a request on, and return what the server saw and the reply."""
    with serving(served or {}) as server:
        (message,) = through(HttpProxy(base_url=server.url + base), [{"http": request}])
    return server.seen[0], message["reply"]


def test_a_request_is_passed_on_as_it_came():
    """Method, path, query, headers and body."""
    request = {
        "method": "PUT",
        "path": "/a%20b/c",
        "query": {"x": "1", "y": ["2", "&"]},
        "headers": {"X-One": "1"},
        "body": "text",
    }
    seen, reply = passed(request, {"/base/a%20b/c": Page(b"ok", {"Content-Type": "text/plain"}, 201)})
    assert (seen.method, seen.path, seen.query, seen.body) == ("PUT", "/base/a%20b/c", "x=1&y=2&y=%26", b"text")
    assert (seen.headers["x-one"], reply["status"], reply["data"]) == ("1", 201, "ok")


def test_headers_of_one_connection_stay_behind():
    """In both directions, with those the connection header names."""
    sent = {
        "Host": "evil.example",
        "Connection": "close, X-Mine",
        "X-Mine": "1",
        "Te": "gzip",
        "Transfer-Encoding": "x",
        "Cookie": "c",
    }
    answer = Page(b"", {"Connection": "X-Theirs", "X-Theirs": "1", "Keep-Alive": "timeout=1", "Set-Cookie": "d"})
    seen, reply = passed({"headers": sent}, lambda _: answer)
    assert seen.headers["host"].startswith("127.0.0.1")
    assert seen.headers.keys() & {"x-mine", "te", "transfer-encoding", "cookie"} == {"cookie"}
    assert reply["headers"].keys() & {"connection", "x-theirs", "keep-alive", "set-cookie"} == {"set-cookie"}


@pytest.mark.parametrize("path", [
    "../x", "/../x", "/a/../../x", "/%2e%2e/x", "/%252e%252e/x", "/..%2fx", "/..\\x", "/..;/x", "/.", "/a\r\nX: y", "/%0d%0aX",
])  # fmt: skip
def test_no_path_leads_out_of_the_base(path):
    """However it is spelled."""
    with serving({}) as server, pytest.raises(NodeFailed, match="leads out of :baseURL"):
        through(HttpProxy(base_url=f"{server.url}/base"), [{"http": {"path": path}}])
    assert server.connections == 0


@pytest.mark.parametrize(("path", "then"), [
    ("//evil.example/x", "/base/evil.example/x"), ("@evil.example", "/base/@evil.example"), ("http://evil.example/", "/base/http://evil.example/"),
    ("/a?b#c", "/base/a%3Fb%23c"), ("", "/base/"), ("/...", "/base/..."),
])  # fmt: skip
def test_no_path_leads_to_another_server(path, then):
    """It is put behind the base, whatever it looks like."""
    assert passed({"path": path})[0].path == then


def test_a_redirect_is_a_reply():
    """Whoever asked is to follow it, not the proxy."""
    seen, reply = passed({"query": "a=b"}, lambda _: redirect("http://127.0.0.1:1/"), base="")
    assert (seen.path, seen.query, reply["status"], reply["headers"]["location"]) == ("/", "a=b", 302, "http://127.0.0.1:1/")


@pytest.mark.parametrize(("request_", "fault"), [
    ("text", "is not a request but a str"), ({"path": 1}, "needs `path` as text"), ({"headers": []}, "needs `path` as text"),
    ({"method": "GET / HTTP/1.1\r\nX:"}, "not one HTTP has room for"),
    ({"headers": {"a": "b\r\nc: d"}}, "not one HTTP has room for"),
])  # fmt: skip
def test_what_is_no_request_is_an_error(request_, fault):
    """And nothing is sent."""
    with serving({}) as server, pytest.raises(NodeFailed, match=fault):
        through(HttpProxy(base_url=server.url), [{"http": request_}])
    assert server.connections == 0


@pytest.mark.parametrize("base", ["example.org", "file:///etc/", "http://example.org/?key=", "http://example.org/#x"])
def test_a_base_that_is_none_is_refused(base):
    """Before anything runs."""
    with pytest.raises(UsageError, match=":baseURL"):
        HttpProxy(base_url=base)
