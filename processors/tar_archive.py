"""The files of a tar, put into a temporary folder one by one, with limits."""

from __future__ import annotations

import tarfile
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self

from transmissions import RunError

from .packed import up_to_damage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .packed import Unpacked
    from .zip_archive import Limits

_LONGEST: Final = 1 << 20
"""Bytes of a file's name and attributes, which are read whole."""
_BLOCK: Final = 512
_STEP: Final = 1 << 13


class DamagedTarError(RunError):
    """A tar is no tar from some place on."""


class _Member(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return what a header says."""
        found = super().frombuf(buf, encoding, errors)
        if found.size > _LONGEST and found.type not in tarfile.REGULAR_TYPES and found.type in tarfile.SUPPORTED_TYPES:
            raise ValueError(f"the name or attributes of a file take {found.size} bytes")
        return found


def in_tar(path: Path, name: str, folder: Unpacked, limits: Limits) -> Iterator[tuple[str, Path | None]]:
    """Yield the name of every file in a tar, and where it lies now; links have no place.

    Raises:
        DamagedTarError: it is damaged; `name` is the tar's own.
        RunError: it holds too many files.

    """
    try:
        with tarfile.open(path, "r:", tarinfo=_Member) as tar:
            for member in filter(_is_file, islice(_members(tar), limits.members)):
                yield from _put(tar, member, folder)
            if tar.next():
                raise RunError(f"'{name}' holds more than {limits.members} files; unpack it first")
    except (tarfile.TarError, EOFError, OSError, ValueError, RecursionError) as error:
        raise DamagedTarError(f"'{name}' cannot be read as a tar: {error}") from error


def _members(tar: Any) -> Iterator[tarfile.TarInfo]:
    """Yield what is in a tar; the library takes damage behind the first file for the end."""
    while member := tar.next():
        tar.members.clear()  # It would keep them all.
        yield member
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(_BLOCK).strip(b"\0"):
        raise tarfile.ReadError(f"what is at byte {tar.offset} is no file of it")


def _is_file(member: tarfile.TarInfo) -> bool:
    return not member.isdir()


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Unpacked) -> Iterator[tuple[str, Path | None]]:
    faults: list[str] = []
    yield member.name, _extracted(tar, member, folder, faults)
    if faults:
        raise tarfile.ReadError(faults[0])


def _extracted(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Unpacked, faults: list[str]) -> Path | None:
    content = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if content is None:
        return None
    # A long read that comes to the end of a cut tar gives nothing, not what there is.
    return folder.put(member.name, up_to_damage(iter(partial(content.read, _STEP), b""), tarfile.TarError, faults))
