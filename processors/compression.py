"""Compressed data: Compress and Decompress."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

from transmissions import MISSING, Dynamic, Processor, RunError, UsageError, get_field, missing_extra, set_field

from .access import need
from .codecs_of_bytes import SUFFIXES, compressed, decompressed, has_zstd, named_by
from .file_ends import as_bytes, write_blocks
from .files import find_file
from .lines import Bytes  # noqa: TC001 - a setting's type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from transmissions import Message


class _Codec(Processor, ABC):
    """Sends bytes through a codec: a field, or a file of any size block by block."""

    placement = "thread"

    input_field: str = "content"
    "Dotted path of the text or bytes."
    output_field: str = ""
    "Dotted path the result is written to; `inputField` if empty."
    source_file: Annotated[str, Dynamic()] = ""
    "A file to work on instead of a field."
    destination_file: str = ""
    "The file it becomes; if empty, one in the output folder with or without the codec's suffix."

    def process(self, message: Message) -> Message:
        """Work on the field, or on the file."""
        if self._takes_file(message):
            path = find_file(self, message)
            with path.open("rb") as file:
                message["filePath"] = str(self._write(self._through(file, str(path)), self.file_name(path)))
            return message
        name = f"field '{self.input_field}'"
        data = as_bytes(need(message, self.input_field), self.input_field)
        result = b"".join(self._through(io.BytesIO(data), name))
        set_field(message, self.output_field or self.input_field, self.shaped(result, name))
        return message

    def _takes_file(self, message: Message) -> bool:
        if get_field(message, self.input_field, MISSING) is MISSING and (message.get("fullPath") or message.get("filepath")):
            return True
        return bool(self.dynamic(message, "source_file"))

    def _write(self, blocks: Iterable[bytes], name: str) -> Path:
        return write_blocks(self.context.output_path(self.destination_file or name), blocks)

    @abstractmethod
    def _through(self, file: IO[bytes], name: str) -> Iterator[bytes]: ...

    @abstractmethod
    def file_name(self, path: Path) -> str:
        """Return what the file that comes of another is called."""

    def shaped(self, data: bytes, name: str) -> Any:
        """Return what goes into the message."""
        return data


class Compress(_Codec):
    """Compress a field of the message, or a file.

    Reads text (as UTF-8) or bytes at `inputField` and writes bytes to `outputField`. With `sourceFile`, or where a message has
    no such field but names a file as for FileReader, a file of any size is compressed into another one, which appears when it
    is complete, and its path is written to `filePath`. zstd needs the library backports.zstd. The same data gives the same
    bytes.

    ```turtle
    :pack a :Compress ; :codec "xz" ; :sourceFile "log.ndjson" ; :destinationFile "log.ndjson.xz" .
    ```
    """

    codec: Literal["gzip", "bz2", "xz", "zstd"] = "gzip"
    "What compresses."
    level: int = -1
    "How hard it tries: gzip and xz 0 to 9, bz2 1 to 9, zstd 1 to 22; -1 is the codec's own choice."

    def __post_init__(self) -> None:
        """Refuse what cannot be before anything runs."""
        lowest, highest = {"gzip": (0, 9), "bz2": (1, 9), "xz": (0, 9), "zstd": (1, 22)}[self.codec]
        if self.level != -1 and not lowest <= self.level <= highest:
            raise UsageError(f"level {self.level} is none of {self.codec}; it has {lowest} to {highest}")
        _need_zstd(self.codec)

    def _through(self, file: IO[bytes], name: str) -> Iterator[bytes]:
        return compressed(file, self.codec, self.level)

    def file_name(self, path: Path) -> str:
        """Return the name with the codec's suffix."""
        return path.name + SUFFIXES[self.codec]


class Decompress(_Codec):
    """Decompress a field of the message, or a file.

    Reads bytes at `inputField` and writes bytes to `outputField`, or text with `encoding`. With `sourceFile` (or that field of
    the message) a file of any size is decompressed into another one, which appears when it is complete, and its path is
    written to `filePath`. Parts that were compressed one by one and joined are decompressed as one. More than `maxBytes` is an
    error: a few bytes may hold gigabytes. zstd needs the library backports.zstd.

    ```turtle
    :unpack a :Decompress ; :inputField "body" ; :encoding "utf-8" ; :maxBytes 1048576 .
    ```
    """

    codec: Literal["auto", "gzip", "bz2", "xz", "zstd"] = "auto"
    "What it was compressed with; `auto` looks at the first bytes."
    encoding: str = ""
    "How the result is to be read as text; it stays bytes if empty."
    max_bytes: Bytes = 67108864
    "How much may come out of one field or file."

    def __post_init__(self) -> None:
        """Refuse what cannot be before anything runs."""
        _need_zstd(self.codec)

    def _through(self, file: IO[bytes], name: str) -> Iterator[bytes]:
        codec = named_by(file, name) if self.codec == "auto" else self.codec
        _need_zstd(codec)
        taken = 0
        for block in decompressed(file, codec, name):
            taken += len(block)
            if taken > self.max_bytes:
                raise RunError(f"{name}: decompressed it is more than {self.max_bytes} bytes (:maxBytes)")
            yield block

    def file_name(self, path: Path) -> str:
        """Return the name without a codec's suffix."""
        known = path.suffix in SUFFIXES.values()
        return path.stem if known else f"{path.name}.out"

    def shaped(self, data: bytes, name: str) -> Any:
        """Return bytes, or text."""
        try:
            return data.decode(self.encoding) if self.encoding else data
        except (UnicodeDecodeError, LookupError) as error:
            raise RunError(f"{name}: decompressed it is not {self.encoding}: {error}") from error


def _need_zstd(codec: str) -> None:
    if codec == "zstd" and not has_zstd():
        raise missing_extra("zstd", "the codec zstd")
