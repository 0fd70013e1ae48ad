"""Figures of an archive: how much there is, by month, provider and model, and which words are its own."""

from __future__ import annotations

import heapq
import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from transmissions import RunError

from .prose import inline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

UNDATED: Final = "undated"
_MONTH: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])(?=-|\Z)", re.ASCII)
_LONGEST: Final = 20
_WORDS: Final = """
SELECT term, cnt, doc FROM word WHERE term >= :first AND term < :end
AND doc > 1 AND doc < :limit AND length(term) > 2 AND term NOT GLOB '*[0-9]*'
ORDER BY cnt DESC, term LIMIT :most
"""
_HALVES: Final = ({"first": "", "end": "m"}, {"first": "m", "end": "\U0010ffff"})
"""Of all words, about: a core can count each."""
_COUNTS: Final = """
SELECT count(*), (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'message') - count(*) FROM message
"""
_PLACES: Final = "CREATE VIRTUAL TABLE temp.place USING fts5vocab(main, message_text, instance)"
_TIMES: Final = "SELECT count(*), count(DISTINCT doc) FROM place WHERE term = ? AND doc IN (SELECT id FROM message)"


class Facts(msgspec.Struct):
    """What the ledger tells of a conversation, as far as an index has use for it."""

    title: Any
    page: Any
    created: Any = None
    messages: Any = None
    kind: Any = None
    provider: Any = None
    project: Any = None
    models: Any = None
    artifacts: Any = None
    attachments: Any = None
    tokens: Any = None

    @property
    def month(self) -> str:
        """The month it began in: `2026-03`, or `undated`."""
        return _month((self.created or "")[:8])


_decode: Final = msgspec.json.Decoder(Facts).decode


def read_facts(text: str) -> Facts:
    """Return the facts of a line of JSON."""
    try:
        return _decode(text)
    except msgspec.DecodeError:  # Half of a surrogate pair, which Python's own reader takes: at half the speed.
        return msgspec.convert(json.loads(text), Facts)


@lru_cache(1024)
def _month(start: str) -> str:
    found = _MONTH.match(start)
    return found[0] if found else UNDATED


class Statistics:
    """The figures of the conversations it is told of."""

    def __init__(self) -> None:
        self._totals = {"conversations": 0, "messages": 0, "artifacts": 0, "attachments": 0}
        self._tokens: dict[str, int] = {}
        self._counted: dict[tuple[str, str, str], list[int]] = {}
        """Conversations and messages by month, provider and kind together: of these there are few."""
        self._models: dict[str, list[int]] = {}
        self._longest: list[tuple[int, int, str, str]] = []

    @property
    def totals(self) -> dict[str, int]:
        """How much there is of each kind."""
        return self._totals

    def add(self, facts: Facts) -> None:
        """Take a conversation into account."""
        messages, totals = _number(facts.messages), self._totals
        totals["conversations"] += 1
        totals["messages"] += messages
        totals["artifacts"] += _number(facts.artifacts)
        totals["attachments"] += _number(facts.attachments)
        for name, number in (facts.tokens or {}).items():
            self._tokens[name] = self._tokens.get(name, 0) + _number(number)
        _count(self._counted, (facts.month, facts.provider or "", facts.kind or "chat"), (1, messages))
        for model in facts.models or ():
            _count(self._models, model, (1, messages))
        # Of equally long ones the earlier counts; nothing compares the texts.
        one = (messages, -totals["conversations"], facts.title, facts.page)
        (heapq.heappush if len(self._longest) < _LONGEST else heapq.heappushpop)(self._longest, one)

    def figures(self) -> dict[str, Any]:
        """Return all figures, as plain data."""
        longest = sorted(self._longest, reverse=True)
        months, providers, kinds = (self._by(place) for place in range(3))
        groups = {"months": months, "providers": providers, "models": self._models, "kinds": kinds}
        return {
            **self._totals,
            **({"tokens": dict(sorted(self._tokens.items()))} if self._tokens else {}),
            **{name: _named(group) for name, group in groups.items() if group},
            "longest": [{"title": title, "page": page, "messages": messages} for messages, _, title, page in longest],
        }

    def _by(self, place: int) -> dict[str, list[int]]:
        group: dict[str, list[int]] = {}
        for names, counted in self._counted.items():
            _count(group, names[place], counted)
        return group


def _count(group: dict[Any, list[int]], name: Any, more: Sequence[int]) -> None:
    counted = group.get(name) or group.setdefault(name, [0, 0])
    counted[0] += more[0]
    counted[1] += more[1]


def _named(group: dict[str, list[int]]) -> dict[str, dict[str, int]]:
    return {name: dict(zip(("conversations", "messages"), counted, strict=True)) for name, counted in sorted(group.items())}


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
        with closing(_open(path)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'word'").fetchone():
                return []
            rows = _most_said(database, path, most)
    except sqlite3.Error as error:
        raise RunError(f"cannot read the words of '{path}': {error}") from error
    return [{"word": word, "times": times, "messages": messages} for word, times, messages in rows]


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _words(path: Path, limit: float, most: int) -> list[tuple[str, int, int]]:
    """Return the words that stand in fewer messages than `limit`, with how often and in how many, the commonest first."""

    def count(half: dict[str, str]) -> list[tuple[str, int, int]]:
        with closing(_open(path)) as database:
            return database.execute(_WORDS, {**half, "limit": limit, "most": most}).fetchall()

    with ThreadPoolExecutor(len(_HALVES)) as threads:
        found = [row for rows in threads.map(count, _HALVES) for row in rows]
    found.sort(key=lambda row: (-row[1], row[0]))
    return found[:most] if most >= 0 else found


def _most_said(database: sqlite3.Connection, path: Path, most: int) -> list[tuple[str, int, int]]:
    """Return words, how often they are said and in how many messages, without the words of older versions."""
    messages, old = database.execute(_COUNTS).fetchone()
    limit = messages * 0.1 + 2
    if not old:
        return _words(path, limit, most)
    database.execute(_PLACES)
    found: list[tuple[int, str, int]] = []
    for word, at_most, _ in _words(path, limit + old, -1):
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
