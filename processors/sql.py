"""Databases by their SQLAlchemy URL: opening them, and telling their faults."""

from __future__ import annotations

import re
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

from transmissions import OutputError, Processor, Protected, RunError, Secret, UsageError, suggestion

from .sqlite_faults import faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa

_SECRET: Final = re.compile(r"(?i)pass|pwd|secret|token|key")
"""Names of options in a URL whose values are nobody's business."""
_DRIVERS: Final = {
    "sqlite": "",
    "postgresql": "pip install 'psycopg[binary]', and write postgresql+psycopg://",
    "mysql": "pip install pymysql, and write mysql+pymysql://",
    "mariadb": "pip install pymysql, and write mariadb+pymysql://",
    "oracle": "pip install oracledb, and write oracle+oracledb://",
    "mssql": "",
}
"""The databases that SQLAlchemy itself knows, and a driver that is easily had."""
_OTHER_TEXT: Final = re.compile(r"Could not decode to UTF-8 column '([^']*)'")
"""What SQLite's driver says of text that another program wrote, with the text itself."""
_NO_ROOM: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}


class _Database(Processor):
    """Works with a database that its settings name; messages never do."""

    extra = "sql"
    placement = "thread"

    url: Annotated[str, Protected()] = ""
    "The database as SQLAlchemy names it, `sqlite:///file.db` or `postgresql+psycopg://user@host/name` if its driver is there."
    secret_url: Annotated[Secret | None, Protected()] = None
    'The same from the environment, `[ :env "DATABASE_URL" ]`, where it holds a password.'

    def check_url(self) -> None:
        """Refuse none or two.

        Raises:
            UsageError: it is so.

        """
        if bool(self.url) == bool(self.secret_url):
            raise UsageError(f"a {type(self).__name__} needs either :url or :secretUrl")

    def make_engine(self, *, writes: bool) -> sa.Engine:
        """Make what opens connections; a SQLite file is confined to the folders of the run, and only read unless it `writes`.

        Raises:
            UsageError: the URL is none.
            RunError: the driver is not installed, or the file is not there or elsewhere.

        """
        import sqlalchemy as sa
        from sqlalchemy import exc

        url = self._read_url()
        backend = url.get_backend_name()
        if backend == "sqlite":
            return self._sqlite(url, writes=writes)
        how = _DRIVERS.get(backend)
        try:
            engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
        except exc.NoSuchModuleError as error:
            hint = suggestion(backend, _DRIVERS) or f": {error}"
            raise RunError(f"the driver of {url.drivername} is not installed{hint}") from error
        except ImportError as error:
            hint = f"; {how}" if how else ""
            raise RunError(f"the driver of {url.drivername} is not installed: {error}{hint}") from error
        if engine.dialect.is_async:
            raise UsageError(f"{url.drivername} is a driver for asyncio, which cannot be used here{f'; {how}' if how else ''}")
        return engine

    def _read_url(self) -> sa.URL:
        import sqlalchemy as sa
        from sqlalchemy import exc

        try:
            url = sa.make_url(self.secret_url.reveal() if self.secret_url else self.url)
        except (exc.ArgumentError, ValueError):
            # Without its cause, which may show a password.
            raise UsageError("the :url is none that SQLAlchemy reads, such as sqlite:///file.db") from None
        if "@" in (url.host or ""):  # What stands in front of it belongs to the password.
            raise UsageError("the :url has an @ in its user or password, which must be written %40")
        public = {name: "***" if _SECRET.search(name) else value for name, value in url.query.items()}
        self.shown = url.set(query=public).render_as_string(hide_password=True)
        return url

    def place(self) -> str:
        """Return where the database is, for people."""
        if self.secret_url:
            return "the database of :secretUrl"
        self._read_url()
        return self.shown

    def connect(self, engine: sa.Engine) -> sa.Connection:
        """Connect.

        Raises:
            RunError: the server does not answer or refuses, or the URL has an option that the driver does not know.

        """
        with self.told():
            try:
                return engine.connect()
            except (TypeError, ValueError) as error:
                raise self.fault(error) from error

    def _sqlite(self, url: sa.URL, *, writes: bool) -> sa.Engine:
        import sqlalchemy as sa
        from sqlalchemy import event

        name = url.database or ":memory:"
        if url.query or name == ":memory:" or name.startswith("file:"):
            raise UsageError(f"{self.shown}: a SQLite database is a file, sqlite:///name, without options")
        path = self.context.output_path(name) if writes else self.context.input_path(name)
        if writes:
            path.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(
            "sqlite://", creator=lambda: _connect(path, writes=writes), poolclass=sa.NullPool, hide_parameters=True
        )
        # sqlite3 begins transactions when it sees fit; here each begins where SQLAlchemy says, so that parts can be undone.
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tell what a database says in one sentence, without the values that were sent.

        Raises:
            RunError: it said something.

        """
        from sqlalchemy import exc

        try:
            yield
        except (exc.SQLAlchemyError, OverflowError, UnicodeEncodeError) as error:  # the latter of values that cannot be sent
            raise self.fault(error) from error

    def fault(self, error: Exception, more: str = "") -> RunError:
        """Return what a database says as a fault of ours."""
        said = getattr(error, "orig", None) or error
        kind = OutputError if getattr(said, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM else RunError
        return kind(f"{self.shown}: {_first_line(said)}{more}")


def _first_line(error: BaseException) -> str:
    """Return the first line of what a driver or SQLAlchemy says."""
    match error.args:
        case (int() as number, str() as text):  # MySQL's
            return f"{text} ({number})"
    if found := _OTHER_TEXT.match(str(error)):
        return f"the text of column '{found[1]}' is not UTF-8; CAST({found[1]} AS BLOB) in the query gives its bytes"
    return str(error).strip().partition("\n")[0].partition(" (Background on this error")[0]


def _connect(path: Path, *, writes: bool) -> sqlite3.Connection:
    if not writes and not path.is_file():
        raise RunError(f"no database '{path}'")
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if writes else 'ro'}"
    with faults(path):
        database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        database.set_authorizer(_allow)
        return database


def _allow(action: int, *_: object) -> int:
    """Let a query do anything but attach files, which may be outside the run's folders."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
