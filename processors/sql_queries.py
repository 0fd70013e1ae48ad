"""Queries of a database on their way: their rows, and how they are ended from elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .sql_values import PLAIN, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import sqlalchemy as sa

    from transmissions import Message

    from .database_reader import DatabaseReader

_BUDGET: Final = 0.02
"""Seconds after which those that came go on."""
_AGAIN: Final = 0.5
"""Seconds after which a query that has been cancelled, and is not over, is cancelled again."""


class Query:
    """Asks for the rows of one message."""

    def __init__(self, reader: DatabaseReader) -> None:
        self._reader = reader
        self._connection: sa.Connection | None = None

    def rows(self, statement: sa.TextClause, values: Message) -> Generator[Message]:
        """Yield the rows of a query as plain data.

        Raises:
            RunError: the database says so, or it gives no rows.

        """
        reader = self._reader
        with reader.told(), reader.connect(reader.engine) as connection:
            self._connection = connection
            streamed = connection.execution_options(stream_results=True, yield_per=reader.fetch)
            result = streamed.execute(statement, values)
            if not result.returns_rows:
                raise RunError("the query of a DatabaseReader gives no rows; DatabaseWriter is what changes a database")
            names = _names(result)
            for row in result:
                yield dict(zip(names, row if PLAIN.issuperset(map(type, row)) else map(plain, row), strict=True))

    async def unless_cancelled(self, work: Callable[[], list[Message]]) -> list[Message]:
        """Do something in a thread; where nobody waits for it any more, have the server give up the query."""
        task = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                await asyncio.to_thread(self._cancel)
                await asyncio.wait([task], timeout=_AGAIN)
            task.exception()  # That the query was given up is no news.
            raise

    def _cancel(self) -> None:
        """Cancel what the connection is at, as its driver does it: each has its own way, and some have none."""
        from sqlalchemy import exc

        connection = self._connection
        if connection is None or connection.closed:
            return
        driver: Any = connection.connection.driver_connection
        cancel = getattr(driver, "interrupt", None) or getattr(driver, "cancel", None)
        with contextlib.suppress(exc.SQLAlchemyError, OSError):
            if cancel is not None:
                cancel()
            elif hasattr(driver, "thread_id"):  # MySQL's
                with self._reader.engine.connect() as other:
                    other.exec_driver_sql(f"KILL QUERY {int(driver.thread_id())}")


class Taking:
    """Takes rows as they come: many together where they are fast, each where they are slow."""

    def __init__(self, rows: Generator[Message], most: int) -> None:
        self._rows = rows
        self._most = most
        self._fault: RunError | None = None

    def take(self) -> list[Message]:
        """Return the next rows; none when there are no more.

        Raises:
            RunError: there is a fault; rows that came before it have been returned.

        """
        if self._fault:
            raise self._fault
        part: list[Message] = []
        latest = monotonic() + _BUDGET
        try:
            for row in islice(self._rows, self._most):
                part.append(row)
                if monotonic() > latest:
                    break
        except RunError as fault:
            if not part:
                raise
            self._fault = fault
        return part

    def close(self) -> None:
        """Let go of the connection."""
        self._rows.close()


def _names(result: sa.CursorResult[Any]) -> list[str]:
    names = list(result.keys())
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise RunError(f"two columns of the query are called '{doubled}'; name one of them with AS")
    return names
