"""Whole files in and out: FileReader and FileWriter."""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import Dynamic, Processor, RunError, as_json, set_field, write_whole

from .access import need
from .structure import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transmissions import Message

Errors = Literal["strict", "replace", "ignore"]

WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""What UTF-16 begins with, which PowerShell and spreadsheets write."""
_DUMP: Final = "message.json"
_SMALL: Final = 65536
"""Bytes up to which a regular file is read or written right here.

Measured for 5,000 files of 2 KB, per file: aiofiles 305 us, one hop to a thread 107 us, no hop 11 us (writing: 421, 292,
182). So small files do not leave the loop, and only larger ones are worth the way through aiofiles' threads.
"""


class FileReader(Processor):
    """Read a whole file into a field of the message.

    Which file: the message's `fullPath`, else its `filepath` (below its `targetPath` if it has one), else its `sourceFile`,
    else the setting. A relative name is looked up in the working folder, its `data/`, then in the app's folder. Writes the
    content to `targetField`, parsed if `mediaType` is JSON, as bytes if it is `application/octet-stream`, and the path to
    `filePath`.

    ```turtle
    :read a :FileReader ; :sourceFile "input/data.json" ; :mediaType "application/json" ; :targetField "data" .
    ```
    """

    source_file: Annotated[str, Dynamic()] = "input/input.md"
    "The file, where the message does not name one."
    target_field: str = "content"
    "Dotted path the content is written to."
    meta_field: str = ""
    "Dotted path for name, size, times and owner of the file; none if empty."
    media_type: str = ""
    "`application/json`, or a type ending in `+json`, has the content parsed; `application/octet-stream` leaves it as bytes."
    cache: bool = False
    "Whether the latest content is kept for messages that name the same file, as long as its size and time stay the same."
    encoding: str = "utf-8"
    "How the bytes are to be read; a byte order mark is dropped."
    encoding_errors: Errors = "strict"
    "What becomes of bytes that are not in that encoding."

    def __post_init__(self) -> None:
        """Refuse an unknown encoding before anything runs."""
        codecs.lookup(self.encoding)
        self._kept: tuple[Any, Any] = (None, None)

    async def process(self, message: Message) -> Message:
        """Read the file the message or the settings name."""
        path = find_file(self, message)
        facts = path.stat()
        set_field(message, self.target_field, await self._content(path, facts))
        message["filePath"] = str(path)
        if self.meta_field:
            set_field(message, self.meta_field, describe_file(path, facts, self.media_type))
        return message

    async def _content(self, path: Path, facts: os.stat_result) -> Any:
        version = (path, facts.st_size, facts.st_mtime_ns)
        if self._kept[0] == version:
            return self._kept[1]
        data = path.read_bytes() if _is_small(facts) else await _read_large(path)  # noqa: ASYNC240 - see _SMALL
        content = self._decode(data, path)
        if self.cache:
            self._kept = (version, content)
        return content

    def _decode(self, data: bytes, path: Path) -> Any:
        if self.media_type == "application/octet-stream":
            return data
        text = decoded(data, path, self.encoding, self.encoding_errors)
        is_json = self.media_type == "application/json" or self.media_type.endswith("+json")
        return parse_json(text, str(path)) if is_json else text


def decoded(data: bytes, path: Path, encoding: str = "", errors: Errors = "strict") -> str:
    """Return the text of a file, without its byte order mark; it is in UTF-8 where no setting names its encoding.

    Raises:
        RunError: it is not in that encoding; the error says where.

    """
    try:
        return data.decode(encoding or "utf-8", errors).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = wide_hint(data) if encoding else wide_hint(data, "convert it to UTF-8 first")
        told = f"not {encoding or 'utf-8'}: {error.reason} at byte {error.start}{hint}"
        raise RunError(f"{path}:{line}: {told}") from error


def wide_hint(data: bytes, mend: str = 'set :encoding "utf-16"') -> str:
    """Return what to do with bytes that are not in the encoding they should be in, where they begin as UTF-16 does."""
    return f"; it begins as UTF-16 does: {mend}" if data.startswith(WIDE) else ""


async def _read_large(path: Path) -> bytes:
    import aiofiles

    async with aiofiles.open(path, "rb") as file:
        return await file.read()


def _is_small(facts: os.stat_result) -> bool:
    return facts.st_size <= _SMALL and stat.S_ISREG(facts.st_mode)


def find_file(processor: Any, message: Message) -> Path:
    """Return the existing file a message names, or else the setting `source_file` of a processor.

    Raises:
        RunError: there is no such file, or it is outside the folders of the run.

    """
    name = named_file(message) or processor.dynamic(message, "source_file")
    if not isinstance(name, str | os.PathLike) or not os.fspath(name):
        raise RunError("no file to read: neither the message nor :sourceFile names one")
    path: Path = processor.context.input_path(name)
    if path.is_file() or path.is_fifo() or path.is_char_device():
        return path
    if path.exists():
        raise RunError(f"cannot read '{path}': it is a folder")
    folders = processor.context.folders
    raise RunError(f"no file '{name}'; looked in {folders.data}, {folders.data / 'data'} and {folders.app}")


def named_file(message: Message) -> str | None:
    """Return the file a message names: its `fullPath`, else its `filepath`, below its `targetPath` if it has one."""
    return message.get("fullPath") or _below_target(message)


def _below_target(message: Message) -> str | None:
    name, target = message.get("filepath"), message.get("targetPath")
    for path in (name, target):
        if path is not None and not isinstance(path, str | os.PathLike):
            raise RunError(f"a path is text, and the message has a {type(path).__name__} in its place")
    return os.path.join(target, name) if name and target else name  # noqa: PTH118 - an absolute name must win


def describe_file(path: Path, facts: os.stat_result, media_type: str) -> Message:
    """Return what is known about a file, under the names the field has always had; times are ISO 8601 in UTC."""
    times = {"created": facts.st_ctime, "modified": facts.st_mtime, "accessed": facts.st_atime}
    return {
        "filename": path.name,
        "mediaType": media_type,
        "filepath": str(path),
        "size": facts.st_size,
        **{name: datetime.fromtimestamp(seconds, UTC).isoformat() for name, seconds in times.items()},
        "isDirectory": False,
        "isFile": True,
        "permissions": f"{stat.S_IMODE(facts.st_mode):o}",
        "owner": facts.st_uid,
        "group": facts.st_gid,
    }


class FileWriter(Processor):
    """Write a field of the message to a file, whole or not at all.

    Which file: the message's `filepath` (below its `targetPath` if it has one), else the setting; a relative name is in the
    output folder, and the folders on the way are made. Reads `contentField`: text is written as it is, anything else as
    JSON. The file appears under its name only once it is complete. The message goes on unchanged. With `dump`, in the setting
    or in the message, the whole message is written to `message.json` instead.

    ```turtle
    :write a :FileWriter ; :destinationFile "report.md" ; :contentField "report.text" .
    ```
    """

    destination_file: str = "output/output.md"
    "The file, where the message does not name one."
    content_field: str = "content"
    "Dotted path of what is written."
    dump: Annotated[bool, Dynamic()] = False
    "Whether the whole message is written, to see what is in it; what JSON has no form for is written as text."
    fsync: bool = False
    "Whether to wait until the file is on the disk: it then survives a power cut, and writing is slower."

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, which file would be written."""
        named = _below_target(message)
        more = "" if named else ", or what a message names in `filepath`"
        yield f"writes {self.context.output_path(named or self.destination_file)}{more}"

    async def process(self, message: Message) -> Message:
        """Write the file the message or the settings name."""
        if self.dynamic(message, "dump"):
            name, data = _DUMP, as_json(message, indent=2)
        else:
            name, data = _below_target(message) or self.destination_file, to_bytes(need(message, self.content_field))
        path = self.context.output_path(name)
        if len(data) <= _SMALL and not self.fsync:
            write_whole(path, data)
        else:
            await asyncio.to_thread(write_whole, path, data, fsync=self.fsync)
        return message


def to_bytes(content: Any) -> bytes:
    """Return the bytes of a file that is to hold `content`: text in UTF-8, anything else as indented JSON."""
    if isinstance(content, bytes):
        return content
    if not isinstance(content, str):
        return as_json(content, indent=2, strict=True)
    try:
        return content.encode()
    except UnicodeEncodeError:  # half a pair, which UTF-8 cannot hold
        return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", content).encode()
