"""Where a run writes, and which folders it may fill without being asked.

A folder that holds files is only written into if a run of ours made it (its `.transmissions` says so) or `--force` was given.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import time
from typing import TYPE_CHECKING, Any, Final

from .errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOG = logging.getLogger(__name__)
MARKER: Final = ".transmissions"
_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
PATIENCE = 10.0
"""Seconds to wait for another run: its last process may still be on its way out."""
_INTERVAL: Final = 0.05


def is_free(folder: Path) -> bool:
    """Whether a run may write here unasked: the folder is missing, empty, or made by an earlier run."""
    if not folder.is_dir():
        return not folder.exists()
    with os.scandir(folder) as entries:
        return next(entries, None) is None or _is_marker(folder / MARKER)


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
        raise OutputError(f"cannot write into '{there}': {_why_not(there)}")


def _why_not(folder: Path) -> str:
    is_fixed = os.statvfs(folder).f_flag & os.ST_RDONLY
    return os.strerror(errno.EROFS if is_fixed else errno.EACCES).lower()


def _is_marker(path: Path) -> bool:
    """Whether a marker is a file of its own: a link in somebody's folder would have us write over what it leads to."""
    return path.is_file() and not path.is_symlink()


def claim(folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds somebody else's files.

    Raises:
        UsageError: it does, and `force` was not given.

    """
    if not force and not is_free(folder):
        raise UsageError(f"'{folder}' holds files that no run of ours made; choose another folder with -o, or add --force")


@contextlib.contextmanager
def marked(folder: Path, app: str, version: str, run: dict[str, Any] | None = None) -> Iterator[int | None]:
    """Leave our marker in `folder` while a run writes into it, and after it unless nothing was written.

    The marker comes first: a run that is killed can then be repeated without `--force`. It is locked as long as a process
    holds its descriptor, which is what one gets here (None where there are no locks). A folder that cannot be made is no
    matter here; whoever writes into it will say so. `run` is what `retry` has to know of this one.

    Raises:
        UsageError: another run has held the lock for longer than the processes of one that was killed would.

    """
    is_new = not folder.exists()
    lock = _locked(folder)
    if lock is not None:
        with contextlib.suppress(OSError):
            os.ftruncate(lock, 0)
            os.write(lock, (json.dumps({"app": app, "version": version, "run": run}) + "\n").encode())
    try:
        yield lock
    finally:
        _remove_unused(folder, is_new)
        if lock is not None:
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """Open the marker and lock it; None if the folder cannot be written into."""
    until = time.monotonic() + PATIENCE
    is_told = False
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            marker = os.open(folder / MARKER, _FLAGS, 0o644)
        except OSError:
            return None
        is_held = not _lock(marker)
        if not is_held and _is_there(marker, folder):
            return marker
        os.close(marker)
        if is_held and not is_told:
            is_told = True
            _LOG.warning("another run is writing to '%s'; waiting up to %g s for its end", folder, PATIENCE)
        if time.monotonic() > until:
            raise UsageError(f"another run is writing to '{folder}'")
        time.sleep(_INTERVAL)


def _lock(file: int) -> bool:
    """Lock a file; say no if another process has. Where files cannot be locked, nobody has."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_there(file: int, folder: Path) -> bool:
    """Whether the marker is still the one that was opened: the run before may have taken it away."""
    try:
        return os.path.samestat(os.fstat(file), (folder / MARKER).stat())
    except OSError:
        return False


def _remove_unused(folder: Path, is_new: bool) -> None:
    with contextlib.suppress(OSError):
        if [entry.name for entry in folder.iterdir()] == [MARKER]:
            (folder / MARKER).unlink()
            if is_new:
                folder.rmdir()
