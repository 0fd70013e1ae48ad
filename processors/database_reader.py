"""Rows of a database as messages: DatabaseReader."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from transmissions import Protected, Range, Record, RunError, Source, UsageError, set_field, suggestion

from .access import need
from .sql import _Database
from .sql_queries import Query, Taking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from transmissions import Message

_TOGETHER: Final = 256
"""Rows that go on together at most."""


class Parameter(Record):
    """A value of a query."""

    name: str
    "Its name in the query, where it stands as `:name`."
    field: str = ""
    "Dotted path of the value in the message."
    value: Any = None
    "The value itself, where no `field` is named; null without one."

    def of(self, message: Message) -> Any:
        """Return the value for a message.

        Raises:
            RunError: it has none, or one that no query takes.

        """
        value = need(message, self.field) if self.field else self.value
        if isinstance(value, dict):
            raise RunError(
                f"the parameter :{self.name} ('{self.field}') is an object, which no query takes; name a field of it"
            )
        return value


class DatabaseReader(_Database, Source):
    """Send one message for each row that a query finds, from any database that SQLAlchemy knows.

    The rows are drawn through a cursor as they are taken, `fetch` at a time, so that a result of any size needs little memory.
    That holds the database as long as it takes; with `:cursor`, the query is asked again for each batch instead, from the last
    row on, and nothing is held in between. Then it must be in the order of that column, which is different in every row, and
    name the parameters `:after` (null at first, and PostgreSQL must see of what type: `coalesce(:after, 0)` shows it) and
    `:limit`: no row is sent twice or left out, whatever others write. Values from messages are bound to the query's parameters,
    and never become part of its text. A row becomes an object, which is the message, or in `targetField` of a copy of the
    incoming one; times become ISO 8601 text, decimals numbers, or text where a number would lose digits. The rows form a group.
    When a run is stopped, the database is told to give up the query.

    A SQLite file is one of the run's folders, and is only read. Other databases need a driver, `pip install 'psycopg[binary]'`
    for PostgreSQL, `pip install pymysql` for MySQL and MariaDB; what it can be told stands in the URL, as `?connect_timeout=5`.

    ```turtle
    :orders a :DatabaseReader ; :url "sqlite:///shop.db" ;
        :query "SELECT id, total FROM orders WHERE customer = :customer ORDER BY id" ;
        :parameters ( [ :name "customer" ; :field "customer.id" ] ) .
    :users a :DatabaseReader ; :url "sqlite:///shop.db" ; :cursor "id" ; :fetch 100 ;
        :query "SELECT id, name FROM users WHERE id > coalesce(:after, 0) ORDER BY id LIMIT :limit" .
    ```
    """

    query: Annotated[str, Protected()]
    "The SQL statement."
    parameters: Annotated[tuple[Parameter, ...], Protected()] = ()
    "The values of its parameters."
    target_field: str = ""
    "Dotted path each row is written to, in a copy of the incoming message; if empty, the row is the message itself."
    fetch: Annotated[int, Range(ge=1)] = 1000
    "How many rows are held at a time."
    cursor: str = ""
    "The column that says where the next batch begins."

    def __post_init__(self) -> None:
        """Refuse what cannot be before anything runs."""
        self.check_url()

    def foresee(self, _message: Message) -> Iterator[str]:
        """Yield, for a dry run, what would be asked."""
        yield f"asks {self.place()}"

    async def __aenter__(self) -> Self:
        """Prepare the query; nothing is asked yet."""
        import sqlalchemy as sa

        self.engine = self.make_engine(writes=False)
        self._statement = sa.text(self.query)
        wanted = set(self._statement.compile().params)
        given = {parameter.name for parameter in self.parameters} | ({"after", "limit"} if self.cursor else set())
        for name in sorted(wanted - given):
            raise UsageError(f"the query names a parameter :{name}, which is not among :parameters{suggestion(name, given)}")
        for name in sorted(given - wanted):
            raise UsageError(f"the query has no parameter :{name}{suggestion(name, wanted)}")
        return self

    async def produce(self, message: Message) -> AsyncIterator[list[Message]]:
        """Yield a message for each row."""
        values = {one.name: one.of(message) for one in self.parameters}
        query = Query(self)
        rows = Taking(self._batches(query, values) if self.cursor else query.rows(self._statement, values), self.fetch)
        try:
            while part := await query.unless_cancelled(rows.take):
                for begin in range(0, len(part), _TOGETHER):
                    yield [self._shaped(row, message) for row in part[begin : begin + _TOGETHER]]
        finally:
            await asyncio.to_thread(rows.close)

    def _batches(self, query: Query, values: Message) -> Generator[Message]:
        after = None
        while rows := list(query.rows(self._statement, {**values, "after": after, "limit": self.fetch})):
            yield from rows
            if self.cursor not in rows[-1]:
                raise RunError(f"the query gives no column '{self.cursor}'{suggestion(self.cursor, rows[-1])}")
            if rows[-1][self.cursor] == after:
                raise RunError(f"the rows behind {self.cursor} {after} begin with it again; the query must ask for > :after")
            after = rows[-1][self.cursor]

    def _shaped(self, record: Message, message: Message) -> Message:
        if not self.target_field:
            return record
        item = message.copy()
        set_field(item, self.target_field, record)
        return item
