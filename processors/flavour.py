"""What a page is written in. Each flavour says the same things in its own way, so that what is said stands in one place."""

from __future__ import annotations

from typing import Protocol


class Flavour(Protocol):
    """The parts a page is made of.

    Names, titles and `plain` are somebody else's words, to be shown as they are; `text` is Markdown of somebody else's;
    `line` and `body` are what the methods here have returned. Parts of a page stand apart from each other by an empty line.
    """

    extension: str
    """Of a page's file."""

    def text(self, text: str, shift: int, /) -> str:
        """Return a message's Markdown, with its headings `shift` levels deeper and nothing that reaches beyond it."""
        ...

    def plain(self, plain: str, /) -> str:
        """Return words for one line, with nothing in them taken as markup."""
        ...

    def paragraph(self, line: str, /) -> str:
        """Return a line as a paragraph of its own."""
        ...

    def code(self, text: str, language: str = "", /) -> str:
        """Return a block of code."""
        ...

    def fold(self, title: str, body: list[str], /) -> list[str]:
        """Return the parts of something that a reader opens to see it."""
        ...

    def show(self, title: str, body: list[str], /) -> list[str]:
        """Return the parts of something in the open, below its title."""
        ...

    def label(self, word: str, line: str, /) -> str:
        """Return a line that begins with a word of ours."""
        ...

    def aside(self, line: str, /) -> str:
        """Return a line of ours, about the conversation."""
        ...

    def link(self, name: str, link: str, /) -> str:
        """Return a link to a file beside the page; `link` is relative and quoted."""
        ...

    def image(self, name: str, link: str, /) -> str:
        """Return an image that lies beside the page."""
        ...

    def address(self, title: str, url: str, /) -> str:
        """Return an address somebody else gave, as a link if it is one; empty if both are."""
        ...

    def items(self, lines: list[str], /) -> str:
        """Return a list."""
        ...

    def heading(self, level: int, line: str, anchor: str = "", /) -> str:
        """Return a heading; `anchor` is the id of the message that begins with it."""
        ...

    def mark(self, number: int, /) -> str:
        """Return what stands in a message's Markdown where a footnote is spoken of."""
        ...

    def footnotes(self, notes: list[tuple[int, str]], /) -> str:
        """Return footnotes: their numbers, and a line for each."""
        ...

    def tail(self, short: str, /) -> str:
        """Return what stands at the end of the page of the conversation with this short id; empty for nothing."""
        ...
