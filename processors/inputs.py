"""Find the files of an archive: one file, the files of a folder, the members of a ZIP."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from transmissions import RunError

from .shapes import HEAD, Shape, shape_of
from .zip_archive import MAGIC, Limits, members, open_member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MANY: Final = 100_000


class Part(NamedTuple):
    """One JSON file of an archive."""

    name: str
    """Its name below the archive, with `/`: `conversations.json`, `export.zip/conversations.json`."""
    size: int
    open: Callable[[], BinaryIO]
    shape: Shape | None


def find_parts(path: Path, limits: Limits) -> list[Part]:
    """Return the JSON files of an archive in a fixed order.

    Raises:
        RunError: it cannot be read.

    """
    if not path.exists():
        raise RunError(f"no archive at '{path}'")
    if not path.is_dir():
        return list(_parts_of(path, path.name, limits))
    return [part for file in _files_below(path) for part in _parts_of(file, file.relative_to(path).as_posix(), limits)]


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder. Links are not followed: an archive holds its own files."""
    count = 0
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = folder.__class__(base, name)
            if name.startswith(".") or file.is_symlink() or not file.is_file():
                continue
            count += 1
            if count > _MANY:
                raise RunError(f"'{folder}' holds more than {_MANY} files; name the archive in it")
            yield file


def _parts_of(file: Path, name: str, limits: Limits) -> Iterator[Part]:
    opener: Callable[[], Any] = partial(_open, file)
    head = _head_of(opener)
    if head.startswith(MAGIC):
        for info in members(file, limits):
            opener = partial(open_member, file, info, limits)
            yield from _json_part(f"{name}/{info.filename}", info.file_size, opener, _head_of(opener))
    else:
        yield from _json_part(name, file.stat().st_size, opener, head)


def _json_part(name: str, size: int, opener: Callable[[], BinaryIO], head: bytes) -> Iterator[Part]:
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        yield Part(name, size, opener, shape_of(head))


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise RunError(f"'{file}' cannot be read: {error.strerror}") from error


def _head_of(opener: Callable[[], BinaryIO]) -> bytes:
    with opener() as stream:
        return stream.read(HEAD)
