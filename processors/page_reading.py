"""A page as its text, links and facts: what a process of `page_workers` does. Nothing here knows of runs or messages."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any, Final, NamedTuple

from .crawl_page import PageFault
from .markup_text import decoded
from .moments import now
from .page_html import HTMLPage, Reading
from .page_quality import count_words, measures_of, minutes_to_read
from .page_robots import asked_of_robots
from .prose import fence

HTML_TYPES: Final = frozenset(["text/html", "application/xhtml+xml"])
_TEXTS: Final = frozenset(["application/json", "application/xml", "application/javascript", "application/x-ndjson"])
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype|html|head|body|!--|[a-z]{1,10}[\s>])", re.IGNORECASE)
_SCRIPT: Final = re.compile(r"<script\b", re.IGNORECASE)
_HEADING: Final = re.compile(r"^# (.+)", re.MULTILINE)
_FEW: Final = 25
"""Words below which a page is said to have little text."""
_BRIEF: Final = 250
"""Words up to which a page with a field for a password is taken for one that shows its text only to whom it knows."""
_LANGUAGES: Final = {"json": "json", "xml": "xml", "javascript": "javascript", "x-ndjson": "json"}


class Asked(NamedTuple):
    """What is to be read, and how."""

    url: str
    body: bytes
    content_type: str = ""
    charset: str = ""
    mode: str = "article"
    robots: str = ""
    """What the header `X-Robots-Tag` says."""
    agent: str = ""
    """The name that robots are asked by."""
    follow_all: bool = False
    is_rendered: bool = False


def read_page(asked: Asked) -> dict[str, Any]:
    """Return the fields that a page gets: `document`, `extraction_method`, `links`, `measures`, and maybe `note`, `noindex`.

    Raises:
        PageFault: its kind of content cannot be read.

    """
    kind = asked.content_type or ("text/html" if _MARKUP.match(asked.body, 0) else "text/plain")
    if kind in HTML_TYPES:
        return _read_html(asked)
    if kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+json", "+xml")):
        return _read_text(asked, kind)
    if kind == "application/pdf":
        from .page_pdf import read_pdf

        title, text = read_pdf(asked.body)
        return _plain(asked, Reading(text, text, "pdf"), title, "no page of it has text: they may be images")
    raise PageFault("PARSE_TYPE", f"{kind} is no kind of content that has a text to be read", content_type=kind)


def _read_html(asked: Asked) -> dict[str, Any]:
    html = decoded(asked.body, said=asked.charset)
    page = HTMLPage(html, asked.url)
    rules = asked_of_robots(asked.robots, page.metas, asked.agent)
    links = [] if "nofollow" in rules and not asked.follow_all else page.links(follow_all=asked.follow_all)
    article = page.article() if asked.mode == "article" else None
    reading = article or page.whole()
    fields = _told(asked, reading, {**page.facts, "title": page.title}, rules, len(html))
    note = _note(fields["document"]["word_count"], page, html, asked)
    if not note and asked.mode == "article" and article is None:
        why = "it is too large for its article to be looked for" if page.is_vast else "there is no article in it"
        note = f"{why}: this is the whole page"
    return {**fields, "links": links, **({"note": note} if note else {})}


def _read_text(asked: Asked, kind: str) -> dict[str, Any]:
    text = decoded(asked.body, said=asked.charset).replace("\r\n", "\n").replace("\0", "").strip()
    language = next((word for name, word in _LANGUAGES.items() if kind.endswith(name)), "")
    title = _HEADING.search(text) if kind == "text/markdown" else None
    markdown = fence(text, language) if language and text else text
    return _plain(asked, Reading(markdown, text, "text"), title[1].strip() if title else "", "it is empty")


def _plain(asked: Asked, reading: Reading, title: str, why_empty: str) -> dict[str, Any]:
    """Return the fields of what has no markup, and so neither links nor rules of its own."""
    fields = _told(asked, reading, {"title": title}, asked_of_robots(asked.robots, (), asked.agent), len(reading.text))
    return {**fields, "links": [], **({} if reading.text else {"note": why_empty})}


def _told(asked: Asked, reading: Reading, facts: dict[str, Any], rules: set[str], size: int) -> dict[str, Any]:
    words = count_words(reading.text)
    document = {
        "url": asked.url,
        "title": facts["title"],
        "markdown": reading.markdown,
        "text": reading.text,
        "word_count": words,
        "reading_time": minutes_to_read(words),
        "extracted_at": now(),
        "content_hash": content_hash(reading.text),
        **{name: facts[name] for name in ("language", "description", "author", "published") if facts.get(name)},
        **({"canonical": facts["url"]} if facts.get("url") else {}),
    }
    return {
        "document": document,
        "extraction_method": reading.method,
        "measures": measures_of(reading.markdown, words, size, facts),
        **({"noindex": True} if "noindex" in rules else {}),
    }


def content_hash(text: str) -> str:
    """Return the hash of a text in NFC, its runs of white space made one space: two pages that read alike have the same."""
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    return f"sha256:{hashlib.sha256(normal.encode(errors='replace')).hexdigest()}"


def _note(words: int, page: HTMLPage, html: str, asked: Asked) -> str:
    """Say why a page has so little to read, if it has."""
    if words <= _BRIEF and page.asks_for_login:
        return "it asks for a password: what it holds is shown only after a login"
    if words >= _FEW:
        return ""
    much = "no text" if not words else "only one word" if words == 1 else f"only {words} words"
    if _SCRIPT.search(html) is None:
        return f"it has {much}"
    return (
        f"it has {much}, even rendered"
        if asked.is_rendered
        else f"it has {much}: scripts make the rest, and it was not rendered"
    )
