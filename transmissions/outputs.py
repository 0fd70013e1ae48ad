"""Where a run writes, and which folders it may fill without being asked.

A folder that holds files is only written into if a run of ours made it (its `.transmissions` says so) or `--force` was given.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Final

from .errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARKER: Final = ".transmissions"


def is_free(folder: Path) -> bool:
    """Whether a run may write here unasked: the folder is missing, empty, or made by an earlier run."""
    if not folder.is_dir():
        return not folder.exists()
    with os.scandir(folder) as entries:
        return next(entries, None) is None or (folder / MARKER).is_file()


def refuse_impossible(folder: Path) -> None:
    """Refuse a folder that nothing could be written into.

    Raises:
        UsageError: a file is in its place, or on the way to it.
        OutputError: it may not be made, or not be written into.

    """
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir():
        raise UsageError(f"'{there}' is a file; -o takes a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write into '{there}': permission denied")


def claim(folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds somebody else's files.

    Raises:
        UsageError: it does, and `force` was not given.

    """
    if not force and not is_free(folder):
        raise UsageError(f"'{folder}' holds files that no run of ours made; choose another folder with -o, or add --force")


@contextlib.contextmanager
def marked(folder: Path, app: str, version: str) -> Iterator[None]:
    """Leave our marker in `folder` while a run writes into it, and after it unless nothing was written.

    The marker comes first: a run that is killed can then be repeated without `--force`. A folder that cannot be made is no
    matter here; whoever writes into it will say so.
    """
    is_new = not folder.exists()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(json.dumps({"app": app, "version": version}) + "\n", encoding="utf-8")
    try:
        yield
    finally:
        _remove_unused(folder, is_new)


def _remove_unused(folder: Path, is_new: bool) -> None:
    with contextlib.suppress(OSError):
        if [entry.name for entry in folder.iterdir()] == [MARKER]:
            (folder / MARKER).unlink()
            if is_new:
                folder.rmdir()
