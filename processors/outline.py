"""See how the head of a JSON file is built, in one pass, even where it is cut off or broken.

A tokenizer that keeps the way of keys it stands at. After a fault (a word that is no JSON, a bracket that does not fit) it
goes on at the next object, at the depth where the file's elements lie. Should more brackets close than were opened since,
that object was not an element but lay inside one, and what was gathered of it is dropped.
"""

from __future__ import annotations

import re
from typing import Final

from .shape import HEAD, Outline

_DEEPEST: Final = 4
_ROOM: Final = 500
"""Ways kept of each depth: a map of thousands of ids crowds out only what is as deep as itself."""
_VALUES: Final = 16
_LENGTH: Final = 64
_TOKENS: Final = 12_000
_NESTED: Final = 4 * "[]"
"""Lists in lists in lists are followed so deep."""
_FAULTS: Final = 50
_TOKEN: Final = re.compile(
    r'[\s,]*(?:"(?P<text>[^"\\]*+(?:\\.[^"\\]*+)*+)"\s*(?P<colon>:?)|(?P<mark>[{}\[\]])|(?P<word>[-+.\w]+)|(?P<end>"|\Z)|.)',
    re.DOTALL,
)
_OBJECT: Final = re.compile(r'\{\s*(?:"[^"\\]*"\s*:|\})')
_WORD: Final = re.compile(r"true|false|null|NaN|-?Infinity|-?\d[\d.eE+-]*", re.ASCII)
_CLOSED: Final = re.compile(r"\s*\}?\s*")


def outline(head: bytes) -> Outline:
    """Return the outline of a file that begins with `head`."""
    text = head[:HEAD].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    reader = _Reader(text)
    at = reader.read(0)
    for _ in range(_FAULTS):
        found = _OBJECT.search(text, at) if at >= 0 else None
        if not found:
            break
        reader.restart()
        at = reader.read(found.start())
    reader.keep()
    values = {path: frozenset(found) for path, found in reader.values.items()}
    return Outline(frozenset().union(*reader.paths), values)


class _Reader:
    """The state of the pass: the open brackets, the way to the next value, and what was gathered."""

    def __init__(self, text: str) -> None:
        self.paths: list[set[str]] = [set() for _ in range(_DEEPEST + 1)]
        self.values: dict[str, set[str]] = {}
        self._text = text
        self._levels: list[tuple[str, str | None, int]] = []  # bracket, the way to what is in it, its depth in keys
        self._slot: str | None = ""  # the way to the next value; None where nobody looks
        self._depth = 0
        self._expects_key = self._has_closed = False
        self._base = 0
        self._trial: list[tuple[int, str, str | None]] | None = None
        self._room = _TOKENS

    def read(self, at: int) -> int:
        """Read on from a place; return where a fault is, or -1 at the end."""
        for match in _TOKEN.finditer(self._text, at):
            kind = match.lastgroup
            self._room -= 1
            if self._room < 0 or kind == "end":
                return -1
            if kind == "mark":
                fits = self._take_mark(match["mark"], match)
            elif kind == "colon":
                fits = self._take_key(match["text"]) if match["colon"] else self._take_value(match["text"])
            else:
                fits = kind == "word" and bool(_WORD.fullmatch(match["word"])) and self._take_value(None)
            if not fits:
                return match.start() if kind == "mark" else match.end()
        return -1

    def restart(self) -> None:
        """Go back to where the elements lie, and take what follows on trial."""
        self.keep()
        first = next((index for index, level in enumerate(self._levels) if level[0] == "["), -1)
        self._base = first + 1
        del self._levels[self._base :]
        self._come_back()
        self._expects_key = False
        self._trial = []

    def keep(self) -> None:
        """Take for true what was gathered on trial."""
        gathered, self._trial = self._trial, None
        for depth, path, value in gathered or ():
            self._note(depth, path, value)

    def _take_key(self, text: str) -> bool:
        if not self._expects_key:
            self._drop()
            return False
        _, path, depth = self._levels[-1]
        self._expects_key = self._has_closed = False
        is_seen = path is not None and depth < _DEEPEST and len(text) <= _LENGTH
        self._slot, self._depth = (f"{path}.{text}", depth + 1) if is_seen else (None, depth)
        if self._slot is not None:
            self._note(self._depth, self._slot, None)
        return True

    def _take_value(self, text: str | None) -> bool:
        if self._expects_key:
            return False
        if text and len(text) <= _LENGTH and self._slot is not None and "\\" not in text:
            self._note(self._depth, self._slot, text)
        self._come_back()
        return True

    def _take_mark(self, mark: str, match: re.Match[str]) -> bool:
        if mark in "]}":
            return self._close(mark, match.end())
        if self._has_closed and "," not in match[0] and self._levels and self._levels[0][0] == "{":
            self._begin_anew()
        if self._expects_key:
            return False
        path = self._slot
        if mark == "[" and path is not None:
            path = None if path.endswith(_NESTED) else f"{path}[]"
            self._note(self._depth, path or self._slot or "", None)
        self._levels.append((mark, path, self._depth))
        self._slot, self._expects_key = path, mark == "{"
        return True

    def _close(self, mark: str, end: int) -> bool:
        if self._trial is not None and len(self._levels) <= self._base:
            self._has_closed = mark == "}"
            if not _CLOSED.fullmatch(self._text, end):
                self._drop()
            return True
        if not self._levels or self._levels[-1][0] != ("[" if mark == "]" else "{"):
            return False
        self._levels.pop()
        self._come_back()
        self._has_closed = mark == "}"
        return True

    def _begin_anew(self) -> None:
        """Two objects without a comma between them stand at the top of the file, whatever seemed open."""
        self._drop()
        self._trial, self._levels, self._base = None, [], 0
        self._come_back()

    def _drop(self) -> None:
        """Forget what was gathered on trial, if it turns out to lie deeper than it seemed."""
        if self._trial is not None and len(self._levels) <= self._base:
            self._trial = []

    def _come_back(self) -> None:
        """Stand behind a value, in what holds it."""
        bracket, self._slot, self._depth = self._levels[-1] if self._levels else ("", "", 0)
        self._expects_key = bracket == "{"
        self._has_closed = False

    def _note(self, depth: int, path: str, value: str | None) -> None:
        if self._trial is not None:
            self._trial.append((depth, path, value))
        elif value is None:
            known = self.paths[depth]
            if len(known) < _ROOM:
                known.add(path)
        elif len(found := self.values.setdefault(path, set())) < _VALUES:
            found.add(value)
