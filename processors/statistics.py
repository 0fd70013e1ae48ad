"""Figures of an archive: how much there is, by month, provider and model, and which words are its own."""

from __future__ import annotations

import heapq
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .prose import inline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

UNDATED: Final = "undated"
_MONTH: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])(?=-|\Z)", re.ASCII)
_LONGEST: Final = 20
_WORDS: Final = """
SELECT term, cnt, doc FROM word WHERE doc > 1 AND doc < :limit AND length(term) > 2 AND term NOT GLOB '*[0-9]*'
ORDER BY cnt DESC, term LIMIT :most
"""
_COUNTS: Final = """
SELECT count(*), (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'message') - count(*) FROM message
"""
_PLACES: Final = "CREATE VIRTUAL TABLE temp.place USING fts5vocab(main, message_text, instance)"
_TIMES: Final = "SELECT count(*), count(DISTINCT doc) FROM place WHERE term = ? AND doc IN (SELECT id FROM message)"


def month_of(facts: dict[str, Any]) -> str:
    """Return the month a conversation began in: `2026-03`, or `undated`."""
    found = _MONTH.match(facts.get("created") or "")
    return found[0] if found else UNDATED


class Statistics:
    """The figures of the conversations it is told of."""

    def __init__(self) -> None:
        self._totals = {"conversations": 0, "messages": 0, "artifacts": 0, "attachments": 0}
        self._tokens: dict[str, int] = {}
        self._groups: dict[str, dict[str, dict[str, int]]] = {"months": {}, "providers": {}, "models": {}, "kinds": {}}
        self._longest: list[tuple[int, int, str, str]] = []

    @property
    def totals(self) -> dict[str, int]:
        """How much there is of each kind."""
        return self._totals

    def add(self, facts: dict[str, Any]) -> None:
        """Take a conversation into account."""
        messages = _number(facts.get("messages"))
        self._totals["conversations"] += 1
        self._totals["messages"] += messages
        self._totals["artifacts"] += _number(facts.get("artifacts"))
        self._totals["attachments"] += _number(facts.get("attachments"))
        for name, number in (facts.get("tokens") or {}).items():
            self._tokens[name] = self._tokens.get(name, 0) + _number(number)
        self._count("months", month_of(facts), messages)
        self._count("providers", facts.get("provider") or "", messages)
        self._count("kinds", facts.get("kind") or "chat", messages)
        for model in facts.get("models") or ():
            self._count("models", model, messages)
        # Of equally long ones the earlier counts; nothing compares the texts.
        one = (messages, -self._totals["conversations"], facts["title"], facts["page"])
        (heapq.heappush if len(self._longest) < _LONGEST else heapq.heappushpop)(self._longest, one)

    def _count(self, group: str, name: str, messages: int) -> None:
        named = self._groups[group]
        counted = named.get(name) or named.setdefault(name, {"conversations": 0, "messages": 0})
        counted["conversations"] += 1
        counted["messages"] += messages

    def figures(self) -> dict[str, Any]:
        """Return all figures, as plain data."""
        longest = sorted(self._longest, reverse=True)
        return {
            **self._totals,
            **({"tokens": dict(sorted(self._tokens.items()))} if self._tokens else {}),
            **{name: dict(sorted(group.items())) for name, group in self._groups.items() if group},
            "longest": [{"title": title, "page": page, "messages": messages} for messages, _, title, page in longest],
        }


def _number(value: Any) -> int:
    if value.__class__ is int:
        return value
    if value.__class__ is list:
        return len(value)
    return int(value) if value.__class__ is float and value == value else 0  # noqa: PLR0124 - NaN


def common_words(path: Path, most: int) -> list[dict[str, Any]]:
    """Return the words said most often, without those that stand in a tenth of all messages, from a search database.

    There are none where there is no such database.
    """
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'word'").fetchone():
                return []
            rows = _most_said(database, most)
    except sqlite3.Error as error:
        raise RunError(f"cannot read the words of '{path}': {error}") from error
    return [{"word": word, "times": times, "messages": messages} for word, times, messages in rows]


def _most_said(database: sqlite3.Connection, most: int) -> list[tuple[str, int, int]]:
    """Return words, how often they are said and in how many messages, without the words of older versions."""
    messages, old = database.execute(_COUNTS).fetchone()
    limit = messages * 0.1 + 2
    if not old:
        return database.execute(_WORDS, {"limit": limit, "most": most}).fetchall()
    database.execute(_PLACES)
    found: list[tuple[int, str, int]] = []
    for word, at_most, _ in database.execute(_WORDS, {"limit": limit + old, "most": -1}):
        if len(found) >= most and at_most < heapq.nlargest(most, found)[-1][0]:
            break
        times, said_in = database.execute(_TIMES, (word,)).fetchone()
        if 1 < said_in < limit:
            found.append((times, word, said_in))
    found.sort(key=lambda one: (-one[0], one[1]))
    return [(word, times, said_in) for times, word, said_in in found[:most]]


def in_markdown(figures: dict[str, Any], link: Callable[[str, str], str]) -> str:
    """Return figures as a Markdown page; `link` makes one of a title and a path."""
    return "\n\n".join(_sections(figures, link)) + "\n"


def _sections(figures: dict[str, Any], link: Callable[[str, str], str]) -> Iterator[str]:
    yield "# Statistics"
    single = {name: number for name, number in figures.items() if isinstance(number, int)}
    single |= {f"{name} tokens": number for name, number in figures.get("tokens", {}).items()}
    yield "\n".join(f"- {inline(name)}: {number:,}" for name, number in single.items())
    for title, name in (("Months", "months"), ("Providers", "providers"), ("Models", "models"), ("Kinds", "kinds")):
        if name in figures:
            yield f"## {title}"
            yield "\n".join(_table(figures[name]))
    yield "## Longest conversations"
    yield "\n".join(f"{place}. {link(one['title'], one['page'])}: {one['messages']:,}" for place, one in _numbered(figures))
    if figures.get("words"):
        yield "## Words"
        yield ", ".join(f"{inline(one['word'])} ({one['times']:,})" for one in figures["words"])


def _numbered(figures: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    return ((place, one) for place, one in enumerate(figures["longest"], 1))


def _table(group: dict[str, dict[str, int]]) -> Iterator[str]:
    yield "| | conversations | messages |"
    yield "|---|---:|---:|"
    for name, counted in group.items():
        cell = inline(name).replace("|", "\\|")
        yield f"| {cell} | {counted['conversations']:,} | {counted['messages']:,} |"
