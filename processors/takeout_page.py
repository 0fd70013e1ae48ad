"""`MyActivity.html` of a Takeout, taken apart into activities; whatever language it is in, its cells tell them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

from .html_text import MarkdownMaker, feed_all
from .local_times import instant_of, is_time

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTER: Final = "outer-cell"
_HEADER: Final = "header-cell"
_CONTENT: Final = "content-cell"


class _Pages(HTMLParser):
    """Gathers activities. The first cell of each holds the prompt, its files, a line with the time, then the answer."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.done: list[dict[str, Any]] = []
        self._now: dict[str, Any] | None = None
        self._cell = ""
        self._depth = 0
        self._lines: list[str] = [""]
        self._attached = 0
        self._answer: MarkdownMaker | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = (dict(attrs).get("class") or "").split() if tag == "div" else []
        if _OUTER in names:
            self.end_activity()
            self._now = {"header": "", "attachedFiles": [], "safeHtmlItem": []}
        elif self._now is not None and (_HEADER in names or _CONTENT in names):
            self._end_cell()
            self._cell = _HEADER if _HEADER in names else _CONTENT if "title" not in self._now else "caption"
            self._depth = 1
        else:
            self._depth += tag == "div"
            self._begin(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "div"
        if tag == "div" and self._depth == 0:
            self._end_cell()
        elif self._answer:
            self._answer.handle_endtag(tag)
        elif tag == "p":
            self._new_line()

    def handle_data(self, data: str) -> None:
        if self._answer:
            self._answer.handle_data(data)
        elif self._cell:
            self._lines[-1] += data

    def _begin(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._answer:
            self._answer.handle_starttag(tag, attrs)
        elif tag == "br":
            self._new_line()
        elif tag in ("a", "img", "audio", "video") and self._cell == _CONTENT and self._now is not None:
            address = dict(attrs).get("href") or dict(attrs).get("src") or ""
            if address and ":" not in address:
                self._attach(self._now["attachedFiles"], address)

    def _attach(self, files: list[str], address: str) -> None:
        """Note a file. Files are listed below the prompt, under a line that says how many they are."""
        if address not in files:
            files.append(address)
        if not self._attached and self._lines[-1].strip() == "-" and len(self._lines) > 2:  # noqa: PLR2004 - prompt, number, file
            self._attached = len(self._lines) - 2

    def _new_line(self) -> None:
        """Begin a line of the cell; once the one that ends here is the time, what follows is the answer."""
        line = self._lines[-1].strip()
        if self._cell == _CONTENT and self._now is not None and is_time(line) and len(self._lines) > 1:
            self._now["time"] = instant_of(line)
            self._now["title"] = _joined(self._lines[: self._attached or -1])
            self._answer = MarkdownMaker()
        self._lines.append("")

    def _end_cell(self) -> None:
        if self._cell == _CONTENT and self._now is not None:
            self._end_content(self._now)
        elif self._cell == _HEADER and self._now is not None:
            self._now["header"] = _joined(self._lines)
        self._cell = ""
        self._lines, self._attached = [""], 0

    def _end_content(self, now: dict[str, Any]) -> None:
        if self._answer is None:
            self._new_line()
        if self._answer is None:
            now["title"] = _joined(self._lines)
            return
        answer, self._answer = self._answer.markdown(), None
        now["safeHtmlItem"] = [{"markdown": answer}] if answer else []

    def end_activity(self) -> None:
        """Set the activity aside that is being read; one without a word is none."""
        self._end_cell()
        now, self._now = self._now, None
        if now and (now.get("title") or now["safeHtmlItem"]):
            self.done.append(now)


def _joined(lines: list[str]) -> str:
    return "\n".join(line.strip().replace("\xa0", " ") for line in lines).strip()


def activities(html: str) -> Iterator[dict[str, Any]]:
    """Yield the activities of a page, in its order: what `MyActivity.json` would hold, the answers as Markdown."""
    page = _Pages()
    feed_all(page, html)
    page.end_activity()
    yield from page.done
