"""Rows of CSV files, with the line each begins at, never holding more of the file than one row."""

from __future__ import annotations

import csv
import io
import math
import re
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from transmissions import RunError, UsageError

from .files import wide_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_SAMPLE: Final = 65536
"""Bytes from which a dialect is guessed."""
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,299})")
_NUMBER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,299})(?:\.[0-9]+(?:[eE][-+]?[0-9]{1,3})?|[eE][-+]?[0-9]{1,3})")
_FAULTS: Final = {
    "unexpected end of data": "a quote is not closed before the file ends",
    "new-line character": "a carriage return stands alone in it; where one ends each line, turn them into line feeds",
}
"""What `csv` says, by its beginning, and what it means."""
_WORDS: Final[dict[str, Any]] = {"": None, "true": True, "false": False}


class Form(NamedTuple):
    """How a file is written."""

    encoding: str
    delimiter: str
    quote: str
    escape: str
    sniff: bool
    longest: int
    """Bytes a row may take, about; characters for an encoding where a line feed is more than a byte."""


class Broken(NamedTuple):
    """A row that cannot be read: its beginning, and why."""

    text: str
    fault: Exception


def check_form(form: Form) -> None:
    """Fail early where a setting is impossible.

    Raises:
        UsageError: it is.

    """
    for name, text in (("delimiter", form.delimiter), ("quoteChar", form.quote), ("escapeChar", form.escape)):
        if len(text) > 1 or (name == "delimiter" and not text):
            raise UsageError(f"{name} must be a single character, not {text!r}")
    try:
        "\n".encode(form.encoding)
    except LookupError as error:
        raise UsageError(f"there is no encoding '{form.encoding}'") from error


class _Lines:
    """The lines of a file for `csv.reader`; unlike a generator it can be gone on with after it raised."""

    def __init__(self, file: IO[bytes], form: Form) -> None:
        self._longest, self._encoding = form.longest, form.encoding
        self.number = self.begun = 0
        """The latest line, and the one its row begins at."""
        self._first: str | bytes = b""
        self.taken = 0
        """How much of a row is read; whoever sets it to 0 says that the next line begins one."""
        self.is_wide = "\n".encode(form.encoding) != b"\n"
        self._wide = io.TextIOWrapper(file, form.encoding, newline="") if self.is_wide else None
        self._read: Callable[[int], str | bytes] = self._wide.readline if self._wide else file.readline

    def release(self) -> None:
        """Keep a decoder from closing the file, which is not its own."""
        if self._wide:
            self._wide.detach()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        data = self._read(self._longest + 2)
        if not data:
            raise StopIteration
        self.number += 1
        if not self.taken:
            self.begun, self._first = self.number, data
        self.taken += len(data)
        if self.taken > self._longest:
            self._check_length(data)
        text = data if isinstance(data, str) else data.decode(self._encoding)
        return text if self.number > 1 else text.removeprefix("\ufeff")

    @property
    def text(self) -> str:
        """The beginning of the latest row."""
        data = self._first
        return data[:200] if isinstance(data, str) else data[:200].decode("utf-8", "backslashreplace")

    def _check_length(self, data: str | bytes) -> None:
        if self.taken > self._longest + 2 or data[-1:] not in (b"\n", "\n"):
            self._pass_over(data)
            raise csv.Error(f"the row is longer than {self._longest} bytes (:maxRow); is a quote not closed?")

    def _pass_over(self, data: str | bytes) -> None:
        while data and data[-1:] not in (b"\n", "\n"):
            data = self._read(_SAMPLE)


class Rows:
    """The rows of a file that are not blank: a list of cells each, or what is broken.

    Raises:
        RunError: the dialect cannot be guessed, or an encoding of wide characters is broken.

    """

    def __init__(self, file: IO[bytes], form: Form, name: str) -> None:
        # The limit is one for the whole process: it may only grow. The lines a row is given bound what it may take.
        csv.field_size_limit(max(csv.field_size_limit(), form.longest + 2))
        self._form = _guessed(file, form, name) if form.sniff else form
        self._lines = _Lines(file, self._form)
        self._name = name

    @property
    def line(self) -> int:
        """The line the latest row begins at."""
        return self._lines.begun

    def __iter__(self) -> Iterator[list[str] | Broken]:
        lines, form = self._lines, self._form
        quoting = csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE
        marks = {"delimiter": form.delimiter, "quotechar": form.quote or None, "escapechar": form.escape or None}
        rows = csv.reader(lines, **marks, quoting=quoting, strict=True)  # type: ignore[arg-type]
        more = True
        while more:
            lines.taken = 0
            try:
                yield from self._whole(rows)
                more = False
            except (csv.Error, UnicodeDecodeError) as error:
                yield Broken(lines.text, self._explained(error))

    def _whole(self, rows: Iterable[list[str]]) -> Iterator[list[str]]:
        for cells in rows:
            self._lines.taken = 0  # The next line begins a row.
            if cells:
                yield cells

    def close(self) -> None:
        """Let go of the file, which is not closed."""
        self._lines.release()

    def _explained(self, error: csv.Error | UnicodeDecodeError) -> Exception:
        form, number, begun = self._form, self._lines.number, self._lines.begun
        if isinstance(error, csv.Error):
            said = next((words for start, words in _FAULTS.items() if str(error).startswith(start)), str(error))
            return csv.Error(f"{said} (lines {begun} to {number})" if number > begun else said)
        if self._lines.is_wide:  # What comes after it cannot be told apart.
            raise RunError(f"{self._name}:{number + 1}: not {form.encoding}: {error.reason}") from error
        hint = wide_hint(error.object) if number == 1 else ""
        return RunError(f"not {form.encoding}: {error.reason} at byte {error.start} of line {number}{hint}")


def _guessed(file: IO[bytes], form: Form, name: str) -> Form:
    if not file.seekable():
        raise RunError(f"{name}: the dialect of what cannot be read twice is not guessed; set :delimiter instead of :sniff")
    sample = file.read(_SAMPLE).decode(form.encoding, "replace").removeprefix("\ufeff")
    file.seek(0)
    if not sample.strip():
        return form
    try:
        dialect = csv.Sniffer().sniff(sample, delimiters=",;\t|:")
    except csv.Error as error:
        raise RunError(f"{name}: the dialect cannot be guessed; set :delimiter instead of :sniff") from error
    return form._replace(delimiter=dialect.delimiter, quote=dialect.quotechar or form.quote)


def infer(text: str) -> Any:
    """Return the number, truth or null that a cell says, else its text, which `007`, `1_000` and `1e999` are, too."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text
