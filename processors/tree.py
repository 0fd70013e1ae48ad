"""A tree of files below the output folder: each written whole or not at all, none outside."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from transmissions import RunError, cannot_write

from .spool import pieces

if TYPE_CHECKING:
    from transmissions import Context

    from .spool import Content

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MODE: Final = 0o666
"""What the user's umask makes of it."""


class Tree:
    """The files below `folder` of a run's output folder, by their paths: relative, with `/`."""

    def __init__(self, context: Context, folder: str) -> None:
        self._context = context
        self._folder = folder
        self._places: dict[str, str] = {}

    def locate(self, path: str) -> str:
        """Return where a file is, on this machine.

        Raises:
            RunError: the path leads out of the tree, or is no name of a file.

        """
        return "/".join(self._parts(path))

    def write(self, path: str, content: Content) -> int:
        """Write a file and return how many bytes it has.

        Raises:
            OutputError: it cannot be written; what was there before still is.

        """
        folder, name = self._parts(path)
        try:
            return _write_whole(folder, name, content)
        except OSError as error:
            raise cannot_write(f"{folder}/{name}", error) from error

    def _parts(self, path: str) -> tuple[str, str]:
        """Return the folder of a file, on this machine, and its name there."""
        folder, _, name = path.rpartition("/")
        place = self._places.get(folder) or self._place(folder)
        if name in ("", ".", "..") or "\0" in name or "\\" in name:
            raise RunError(f"'{path}' is no name of a file")
        return place, name

    def _place(self, folder: str) -> str:
        """Return where a folder is, once it is sure to be below the output folder."""
        if folder and any(part in ("", ".", "..") or "\\" in part for part in folder.split("/")):
            raise RunError(f"'{folder}' is no relative path; nothing is written there")
        self._places[folder] = str(self._context.output_path(os.path.join(self._folder, folder)))  # noqa: PTH118
        return self._places[folder]


def _write_whole(folder: str, name: str, content: Content) -> int:
    """Write a file under a temporary name beside it, then rename it; the folder is made where there is none."""
    # Always the same temporary name, so that a run after a killed one leaves nothing behind.
    temporary = f"{folder}/.{name}.part"
    try:
        handle = os.open(temporary, _FLAGS, _MODE)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - a Path for each file costs as much as writing it
        handle = os.open(temporary, _FLAGS, _MODE)
    size = -1
    try:
        if isinstance(content, bytes):
            size = _write_all(handle, content)
        else:
            size = sum([_write_all(handle, piece) for piece in pieces(content)])
    finally:
        os.close(handle)
        if size < 0:
            os.unlink(temporary)  # noqa: PTH108
    os.replace(temporary, f"{folder}/{name}")  # noqa: PTH105
    return size


def _write_all(handle: int, data: bytes) -> int:
    """Write all of `data`; the system may take it in several goes."""
    done = os.write(handle, data)
    while done < len(data):
        done += os.write(handle, memoryview(data)[done:])
    return done
