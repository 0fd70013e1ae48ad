"""A file of dead letters, read to be tried again: where each letter lies, whether it can be, and what stays of the file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .errors import UsageError, cannot_write
from .whole import beside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

_OF_LETTER: Final = frozenset(("node", "where", "error", "type", "message", "tries", "cut", "without"))
"""What every letter may say; anything else a processor has given with `context.reject`."""
_SHOWN: Final = re.compile(r"<\w+ that cannot be shown>|<[\w.]+ object at 0x[0-9a-f]+>|b(['\"]).*\1", re.DOTALL)
"""What stands for a value that JSON cannot say, in a letter that does not say so itself."""
_BLOCK: Final = 1 << 20


class Letter(NamedTuple):
    """One line of the file, without what it says."""

    number: int
    """Its line, from 1."""
    start: int
    size: int
    node: str
    fault: str
    """Why it cannot be tried again; empty if it can."""
    error: str = ""
    was_rejected: bool = False
    """Whether it is a piece of input a processor set aside, and no message that failed."""

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in the line."""
        return not self.node and not self.fault


class LetterFile:
    """The letters of a file, in order. What they say is read when it is asked for, so that it may be any amount."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.letters = tuple(_index(file))
        except OSError as error:
            raise UsageError(f"cannot read '{path}': {(error.strerror or str(error)).lower()}") from error

    def read(self, letter: Letter) -> dict[str, Any]:
        """Return what a letter says."""
        with self.path.open("rb") as file:
            file.seek(letter.start)
            said: dict[str, Any] = json.loads(file.read(letter.size))
        return said

    def replace(self, outcomes: Mapping[int, Iterable[bytes]]) -> None:
        """Write the file anew, whole or not at all: for each letter tried, by line, the lines that take its place.

        What was appended meanwhile stays; a file with nothing in it is removed.

        Raises:
            OutputError: it cannot be written; then it is as it was.

        """
        if not outcomes:
            return
        temporary = beside(self.path)
        try:
            with self.path.open("rb") as old, temporary.open("xb") as new:
                self._copy(old, new, outcomes)
                size = new.tell()
            if size:
                temporary.replace(self.path)
            else:
                self.path.unlink()
        except OSError as error:
            raise cannot_write(self.path, error) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _copy(self, old: IO[bytes], new: IO[bytes], outcomes: Mapping[int, Iterable[bytes]]) -> None:
        end = 0
        for letter in self.letters:
            end = letter.start + letter.size
            if letter.number in outcomes:
                new.writelines(outcomes[letter.number])
                continue
            old.seek(letter.start)
            line = old.read(letter.size)
            new.write(line if line.endswith(b"\n") else line + b"\n")
        old.seek(end)
        while block := old.read(_BLOCK):
            new.write(block)


def _index(file: IO[bytes]) -> Iterator[Letter]:
    start = 0
    for number, line in enumerate(file, 1):
        yield _letter(number, start, line)
        start += len(line)


def _letter(number: int, start: int, line: bytes) -> Letter:
    place = (number, start, len(line))
    if not line.strip():
        return Letter(*place, "", "")
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Letter(*place, "", f"not JSON: {str(error).lower()}")
    if not isinstance(said, dict) or not isinstance(said.get("node"), str) or "message" not in said:
        return Letter(*place, "", "not a dead letter, which is an object with `node` and `message`")
    without = said.get("without")
    message = said["message"]
    if isinstance(message, dict) and isinstance(without, list):
        message = {name: value for name, value in message.items() if name not in without}
    was_rejected = bool(said.keys() - _OF_LETTER)
    fault = ""
    if said.get("cut") or ("without" not in said and not was_rejected and _is_cut(message)):
        fault = "its message could not be written down whole; run the app again for it"
    elif not was_rejected and not isinstance(message, dict):
        fault = "it is about the end of a stream, and no message; run the app again for it"
    return Letter(*place, said["node"], fault, str(said.get("error", "")), was_rejected)


def _is_cut(message: Any) -> bool:
    """Whether something stands in a message for what JSON cannot say."""
    parts = [message]
    for part in parts:  # It grows on the way.
        if isinstance(part, str) and _SHOWN.fullmatch(part):
            return True
        if isinstance(part, dict | list):
            parts.extend(part.values() if isinstance(part, dict) else part)
    return False


def message_of(letter: dict[str, Any]) -> Any:
    """Return the message of a letter, without the fields that were no data."""
    message = letter["message"]
    if isinstance(message, dict):
        for name in letter.get("without", ()):
            message.pop(name, None)
    return message


def tried_again(letter: dict[str, Any], more: Mapping[str, Any]) -> bytes:
    """Return a letter that failed again as a line, with what is new and how often it was tried."""
    tries = letter.get("tries")
    fresh = {**letter, **more, "tries": (tries if isinstance(tries, int) else 1) + 1}
    return json.dumps(fresh).encode("ascii") + b"\n"
