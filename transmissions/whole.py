"""Files that appear under their name only once they are complete."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from .errors import cannot_write

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, data: bytes, *, fsync: bool = False) -> None:
    """Write a file so that nobody ever sees a part of it; the folders on the way are made.

    With `fsync` it is on the disk when this returns.

    Raises:
        OutputError: it could not be written; nothing is left behind.

    """
    temporary = beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            if fsync:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def beside(path: Path) -> Path:
    """Return a fresh temporary name in the folder of `path`, so that renaming it is one step."""
    # Names are limited in bytes, not in characters.
    name = os.fsencode(path.name)[:100].decode("utf-8", "ignore")
    return path.with_name(f".{name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
