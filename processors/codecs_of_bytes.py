"""Streams of bytes through gzip, bz2, xz and zstd, a block at a time."""

from __future__ import annotations

from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, Final

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUFFIXES: Final = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst"}
_MAGIC: Final = {"gzip": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ\x00", "zstd": b"\x28\xb5\x2f\xfd"}
_BLOCK: Final = 1 << 16
_MEMORY: Final = 1 << 28
"""Bytes xz may take: what it wants stands in the data. zstd's own limit is half of it."""


def has_zstd() -> bool:
    """Tell whether the library of zstd is installed."""
    try:
        return find_spec("backports.zstd") is not None
    except ModuleNotFoundError:  # nothing else of `backports` is installed either
        return False


def named_by(file: IO[bytes], name: str) -> str:
    """Return the codec that the first bytes of a file tell, and step back to them.

    Raises:
        RunError: they tell none.

    """
    if not file.seekable():
        raise RunError(f"{name}: what cannot be read twice must be told by :codec")
    found = codec_of(file.read(6))
    file.seek(0)
    if not found:
        raise RunError(f"{name}: begins like none of {', '.join(_MAGIC)}")
    return found


def codec_of(start: bytes) -> str:
    """Return the codec that data which begins so was compressed with; empty if with none of these."""
    return next((codec for codec, magic in _MAGIC.items() if start.startswith(magic)), "")


def compressed(file: IO[bytes], codec: str, level: int) -> Iterator[bytes]:
    """Yield the bytes of a file, compressed."""
    encoder = _encoder(codec, level)
    while block := file.read(_BLOCK):
        yield encoder.compress(block)
    yield encoder.flush()


def _encoder(codec: str, level: int) -> Any:
    if codec == "gzip":
        import zlib

        return zlib.compressobj(level, wbits=31)
    if codec == "bz2":
        import bz2

        return bz2.BZ2Compressor(9 if level < 0 else level)
    if codec == "xz":
        import lzma

        return lzma.LZMACompressor(preset=None if level < 0 else level)
    from backports import zstd

    return zstd.ZstdCompressor(None if level < 0 else level)


def decompressed(file: IO[bytes], codec: str, name: str) -> Iterator[bytes]:
    """Yield what was compressed, part after part.

    Raises:
        RunError: it is damaged, cut off, or wants too much memory.

    """
    make, damage = _decoder(codec)
    faults: tuple[type[Exception], ...] = (*damage, EOFError)
    try:
        yield from _parts(file, make)
    except faults as error:
        raise RunError(f"{name}: not whole {codec} data: {str(error).lower()}") from error


def _parts(file: IO[bytes], make: Callable[[], Any]) -> Iterator[bytes]:
    decoder, data = make(), file.read(_BLOCK)
    while True:
        yield decoder.decompress(data, _BLOCK)
        data = b""
        if decoder.eof:
            data = decoder.unused_data or file.read(_BLOCK)
            if not data.strip(b"\0"):  # Padding may follow the last part.
                return
            decoder = make()
        elif decoder.needs_input:
            data = _more(file)


def _more(file: IO[bytes]) -> bytes:
    data = file.read(_BLOCK)
    if not data:
        raise EOFError("it is cut off")
    return data


def _decoder(codec: str) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
    if codec == "gzip":
        import zlib

        return _Inflate, (zlib.error,)
    if codec == "bz2":
        import bz2

        return bz2.BZ2Decompressor, (OSError, ValueError)
    if codec == "xz":
        import lzma

        return (lambda: lzma.LZMADecompressor(memlimit=_MEMORY)), (lzma.LZMAError,)
    from backports import zstd

    return zstd.ZstdDecompressor, (zstd.ZstdError,)


class _Inflate:
    """A decoder of gzip that is used like those of the other codecs."""

    def __init__(self) -> None:
        import zlib

        self._inflate = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes, longest: int) -> bytes:
        """Return at most `longest` bytes."""
        return self._inflate.decompress(self._inflate.unconsumed_tail + data, longest)

    @property
    def eof(self) -> bool:
        """Whether the part has ended."""
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        """What comes behind the part."""
        return self._inflate.unused_data

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more data."""
        return not self._inflate.unconsumed_tail
