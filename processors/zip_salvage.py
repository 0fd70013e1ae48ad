"""What can be had of a ZIP whose directory is lost: it stands at the end, and a download that was broken off has none."""

from __future__ import annotations

import struct
import zipfile
import zlib
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from .zip_archive import MAGIC, SMALL, check_whole, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .zip_archive import Limits

_HEAD: Final = struct.Struct("<4s2xHHHHIIIHH")
_FIELD: Final = struct.Struct("<HH")
_SIZES: Final = struct.Struct("<QQ")
_ZIP64: Final = 1
_BLOCK: Final = 1 << 14
_DESCRIPTOR: Final = b"PK\x07\x08"
_STREAMED: Final = 8
_UTF_8: Final = 0x800
_IN_64_BITS: Final = 0xFFFFFFFF
_FOLLOWS: Final = (MAGIC, b"PK\x01\x02")
"""What comes behind a member: another, or the directory."""


def salvaged(path: Path, limits: Limits) -> list[zipfile.ZipInfo]:
    """Return the files in a ZIP without a directory, as what stands before each tells; the last may end too soon.

    Raises:
        RunError: together they unpack to too much.

    """
    found: list[zipfile.ZipInfo] = []
    total = 0
    try:
        with path.open("rb") as file:
            for info in islice(_members(file, limits), limits.members):
                found.append(info)
                total += 0 if fault_of(path, info, limits) else info.file_size
                check_whole(path, total, limits)
    except (OSError, ValueError, struct.error):
        return []
    return sorted((info for info in found if not info.is_dir()), key=lambda info: info.filename)


def _members(file: BinaryIO, limits: Limits) -> Iterator[zipfile.ZipInfo]:
    end = file.seek(0, 2)
    place = 0
    while place + _HEAD.size <= end:
        file.seek(place)
        signature, flags, method, _, _, crc, packed, size, name, extra = _HEAD.unpack(file.read(_HEAD.size))
        if signature != MAGIC or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or flags & 1:
            return
        info = zipfile.ZipInfo(file.read(name).decode("utf-8" if flags & _UTF_8 else "cp437", "replace") or "file")
        info.header_offset, info.compress_type, info.flag_bits = place, method, flags
        start = place + _HEAD.size + name + extra
        if _IN_64_BITS in (packed, size):
            size, packed = _in_64_bits(file.read(extra)) or (0, end)
        is_told = not flags & _STREAMED and start + packed <= end
        told = (packed, size, crc) if is_told else _described(file, start) if method == zipfile.ZIP_STORED else None
        told = told or _measure(file, start, method, limits)
        if told is None:
            return
        info.compress_size, info.file_size, info.CRC = told
        yield info
        place = _behind(file, start + info.compress_size)


def _in_64_bits(extra: bytes) -> tuple[int, int] | None:
    """Return the sizes of a member, unpacked and packed, as the fields behind its name tell them."""
    while len(extra) >= _FIELD.size:
        kind, length = _FIELD.unpack_from(extra)
        if kind == _ZIP64 and length >= _SIZES.size:
            unpacked, packed = _SIZES.unpack_from(extra, _FIELD.size)
            return unpacked, packed
        extra = extra[_FIELD.size + length :]
    return None


def _described(file: BinaryIO, start: int) -> tuple[int, int, int] | None:
    """Return what `_measure` does of a member that is not packed, as what follows it tells; None if nothing does."""
    file.seek(start)
    place, window = start, b""
    while block := file.read(_BLOCK):
        window += block
        at = window.find(_DESCRIPTOR)
        while at >= 0:
            size = place + at - start
            if any(window.startswith(size.to_bytes(width, "little") * 2, at + 8) for width in (8, 4) if size >> 8 * width == 0):
                return size, size, int.from_bytes(window[at + 4 : at + 8], "little")
            at = window.find(_DESCRIPTOR, at + 1)
        cut = max(0, len(window) - 24)
        place, window = place + cut, window[cut:]
    return None


def _measure(file: BinaryIO, start: int, method: int, limits: Limits) -> tuple[int, int, int] | None:
    """Return how many bytes of a member there are, packed and unpacked, and their checksum; None where that cannot be told."""
    file.seek(start)
    decoder = zlib.decompressobj(-15)
    taken = size = crc = 0
    while not decoder.eof and (data := file.read(_BLOCK)):
        taken += len(data)
        try:
            part = decoder.decompress(data) if method == zipfile.ZIP_DEFLATED else data
        except zlib.error:
            return None
        size, crc = size + len(part), zlib.crc32(part, crc)
        if size > limits.unpacked or (size > SMALL and size > limits.ratio * taken):
            return None
    return taken - len(decoder.unused_data), size, crc


def _behind(file: BinaryIO, place: int) -> int:
    """Return where the next member begins: a streamed one is followed by its sizes, in 32 or in 64 bits."""
    file.seek(place)
    following = file.read(28)
    if not following.startswith(_DESCRIPTOR):
        return place
    return place + next((length for length in (16, 24) if following[length : length + 4] in _FOLLOWS), 16)
