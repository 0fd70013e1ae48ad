"""The main text of a page, as the extractor finds it, as HTML again: so that it is written like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .html_text import language_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_NAMES: Final = {"item": "li", "quote": "blockquote", "lb": "br", "graphic": "img", "ref": "a", "row": "tr"}
_MARKS: Final = {"#b": "strong", "#i": "em", "#t": "code", "#u": "u", "#sub": "sub", "#sup": "sup"}
_LISTS: Final = frozenset(["ol", "ul", "dl"])
_FLAT: Final = 1.5
"""How much more than what was found a page may show, to be taken whole instead."""
_HOLDERS: Final = frozenset(["body", "div", "quote", "item", "blockquote", "li"])
"""What holds blocks of code, under the extractor's names and ours."""


def article_of(tree: LexborHTMLParser) -> LexborHTMLParser | None:
    """Return the main text of a page as a tree of its own; None if it has none."""
    from lxml.etree import tostring  # type: ignore[import-untyped]
    from selectolax.lexbor import LexborHTMLParser
    from trafilatura import bare_extraction

    found = bare_extraction(
        tree.html or "",
        include_links=True,
        include_tables=True,
        include_formatting=True,
        include_images=True,
        include_comments=False,
    )
    if found is None or isinstance(found, dict) or not found.text or _is_flattened(found, tree):
        return None
    _name_as_html(found.body, _languages(tree))
    return LexborHTMLParser(tostring(found.body, encoding="unicode", method="html"))


def _is_flattened(found: Any, tree: LexborHTMLParser) -> bool:
    """Whether all text of a short page was poured into one paragraph, as the extractor does where it finds no article."""
    is_flat = len(found.body) == 1 and found.body[0].tag == "p" and tree.css_first("h1, h2, h3, li, pre, table") is not None
    shown = tree.body.text(deep=True) if is_flat and tree.body else ""
    return is_flat and len(_squeezed(shown)) < _FLAT * len(_squeezed(found.text))


def _languages(tree: LexborHTMLParser) -> dict[str, str]:
    """Return which language blocks of code are in: the extractor does not tell."""
    blocks = ((node, node.css_first("code")) for node in tree.css("pre"))
    return {
        _squeezed(node.text(deep=True) or ""): language_of(node.attributes) or (language_of(code.attributes) if code else "")
        for node, code in blocks
    }


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _name_as_html(body: Any, languages: dict[str, str]) -> None:
    """Give the elements the extractor has names for of its own those of HTML again."""
    for element in body.iter("list", "head", "hi", "cell", "code", *_NAMES):
        tag, said = element.tag, element.get("rend") or ""
        if tag == "code":
            _name_code(element, languages)
        elif tag == "ref":
            element.set("href", element.get("target") or "")
        elif tag == "cell":
            element.tag = "th" if element.get("role") == "head" else "td"
        elif tag == "list":
            element.tag = said if said in _LISTS else "ul"
        elif tag == "head":
            element.tag = said or "h3"
        elif tag == "hi":
            element.tag = _MARKS.get(said, "em")
        if tag == "item" and said[:2] in ("dt", "dd"):
            element.tag = said[:2]
        element.tag = _NAMES.get(element.tag, element.tag)


def _name_code(element: Any, languages: dict[str, str]) -> None:
    text = "".join(element.itertext())
    parent = element.getparent()
    if parent is not None and (parent.tag in _HOLDERS or "\n" in text.strip()):
        element.tag = "pre"
        if language := languages.get(_squeezed(text)):
            element.set("class", f"language-{language}")
