"""What a page says about itself in its head: names, dates, previews, linked data and feeds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .html_tree import parse_html, text_of
from .link_targets import absolute, base_of
from .microdata import items_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborHTMLParser

    Named = dict[str, list[str]]

FEED_TYPES: Final = {
    "application/atom+xml": "atom",
    "application/rss+xml": "rss",
    "application/rdf+xml": "rdf",
    "application/feed+json": "json",
}
_SOURCES: Final = {
    "title": ("og:title", "twitter:title", "dc.title", "dcterms.title"),
    "description": ("description", "og:description", "twitter:description", "dc.description", "dcterms.description"),
    "author": ("author", "article:author", "dc.creator", "dcterms.creator", "citation_author", "parsely-author", "byl"),
    "published": (
        *("article:published_time", "datepublished", "date", "dc.date", "dcterms.created", "dcterms.issued", "pubdate"),
        *("citation_publication_date", "parsely-pub-date"),
    ),
    "modified": ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified", "revised"),
    "siteName": ("og:site_name", "application-name"),
    "keywords": ("keywords", "news_keywords", "article:tag"),
}
"""Which names of `meta` elements tell a fact, the best first."""
_LD_NAMES: Final = {"title": "headline", "published": "datePublished", "modified": "dateModified", "description": "description"}
_FEED_SELECTOR: Final = "link[rel~=alternate i][href], link[rel~=feed i][href]"


def facts_of_page(html: str, base: str) -> dict[str, Any]:
    """Return what a page says about itself; what it does not say is absent."""
    return facts_of_tree(parse_html(html), base)


def facts_of_tree(tree: LexborHTMLParser, base: str) -> dict[str, Any]:
    """Return what a page says about itself that was parsed already."""
    base = base_of(tree, base)
    named = _named(tree)
    linked, warnings = _linked_data(tree)
    facts: dict[str, Any] = {
        **_from_linked_data(linked),
        **{fact: found for fact, names in _SOURCES.items() if (found := _first(named, names))},
        **_from_elements(tree, base, named),
        "openGraph": _group(named, "og:"),
        "twitter": _group(named, "twitter:"),
        "jsonLd": linked,
        "microdata": items_of(tree.body, base) if tree.body and tree.css_first("[itemscope]") else [],
        "feeds": list(feeds_of(tree, base)),
        "warnings": warnings,
    }
    if "keywords" in facts:
        facts["keywords"] = [word for part in facts["keywords"].split(",") if (word := part.strip())]
    return {name: value for name, value in facts.items() if value}


def feeds_of(tree: LexborHTMLParser, base: str) -> Iterator[dict[str, str]]:
    """Yield the feeds a page links to in its head: `{"url", "type", "title"}`."""
    for node in tree.css(_FEED_SELECTOR):
        attributes = node.attributes
        media = (attributes.get("type") or "").split(";")[0].strip().lower()
        url = absolute(attributes.get("href"), base)
        if url and media in FEED_TYPES:
            yield {"url": url, "type": FEED_TYPES[media], "title": attributes.get("title") or ""}


def _named(tree: LexborHTMLParser) -> Named:
    """Return the contents of `meta` elements by name, as they come."""
    found: Named = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        content = (attributes.get("content") or "").strip()
        for kind in ("name", "property", "itemprop", "http-equiv"):
            name = (attributes.get(kind) or "").strip().lower()
            if name and content:
                found.setdefault(name, []).append(content)
    return found


def _first(named: Named, names: tuple[str, ...]) -> str:
    return next(
        (", ".join(dict.fromkeys(named[name])) if name == "article:tag" else named[name][0] for name in names if name in named),
        "",
    )


def _group(named: Named, prefix: str) -> dict[str, Any]:
    """Return the names with a prefix, without it; what is told more than once is a list."""
    return {
        name.removeprefix(prefix): values[0] if len(values) == 1 else values
        for name, values in named.items()
        if name.startswith(prefix)
    }


def _from_elements(tree: LexborHTMLParser, base: str, named: Named) -> dict[str, str]:
    root, title = tree.css_first("html[lang]"), tree.css_first("title")
    canonical = tree.css_first("link[rel~=canonical i][href]")
    image = _first(named, ("og:image", "og:image:url", "twitter:image", "twitter:image:src"))
    found = {
        "title": _first(named, ("og:title",)) or (text_of(title) if title else ""),
        "language": (root.attributes.get("lang") if root else "") or _first(named, ("content-language", "og:locale")),
        "url": absolute(canonical.attributes.get("href") if canonical else _first(named, ("og:url",)) or None, base),
        "image": absolute(image or None, base),
    }
    return {name: value for name, value in found.items() if value}


def _linked_data(tree: LexborHTMLParser) -> tuple[list[Any], list[str]]:
    found: list[Any] = []
    warnings: list[str] = []
    for number, node in enumerate(tree.css('script[type="application/ld+json"]'), 1):
        try:
            value = json.loads((node.text(deep=True) or "").strip().removeprefix("<!--").removesuffix("-->"), strict=False)
        except (ValueError, RecursionError) as error:
            warnings.append(f"JSON-LD block {number} is not valid JSON: {error}")
            continue
        found += value if isinstance(value, list) else [value]
    return found, warnings


def _from_linked_data(linked: list[Any]) -> dict[str, str]:
    """Return the facts that the first thing with a headline or a date tells."""
    things = [inner for one in linked if isinstance(one, dict) for inner in (one, *_graph(one)) if isinstance(inner, dict)]
    article = next((thing for thing in things if "headline" in thing or "datePublished" in thing), {})
    found = {fact: article[name] for fact, name in _LD_NAMES.items() if isinstance(article.get(name), str)}
    author = article.get("author")
    first = author[0] if isinstance(author, list) and author else author
    name = first.get("name") if isinstance(first, dict) else first
    return {**found, **({"author": name} if isinstance(name, str) else {})}


def _graph(thing: dict[str, Any]) -> list[Any]:
    graph = thing.get("@graph")
    return graph if isinstance(graph, list) else []
