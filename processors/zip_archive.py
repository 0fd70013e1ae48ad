"""ZIP archives, opened with limits: an export is large, a bomb is larger."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from lzma import LZMAError
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from transmissions import RunError

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import WriteableBuffer

MAGIC: Final = b"PK\x03\x04"
_LOCAL: Final = struct.Struct("<4s22xHH")
"""What stands before a member: a signature, what the directory says better, the lengths of its name and of more."""


class Limits(NamedTuple):
    """What a ZIP may hold before it is refused."""

    members: int = 100_000
    ratio: int = 200
    """Unpacked to packed bytes of a member; small members may exceed it, as long repetitions do."""
    unpacked: int = 64 << 30
    """Bytes of one member."""
    first: int = 4 << 30
    """Bytes of all members together that need not heed the ratio: members may overlap."""


class NoDirectoryError(RunError):
    """The directory of a ZIP, which stands at its end, cannot be found or read."""


SMALL: Final = 16 << 20
"""Bytes that anything packed may become, however few it was."""


class _Counted(io.RawIOBase):
    """A member that stops where its directory says it ends, whatever it would unpack to."""

    def __init__(self, member: zipfile.ZipExtFile, name: str, room: int) -> None:
        super().__init__()
        self._member = member
        self._name = name
        self._room = room

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._member.read(len(view))
        except (zipfile.BadZipFile, EOFError, OSError, zlib.error, LZMAError) as error:
            raise RunError(f"{self._name} is damaged: {error}") from error
        self._room -= len(data)
        if self._room < 0:
            raise RunError(f"{self._name} unpacks to more than the ZIP says it does")
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._member.close()
        super().close()


def members(path: Path, limits: Limits) -> list[zipfile.ZipInfo]:
    """Return the files in a ZIP in the order of their names.

    Raises:
        NoDirectoryError: it has no directory.
        RunError: it cannot be read, or holds too much.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        fault = "its directory, at the end, is missing or damaged; was its download broken off?"
        raise NoDirectoryError(f"'{path.name}' cannot be read as a ZIP: {fault}") from error
    except (OSError, ValueError, NotImplementedError, struct.error) as error:
        raise RunError(f"'{path.name}' cannot be read as a ZIP: {error}") from error
    if len(entries) > limits.members:
        raise RunError(f"'{path.name}' holds {len(entries)} files, more than {limits.members}; unpack it first")
    check_whole(path, sum(info.file_size for info in entries if not fault_of(path, info, limits)), limits)
    return sorted((info for info in entries if not info.is_dir()), key=lambda info: info.filename)


def check_whole(path: Path, total: int, limits: Limits) -> None:
    """Refuse a ZIP whose members unpack to so many bytes together that it is a bomb.

    Raises:
        RunError: it is one.

    """
    if total > limits.first and total > limits.ratio * path.stat().st_size:
        raise RunError(f"'{path.name}' unpacks to {total} bytes, more than {limits.ratio} times its size (:maxRatio)")


def fault_of(path: Path, info: zipfile.ZipInfo, limits: Limits) -> str:
    """Return why a member is not opened: it is encrypted, or a bomb; empty if it may be."""
    about = f"'{info.filename}' in '{path.name}'"
    if info.flag_bits & 1:
        return f"{about} is encrypted; unpack it first"
    if info.file_size > limits.unpacked:
        return f"{about} unpacks to {info.file_size} bytes, more than {limits.unpacked} (:maxUnpacked)"
    ratio = info.file_size // max(info.compress_size, 1)
    if info.file_size > SMALL and ratio >= limits.ratio:
        return f"{about} unpacks to {ratio} times its size, more than {limits.ratio} (:maxRatio)"
    return ""


def open_member(path: Path, info: zipfile.ZipInfo) -> io.BufferedReader:
    """Open one member, found in its archive before: the directory is not read again, or 10,000 images would cost 10,000 times.

    Raises:
        RunError: it is damaged, or packed in a way nobody here can unpack.

    """
    about = f"'{info.filename}' in '{path.name}'"
    try:
        member = _member_in(path.open("rb"), info)
    except (zipfile.BadZipFile, OSError, struct.error, NotImplementedError, RuntimeError, ValueError) as error:
        raise RunError(f"{about} cannot be read: {error}") from error
    return io.BufferedReader(_Counted(member, about, info.file_size), 1 << 16)


def _member_in(file: BinaryIO, info: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    with contextlib.ExitStack() as stack:
        stack.enter_context(file)
        file.seek(info.header_offset)
        signature, name, extra = _LOCAL.unpack(file.read(_LOCAL.size))
        if signature != MAGIC:
            raise zipfile.BadZipFile("nothing begins where it should")
        file.seek(name + extra, io.SEEK_CUR)
        member = zipfile.ZipExtFile(file, "r", info, close_fileobj=True)
        stack.pop_all()
        return member
