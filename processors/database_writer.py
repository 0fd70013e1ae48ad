"""Messages as rows of a database: DatabaseWriter."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from transmissions import Protected, Range, Record, RunError, UsageError, get_field, suggestion

from .sql import _Database
from .sql_tables import find_table, reader_of, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa

    from transmissions import Message


class Column(Record):
    """A column and what goes into it."""

    name: str
    "The column."
    field: str = ""
    "Dotted path of its value; the column's name if empty."


class DatabaseWriter(_Database):
    """Write every message as a row of a table, in any database that SQLAlchemy knows, and let it go on.

    Messages are written in batches as they come, all rows of one or none. The rows of a batch that fails are tried one by one,
    so that only a broken one fails, and is named. What was written is committed after `commitRows` rows or `commitSeconds`; a
    run that fails or is killed undoes what was not, and so does a lost connection: then the run fails, and only where
    nothing was undone, another connection is made. With `commitRows` 0 all is committed at the end of the run, so that one
    that fails leaves the table as it was. `insert` adds rows; `upsert` replaces the values of a row that has the same `key`;
    `update` changes the row that has the key, which must be there. What a message lacks is null; objects and lists are written
    as JSON, durations are in seconds, and a time with a zone goes into a column that has none as UTC. A SQLite file is in the
    output folder.

    ```turtle
    :store a :DatabaseWriter ; :url "sqlite:///shop.db" ; :table "orders" ; :mode "upsert" ; :key "id" ; :create true ;
        :columns ( [ :name "id" ] [ :name "customer" ; :field "customer.name" ] ) .
    ```
    """

    stateful = True

    table: Annotated[str, Protected()]
    "The table."
    columns: tuple[Column, ...] = ()
    "What goes where; the fields of the first message, into columns of their names, if there are none."
    mode: Literal["insert", "upsert", "update"] = "insert"
    "What is done with a row."
    key: tuple[str, ...] = ()
    "The columns that tell rows apart, for `upsert` and `update`; the primary key of a table that is created."
    create: bool = False
    "Whether a table that is not there is created, with types after the first message."
    commit_rows: Annotated[int, Range(ge=0)] = 1000
    "After how many rows they are committed; 0 for all of the run at its end."
    commit_seconds: Annotated[float, Range(gt=0)] = 1
    "After how long they are committed, where they are fewer."

    def __post_init__(self) -> None:
        """Refuse what cannot be before anything runs."""
        self.check_url()
        if (self.mode != "insert") and not self.key:
            raise UsageError(f"a DatabaseWriter with :mode '{self.mode}' needs :key")
        names = [column.name for column in self.columns]
        for name in self.key:
            if names and name not in names:
                raise UsageError(f"the key '{name}' is not among :columns{suggestion(name, names)}")
        self._columns = [(column.name, column.field or column.name) for column in self.columns]
        self._connection: sa.Connection | None = None
        self._table: sa.Table | None = None
        self._readers: dict[str, Callable[[Any], Any]] = {}
        self._lock = threading.Lock()
        self._written = 0
        self._ticker: asyncio.Task[None] | None = None
        self._fault: RunError | None = None

    def foresee(self, _message: Message) -> Iterator[str]:
        """Yield, for a dry run, what would be written."""
        yield f"writes rows to {self.table} of {self.place()}"

    async def __aenter__(self) -> Self:
        """Connect."""
        await asyncio.to_thread(self._open)
        if self.commit_rows:
            self._ticker = asyncio.create_task(self._tick())
        return self

    def _open(self) -> None:
        self._connection = self.connect(self.make_engine(writes=True))

    async def _tick(self) -> None:
        """Commit what few rows there are, also when no more come."""
        while True:
            await asyncio.sleep(self.commit_seconds)
            await asyncio.to_thread(self._commit_in_time)

    def _commit_in_time(self) -> None:
        with self._lock, contextlib.suppress(RunError):  # What matters is kept, and raised where somebody hears it.
            self._commit()

    def process_batch(self, messages: list[Message]) -> list[Message]:
        """Write a batch, all or nothing."""
        with self._lock, self.told():
            connection = self._begun()
            table = self._table if self._table is not None else self._prepare(connection, messages[0])
            rows = [self._row(message) for message in messages]
            self._write(connection, table, rows)
            if self.commit_rows and self._written + len(rows) >= self.commit_rows:
                self._commit()
            else:
                self._written += len(rows)
        return messages

    def _write(self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        """Write all rows or none, and see whether a fault has undone others too: of a connection, or of a deadlock."""
        from sqlalchemy import exc

        is_lost = False

        def undo(part: sa.NestedTransaction) -> None:
            nonlocal is_lost
            try:
                part.rollback()
            except exc.SQLAlchemyError:
                is_lost = True

        try:
            with contextlib.ExitStack() as undoing:
                part = connection.begin_nested()
                undoing.callback(undo, part)
                write_rows(connection, table, self.mode, self.key, rows)
                part.commit()
                undoing.pop_all()
        except exc.SQLAlchemyError as error:
            if is_lost or connection.invalidated:
                self._lose(connection, error)
            raise

    def _lose(self, connection: sa.Connection, error: Exception) -> None:
        """Begin anew where a transaction is gone, unless it held rows that nobody can write again: then nothing can go on."""
        from sqlalchemy import exc

        with contextlib.suppress(exc.SQLAlchemyError):
            connection.rollback()
        if self._written:
            self._fault = self.fault(error, f"; the {self._written} rows before, not yet committed, are undone")

    def _begun(self) -> sa.Connection:
        """Return the connection, in a transaction."""
        if self._fault:
            raise self._fault
        assert self._connection is not None
        if not self._connection.in_transaction():
            self._connection.begin()
        return self._connection

    def _commit(self) -> None:
        from sqlalchemy import exc

        connection = self._connection
        with self.told():
            try:
                if connection is not None and connection.in_transaction():
                    connection.commit()
            except exc.SQLAlchemyError as error:
                assert connection is not None
                self._lose(connection, error)
                raise
        self._written = 0

    def _prepare(self, connection: sa.Connection, message: Message) -> sa.Table:
        """Find or create the table, which stays when the rows that come first are undone."""
        columns = self._columns or [(name, name) for name in message]
        if not columns:
            raise RunError("the first message has no field that could be a column; name :columns")
        row = {name: get_field(message, path) for name, path in columns}
        for name in self.key:
            if name not in row:
                raise RunError(f"the key '{name}' is no field of the first message{suggestion(name, row)}; name :columns")
        with connection.begin_nested():
            table = find_table(connection, self.table, row, self.key, create=self.create)
        self._table, self._columns = table, columns
        self._readers = {name: reader_of(table.c[name]) for name in row}
        return table

    def _row(self, message: Message) -> dict[str, Any]:
        return {name: self._readers[name](get_field(message, path)) for name, path in self._columns}

    def finish(self) -> None:
        """Commit the rest."""
        with self._lock:
            if self._fault:
                raise self._fault
            self._commit()

    async def __aexit__(self, *exc: object) -> None:
        """Disconnect; what was not committed is undone."""
        if self._ticker:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        await asyncio.to_thread(self._close)
        if self._fault and exc[0] is None:
            raise self._fault  # Whatever `:onError` says of messages, rows that had gone on are not there.

    def _close(self) -> None:
        with self._lock, self.told():
            if self._connection is not None:
                self._connection.close()
