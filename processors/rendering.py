"""What is rendered, how, and what comes of it: the words between PageRender and the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from .crawl_page import PageFault
from .egress import take_apart

if TYPE_CHECKING:
    from collections.abc import Collection

    from transmissions import Message

    from .egress import Allowed

_HEADERS: Final = ("content-type", "content-security-policy", "content-language", "referrer-policy", "refresh")
"""What the browser is told of the headers of the page: what has to do with how it looks."""


class Given(NamedTuple):
    """A page as it was fetched."""

    url: str
    body: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, page: Message) -> Given:
        """Return what a message says of its page.

        Raises:
            Refused: its URL is none of the web.

        """
        headers = page.get("headers", {})
        known = {name: headers[name] for name in _HEADERS if name in headers}
        return cls(take_apart(page.get("final_url") or page["url"]).url, page["body"], {"content-type": "text/html", **known})


class Rules(NamedTuple):
    """How pages are rendered. Times are in seconds, sizes in bytes."""

    seconds: float
    patience: float
    wait_until: Literal["domcontentloaded", "load", "networkidle"]
    max_bytes: int
    max_traffic: int
    block: Collection[str]
    allowed: Allowed
    introduction: str


class Rendered(NamedTuple):
    """What became of a page."""

    body: bytes
    final_url: str


class Crashed(PageFault):
    """The browser is no more, through this page or another one."""
