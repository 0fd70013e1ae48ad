"""An index of all conversations, from the ledger: for people, for programs, and in figures."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import Processor, Range

from .clean import clean_bytes
from .ledger import NAME, Ledger
from .names import as_link
from .prose import inline
from .records import replace_surrogates
from .spool import Slice, Spool, pieces
from .statistics import UNDATED, Statistics, common_words, in_markdown, read_facts
from .tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transmissions import Message

    from .spool import Content
    from .statistics import Facts

_FULL: Final = 1 << 20
_TO_WIKI: Final = str.maketrans({"[": "(", "]": ")", "|": "/", "\n": " "})


class ConversationIndex(Processor):
    """Write an index of all conversations in the output folder, those of earlier runs too, when the stream ends.

    Reads what ConversationLedger has recorded, and writes `index.md` (with a page for each year where there are many),
    `index.jsonl` (a line of facts for each conversation), `statistics.md` and `statistics.json`. A file that would be as it is
    stays untouched. Messages pass.

    ```turtle
    :index a :ConversationIndex ; :flavour "obsidian" ; :words 50 .
    ```

    Words are counted where ConversationDatabase keeps a database; those in a tenth of all messages are left out.
    """

    stateful = True

    file: str = "index.md"
    "The page: below the run's output folder. Other files stand beside it."
    flavour: Literal["commonmark", "obsidian"] = "commonmark"
    "How links are written: as Markdown has them, or as Obsidian's `[[…]]`."
    many: Annotated[int, Range(ge=0)] = 500
    "From how many conversations on each year has a page of its own."
    words: Annotated[int, Range(ge=0)] = 100
    "How many words the statistics name."
    database: str = "archive.db"
    "The search database the words are taken from, if it is there."
    state: str = NAME
    "The ledger's file."

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, which page would be written."""
        yield f"writes {self.context.output_path(self.file)} and what stands beside it"

    def process(self, message: Message) -> Message:
        """Pass the message."""
        return message

    def finish(self) -> None:
        """Write the index."""
        folder, _, name = self.file.rpartition("/")
        self._stem = name.removesuffix(".md")
        self._up = "../" * (folder.count("/") + 1) if folder else ""
        self._tree = Tree(self.context, folder or ".")
        with ThreadPoolExecutor(1) as aside:
            # SQLite lets others work while it counts: that takes as long as all the rest.
            words = aside.submit(common_words, self.context.output_path(self.database), self.words) if self.words else None
            statistics = self._write_lists()
            self._write_statistics(statistics, words.result() if words else [])

    def _write_lists(self) -> Statistics:
        """Write what lists every conversation, and return the figures."""
        statistics, lists, lines = Statistics(), _Months(), _Lines()
        ledger = Ledger(self.context.output_path(self.state))
        try:
            for told in ledger.entries():
                facts = read_facts(told)
                statistics.add(facts)
                lists.add(facts.month, self._line(facts))
                lines.add(told.encode() + b"\n" if "\\u" not in told else _json(told))
        finally:
            ledger.close()
        self._put(f"{self._stem}.jsonl", lines.content())
        self._write_pages(lists, statistics.totals)
        return statistics

    def _write_pages(self, lists: _Months, totals: dict[str, int]) -> None:
        head = f"# Conversations\n\n{totals['conversations']:,} conversations, {totals['messages']:,} messages. "
        head += f"{self._link_beside('Statistics', 'statistics')}\n"
        if totals["conversations"] <= self.many:
            self._put(f"{self._stem}.md", [head.encode(), *lists.content()])
            return
        years = lists.years()
        rows = [f"- {self._link_beside(year, f'{self._stem}-{year}')}: {number:,}" for year, number in years.items()]
        self._put(f"{self._stem}.md", "\n".join([head, *rows, ""]).encode())
        for year, number in years.items():
            back = self._link_beside("All years", self._stem)
            title = f"# {'Conversations' if year == UNDATED else year}\n\n{number:,} conversations. {back}\n"
            self._put(f"{self._stem}-{year}.md", [title.encode(), *lists.content(year)])

    def _write_statistics(self, statistics: Statistics, words: list[dict[str, Any]]) -> None:
        figures = statistics.figures()
        figures |= {"words": words} if words else {}
        text, _ = replace_surrogates(json.dumps(figures, ensure_ascii=False, indent=2))
        self._put("statistics.json", f"{text}\n".encode())
        self._put("statistics.md", clean_bytes([in_markdown(figures, self._link)])[0])

    def _line(self, facts: Facts) -> bytes:
        date = facts.created[:10] if facts.month != UNDATED else ""
        about = _about(facts.project, facts.provider, facts.kind or "chat", facts.messages or 0)
        line = " ".join(filter(None, ("-", date, self._link(facts.title, facts.page), about)))
        return (line.encode() if line.isprintable() else clean_bytes([line])[0]) + b"\n"

    def _link(self, title: str, path: str) -> str:
        if not path:
            return inline(title)
        if self.flavour == "obsidian":
            return f"[[{path.removesuffix('.md')}|{' '.join(title.translate(_TO_WIKI).split())}]]"
        return f"[{inline(title)}]({self._up}{as_link(path)})"

    def _link_beside(self, title: str, name: str) -> str:
        return f"[[{name}|{title}]]" if self.flavour == "obsidian" else f"[{title}]({as_link(name)}.md)"

    def _put(self, path: str, content: Content) -> None:
        place = self._tree.locate(path)
        if not _is_there(place, content):
            self._tree.write(path, content)


class _Lines:
    """Lines of a file in the making; what is finished of it is set aside."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._aside: list[bytes | Slice] = []
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line)
        if self._size > _FULL:
            self._aside.append(self._spool.put(b"".join(self._lines)))
            self._lines, self._size = [], 0

    def content(self) -> list[Any]:
        return [*self._aside, b"".join(self._lines)]


class _Months:
    """Lines by month, the latest first. They come in order of time, so that only one month is in memory."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._months: dict[str, list[Slice]] = {}
        self._counts: dict[str, int] = {}
        self._month = ""
        self._lines: list[bytes] = []

    def add(self, month: str, line: bytes) -> None:
        if month != self._month:
            self._settle()
            self._month = month
        self._lines.append(line)
        self._counts[month] = self._counts.get(month, 0) + 1

    def _settle(self) -> None:
        if self._lines:
            slices = self._months.setdefault(self._month, [])
            slices.insert(0, self._spool.put(b"".join(reversed(self._lines))))
            self._lines = []

    def years(self) -> dict[str, int]:
        """Return how many there are in each year."""
        years: dict[str, int] = {}
        for month in _latest_first(self._counts):
            year = month.partition("-")[0]
            years[year] = years.get(year, 0) + self._counts[month]
        return years

    def content(self, year: str = "") -> Iterator[bytes | Slice]:
        """Yield the lists of a year's months, or of all, each below its heading."""
        self._settle()
        for month in _latest_first(self._months):
            if month.startswith(year):
                yield f"\n## {month}\n\n".encode()
                yield from self._months[month]


def _latest_first(months: Iterable[str]) -> list[str]:
    return sorted(months, key=lambda month: "" if month == UNDATED else month, reverse=True)


@lru_cache(1024)
def _about(project: str | None, provider: str | None, kind: str, messages: float) -> str:
    what = f"{messages:,} message{'' if messages == 1 else 's'}" if kind == "chat" else kind
    return f"({inline(', '.join(filter(None, (project, provider, what))))})"


def _json(told: str) -> bytes:
    return replace_surrogates(json.dumps(json.loads(told), ensure_ascii=False))[0].encode() + b"\n"


def _is_there(path: str, content: Content) -> bool:
    """Whether a file holds just this."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the tree's paths are texts
            same = all(piece == file.read(len(piece)) for piece in pieces(content))
            return same and not file.read(1)
    except OSError:
        return False
