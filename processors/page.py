"""A page in the making: the Markdown of one conversation, the files beside it, and the account of what became of each part."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from .artifacts import Bench, Shelf, exact_bytes
from .clean import clean_bytes
from .spool import Content, Slice, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from .blobs import Blob
    from .flavour import Flavour

    Take = Callable[[str, str], tuple[str, str]]

_FULL: Final = 1 << 20


class Style(NamedTuple):
    """How things are shown: `keep` (in the open), `fold` (to be opened), `drop`; artifacts also as a `link` or at the `end`."""

    thinking: str = "fold"
    tools: str = "fold"
    artifacts: str = "fold"
    attachments: str = "fold"
    injected: str = "fold"
    events: str = "fold"
    unknown: str = "keep"
    empty: str = "keep"
    """Messages that hold nothing at all."""
    citations: str = "keep"
    summary: str = "keep"
    human: str = "Human"
    assistant: str = ""
    """Empty: what the provider calls its assistant."""
    heading: str = "{speaker}, {time}"
    preview: int = 1000
    """Characters of an attachment that the page shows."""


class Page:
    """What one conversation becomes.

    `take` gives each file beside the page a path and a link, by its kind and name; what is in `written` already is not
    given out again. `large` says that the conversation does not fit in memory: then what is finished is set aside in a
    temporary file.
    """

    __slots__ = (
        "_files",
        "_known",
        "_measured",
        "_settled",
        "_size",
        "_spool",
        "_take_path",
        "_written",
        "bench",
        "benches",
        "dropped",
        "flavour",
        "notes",
        "parts",
        "shelf",
        "shift",
        "speakers",
        "style",
        "tally",
    )

    def __init__(self, style: Style, flavour: Flavour, take: Take, large: bool = False, written: Container[str] = ()) -> None:
        self.style = style
        self.flavour = flavour
        self._take_path = take
        self._written = written
        self.parts: list[str] = []
        self.tally: dict[tuple[str, str], int] = defaultdict(int)
        self._spool = Spool() if large else None
        self.shelf = Shelf(partial(take, "artifacts"), self._spool)
        self.bench = Bench(self.shelf)
        self.benches: dict[int, Bench] = {}
        """Benches as they stood after the messages where the conversation branches."""
        self.shift = 2
        """How far headings in messages sink: below the headings of the page."""
        self.dropped = 0
        """Blocks and files that a setting has left out so far."""
        self.notes = 0
        """Footnotes so far: they are numbered through the conversation."""
        self.speakers: dict[tuple[str, str], str] = {}
        """What each role and name is called."""
        self._known: dict[str, str] = {}
        self._files: list[tuple[str, Content]] = []
        self._settled: list[bytes | Slice] = []
        self._measured = self._size = 0
        """How many of the parts, and characters in them, were counted: adding up all of them each time would be quadratic."""

    def note(self, kind: str, outcome: str, number: int = 1) -> None:
        """Note what became of a number of things of one kind."""
        self.tally[kind, outcome] += number

    def count(self, sources: Iterable[str], outcome: str) -> None:
        """Note what became of blocks of the archive, by their types there."""
        for source in sources:
            self.tally[f"block {source}", outcome] += 1

    def show(self, mode: str, title: str, body: list[str]) -> None:
        """Add something that is either folded or in the open."""
        self.parts += (self.flavour.fold if mode == "fold" else self.flavour.show)(title, body)

    def attach(self, name: str, content: str | bytes | Blob, known_as: str = "") -> str:
        """Put something in a file beside the page, and return the link to it; what is `known_as` something only once."""
        if known_as and known_as in self._known:
            return self._known[known_as]
        path, link = self._take_path("attachments", name)
        self._known[known_as] = link
        # Names are given out whatever is dropped, so that another page of the conversation gives out the same ones.
        if self.style.attachments != "drop":
            self._file(path, exact_bytes(content) if isinstance(content, str) else content)
            self.note("attachment file", "written")
        return link

    def settle(self) -> None:
        """Set finished parts of a large page aside."""
        if not self._spool:
            return
        self._size += sum(map(len, self.parts[self._measured :]))
        self._measured = len(self.parts)
        if self._size > _FULL:
            self.parts.insert(0, "")
            self._settled.append(self._spool.put(self._take()))

    def take_page(self, head: str) -> Content:
        """Return the page's bytes with `head` before them, and begin an empty one."""
        if self._spool is None:
            self.parts.insert(0, head)
            self.parts[-1] += "\n"
            return self._take()
        if self.parts:
            self.parts.insert(0, "")
            self.parts[-1] += "\n"
        else:
            self.parts.append("\n")
        content: list[bytes | Slice | Blob] = [self._encode([head]), *self._settled, self._spool.put(self._take())]
        self._settled = []
        return content

    def take_files(self) -> list[tuple[str, Content]]:
        """Return the files beside the page, artifacts with every edit applied among them."""
        for path, body in self.shelf.files() if self.style.artifacts != "drop" else ():
            self._file(path, body)
            self.note("artifact file", "written")
        if self.shelf.misfits:
            self.note("artifact edit", "did not fit", self.shelf.misfits)
        return self._files

    def _file(self, path: str, data: bytes | Blob) -> None:
        if path in self._written:
            return
        if isinstance(data, bytes):
            self._files.append((path, [self._spool.put(data)] if self._spool else data))
        else:
            self._files.append((path, [data]))

    def _take(self) -> bytes:
        """Return the parts there are, and go on with none."""
        data = self._encode(self.parts)
        self.parts.clear()
        self._measured = self._size = 0
        return data

    def _encode(self, parts: list[str]) -> bytes:
        data, surrogates, controls = clean_bytes(parts)
        if surrogates:
            self.note("lone surrogate", "replaced", surrogates)
        if controls:
            self.note("control character", "replaced", controls)
        return data
