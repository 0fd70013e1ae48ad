"""Text by the line: LineReader, TextLinesReader."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Annotated, Literal, NamedTuple

from transmissions import Dynamic, Processor, Range, RunError, Source, Unit, set_field

from .access import need, need_text, without
from .files import WIDE, Errors, find_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transmissions import Message

Bytes = Annotated[int, Range(ge=1), Unit("bytes")]


class Line(NamedTuple):
    """One line of a file, without its end."""

    number: int
    """Counts from 1."""
    offset: int
    """Bytes in front of it."""
    data: bytes
    is_whole: bool
    """Whether it fits; of a longer line only the beginning is kept."""


def read_lines(file: IO[bytes], longest: int) -> Iterator[Line]:
    """Yield the lines of a binary file, never holding more than `longest` bytes of one.

    Raises:
        RunError: it is in UTF-16, where a line feed is not the end of a line.

    """
    offset = number = 0
    while data := file.readline(longest + 2):
        number += 1
        if number == 1 and data.startswith(WIDE):
            raise RunError(f"{file.name}:1: it begins as UTF-16 does, which is not read by the line; convert it to UTF-8 first")
        size = len(data)
        text = data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data
        is_whole = len(text) <= longest
        if not is_whole and not data.endswith(b"\n"):
            size += _pass_over(file)
        yield Line(number, offset, text[:longest], is_whole)
        offset += size


def _pass_over(file: IO[bytes]) -> int:
    passed = 0
    while data := file.readline(65536):
        passed += len(data)
        if data.endswith(b"\n"):
            break
    return passed


class LineReader(Processor):
    """Split a text field into a list of its lines, in the same message.

    Reads `inputField`, writes `outputField`. For a stream of lines, or a file of any size, use TextLinesReader.

    ```turtle
    :lines a :LineReader ; :inputField "content" ; :outputField "lines" ; :filterComments true .
    ```
    """

    input_field: str = "content"
    "Dotted path of the text."
    output_field: str = "lines"
    "Dotted path the list is written to."
    filter_empty: bool = True
    "Whether blank lines are left out."
    filter_comments: bool = False
    "Whether lines that begin with `commentChar` are left out."
    comment_char: str = "#"
    "What a comment begins with."

    def process(self, message: Message) -> Message:
        """Split the text."""
        text = need_text(message, self.input_field)
        set_field(message, self.output_field, [line for line in _split(text) if wanted(line, self)])
        return message


def _split(text: str) -> list[str]:
    # str.splitlines would also cut at form feeds and Unicode separators, which are part of a line.
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def wanted(line: str, filters: LineReader | TextLinesReader) -> bool:
    """Whether a line passes the filters of a processor."""
    bare = line.strip()
    if not bare:
        return not filters.filter_empty
    return not (filters.filter_comments and bare.startswith(filters.comment_char))


class TextLinesReader(Source):
    """Send one message for each line of a text file of any size, or of a text field.

    Reads the file that FileReader would read, line by line in little memory; with `inputField`, that field instead. Each
    message is a copy of the incoming one with the line in `targetField` and its number in `lineNumber` (from 1). A line that
    is not in the encoding is set aside as a dead letter, and reading goes on. The lines form a group.

    ```turtle
    :lines a :TextLinesReader ; :sourceFile "access.log" ; :filterEmpty true .
    ```
    """

    source_file: Annotated[str, Dynamic()] = ""
    "The file, where the message does not name one."
    input_field: str = ""
    "Dotted path of a text to split instead of a file."
    target_field: str = "content"
    "Dotted path each line is written to."
    filter_empty: bool = False
    "Whether blank lines are left out; they are counted all the same."
    filter_comments: bool = False
    "Whether lines that begin with `commentChar` are left out."
    comment_char: str = "#"
    "What a comment begins with."
    max_line: Bytes = 1048576
    "How long a line may be."
    too_long: Literal["reject", "truncate"] = "reject"
    "Whether a longer line is set aside as a dead letter, or cut."
    encoding: str = "utf-8"
    "How the bytes are to be read; one where a line feed is the byte 10."
    encoding_errors: Errors = "strict"
    "What becomes of bytes that are not in that encoding."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each line."""
        rest = without(message, self.input_field) if self.input_field else message
        for number, line in self._lines(message):
            if wanted(line, self):
                item = {**rest, "lineNumber": number}
                set_field(item, self.target_field, line)
                yield item

    def _lines(self, message: Message) -> Iterator[tuple[int, str]]:
        if self.input_field:
            yield from enumerate(_split(str(need(message, self.input_field))), 1)
            return
        path = find_file(self, message)
        with self.context.open_input(path) as file:
            for line in read_lines(file, self.max_line):
                text = self._decode(line, path)
                if text is not None:
                    yield line.number, text

    def _decode(self, line: Line, path: Path) -> str | None:
        if not line.is_whole and self.too_long == "reject":
            reject_long(self, line, path, self.max_line)
            return None
        # Half a character may be left at a cut; that is no fault of the file.
        errors = self.encoding_errors if line.is_whole else "ignore"
        try:
            return line.data.decode(self.encoding, errors).removeprefix("\ufeff" if line.number == 1 else "")
        except UnicodeDecodeError as error:
            reject_line(self, line, path, error)
            return None


def reject_long(processor: Processor, line: Line, path: Path, limit: int) -> None:
    """Set a line that is too long aside, by its beginning."""
    error = RunError(f"{path}:{line.number}: the line is longer than {limit} bytes (:maxLine)")
    reject_line(processor, line._replace(data=line.data[:200]), path, error)


def reject_line(processor: Processor, line: Line, path: Path, error: Exception) -> None:
    """Set a line aside as a dead letter, with its place."""
    processor.context.reject(
        line.data.decode("utf-8", "backslashreplace"), error, file=str(path), line=line.number, offset=line.offset
    )
