"""JSON Feed (jsonfeed.org, 1 and 1.1) as the plain data any feed becomes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .feed_reading import first_of, size_of, told
from .html_clean import clean_html
from .link_targets import absolute
from .stamps import stamp
from .structure import parse_json

if TYPE_CHECKING:
    from .feed_reading import Fields

_VERSION: Final = "https://jsonfeed.org/version/"


def read_json_feed(data: bytes, base: str, raw: bool, source: str) -> Fields:
    """Return a feed that is JSON.

    Raises:
        RunError: it is no JSON, or no feed.

    """
    feed = parse_json(data, source)
    version = feed.get("version") if isinstance(feed, dict) else None
    if not isinstance(version, str) or _VERSION not in version.replace("http://", "https://"):
        raise RunError(f"{source} is no feed: its `version` is not that of a JSON Feed")
    items = _objects(feed.get("items"))
    base = _text(feed, "feed_url") or base
    return {
        "format": "json",
        "version": version.rstrip("/").rsplit("/", 1)[1],
        "meta": told(_meta(feed, base)),
        "entries": [told(_entry(item, base, raw)) for item in items],
    }


def _meta(feed: Fields, base: str) -> Fields:
    authors = _authors(feed)
    return {
        "id": _text(feed, "feed_url"),
        "title": _text(feed, "title"),
        "link": absolute(_text(feed, "home_page_url") or None, base),
        "author": first_of(author.get("name") for author in authors),
        "authors": authors,
        "subtitle": _text(feed, "description"),
        "language": _text(feed, "language"),
        "image": absolute(_text(feed, "icon") or None, base),
        "feedUrl": _text(feed, "feed_url"),
    }


def _entry(item: Fields, base: str, raw: bool) -> Fields:
    authors = _authors(item)
    link = absolute(_text(item, "url") or _text(item, "external_url") or None, base)
    html, text = _text(item, "content_html"), _text(item, "content_text")
    identity = item.get("id")
    return {
        "id": str(identity) if isinstance(identity, str | int | float) else link,
        "title": " ".join(_text(item, "title").split()),
        "link": link,
        "links": [{"url": link, "rel": "alternate"}] if link else [],
        "author": first_of(author.get("name") for author in authors),
        "authors": authors,
        "published": stamp(item.get("date_published")),
        "updated": stamp(item.get("date_modified")),
        "summary": escape(_text(item, "summary"), quote=False),
        "content": clean_html(html, base) if html else escape(text, quote=False),
        "categories": [tag for tag in _list(item.get("tags")) if isinstance(tag, str)],
        "image": absolute(_text(item, "image") or None, base),
        "enclosures": [
            told(
                {
                    "url": absolute(part.get("url"), base),
                    "type": _text(part, "mime_type"),
                    "length": size_of(part.get("size_in_bytes")),
                }
            )
            for part in _objects(item.get("attachments"))
        ],
        **({"raw": told({"summary": _text(item, "summary"), "content": html or text})} if raw else {}),
    }


def _authors(thing: Fields) -> list[Fields]:
    found = _objects(thing.get("authors")) or _objects([thing.get("author")])
    return [author for one in found if (author := told({"name": _text(one, "name"), "url": _text(one, "url")}))]


def _text(thing: Fields, name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[Fields]:
    return [one for one in _list(value) if isinstance(one, dict)]
