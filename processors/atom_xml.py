"""Atom documents (RFC 4287) from plain data; the same data always give the same text."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from transmissions import RunError

from .link_targets import absolute
from .stamps import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .feed_reading import Fields

_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_NEVER: Final = "1970-01-01T00:00:00Z"
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


def atom_document(feed: Fields, entries: list[Fields], base: str, content_type: str) -> str:
    """Return an Atom feed as XML. `feed` has the fields of FeedParser's `meta`, and a title; a feed without entries is valid.

    Raises:
        RunError: an entry has a time that is none.

    """
    root = ET.Element("feed", {"xmlns": _NAMESPACE})
    if feed.get("language"):
        root.set("xml:lang", _clean(feed["language"]))
    stamps = [_updated(entry, place) for place, entry in enumerate(entries)]
    updated = max(filter(None, stamps), default="") or stamp(feed.get("updated")) or stamp(feed.get("published")) or _NEVER
    identity = _identity(feed, base)
    _text(root, "id", identity)
    _text(root, "title", feed.get("title"), required=True)
    _text(root, "subtitle", feed.get("subtitle"))
    _text(root, "updated", updated)
    _add_author(root, feed, "" if entries and all(map(_names, entries)) else str(feed.get("title") or identity))
    _link(root, absolute(feed.get("link") or base or None, base), rel="alternate")
    _link(root, absolute(feed.get("feedUrl") or None, base), rel="self", type="application/atom+xml")
    for tag, field in (("generator", "generator"), ("logo", "image"), ("rights", "rights")):
        _text(root, tag, feed.get(field))
    for entry, own in zip(entries, stamps, strict=True):
        _add_entry(ET.SubElement(root, "entry"), {**entry, "updated": own or updated}, identity, base, content_type)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _identity(feed: Fields, base: str) -> str:
    named = feed.get("id") or feed.get("feedUrl") or feed.get("link") or base or feed.get("title")
    return _iri(named, _NAMESPACE)


def _iri(named: Any, space: str) -> str:
    """Return a name that is an IRI as it is, and any other as one that always is the same."""
    text = _clean(named)
    return text if _IRI.fullmatch(text) else uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, space), text).urn


def _updated(entry: Fields, place: int) -> str:
    for name in ("updated", "published"):
        value = entry.get(name)
        if value in (None, ""):
            continue
        found = stamp(value)
        if not found:
            raise RunError(f"entry {place}: '{name}' is not a time as in ISO 8601 or e-mail: {str(value)[:60]!r}")
        return found
    return ""


def _add_entry(node: ET.Element, entry: Fields, space: str, base: str, content_type: str) -> None:
    link = absolute(entry.get("link") or None, base)
    content = entry.get("content")
    _text(node, "id", _iri(entry.get("id") or link or f"{entry.get('title')} {entry.get('published')} {content}", space))
    _text(node, "title", entry.get("title"), required=True)
    _text(node, "updated", entry["updated"])
    _text(node, "published", stamp(entry.get("published")))
    _add_author(node, entry, "")
    _link(node, link, rel="alternate")
    for other in _objects(entry.get("links")):
        if other.get("rel") not in ("alternate", "enclosure"):
            _link(node, absolute(other.get("url"), base), **{name: other.get(name) for name in ("rel", "type", "title")})
    for one in _objects(entry.get("enclosures")):
        _link(node, absolute(one.get("url"), base), rel="enclosure", type=one.get("type"), length=one.get("length"))
    for category in _listed(entry.get("categories")):
        ET.SubElement(node, "category", {"term": _clean(category)})
    _text(node, "summary", entry.get("summary"), kind=content_type)
    # What has neither content nor a page must at least say so.
    _text(node, "content", content, kind=content_type, required=not link)


def _names(entry: Fields) -> bool:
    return bool(entry.get("author") or any(author.get("name") for author in _objects(entry.get("authors"))))


def _add_author(node: ET.Element, thing: Fields, otherwise: str) -> None:
    authors = [author for author in _objects(thing.get("authors")) if author.get("name")]
    name = thing.get("author") or otherwise
    for author in authors or ([{"name": name}] if name else []):
        person = ET.SubElement(node, "author")
        for tag, field in (("name", "name"), ("uri", "url"), ("email", "email")):
            _text(person, tag, author.get(field))


def _text(node: ET.Element, tag: str, value: Any, *, kind: str = "", required: bool = False) -> None:
    text = _clean(value)
    if text or required:
        ET.SubElement(node, tag, {"type": kind} if kind else {}).text = text


def _link(node: ET.Element, url: str, **attributes: Any) -> None:
    if url:
        ET.SubElement(
            node, "link", {"href": _clean(url), **{name: _clean(value) for name, value in attributes.items() if value}}
        )


def _clean(value: Any) -> str:
    """Return text without what XML cannot hold."""
    return "" if value is None else _FORBIDDEN.sub("", str(value))


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value] if value else []


def _objects(value: Any) -> list[Fields]:
    return [one for one in _listed(value) if isinstance(one, dict)]
