"""ZIP archives, opened with limits: an export is large, a bomb is larger."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final, NamedTuple

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

MAGIC: Final = b"PK\x03\x04"


class Limits(NamedTuple):
    """What a ZIP may hold before it is refused."""

    members: int = 100_000
    ratio: int = 200
    """Unpacked to packed bytes of a member; small members may exceed it, as long repetitions do."""
    unpacked: int = 64 << 30
    """Bytes of one member."""


_SMALL: Final = 16 << 20


class _Counted(io.RawIOBase):
    """A member that stops where its limit is, whatever its header promised."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> None:
        super().__init__()
        self._archive = archive
        self._member = archive.open(info)
        self._info = info
        self._room = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._member.read(len(view))
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise RunError(f"'{self._info.filename}' in '{self._archive.filename}' is damaged: {error}") from error
        self._room -= len(data)
        if self._room < 0:
            raise RunError(f"'{self._info.filename}' in '{self._archive.filename}' unpacks to more than its limit; refused")
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._member.close()
        self._archive.close()
        super().close()


def members(path: Path, limits: Limits) -> Iterator[zipfile.ZipInfo]:
    """Yield the files in a ZIP, in its order.

    Raises:
        RunError: it is no readable ZIP, or exceeds a limit.

    """
    with _opened(path) as archive:
        entries = archive.infolist()
    if len(entries) > limits.members:
        raise RunError(f"'{path.name}' holds {len(entries)} files, more than {limits.members}; refused")
    for info in entries:
        if not info.is_dir():
            _refuse_bomb(path, info, limits)
            yield info


def open_member(path: Path, info: zipfile.ZipInfo, limits: Limits) -> io.BufferedReader:
    """Open one member for reading; it never gives more than its header says, nor more than the limit."""
    if info.flag_bits & 1:
        raise RunError(f"'{info.filename}' in '{path.name}' is encrypted; unpack it first")
    return io.BufferedReader(_Counted(_opened(path), info, min(info.file_size, limits.unpacked)), 1 << 16)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise RunError(f"'{path}' cannot be read as a ZIP: {error}") from error


def _refuse_bomb(path: Path, info: zipfile.ZipInfo, limits: Limits) -> None:
    if info.file_size > limits.unpacked:
        raise RunError(
            f"'{info.filename}' in '{path.name}' unpacks to {info.file_size} bytes, more than {limits.unpacked}; refused"
        )
    if info.file_size > _SMALL and info.file_size > limits.ratio * max(info.compress_size, 1):
        ratio = info.file_size // max(info.compress_size, 1)
        raise RunError(
            f"'{info.filename}' in '{path.name}' unpacks to {ratio} times its size, more than {limits.ratio}; refused"
        )
