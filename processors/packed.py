"""Files in a wrapping: compressed, text in UTF-16. What is in them is put into a temporary folder, with limits."""

from __future__ import annotations

import codecs
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transmissions import RunError

from .codecs_of_bytes import codec_of, decompressed, has_zstd
from .zip_archive import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .blobs import Blob
    from .zip_archive import Limits

_USTAR: Final = slice(257, 262)
_TO_TELL: Final = (b"[", b"{", b"<")
_SIXTEEN: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_FOREIGN: Final = {b"7z\xbc\xaf'\x1c": "a 7-Zip archive", b"Rar!\x1a\x07": "a RAR archive", b"\x28\xb5\x2f\xfd": "zstd data"}


class Unpacked:
    """A temporary folder for files that were unpacked. It is made with the first one, and lives as long as this does."""

    def __init__(self) -> None:
        """Begin without a folder."""
        self._folder: Path | None = None

    def put(self, name: str, blocks: Iterable[bytes]) -> Path:
        """Write a file down, and return where it lies; its name ends as `name` does."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="transmissions-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        number, file = tempfile.mkstemp(suffix="-" + name.rsplit("/", 1)[-1][-40:].replace("\0", ""), dir=self._folder)
        with os.fdopen(number, "wb") as stream:
            for block in blocks:
                stream.write(block)
        return Path(file)


def codec_in(start: bytes) -> str:
    """Return what a file that begins so is compressed with, empty if with nothing that is unpacked here."""
    codec = codec_of(start)
    return "" if codec == "zstd" and not has_zstd() else codec


def is_tar(start: bytes) -> bool:
    """Whether a file that begins so is a tar."""
    return start[_USTAR] == b"ustar"


def foreign(start: bytes) -> str:
    """Say what a file is that begins so and is not unpacked here; empty if it is no such file."""
    found = next((what for magic, what in _FOREIGN.items() if start.startswith(magic)), "")
    return f"{found}; unpack it first" if found else ""


def encoding_of(start: bytes) -> str:
    """Return the encoding of a file that begins so and is JSON or a page in UTF-16; empty if it is none."""
    mark = _SIXTEEN.get(start[:2], "")
    for encoding in (mark,) if mark else _SIXTEEN.values():
        text = start[: len(start) // 2 * 2].decode(encoding, "replace").removeprefix("\ufeff")
        # Both of the first two characters are ASCII, so have a zero each; a single one is damage.
        if text.lstrip().encode(errors="replace").startswith(_TO_TELL) and (mark or start[:4].count(0) > 1):
            return encoding
    return ""


def in_utf_8(blob: Blob, encoding: str) -> Iterator[bytes]:
    """Yield the text of a file as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blob.blocks():
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


def up_to_damage(blocks: Iterable[bytes], damage: type[Exception], faults: list[str]) -> Iterator[bytes]:
    """Yield what can be had of something damaged, then put into `faults` what is wrong with it."""
    try:
        yield from blocks
    except damage as error:
        faults.append(str(error))


def unpacked(blob: Blob, codec: str, limits: Limits, faults: list[str]) -> Iterator[bytes]:
    """Yield what was compressed; what stands before a damage if it is damaged, which `faults` tells then.

    Raises:
        RunError: it is too much.

    """
    taken = 0
    with blob.open() as stream:
        for block in up_to_damage(decompressed(stream, codec, f"'{blob.name}'"), RunError, faults):
            taken += len(block)
            if taken > limits.unpacked:
                raise RunError(f"'{blob.name}' unpacks to more than {limits.unpacked} bytes (:maxUnpacked)")
            if taken > SMALL and taken > limits.ratio * len(blob):
                raise RunError(f"'{blob.name}' unpacks to more than {limits.ratio} times its size (:maxRatio)")
            yield block
