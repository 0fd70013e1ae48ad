"""Feeds of any kind as plain data: `{"format", "version", "meta", "entries"}`.

feedparser reads what is XML: it alone knows RSS from 0.90 on, CDF and both Atoms, goes on where a feed is broken, and is
kept. It gets bytes only, so it opens nothing. Its own cleaning of HTML is off: the time for that grows with the square of the
length.
"""

from __future__ import annotations

import re
import sys
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .html_clean import clean_html
from .html_tree import parse_html, text_of
from .link_targets import is_web
from .stamps import stamp, stamp_of_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    Fields = dict[str, Any]

_KINDS: Final = re.compile(r"(atom|rss|cdf)(\d?)(\d*)")
_RDF: Final = frozenset(["rss090", "rss10"])
_NO_DEPTH: Final = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG: Final = re.compile(rb"<(/?)[A-Za-z_][^<>]*>")
_REFERENCE: Final = re.compile(rb"&#([xX][0-9A-Fa-f]{1,20}|[0-9]{1,20})[0-9A-Fa-f]*;?")
_DIGITS: Final = 8
_DAY: Final = re.compile(r"\d{4}(?:-\d\d(-\d\d)?)?(?![\d/-])")
_WORD: Final = re.compile(r"[^\W\d_]{3}")
"""What the name of a month has, in any language, and what numbers alone have not."""
_TOO_MANY: Final = 10**15
"""Bytes: no file has as many."""
_DEEPEST: Final = 500
"""Elements inside one another; feedparser looks through all that are open."""


def read_feed(data: bytes, base: str, raw: bool, source: str) -> Fields:
    """Return a feed that is XML.

    Raises:
        RunError: nothing of it can be read; the error says why.

    """
    _refuse_depth(data, source)
    plain = _parsed(_REFERENCE.sub(_mended, data) if b"&#" in data else data, base, source)
    version, entries, fault = plain.get("version") or "", plain["entries"], _fault(plain)
    if not entries and (not version or (fault and not plain["feed"])):
        raise RunError(f"{source} is no feed{f': {fault}' if fault else ''}")
    feed: Fields = {
        **_kind(version),
        "meta": _meta(dict(plain["feed"]), version),
        "entries": [_entry(dict(one), version, raw) for one in entries],
    }
    if fault:
        feed["warning"] = f"{source} is not well-formed, {len(entries)} entries could be read: {fault}"
    return feed


def _parsed(data: bytes, base: str, source: str) -> Fields:
    import feedparser  # type: ignore[import-untyped]

    headers = {"content-location": base, "content-type": "application/xml; charset=utf-8"}
    try:
        return dict(feedparser.parse(BytesIO(data), response_headers=headers, sanitize_html=False, resolve_relative_uris=False))
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # where elements stand in places nobody thought of
        raise RunError(f"{source} is a feed too broken to be read: {type(error).__name__}: {error}") from error


def _mended(found: re.Match[bytes]) -> bytes:
    """Return a reference to a character, another one if there is none of that number."""
    digits = found[1].decode()
    number = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    is_one = len(digits) <= _DIGITS and number <= sys.maxunicode and not 0xD800 <= number <= 0xDFFF  # noqa: PLR2004 - halves
    return found[0] if is_one else b"&#65533;"


def _fault(found: Fields) -> str:
    return str(found.get("bozo_exception") or "").removeprefix("<unknown>:")


def _refuse_depth(data: bytes, source: str) -> None:
    depth = 0
    bare = _NO_DEPTH.sub(b"", data)
    for found in _TAG.finditer(bare):
        if found[1]:
            depth -= depth > 0
        elif bare[found.end() - 2] != ord("/"):
            depth += 1
            if depth > _DEEPEST:
                line = bare.count(b"\n", 0, found.start()) + 1
                raise RunError(f"{source}:{line}: no feed: more than {_DEEPEST} elements are open inside one another")


def _kind(version: str) -> Fields:
    found = _KINDS.match(version)
    if found is None:
        return {"format": "unknown", "version": version}
    return {"format": "rdf" if version in _RDF else found[1], "version": f"{found[2]}.{found[3]}" if found[3] else found[2]}


def _meta(feed: Fields, version: str) -> Fields:
    image = feed.get("image")
    own = next((link["href"] for link in feed.get("links", ()) if link.get("rel") == "self" and link.get("href")), "")
    return told(
        {
            **_common(feed, version),
            "subtitle": _text(feed, "subtitle"),
            "language": feed.get("language"),
            "generator": feed.get("generator"),
            "rights": _text(feed, "rights"),
            "image": (image.get("href") if isinstance(image, dict) else None) or feed.get("logo") or feed.get("icon"),
            "feedUrl": own,
        }
    )


def _entry(entry: Fields, version: str, raw: bool) -> Fields:
    contents = [part for part in entry.get("content", ()) if part.get("value")]
    summary = entry.get("summary_detail") or {}
    links = entry.get("links", ())
    fields = {
        **_common(entry, version),
        "summary": _html(summary) if summary.get("value") else "",
        "content": _html(contents[0]) if contents else "",
        "enclosures": [
            told({"url": link.get("href"), "type": link.get("type"), "length": size_of(link.get("length"))})
            for link in links
            if link.get("rel") == "enclosure"
        ],
    }
    if raw:
        fields["raw"] = told({"summary": summary.get("value"), "content": contents[0]["value"] if contents else ""})
    return told(fields)


def _common(thing: Fields, version: str) -> Fields:
    """Return what feeds and entries tell alike."""
    authors = [
        told({"name": author.get("name"), "email": author.get("email"), "url": author.get("href")})
        for author in thing.get("authors", ())
    ]
    return {
        "id": thing.get("id"),
        "title": _text(thing, "title"),
        "link": _page(thing, version),
        "links": [
            told({"url": link.get("href"), "rel": link.get("rel"), "type": link.get("type"), "title": link.get("title")})
            for link in thing.get("links", ())
        ],
        "author": next((author["name"] for author in authors if "name" in author), "") or thing.get("author"),
        "authors": [author for author in authors if author],
        "published": _time(thing, "published") or _time(thing, "created"),
        "updated": _time(thing, "updated"),
        "categories": list(dict.fromkeys(tag["term"] for tag in thing.get("tags", ()) if tag.get("term"))),
    }


def _time(thing: Fields, name: str) -> str:
    """Return a time; nothing where it is none: feedparser takes any number for one, and 2024/02/03 for November."""
    text = str(thing.get(name) or "").strip()
    found = stamp(text)
    if found or not ((day := _DAY.match(text)) or _WORD.search(text)):
        return found
    is_none = day is not None and day[1] and not stamp(day[0])
    return "" if is_none else stamp_of_parts(thing.get(f"{name}_parsed"))


def _page(thing: Fields, version: str) -> str:
    """Return the page of a feed or an entry; in Atom an id is no address, even if feedparser gives it as one."""
    found = next((str(link.get("href") or "") for link in thing.get("links", ()) if link.get("rel") == "alternate"), "")
    own = str(thing.get("link") or "")
    return found or (own if is_web(own) and not version.startswith("atom") else "")


def _html(detail: Fields) -> str:
    """Return what is text or HTML in a feed as HTML."""
    value = str(detail["value"])
    return (
        escape(value, quote=False) if detail.get("type") == "text/plain" else clean_html(value, str(detail.get("base") or ""))
    )


def _text(thing: Fields, name: str) -> str:
    """Return what is text or HTML in a feed as text of one line."""
    value = str(thing.get(name) or "")
    is_html = (thing.get(f"{name}_detail") or {}).get("type") != "text/plain" and ("<" in value or "&" in value)
    body = parse_html(value).body if is_html else None
    return text_of(body) if body else " ".join(value.split())


def size_of(length: Any) -> int | None:
    """Return how many bytes something is said to have; nothing if that is no whole number."""
    if isinstance(length, int) and not isinstance(length, bool):
        return length if 0 <= length < _TOO_MANY else None
    is_number = isinstance(length, str) and length.isascii() and length.isdigit() and len(length) < len(str(_TOO_MANY))
    return int(length) if is_number else None


def told(fields: Fields) -> Fields:
    """Return fields without those that say nothing."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def first_of(values: Iterable[Any]) -> Any:
    """Return the first value that says something, or nothing."""
    return next((value for value in values if value), "")
