"""Messages enriched from a table: Lookup."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from transmissions import Processor, Range, RunError, UsageError, set_field, suggestion

from .files import find_file
from .keys import key_of, key_text
from .tables import read_table

if TYPE_CHECKING:
    from transmissions import Message

    from .keys import Key


class Lookup(Processor):
    """Look up each message's key in a table, and write the row that has it into the message.

    The table is a CSV or TSV file, a JSON file (a list of objects, or an object of which each name is a key), JSON lines, or a
    table of a SQLite file, by the end of its name. It is read once, when the run begins, and held: at most `maxRows` rows.
    1, 1.0 and `1` are the same key; null is in no table. Two rows of one key are an error. Reads the fields at `key`, writes
    the row to `targetField`.

    ```turtle
    :country a :Lookup ; :sourceFile "countries.csv" ; :key "address.country" ; :column "code" ; :fields "name", "continent" ;
        :targetField "address.in" ; :missing "keep" .
    ```
    """

    source_file: str
    "The table's file."
    table: str = ""
    "The table's name, in a SQLite file."
    key: tuple[str, ...]
    "Dotted paths of the key in the message."
    column: tuple[str, ...] = ()
    "Columns of the key in the table, in the same order; those named like `key` if there are none."
    fields: tuple[str, ...] = ()
    "The columns to take; all of them if there are none."
    target_field: str = "lookup"
    "Dotted path the row is written to."
    missing: Literal["error", "keep", "drop"] = "error"
    "What becomes of a message whose key is not there: an error, null in its `targetField`, or it is dropped."
    max_rows: Annotated[int, Range(ge=1)] = 1_000_000
    "How many rows the table may have."

    def __post_init__(self) -> None:
        """Refuse what cannot be before anything runs."""
        self._columns = self.column or self.key
        if not self.key or len(self._columns) != len(self.key):
            raise UsageError("a Lookup needs :key, and as many names in :column")
        self._rows: dict[Key, Message] = {}

    async def __aenter__(self) -> Self:
        """Read the table."""
        await asyncio.to_thread(self._load)
        return self

    def _load(self) -> None:
        path = find_file(self, {})
        for number, row in enumerate(read_table(path, self.table, self._columns[0]), 1):
            if number > self.max_rows:
                raise RunError(f"'{path}' has more than {self.max_rows} rows (:maxRows)")
            key = tuple([key_text(_cell(row, column, number)) for column in self._columns])
            if None in key:
                continue
            if key in self._rows:
                raise RunError(
                    f"two rows of '{path}' have {', '.join(self._columns)} {_shown(key)}; row {number} is the second"
                )
            self._rows[key] = {name: _cell(row, name, number) for name in self.fields} if self.fields else row

    def process(self, message: Message) -> Message | None:
        """Look one message up."""
        key = key_of(message, self.key)
        row = self._rows.get(key)
        if row is None and self.missing == "error":
            raise RunError(f"no row of '{self.source_file}' has {', '.join(self._columns)} {_shown(key)}")
        if row is None and self.missing == "drop":
            return None
        set_field(message, self.target_field, row)
        return message


def _cell(row: Message, column: str, number: int) -> Any:
    if column not in row:
        raise RunError(f"row {number} of the table has no column '{column}'{suggestion(column, row)}")
    return row[column]


def _shown(key: Key) -> str:
    return ", ".join("null" if part is None else f"'{part[:40]}'" for part in key)
