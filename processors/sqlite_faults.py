"""What can be wrong with a SQLite file of an output folder, told in one way."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final

from transmissions import OutputError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_IN_USE: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextlib.contextmanager
def faults(path: Path) -> Iterator[None]:
    """Tell what SQLite or the system says of a database by its name, and what to do.

    Raises:
        OutputError: it cannot be written: no room, no permission.
        RunError: it is in use, or is no database of ours.

    """
    try:
        yield
    except sqlite3.Error as error:
        raise _fault_of(path, error) from error
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror}") from error


def opened(path: Path, prepare: Callable[[sqlite3.Connection], None], *, any_thread: bool = False) -> sqlite3.Connection:
    """Open the database at `path` and have it prepared; one that cannot be is closed. The folder is made.

    With `any_thread` another thread may use it than the one that opened it, one at a time.

    Raises:
        OutputError: it cannot be written.
        RunError: it is in use, or is no database of ours.

    """
    with faults(path), contextlib.ExitStack() as undo:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=not any_thread)
        undo.callback(database.close)
        prepare(database)
        undo.pop_all()
    return database


def is_new(database: sqlite3.Connection, version: int) -> bool:
    """Whether a database is still to be laid out; the layout has that version."""
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found == version:
        return False
    if found or database.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise sqlite3.DatabaseError("it is another program's database, or another version's; move it away")
    return True


def _fault_of(path: Path, error: sqlite3.Error) -> RunError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FULL:
        return OutputError(f"cannot write '{path}': {error}")
    if code in _IN_USE:
        return RunError(f"'{path}' is in use by another program; try again when that is done")
    if code == sqlite3.SQLITE_NOTADB:
        return RunError(f"'{path}' is no SQLite database; move it away")
    return RunError(f"cannot use '{path}': {error}")
