"""CSV files: CSVReader and CSVWriter."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Final, Literal

from transmissions import MISSING, RunError, UsageError, as_text, get_field, suggestion

from .csv_rows import Broken, Form, Rows, check_form, infer
from .file_ends import _FileSink, _FileSource
from .files import to_bytes
from .lines import Bytes  # noqa: TC001 - a setting's type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transmissions import Message

_QUOTING: Final = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "nonnumeric": csv.QUOTE_NONNUMERIC}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class CSVReader(_FileSource):
    """Send one message for each row of a CSV file of any size.

    Reads the file that FileReader would read, row by row in little memory. A row becomes an object: the name of each column
    with its cell, which is the message as it is, or in `targetField` of a copy of the incoming one. Names come from the first
    row; `columns` then chooses among them, and in a file without a header it names them. Blank rows are passed over. A row
    that is broken, too long, not in the encoding, or has another number of cells is set aside as a dead letter with its line,
    and reading goes on. The rows form a group.

    ```turtle
    :rows a :CSVReader ; :sourceFile "sales.csv" ; :delimiter ";" ; :types "infer" ; :columns ( "day" "amount" ) .
    ```
    """

    header: bool = True
    "Whether the first row holds the names."
    columns: tuple[str, ...] = ()
    "The columns to take; without a header, the names of all columns."
    delimiter: str = ","
    "What stands between cells."
    quote_char: str = '"'
    "What a cell is quoted with; empty where quotes mean nothing."
    escape_char: str = ""
    "What makes the next character an ordinary one, if anything does."
    sniff: bool = False
    "Whether delimiter and quote are guessed from the first 64 KiB."
    encoding: str = "utf-8"
    "How the bytes are to be read; a byte order mark is dropped."
    types: Literal["text", "infer"] = "text"
    "Whether cells stay text, or become numbers, truth values and (if empty) null where they are written like one."
    ragged: Literal["reject", "fill"] = "reject"
    "Whether a row of another length is set aside, or filled with null; what is too much goes to `extraCells`."
    line_field: str = ""
    "Field that takes the line a row begins at; none if empty."
    max_row: Bytes = 1048576
    "How long a row may be."

    def __post_init__(self) -> None:
        """Refuse what cannot be before anything runs."""
        marks = (self.delimiter, self.quote_char, self.escape_char)
        self._form = Form(self.encoding, *marks, self.sniff, self.max_row)
        check_form(self._form)
        if not self.header and not self.columns:
            raise UsageError("a CSVReader of a file without a header needs :columns")

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each row."""
        with self.opened(message) as (file, name):
            rows = Rows(file, self._form, name)
            try:
                yield from self._messages(rows, name, self.rest_of(message))
            finally:
                rows.close()

    def _messages(self, rows: Rows, name: str, rest: Message) -> Iterator[Message]:
        found = iter(rows)
        names = self._header_of(found, f"{name}:1") if self.header else list(self.columns)
        width = len(names)
        finish = self._finisher()
        for cells in found:
            if isinstance(cells, Broken) or (len(cells) != width and self.ragged == "reject"):
                self._reject(cells, width, name, rows.line)
                continue
            record: Message = dict(zip(names, cells, strict=False))
            if len(cells) != width:
                record |= _odd(names, cells)
            yield self.shaped(finish(record, rows.line) if finish else record, rest)

    def _header_of(self, rows: Iterator[list[str] | Broken], place: str) -> list[str]:
        names = next(rows, [])
        if isinstance(names, Broken):
            raise RunError(f"{place}: the header cannot be read: {names.fault}") from names.fault
        doubled = next((one for one in names if names.count(one) > 1), None)
        if doubled is not None:
            raise RunError(f"{place}: two columns are called '{doubled}'; set :header false and name :columns")
        for column in self.columns if names else ():
            if column not in names:
                hint = suggestion(column, names) or f"; there are {', '.join(names)}"
                raise RunError(f"{place}: there is no column '{column}'{hint}")
        return names

    def _reject(self, row: list[str] | Broken, width: int, name: str, line: int) -> None:
        fault: object = f"the row has {len(row)} cells where {width} belong"
        text = self.delimiter.join(row) if isinstance(row, list) else row.text
        error = RunError(f"{name}:{line}: {row.fault if isinstance(row, Broken) else fault}")
        self.context.reject(text, error, file=name, line=line)

    def _finisher(self) -> Callable[[Message, int], Message] | None:
        """Return what is still to be done to a record; nothing for a file that is taken as it is."""
        is_chosen = self.header and bool(self.columns)
        is_plain = self.types == "text" and not is_chosen and not self.line_field
        return None if is_plain else self._finished

    def _finished(self, record: Message, line: int) -> Message:
        if self.header and self.columns:
            kept = [*self.columns, "extraCells"] if "extraCells" in record else self.columns
            record = {name: record[name] for name in kept}
        if self.types == "infer":
            record = {name: infer(cell) if isinstance(cell, str) else cell for name, cell in record.items()}
        if self.line_field:
            record[self.line_field] = line
        return record


def _odd(names: list[str], cells: list[str]) -> Message:
    """Return what a row of another length than the header has besides its cells."""
    if len(cells) < len(names):
        return dict.fromkeys(names[len(cells) :])
    return {"extraCells": cells[len(names) :]}


class CSVWriter(_FileSink):
    """Write every message as one row of a CSV file, and let it go on.

    The file appears under its name only when the stream has ended well; without any message it is empty, or holds the header
    where `columns` says it. Columns that are not named are the fields of the first message. A field that a message lacks is an
    empty cell, as null is; objects and lists are written as JSON. The file is in UTF-8.

    ```turtle
    :out a :CSVWriter ; :destinationFile "people.csv" ; :columns ( "name" "address.city" ) ; :guardFormulas true .
    ```
    """

    destination_file: str = "output.csv"
    columns: tuple[str, ...] = ()
    "Dotted paths of what stands in a row, in this order; other fields are left out."
    extra_fields: Literal["error", "ignore"] = "error"
    "What becomes of a field that the first message did not have, where no columns are named."
    header: bool = True
    "Whether the first row holds the names."
    delimiter: str = ","
    "What stands between cells."
    quoting: Literal["minimal", "all", "nonnumeric"] = "minimal"
    "Which cells are quoted."
    line_end: Literal["lf", "crlf"] = "crlf"
    "What ends a row; RFC 4180 says CR LF."
    guard_formulas: bool = False
    "Whether text a spreadsheet would run as a formula (it begins with = + - @, tab or CR) gets an apostrophe in front."
    byte_order_mark: bool = False
    "Whether the file begins with one, which old spreadsheets need to see that it is UTF-8."

    def __post_init__(self) -> None:
        """Refuse what cannot be before anything runs."""
        check_form(Form("utf-8", self.delimiter, '"', "", sniff=False, longest=1))
        self._columns = list(self.columns)
        self._known: set[str] = set()

    def begin(self) -> None:
        """Write the header, if it is known."""
        end = "\n" if self.line_end == "lf" else "\r\n"
        rows = csv.writer(_Encoded(self.write), delimiter=self.delimiter, quoting=_QUOTING[self.quoting], lineterminator=end)  # type: ignore[arg-type]
        self._write_row: Callable[[list[Any]], object] = rows.writerow
        self.write(b"\xef\xbb\xbf" if self.byte_order_mark else b"")
        self._write_header()

    def process(self, message: Message) -> Message:
        """Write one row."""
        record = self.record_of(message)
        if not isinstance(record, dict):
            raise RunError(f"the field '{self.content_field}' is not an object but a {type(record).__name__}")
        if not self._columns:
            self._columns, self._known = list(record), set(record)
            self._write_header()
        if self._known and self.extra_fields == "error" and not record.keys() <= self._known:
            extra = ", ".join(sorted(record.keys() - self._known))
            raise RunError(f'the first message had no field {extra}: name :columns, or set :extraFields "ignore"')
        self._write_row([self._cell(get_field(record, path, MISSING)) for path in self._columns])
        return message

    def _write_header(self) -> None:
        if self.header and self._columns:
            self._write_row([self._cell(name) for name in self._columns])

    def _cell(self, value: Any) -> Any:
        if value is None or value is MISSING:
            return ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        text = as_text(value)
        return f"'{text}" if self.guard_formulas and text.startswith(_FORMULA) else text


class _Encoded:
    """What `csv.writer` takes for a text file."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def write(self, text: str) -> int:
        """Write text as UTF-8."""
        self._write(to_bytes(text))
        return len(text)
