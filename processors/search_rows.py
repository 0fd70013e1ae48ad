"""What the search database holds of a conversation, made ready for SQLite: rows as JSON, and their texts in one piece.

Whoever has the conversation at hand makes it, in whatever process; the thread that writes has little left to do in Python.
"""

from __future__ import annotations

import hashlib
import json
from json.encoder import encode_basestring as _json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from transmissions import RunError

from .conversation import title_of
from .records import one_line, replace_surrogates
from .spoken import searched, searched_beside
from .spool import Slice, Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Conversation

_LARGE: Final = 1 << 19
"""Bytes of text from which on a part is full."""
_MANY: Final = 1000
"""Rows from which on it is."""
_NULS: Final = 5
"""Those between the words of a message, as a digest is told them; with one more, there is one in a word."""
SHIFT: Final = 32
"""A span is where a text begins, so many bits to the left, and its length: one number, for which SQLite is quickest."""

Entry: TypeAlias = "tuple[str, ...]"
"""A conversation: key, provider, id, title, created, updated, url, page, and a digest of all that would stand in it."""
Part: TypeAlias = "tuple[str, list[Any], bytes]"
"""Messages: a line of JSON for each, without its brackets; its span, or a list of title and span; and the texts in UTF-8."""
Rows: TypeAlias = "tuple[Entry, list[Any]]"
"""A conversation and its parts. Plain tuples: they travel between processes as they are."""


class Extent(NamedTuple):
    """What can be searched for."""

    words: bool
    thinking: bool


def rows_of(conversation: Conversation, key: str, page: str, extent: Extent) -> Rows:
    """Return what the database is given of a conversation; the parts of one too large for memory are set aside."""
    one = conversation
    row = (one_line(key), one["provider"], one["id"], title_of(one), one["created"], one["updated"], one["url"], page)
    texts = tuple(map(clean, row))
    digest = hashlib.sha1("\0".join(texts).encode(), usedforsecurity=False)
    spool = None if one["messages"].__class__ is list else Spool()
    parts: list[Any] = []
    for making in _parts(one, extent):
        digest.update(b"".join(making.told))
        parts.append(_set_aside(making.part(), spool) if spool else making.part())
    return (*texts, digest.hexdigest()), parts


def part_of(given: Any) -> Part:
    """Return a part that may have been set aside, or told in a dead letter, where bytes are text.

    Raises:
        RunError: it was both: what is set aside is gone with its run.

    """
    lines, spans, texts = given
    if isinstance(texts, Slice):
        return lines.read().decode(), json.loads(spans.read()), texts.read()
    if not isinstance(spans, list):
        raise RunError("what the database is given of a conversation this large is not in its dead letter: convert it again")
    return lines, spans, texts.encode() if isinstance(texts, str) else texts


def _set_aside(part: Part, spool: Spool) -> tuple[Any, ...]:
    lines, spans, texts = part
    return tuple(map(spool.put, (lines.encode(), json.dumps(spans).encode(), texts)))


def _parts(conversation: Conversation, extent: Extent) -> Iterator[_Making]:
    making = _Making()
    summary = _encode(searched_beside(conversation))
    making.add(0, ("", "conversation", conversation["created"], conversation["title"]), summary)
    for position, message in enumerate(conversation["messages"], 1):
        if making.size >= _LARGE or len(making.spans) >= _MANY:
            yield making
            making = _Making()
        text = _encode(searched(message, thoughts=extent.thinking, calls=extent.thinking)) if extent.words else b""
        making.add(position, (message["id"], message["role"], message["created"], ""), text)
    yield making


class _Making:
    """A part in the making."""

    __slots__ = ("_lines", "_texts", "size", "spans", "told")

    def __init__(self) -> None:
        self.told: list[bytes] = []
        """What a digest is made of."""
        self.spans: list[Any] = []
        self.size = 0
        self._lines: list[str] = []
        self._texts: list[bytes] = []

    def add(self, position: int, words: tuple[str, str, str, str], text: bytes) -> None:
        """Add a message: `words` are its id, role, time and title."""
        identifier, role, created, title = words
        told = f"\0{identifier}\0{role}\0{created}\0{title}\0"
        if not told.isascii() or told.count("\0") != _NULS:
            identifier, role, created, title = map(clean, words)
            told = f"\0{identifier}\0{role}\0{created}\0{title}\0"
        self._lines.append(f"{position},{_json(identifier)},{_json(role)},{_json(created)}")
        span = self.size << SHIFT | len(text)
        self.spans.append([title, span] if title else span)
        self.told += (told.encode(), text)
        self._texts.append(text)
        self.size += len(text)

    def part(self) -> Part:
        """Return it as plain data."""
        return "\n".join(self._lines), self.spans, b"".join(self._texts)


def clean(text: str) -> str:
    """Return text that SQLite takes and shows whole: no halves of pairs, and no NUL, which would end it."""
    if not text.isascii():
        text, _ = replace_surrogates(text)
    return text.replace("\0", " ")


def _encode(texts: Iterable[str]) -> bytes:
    some = [text for text in texts if text]
    try:
        # One by one: where most is ASCII, a letter that is not would make all the rest as slow as itself.
        return b"\n".join([text.encode() for text in some])
    except UnicodeEncodeError:
        return clean("\n".join(some)).encode()
