"""JSON by the line (NDJSON): JSONLinesReader, JSONLinesWriter."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Annotated, Any, Self

from transmissions import Dynamic, Processor, Source, as_json, beside, cannot_write, set_field

from .access import need
from .files import find_file
from .lines import Bytes, Line, read_lines, reject_line, reject_long

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transmissions import Message


class JSONLinesReader(Source):
    """Send one message for each line of a file of JSON lines (NDJSON), of any size.

    Reads the file that FileReader would read. An object becomes the message as it is; with `targetField`, and for any value
    that is not an object, the message is a copy of the incoming one with the value in that field (`content` if none is set).
    Blank lines are passed over. A line that is not JSON, or too long, is set aside as a dead letter with its line and offset,
    and reading goes on. The lines form a group.

    ```turtle
    :records a :JSONLinesReader ; :sourceFile "events.ndjson" .
    ```
    """

    source_file: Annotated[str, Dynamic()] = ""
    "The file, where the message does not name one."
    target_field: str = ""
    "Dotted path each value is written to; if empty, an object is the message itself."
    max_line: Bytes = 16777216
    "How long a line may be."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each line."""
        path = find_file(self, message)
        with path.open("rb") as file:
            for line in read_lines(file, self.max_line):
                if not line.is_whole:
                    reject_long(self, line, path, self.max_line)
                elif line.data.strip():
                    yield from self._parse(line, path, message)

    def _parse(self, line: Line, path: Path, message: Message) -> Iterator[Message]:
        try:
            value = json.loads(line.data)
        except (ValueError, RecursionError) as error:
            reject_line(self, line, path, error)
            return
        if isinstance(value, dict) and not self.target_field:
            yield value
            return
        item = message.copy()
        set_field(item, self.target_field or "content", value)
        yield item


class JSONLinesWriter(Processor):
    """Write every message as one line of JSON, and let it go on.

    A new file appears under its name only when the stream has ended well; with `append`, and when dead letters are tried again,
    the lines are added to what is there. No message at all still makes an empty file. With `contentField` that field is
    written instead of the whole message. Bytes are written as the text they are in UTF-8, else as base64.

    ```turtle
    :out a :JSONLinesWriter ; :destinationFile "records.ndjson" .
    ```
    """

    stateful = True

    destination_file: str = "output.ndjson"
    "The file; a relative name is in the output folder."
    content_field: str = ""
    "Dotted path of what is written; the whole message if empty."
    append: bool = False
    "Whether lines are added to an existing file rather than replacing it."

    def foresee(self, _message: Message) -> Iterator[str]:
        """Yield, for a dry run, which file would be written."""
        yield f"{'adds to' if self.append else 'writes'} {self.context.output_path(self.destination_file)}"

    async def __aenter__(self) -> Self:
        """Open the file."""
        self._path: Path = self.context.output_path(self.destination_file)
        self._adds = self.append or self.context.folders.again
        self._writing = self._path if self._adds else beside(self._path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            is_torn = self._adds and ends_in_half_a_line(self._path)
            self._file: IO[bytes] = self._writing.open("ab" if self._adds else "xb", buffering=65536)
            self._file.write(b"\n" if is_torn else b"")
        except OSError as error:
            raise cannot_write(self._path, error) from error
        return self

    def process(self, message: Message) -> Message:
        """Write one line."""
        value = need(message, self.content_field) if self.content_field else message
        try:
            self._file.write(json_line(value))
        except OSError as error:
            raise cannot_write(self._path, error) from error
        return message

    def finish(self) -> None:
        """Give the complete file its name."""
        try:
            self._file.close()
            if not self._adds:
                self._writing.replace(self._path)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    async def __aexit__(self, *exc: object) -> None:
        """Leave nothing half written behind."""
        try:
            self._file.close()
        except OSError as error:
            raise cannot_write(self._path, error) from error
        finally:
            if not self._adds:
                self._writing.unlink(missing_ok=True)


def ends_in_half_a_line(path: Path) -> bool:
    """Whether a file that lines are to be added to ends in half of one: a full disk or a killed run leaves that."""
    if not path.is_file() or not (size := path.stat().st_size):
        return False
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read() != b"\n"


def json_line(value: Any) -> bytes:
    """Return a value as one line of JSON in UTF-8.

    Raises:
        RunError: JSON has no words for it.

    """
    return as_json(value, strict=True) + b"\n"
