"""SquirtReceiver, against a server on the loopback."""

import pytest
from local_server import Page, serving

from transmissions import NodeFailed
from transmissions.processors.squirt import SquirtReceiver
from transmissions.testing import through

ALLOW = {"allow": ("127.0.0.1",)}


def test_a_bookmark_is_fetched():
    """The page's own title is taken where the bookmark has none."""
    page = Page(b"<TITLE >A &amp;\n B</TITLE>", {"Content-Type": "text/html"})
    with serving({"/a": page}) as server:
        url = f"{server.url}/a"
        bare, named = through(
            SquirtReceiver(me="urn:me", app_name="links", **ALLOW), [{"url": url}, {"url": url, "title": "T"}]
        )
    assert bare == {
        "url": url, "processedUrl": url, "title": "A & B", "content": page.body.decode(), "success": True, "creator": "urn:me",
        "appName": "links",
    }  # fmt: skip
    assert named["title"] == "T"


def test_a_page_that_cannot_be_fetched_is_an_answer():
    """With the reason; addresses that are not public are such a reason."""
    with serving({}) as server:
        missing, *_ = through(SquirtReceiver(**ALLOW), [{"url": f"{server.url}/none"}])
        (private,) = through(SquirtReceiver(), [{"url": server.url}])
    assert (missing["success"], missing["error"]) == (False, f"{server.url}/none answered 404 Not Found")
    assert "loopback" in private["error"]
    assert server.connections == 1


def test_a_bookmark_without_a_url_is_an_error():
    """There is nothing to answer about."""
    with pytest.raises(NodeFailed, match="no field 'url'"):
        through(SquirtReceiver(), [{"title": "T"}])
