"""The files of an archive as they lie there: on disk, or packed in a ZIP."""

from __future__ import annotations

import json
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions import RunError

from .zip_archive import open_member

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence
    from io import BufferedReader
    from pathlib import Path
    from zipfile import ZipInfo

_BLOCK: Final = 1 << 20
_SIDECAR: Final = 16 << 20
_SHORTEST: Final = 6
"""Characters of an id that a name may begin with: shorter ones would begin many."""


class Blob:
    """A file of an archive: where it lies, not its bytes. It travels to another process as what it is; `len` is in bytes."""

    __slots__ = ("_info", "_size", "name", "path")

    def __init__(self, path: Path, name: str, size: int, info: ZipInfo | None = None) -> None:
        self.path = path
        self._size = size
        self._info = info
        self.name = name
        """Its name below the archive, with `/`: `conversations.json`, `export.zip/conversations.json`."""

    def __len__(self) -> int:
        return self._size

    def __bool__(self) -> bool:
        return True  # An empty file is a file.

    @property
    def is_packed(self) -> bool:
        """Whether it is a member of a ZIP: no file of its own."""
        return self._info is not None

    def __repr__(self) -> str:
        return f"Blob({self.name!r}, {self._size} bytes)"

    def open(self) -> BufferedReader:
        """Open the file.

        Raises:
            RunError: it cannot be read.

        """
        if self._info is not None:
            return open_member(self.path, self._info)
        try:
            return self.path.open("rb")
        except OSError as error:
            raise RunError(f"'{self.path}' cannot be read: {error.strerror}") from error

    def read(self, most: int = -1) -> bytes:
        """Return the first `most` bytes of it, or all."""
        try:
            with self.open() as stream:
                return stream.read(most)
        except OSError as error:
            raise RunError(f"'{self.path}' cannot be read: {error.strerror}") from error

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes, a block at a time."""
        with self.open() as stream:
            while block := stream.read(_BLOCK):
                yield block


class _Names(NamedTuple):
    """The files of an archive by every kind of name."""

    by_path: dict[str, Blob]
    by_base: dict[str, Blob]
    bases: list[str]
    """Base names in order, for those that begin with an id."""


class Members:
    """The files of an archive, for those who look for an image or a sidecar there."""

    def __init__(self, blobs: Iterable[Blob] = (), inner: Container[str] = ()) -> None:
        self.blobs = tuple(blobs)
        self._inner = inner
        """Files that are found by their whole path only."""
        self._names: _Names | None = None
        self._folded: _Names | None = None
        self._others: Sequence[Members] = ()
        self.used: dict[str, int] = {}
        """How often each file was found, by name."""

    def __repr__(self) -> str:
        return f"Members({len(self.blobs)} files)"

    def names(self) -> list[str]:
        """Return the names of all files, in the order of the archive, and behind them those of archives joined with it."""
        return [blob.name for members in (self, *self._others) for blob in members.blobs]

    def find(self, name_or_id: str) -> Blob | None:
        """Return the file of this path, else of this base name, else whose base name begins with this id.

        Small and capital letters are told apart first, and taken for the same if nothing was found. Archives joined with this
        one are looked through behind it.
        """
        if name_or_id.__class__ is not str or not name_or_id:
            return None
        found = next(filter(None, (members.find_own(name_or_id) for members in (self, *self._others))), None)
        if found:
            self.used[found.name] = self.used.get(found.name, 0) + 1
        return found

    def find_own(self, name_or_id: str) -> Blob | None:
        """Return the file of this archive itself that is called so."""
        if self._names is None:
            self._names = self._index(str)
            self._folded = self._index(str.casefold)
        assert self._folded is not None
        return _look_up(self._names, name_or_id) or _look_up(self._folded, name_or_id.casefold())

    def join(self, others: Sequence[Members], used: dict[str, int]) -> None:
        """Look in other archives too, and count in `used`, which they share."""
        self._others, self.used = others, used

    def json(self, name: str) -> Any | None:
        """Return what a small JSON file of this name says; None if there is none, or it is none."""
        blob = self.find(name)
        if blob is None or len(blob) > _SIDECAR:
            return None
        try:
            return json.loads(blob.read().decode("utf-8-sig", "replace"), strict=False)
        except (ValueError, RecursionError, RunError):
            return None

    def _index(self, fold: Callable[[str], str]) -> _Names:
        by_path: dict[str, Blob] = {}
        by_base: dict[str, Blob] = {}
        for blob in self.blobs:
            name = fold(blob.name)
            by_path.setdefault(name, blob)
            if blob.name not in self._inner:
                by_base.setdefault(name.rsplit("/", 1)[-1], blob)
        return _Names(by_path, by_base, sorted(by_base))


def joined(archives: list[Members]) -> list[Members]:
    """Return the files of archives that belong together: each finds its own first, and then those of the others."""
    used: dict[str, int] = {}
    for members in archives:
        members.join([other for other in archives if other is not members], used)
    return archives


def _look_up(names: _Names, wanted: str) -> Blob | None:
    found = names.by_path.get(wanted) or names.by_base.get(wanted)
    if found or len(wanted) < _SHORTEST:
        return found
    at = bisect_left(names.bases, wanted)
    begins = at < len(names.bases) and names.bases[at].startswith(wanted)
    return names.by_base[names.bases[at]] if begins else None
