"""JSON by the line (NDJSON): JSONLinesReader, JSONLinesWriter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from transmissions import Dynamic, RunError, Source, as_json, set_field

from .file_ends import GrowingFile, _FileSink
from .files import find_file
from .lines import Bytes, Line, read_lines, reject_line, reject_long
from .structure import parse_json

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
        with self.context.open_input(path) as file:
            for line in read_lines(file, self.max_line):
                if not line.is_whole:
                    reject_long(self, line, path, self.max_line)
                elif line.data.strip():
                    yield from self._parse(line, path, message)

    def _parse(self, line: Line, path: Path, message: Message) -> Iterator[Message]:
        try:
            value = parse_json(line.data, str(path), line.number)
        except RunError as error:
            reject_line(self, line, path, error)
            return
        if isinstance(value, dict) and not self.target_field:
            yield value
            return
        item = message.copy()
        set_field(item, self.target_field or "content", value)
        yield item


class JSONLinesWriter(_FileSink):
    """Write every message as one line of JSON, and let it go on.

    A new file appears under its name only when the stream has ended well; with `append`, and when dead letters are tried again,
    the lines are added to what is there. No message at all still makes an empty file. With `contentField` that field is
    written instead of the whole message. Bytes are written as the text they are in UTF-8, else as base64.

    ```turtle
    :out a :JSONLinesWriter ; :destinationFile "records.ndjson" .
    ```
    """

    destination_file: str = "output.ndjson"
    append: bool = False
    "Whether lines are added to an existing file rather than replacing it."

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, which file would be written."""
        added = f"adds to {self.context.output_path(self.destination_file)}"
        return iter([added]) if self.append else super().foresee(message)

    async def __aenter__(self) -> Self:
        """Open the file."""
        if not (self.append or self.context.folders.again):
            return await super().__aenter__()
        self._file = GrowingFile(self.context.output_path(self.destination_file))
        return self

    def process(self, message: Message) -> Message:
        """Write one line."""
        self.write(json_line(self.record_of(message)))
        return message


def json_line(value: Any) -> bytes:
    """Return a value as one line of JSON in UTF-8.

    Raises:
        RunError: JSON has no words for it.

    """
    return as_json(value, strict=True) + b"\n"
