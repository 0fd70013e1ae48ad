"""Pages in HTML: the same parts as in Markdown, with nothing in them that a message could bring to life."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .html_prose import code_block, external, is_live

if TYPE_CHECKING:
    from .html_prose import Prose


class HTMLPage:
    """A page in HTML."""

    extension = ".html"

    def __init__(self, prose: Prose) -> None:
        self._prose = prose

    def text(self, text: str, shift: int, /) -> str:
        """Return a message's Markdown as HTML."""
        return f'<div dir="auto">{self._prose.render(text, shift)}</div>'

    def plain(self, plain: str, /) -> str:
        """Return words with their markup escaped."""
        return escape(" ".join(plain.split()))

    def paragraph(self, line: str, /) -> str:
        """Return a paragraph."""
        return f"<p>{line}</p>"

    def code(self, text: str, language: str = "", /) -> str:
        """Return a block of code."""
        return code_block(text, language)

    def fold(self, title: str, body: list[str], /) -> list[str]:
        """Return a `<details>`."""
        return [f"<details><summary>{self.plain(title)}</summary>\n" + "\n\n".join(body) + "\n</details>"]

    def show(self, title: str, body: list[str], /) -> list[str]:
        """Return something in the open."""
        return [f"<p><b>{self.plain(title)}</b></p>\n" + "\n\n".join(body)]

    def label(self, word: str, line: str, /) -> str:
        """Return a line that begins with a bold word."""
        return f"<p><b>{word}:</b> {line}</p>"

    def aside(self, line: str, /) -> str:
        """Return a line in italics."""
        return f"<p><i>{line}</i></p>"

    def link(self, name: str, link: str, /) -> str:
        """Return a link; what a browser would run is downloaded."""
        return f'<a href="{escape(link)}"{" download" if is_live(link) else ""}>{self.plain(name)}</a>'

    def image(self, name: str, link: str, /) -> str:
        """Return an image."""
        return f'<img src="{escape(link)}" alt="{self.plain(name)}" loading="lazy">'

    def address(self, title: str, url: str, /) -> str:
        """Return a title and an address."""
        return f"{self.plain(title)} {external(url, self.plain(url)) if url else ''}".strip()

    def items(self, lines: list[str], /) -> str:
        """Return a list."""
        return "<ul>{}</ul>".format("".join(f"<li>{line}</li>" for line in lines))

    def heading(self, level: int, line: str, anchor: str = "", /) -> str:
        """Return a heading that can be linked to by the message's id."""
        return f'<h{level} id="msg-{anchor}">{line}</h{level}>' if anchor else f"<h{level}>{line}</h{level}>"

    def mark(self, number: int, /) -> str:
        """Return what becomes a reference once the text around it is HTML."""
        return f"\ue000{number}\ue001"

    def footnotes(self, notes: list[tuple[int, str]], /) -> str:
        """Return footnotes."""
        return "\n".join(f'<p class="note" id="note-{number}"><sup>{number}</sup> {line}</p>' for number, line in notes)

    def tail(self, short: str, /) -> str:
        """Return the end of the page."""
        return "</main>\n</body>\n</html>"
