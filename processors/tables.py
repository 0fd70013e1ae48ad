"""Tables that are read whole, row by row: CSV, JSON, JSON lines, SQLite."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .csv_rows import Broken, Form, Rows
from .lines import read_lines
from .sqlite_faults import faults
from .structure import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transmissions import Message

_LONGEST: Final = 16 << 20
_DATABASES: Final = (".db", ".sqlite", ".sqlite3")


def read_table(path: Path, table: str, key: str) -> Iterator[Message]:
    """Yield every row of a table; `table` is its name in a SQLite file, `key` the column that names of a JSON object are.

    Raises:
        RunError: the file is of no known kind, or not whole; a table with a hole in it would find nothing, silently.

    """
    kind = path.suffix.lower()
    if kind in _DATABASES:
        yield from _from_database(path, table)
    elif kind in {".csv", ".tsv"}:
        yield from _from_csv(path, "\t" if kind == ".tsv" else ",")
    elif kind in {".jsonl", ".ndjson"}:
        yield from _from_lines(path)
    elif kind == ".json":
        yield from _from_json(path, key)
    else:
        raise RunError(f"'{path}' is no table by its name: it must end in .csv, .tsv, .json, .jsonl, .ndjson, .db or .sqlite")


def _from_csv(path: Path, delimiter: str) -> Iterator[Message]:
    with path.open("rb") as file:
        rows = Rows(file, Form("utf-8", delimiter, '"', "", sniff=False, longest=_LONGEST), str(path))
        names: list[str] = []
        for row in rows:
            if isinstance(row, Broken):
                raise RunError(f"{path}:{rows.line}: {row.fault}")
            if names and len(row) != len(names):
                raise RunError(f"{path}:{rows.line}: the row has {len(row)} cells where {len(names)} belong")
            if names:
                yield dict(zip(names, row, strict=True))
            names = names or row


def _from_lines(path: Path) -> Iterator[Message]:
    with path.open("rb") as file:
        for line in read_lines(file, _LONGEST):
            if line.data.strip():
                yield _row(parse_json(line.data, str(path), line.number), f"{path}:{line.number}")


def _from_json(path: Path, key: str) -> Iterator[Message]:
    value = parse_json(path.read_bytes(), str(path))
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {**(inner if isinstance(inner, dict) else {"value": inner}), key: name}
        return
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        yield _row(item, f"{path}: item {number}")


def _row(value: Any, place: str) -> Message:
    if not isinstance(value, dict):
        raise RunError(f"{place}: a row of a table is an object, not {json.dumps(value)[:40]}")
    return value


def _from_database(path: Path, table: str) -> Iterator[Message]:
    with faults(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        known = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        if table not in known:
            raise RunError(f"there is no table '{table}' in '{path}'; there are {', '.join(known) or 'none'}")
        quoted = table.replace('"', '""')
        rows = database.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - one of the names that are there, quoted
        names = [column[0] for column in rows.description]
        for row in rows:
            yield dict(zip(names, row, strict=True))
