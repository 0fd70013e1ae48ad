"""What sources of one file, and sinks into one file, have in common."""

from __future__ import annotations

import io
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, Self

from transmissions import Dynamic, Processor, RunError, Source, beside, cannot_write, set_field

from .access import need, without
from .files import find_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from transmissions import Message


class _FileSource(Source):
    """Reads one file, or a field that holds what would be in a file, and sends a message for each part of it."""

    source_file: Annotated[str, Dynamic()] = ""
    "The file, where the message does not name one."
    input_field: str = ""
    "Dotted path of text or bytes to read instead of a file; the messages go without it."
    target_field: str = ""
    "Dotted path each record is written to, in a copy of the incoming message; if empty, the record is the message itself."

    @contextmanager
    def opened(self, message: Message) -> Iterator[tuple[IO[bytes], str]]:
        """Open what is to be read, and say how errors shall call it."""
        if self.input_field:
            yield io.BytesIO(as_bytes(need(message, self.input_field), self.input_field)), f"field '{self.input_field}'"
            return
        path = find_file(self, message)
        with self.context.open_input(path) as file:
            yield file, str(path)

    def rest_of(self, message: Message) -> Message:
        """Return what of the incoming message is in every record's."""
        return without(message, self.input_field) if self.input_field else message

    def shaped(self, record: Any, rest: Message) -> Message:
        """Return the message of a record: itself if it is an object and no field is set, else in a copy of `rest`."""
        if not self.target_field and isinstance(record, dict):
            return record
        item = rest.copy()
        set_field(item, self.target_field or "content", record)
        return item


def as_bytes(value: Any, path: str) -> bytes:
    """Return the bytes of a field that holds text or bytes.

    Raises:
        RunError: it holds something else.

    """
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    raise RunError(f"the field '{path}' is neither text nor bytes but a {type(value).__name__}")


class WholeFile:
    """A file in the making, beside its place; nobody sees it under its name before it is complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = beside(path)
        self._open("xb")

    def _open(self, mode: Literal["xb", "ab"]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._part.open(mode, buffering=65536)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def write(self, data: bytes) -> None:
        """Add to the file.

        Raises:
            OutputError: it cannot be written.

        """
        try:
            self._file.write(data)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def complete(self) -> None:
        """Give the file its name.

        Raises:
            OutputError: it cannot be written.

        """
        try:
            self._file.close()
            self._part.replace(self.path)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def abandon(self) -> None:
        """Leave nothing half written behind; after `complete` there is nothing to leave."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)


def write_blocks(path: Path, blocks: Iterable[bytes]) -> Path:
    """Write a file block by block, whole or not at all, and return its path.

    Raises:
        OutputError: it cannot be written.

    """
    file = WholeFile(path)
    try:
        for block in blocks:
            file.write(block)
        file.complete()
    finally:
        file.abandon()
    return path


class GrowingFile(WholeFile):
    """A file that lines are added to: what was written stays, also of a run that fails."""

    def __init__(self, path: Path) -> None:
        self.path = self._part = path
        self._open("ab")
        if _ends_in_half_a_line(path):
            self.write(b"\n")

    def complete(self) -> None:
        """Write what is not written yet.

        Raises:
            OutputError: it cannot be written.

        """
        try:
            self._file.close()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def abandon(self) -> None:
        """Keep what was written, and tell of what was not."""
        self.complete()


def _ends_in_half_a_line(path: Path) -> bool:
    """Whether a file that lines are added to ends in half of one: a full disk or a killed run leaves that."""
    if not path.is_file() or not (size := path.stat().st_size):
        return False
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read() != b"\n"


class _FileSink(Processor):
    """Writes every message into one file, which appears under its name when the stream has ended well."""

    stateful = True

    destination_file: str
    "The file; a relative name is in the output folder."
    content_field: str = ""
    "Dotted path of what is written; the whole message if empty."

    def foresee(self, _message: Message) -> Iterator[str]:
        """Yield, for a dry run, which file would be written."""
        yield f"writes {self.context.output_path(self.destination_file)}"

    async def __aenter__(self) -> Self:
        """Open the file."""
        self._file = WholeFile(self.context.output_path(self.destination_file, anew=True))
        self.begin()
        return self

    def begin(self) -> None:
        """Write what comes before the first record."""

    def end(self) -> None:
        """Write what comes after the last record."""

    def record_of(self, message: Message) -> Any:
        """Return what is to be written of a message."""
        return need(message, self.content_field) if self.content_field else message

    def write(self, data: bytes) -> None:
        """Add to the file."""
        self._file.write(data)

    def finish(self) -> None:
        """Give the complete file its name."""
        self.end()
        self._file.complete()

    async def __aexit__(self, *exc: object) -> None:
        """Leave nothing half written behind."""
        self._file.abandon()
