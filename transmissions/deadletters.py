"""The dead-letter file: one JSON object a line for every message that failed and was set aside."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

from .errors import OutputError, describe, in_words
from .json_text import said_by
from .supervisor import Raised, attempt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .problem import Where


class DeadLetters:
    """Appends to a file that is made when the first letter comes.

    Each line is written with one system call and nothing is buffered, so a letter that was counted is in the file. Text is
    escaped to ASCII, and what JSON cannot say is written as its `repr`: `cut` says then that the message is not whole, and
    `without` names fields that were no data but something to work with, which a step may do without.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.is_behind_others = False
        """Whether letters of earlier runs stand in front of those of this one."""
        self.clean: Callable[[str], str] | None = None
        """What every text of a letter goes through, if something must not be in it."""
        self._file: int | None = None
        self._lock = threading.Lock()

    def write(self, node: str, where: Where | None, message: Any, error: BaseException, fields: dict[str, Any]) -> None:
        """Append one letter.

        Raises:
            OutputError: the file cannot be written.

        """
        about = {"node": node, "where": str(where) if where else None, "error": describe(error), "type": type(error).__name__}
        self.append(node, _line({**about, "message": message, **_losses(message), **fields}))

    def append(self, node: str, line: bytes) -> None:
        """Append a letter that is written out.

        Raises:
            OutputError: the file cannot be written.

        """
        line = _cleaned(line, self.clean) if self.clean else line
        with self._lock:
            try:
                self._append(line)
            except OSError as fault:
                reason = (fault.strerror or str(fault)).lower()
                raise OutputError(f"cannot write the dead letter of {node} to '{self.path}': {reason}") from fault
            self.count += 1

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, line: bytes) -> None:
        if self._file is None:
            self._file = self._open()
        while line:
            line = line[os.write(self._file, line) :]

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        size = os.fstat(file).st_size
        self.is_behind_others = size > 0
        # A run that was killed may have left half a line.
        if size and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")
        return file


def _line(letter: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(letter, default=_shown, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps({name: _plain(value) for name, value in letter.items()})
    return text.encode("ascii") + b"\n"


def _said_by(value: Any) -> Any | None:
    """Return what a value says that it is in JSON; None if it says nothing, or cannot."""
    plain = attempt(said_by, value)
    return None if plain is value or isinstance(plain, Raised) else plain


def _shown(value: Any) -> Any:
    plain = _said_by(value)
    return in_words(value) if plain is None else plain


def _losses(message: Any) -> dict[str, Any]:
    """Say what of a message is lost when it is written as JSON."""
    shown: list[Any] = []

    def note(value: Any) -> Any:
        plain = _said_by(value)
        if plain is None:
            shown.append(value)
        return plain

    try:
        json.dumps(message, default=note, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return {"cut": True}
    tools = [name for name, value in message.items() if any(value is one for one in shown)] if isinstance(message, dict) else []
    without = [name for name in tools if not hasattr(message[name], "__len__") and not hasattr(message[name], "__iter__")]
    cut = len(shown) > len(without)
    return {"cut": True} if cut else {"without": without} if without else {}


def _cleaned(line: bytes, clean: Callable[[str], str]) -> bytes:
    """Return a letter with every text in it cleaned; if that fails, without the message."""
    letter = json.loads(line)
    fresh = attempt(_clean, letter, clean)
    if isinstance(fresh, Raised):
        fresh = {"node": letter["node"], "where": None, "error": f"<{letter['type']} that cannot be shown>", "cut": True}
        fresh |= {"type": letter["type"], "message": "<message that cannot be shown>"}
    return json.dumps(fresh).encode("ascii") + b"\n"


def _clean(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(item, clean) for item in value]
    return {clean(key): _clean(item, clean) for key, item in value.items()} if isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    """Return a value that JSON can say: itself, or what can be shown of it."""
    if _is_sayable(value):
        return value
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: item if _is_sayable(item) else in_words(item) for key, item in value.items()}
    return in_words(value)


def _is_sayable(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
