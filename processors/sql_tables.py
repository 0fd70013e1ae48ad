"""Tables that rows are written to: finding or creating them, and the statements that write."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError, as_json, suggestion

from .records import replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    Row = dict[str, Any]

_READERS: Final[dict[type, Callable[[str], Any]]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    Decimal: Decimal,
    timedelta: lambda text: timedelta(seconds=float(text)),
}


def _in_utc(text: str) -> datetime:
    """Return a time for a column that has no zone: the server's own zone would otherwise decide, or none."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def find_table(connection: sa.Connection, name: str, row: Row, key: Sequence[str], *, create: bool) -> sa.Table:
    """Return a table that has the columns of a row, created with types after its values if it is not there.

    Raises:
        RunError: there is no such table or column, or two fields would be one column of a new table.

    """
    import sqlalchemy as sa

    known = sa.inspect(connection)
    if create and not known.has_table(name):
        _refuse_alike(row, connection.dialect.name)
        table = new_table(name, row, key)
        table.create(connection)
        return table
    if not known.has_table(name) and name not in known.get_view_names():
        names = known.get_table_names()
        raise RunError(f"there is no table '{name}'{suggestion(name, names)}; :create true makes it")
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    for column in row:
        if column not in table.c:
            hint = suggestion(column, table.c.keys()) or f"; it has {', '.join(table.c.keys())}"
            raise RunError(f"the table '{name}' has no column '{column}'{hint}")
    return table


def _refuse_alike(names: Row, dialect: str) -> None:
    """Refuse fields that would be one column where large letters are the same as small ones."""
    known: dict[str, str] = {}
    for name in names if dialect != "postgresql" else ():
        if (other := known.setdefault(name.lower(), name)) != name:
            raise RunError(f"the fields '{other}' and '{name}' would be one column of the table; name :columns")


def new_table(name: str, row: Row, key: Sequence[str]) -> sa.Table:
    """Return a table that is not there yet, with types after the values of a row."""
    import sqlalchemy as sa

    columns = [_column(column, value, is_key=column in key) for column, value in row.items()]
    return sa.Table(name, sa.MetaData(), *columns, mysql_charset="utf8mb4", mariadb_charset="utf8mb4")


def _column(name: str, value: Any, *, is_key: bool) -> sa.Column[Any]:
    import sqlalchemy as sa

    # A key is never counted up: MySQL would do that in the place of 0.
    return sa.Column(name, _type_of(value, is_key), primary_key=is_key, autoincrement=False)


def _type_of(value: Any, is_key: bool) -> sa.types.TypeEngine[Any]:
    import sqlalchemy as sa
    from sqlalchemy.dialects import mysql

    if isinstance(value, bool):
        return sa.Boolean()
    if isinstance(value, int):
        return sa.BigInteger()
    if isinstance(value, float):
        return sa.Double()
    if isinstance(value, bytes):  # Plain ones of MySQL end at 64 KiB.
        return sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
    return sa.String(255) if is_key else sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def reader_of(column: sa.Column[Any]) -> Callable[[Any], Any]:
    """Return what makes a value of plain data one that a column takes."""
    import sqlalchemy as sa

    if isinstance(column.type, sa.JSON | sa.ARRAY):
        return lambda value: value
    try:
        read = _READERS.get(column.type.python_type)
    except NotImplementedError:  # a type of the database's own
        read = None

    if read is _READERS[datetime] and not getattr(column.type, "timezone", False):
        read = _in_utc

    def convert(value: Any) -> Any:
        if isinstance(value, dict | list | tuple):
            return as_json(value, strict=True).decode()
        if isinstance(value, str) and read is None:
            return value if value.isascii() else replace_surrogates(value)[0]
        if read is None or value is None or isinstance(value, bytes):
            return value
        try:
            return read(str(value))
        except (ValueError, ArithmeticError) as error:
            raise RunError(f"the column '{column.name}' takes a {column.type}, and not {value!r}") from error

    return convert


def write_rows(connection: sa.Connection, table: sa.Table, mode: str, key: Sequence[str], rows: list[Row]) -> None:
    """Insert, upsert or update rows.

    Raises:
        RunError: a row to be updated is not there, or a whole number has more than 64 bits.

    """
    try:
        _execute(connection, table, mode, key, rows)
    except OverflowError as error:
        for name, value in chain.from_iterable(row.items() for row in rows):
            if _is_long(value):
                sentence = f"the column '{name}' cannot hold a number of {value.bit_length() + 1} bits, only of 64"
                raise RunError(sentence) from error
        raise


def _is_long(value: Any) -> bool:
    return isinstance(value, int) and not -(1 << 63) <= value < 1 << 63


def _execute(connection: sa.Connection, table: sa.Table, mode: str, key: Sequence[str], rows: list[Row]) -> None:
    if mode == "insert":
        connection.execute(table.insert(), rows)
    elif mode == "update" or (statement := _upsert(connection, table, key, list(rows[0]))) is None:
        for row in rows:
            _update(connection, table, key, row, inserts=mode == "upsert")
    else:
        connection.execute(statement, rows)


def _upsert(connection: sa.Connection, table: sa.Table, key: Sequence[str], names: list[str]) -> Any:
    """Return the statement that inserts or replaces; None where the database has none that is known."""
    others = [name for name in names if name not in key]
    if connection.dialect.name in {"sqlite", "postgresql"}:
        from sqlalchemy.dialects import postgresql, sqlite

        insert: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
        if not others:
            return insert.on_conflict_do_nothing(index_elements=list(key))
        return insert.on_conflict_do_update(index_elements=list(key), set_={name: insert.excluded[name] for name in others})
    if connection.dialect.name in {"mysql", "mariadb"} and others:
        from sqlalchemy.dialects import mysql

        insert = mysql.insert(table)
        return insert.on_duplicate_key_update({name: insert.inserted[name] for name in others})
    return None


def _update(connection: sa.Connection, table: sa.Table, key: Sequence[str], row: Row, *, inserts: bool) -> None:
    import sqlalchemy as sa

    same = sa.and_(*[table.c[name] == row[name] for name in key])
    values = {name: value for name, value in row.items() if name not in key}
    if values and connection.execute(table.update().where(same).values(values)).rowcount:
        return
    if not values and connection.execute(sa.select(sa.literal(1)).select_from(table).where(same)).first():
        return
    if not inserts:
        told = ", ".join(f"{name} {row[name]!r}" for name in key)
        raise RunError(f"no row of '{table.name}' has {told}")
    connection.execute(table.insert(), [row])
