"""Files that grow by whole frames: each is compressed by itself, and says how large it is and when its first line was told.

With the suffix `.gz` a frame is a gzip member, with `.zst` a frame of zstd; `zcat` and `zstdcat` read them one after the other.
What a frame says stands in front of it - in an extra field of the member's head, in a skippable frame - so that the index
needs no second file, is as long as the file is whole, and can be walked while the file is written. A frame cut off by a crash
is the last, and is known by its size.
"""

from __future__ import annotations

import struct
import zlib
from abc import ABC, abstractmethod
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from transmissions.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SAID: Final = struct.Struct("<IIdQ")
"""Bytes of the whole frame, bytes when decompressed, time of the first line, number of the first line."""
_GZIP_HEAD: Final = struct.pack("<4BI2BH2sH", 0x1F, 0x8B, 8, 4, 0, 0, 255, 4 + _SAID.size, b"TR", _SAID.size)
_ZSTD_HEAD: Final = struct.pack("<II2s", 0x184D2A5D, 2 + _SAID.size, b"TR")
_LARGEST: Final = 64 << 20
"""Bytes a frame may have when decompressed: ours have a sixteenth of it, and a head that says more is no head."""


class Frame(NamedTuple):
    """Where a frame is, and what is in it."""

    offset: int
    size: int
    content: int
    """Bytes when decompressed."""
    time: float
    """Seconds of its first line."""
    line: int
    """The number of its first line, from 1."""


class Damaged(Exception):
    """A frame is not whole, or not what it was. `offset` is where it begins."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


class Codec(ABC):
    """How the frames of one kind of file are made and read."""

    head: bytes

    def packed(self, data: bytes, time: float, line: int) -> bytes:
        """Return lines as a frame."""
        body = self._compress(data)
        size = len(self.head) + _SAID.size + len(body)
        return self.head + _SAID.pack(size, len(data), time, line) + body

    def unpacked(self, file: IO[bytes], frame: Frame) -> bytes:
        """Return the lines of a frame.

        Raises:
            Damaged: it is not what was written.

        """
        begin = len(self.head) + _SAID.size
        file.seek(frame.offset + begin)
        try:
            data = self._decompress(file.read(frame.size - begin), frame.content)
        except (zlib.error, ValueError) as error:
            raise Damaged(f"a frame is damaged: {error}", frame.offset) from error
        return data

    def frames(self, file: IO[bytes]) -> Iterator[Frame]:
        """Yield all whole frames.

        Raises:
            Damaged: what follows them is none.

        """
        offset, end = 0, file.seek(0, 2)
        length = len(self.head) + _SAID.size
        while offset < end:
            file.seek(offset)
            head = file.read(length)
            if len(head) < length and self.head.startswith(head[: len(self.head)]):
                raise Damaged("the last frame is not whole", offset)
            if not head.startswith(self.head):
                raise Damaged("this is no frame of a recording", offset)
            size, content, time, line = _SAID.unpack(head[len(self.head) :])
            if offset + size > end:
                raise Damaged(f"the last frame is not whole: {end - offset} of {size} bytes", offset)
            if size <= length or content > _LARGEST:
                raise Damaged("a frame is damaged: its head makes no sense", offset)
            yield Frame(offset, size, content, time, line)
            offset += size

    @abstractmethod
    def _compress(self, data: bytes) -> bytes: ...

    @abstractmethod
    def _decompress(self, body: bytes, size: int) -> bytes: ...


class Gzip(Codec):
    """Members of gzip. The lowest level: lines of programs hardly get smaller by more work."""

    head = _GZIP_HEAD

    def _compress(self, data: bytes) -> bytes:
        packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        return packer.compress(data) + packer.flush() + struct.pack("<II", zlib.crc32(data), len(data))

    def _decompress(self, body: bytes, size: int) -> bytes:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        data = unpacker.decompress(body[:-8], size + 1)
        if struct.unpack("<II", body[-8:]) != (zlib.crc32(data), size):
            raise ValueError("its checksum is another")
        return data


class Zstd(Codec):
    """Frames of zstd, with checksums."""

    head = _ZSTD_HEAD

    def __init__(self) -> None:
        try:
            from backports import zstd
        except ModuleNotFoundError as error:
            raise UsageError("zstd needs the library backports.zstd; install transmissions[zstd]") from error
        self._library = zstd
        self._options: dict[int, int] = {
            zstd.CompressionParameter.checksum_flag: 1,
            zstd.CompressionParameter.compression_level: 1,
        }

    def _compress(self, data: bytes) -> bytes:
        return self._library.compress(data, options=self._options)

    def _decompress(self, body: bytes, size: int) -> bytes:
        unpacker = self._library.ZstdDecompressor()
        try:
            data = unpacker.decompress(body, size + 1)
        except self._library.ZstdError as error:
            raise ValueError(str(error)) from error
        if len(data) != size or not unpacker.eof:
            raise ValueError("its size is another")
        return data


def codec_of(path: Path) -> Codec | None:
    """Return how a file's name says that it is compressed."""
    return {".gz": Gzip, ".zst": Zstd}.get(path.suffix, lambda: None)()
