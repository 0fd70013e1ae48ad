"""The parser of Markdown: CommonMark with tables and strikethrough, made in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from transmissions import missing_extra

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore

LONG: Final = 1 << 17
"""Characters of one paragraph in which markup is looked for: the parser needs two hundred bytes for each."""


def commonmark(*, raw_html: bool = False) -> MarkdownIt:
    """Return a new parser.

    Raises:
        UsageError: the library for it is not installed.

    """
    try:
        from markdown_it import MarkdownIt
    except ImportError as error:
        raise missing_extra("html", "HTML") from error
    parser = MarkdownIt("commonmark", {"html": raw_html, "linkify": False}).enable(["table", "strikethrough"])
    parser.core.ruler.at("inline", _parse_paragraphs)
    return parser


def with_footnotes(*, raw_html: bool = False) -> MarkdownIt:
    """Return a parser that knows footnotes too."""
    parser = commonmark(raw_html=raw_html)
    from mdit_py_plugins.footnote import footnote_plugin

    return parser.use(footnote_plugin)


def _parse_paragraphs(state: StateCore) -> None:
    """Find the markup in each paragraph; one that nobody wrote by hand is plain text."""
    from markdown_it.token import Token

    for token in state.tokens:
        if token.type != "inline":
            continue
        if len(token.content) > LONG:
            token.children = [Token("text", "", 0, content=token.content)]
        else:
            token.children = token.children or []
            state.md.inline.parse(token.content, state.md, state.env, token.children)
