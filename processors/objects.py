"""Objects of stores such as S3: ObjectReader and ObjectWriter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from transmissions import MISSING, RunError, Source, get_field, set_field

from .access import need, need_text
from .file_ends import write_blocks
from .files import find_file, to_bytes
from .lines import Bytes  # noqa: TC001 - a setting's type
from .object_store import _Store, escaped, fixed_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transmissions import Message

_BLOCK: Final = 1 << 20


class ObjectReader(_Store, Source):
    """Send one message for each object of a store, found by URL or by a pattern.

    The store is any that fsspec has a filesystem for: `s3://`, `gcs://`, `sftp://`, `memory://`, or files of the run's folders.
    `url` may have wildcards (`s3://bucket/in/*.json`, `**` for all levels); the names found are held, in order. With
    `nameField` a message says which object below the URL is read. Each message is a copy of the incoming one with `objectUrl`,
    `name` (below the folder of the pattern), `size`, and what is read: the object whole, as bytes or text, up to `maxBytes`;
    its blocks one by one, with `blockNumber` from 0; or a new file in the output folder, named in `fullPath`, for readers of
    files of any size. The messages form a group.

    ```turtle
    :in a :ObjectReader ; :url "s3://bucket/in/*.csv" ; :read "file" ;
        :options ( [ :name "key" ; :secret [ :env "S3_KEY" ] ] [ :name "secret" ; :secret [ :env "S3_SECRET" ] ] ) .
    ```
    """

    read: Literal["text", "bytes", "blocks", "file", "none"] = "text"
    "What is read of each object; `none` lists them only."
    name_field: str = ""
    "Dotted path of the name, below the URL, of the object to read; without it, the URL is the object or the pattern."
    target_field: str = "content"
    "Dotted path the content is written to."
    folder: str = "objects"
    "Folder, in the output folder, of the files that are made."
    max_bytes: Bytes = 67108864
    "How large an object may be that is read whole, or a block."

    async def __aenter__(self) -> Self:
        """Make the filesystem; nothing is read yet."""
        self._filesystem = await asyncio.to_thread(self.make_filesystem)
        return self

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each object, or each of its blocks."""
        for path, name, facts in self._found(message):
            item = {**message, "objectUrl": self.called(path), "name": name, "size": facts.get("size")}
            with self.told(path):
                yield from self._read(path, item)

    def _found(self, message: Message) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the paths of the objects, their names below the folder of the pattern, and what is known of them."""
        pattern = escaped(self.below(need_text(message, self.name_field))) if self.name_field else self.base
        if self.is_local:
            fixed, rest = (self.below(need_text(message, self.name_field)), "") if self.name_field else fixed_part(pattern)
            pattern = escaped(str(self.context.input_path(fixed or "."))) + (f"/{rest}" if rest else "")
        with self.told(pattern):
            found = self._filesystem.glob(pattern, detail=True)
            place = self.base[: self.base.find("/", 1)]  # a bucket, say
            if not found and (not fixed_part(self.base)[1] or not (self.is_local or self._filesystem.exists(place))):
                raise RunError(f"there is no object '{self.called(pattern)}'")
        fixed, rest = fixed_part(self.base)
        depth = (pattern.removesuffix(rest) if rest else pattern.rpartition("/")[0]).strip("/").count("/") + 1
        for path, facts in sorted(found.items()):
            if facts.get("type") != "directory":
                name = "/".join(path.strip("/").split("/")[depth:])
                # A link inside a folder may lead out of it.
                yield str(self.context.input_path(path)) if self.is_local else path, name, facts

    def _read(self, path: str, item: Message) -> Iterator[Message]:
        if self.read == "blocks":
            for number, block in enumerate(self._blocks(path, self.max_bytes)):
                part = {**item, "blockNumber": number}
                set_field(part, self.target_field, block)
                yield part
            return
        if self.read == "file":
            item["fullPath"] = self._saved(path, item["name"])
        elif self.read != "none":
            set_field(item, self.target_field, self._whole(path))
        yield item

    def _blocks(self, path: str, size: int) -> Iterator[bytes]:
        with self._filesystem.open(path, "rb") as file:
            while block := file.read(size):
                yield block

    def _whole(self, path: str) -> str | bytes:
        data = next(self._blocks(path, self.max_bytes + 1), b"")
        if len(data) > self.max_bytes:
            raise RunError(
                f"'{self.called(path)}' is larger than {self.max_bytes} bytes (:maxBytes); :read it as a file or in blocks"
            )
        try:
            return data.decode() if self.read == "text" else data
        except UnicodeDecodeError as error:
            raise RunError(f"'{self.called(path)}' is not UTF-8: {error.reason} at byte {error.start}") from error

    def _saved(self, path: str, name: str) -> str:
        if ".." in name.split("/"):  # A store may call its objects anything.
            raise RunError(f"'{self.called(path)}' would be saved outside {self.folder}")
        return str(write_blocks(self.context.output_path(f"{self.folder}/{name}"), self._blocks(path, _BLOCK)))


class ObjectWriter(_Store):
    """Write a field of every message as an object of a store, whole or not at all, and let the message go on.

    The store is any that fsspec has a filesystem for, or a folder of the run's output. Reads the name below the URL at
    `nameField`; it cannot lead elsewhere. Reads `contentField`: text is written as UTF-8, bytes as they are, anything else as
    JSON; where a message has no such field but names a file as for FileReader, that file is sent, of any size. Writes the
    object's URL to `objectUrl`. An object that is there is replaced.

    ```turtle
    :out a :ObjectWriter ; :url "s3://bucket/out" ; :nameField "key" ; :contentField "report" .
    ```
    """

    name_field: str = "name"
    "Dotted path of the object's name, below the URL."
    content_field: str = "content"
    "Dotted path of what is written."
    source_file: str = ""
    "A file to send, where the message has no content and does not name one."

    def foresee(self, _message: Message) -> Iterator[str]:
        """Yield, for a dry run, where objects would be written."""
        yield f"writes objects below {self.url}"

    async def __aenter__(self) -> Self:
        """Make the filesystem; nothing is written yet."""
        self._filesystem = await asyncio.to_thread(self.make_filesystem)
        return self

    def process(self, message: Message) -> Message:
        """Write one object."""
        path = self.below(need_text(message, self.name_field))
        blocks = self._content(message)
        if self.is_local:
            path = str(write_blocks(self.context.output_path(path), blocks))
        else:
            with self.told(path):
                self._write_object(path, blocks)
        message["objectUrl"] = self.called(path)
        return message

    def _content(self, message: Message) -> Iterable[bytes]:
        is_named = self.source_file or message.get("fullPath") or message.get("filepath")
        if get_field(message, self.content_field, MISSING) is MISSING and is_named:
            return _blocks_of(find_file(self, message).open("rb"))
        return [to_bytes(need(message, self.content_field))]

    def _write_object(self, path: str, blocks: Iterable[bytes]) -> None:
        # A transaction keeps what its files hold from being seen until it has ended well.
        with self._filesystem.transaction, self._filesystem.open(path, "wb") as file:
            for block in blocks:
                file.write(block)


def _blocks_of(file: Any) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block
