"""Open a chat archive: a JSON file, a folder or a ZIP, known by its shape, read one conversation at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from transmissions import Dynamic, Range, RunError, Source, Unit

from .inputs import Part, find_parts
from .json_stream import Broken, Element, read_elements
from .zip_archive import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

_STRIDE = 1 << 20


class ArchiveReader(Source):
    """Read a chat archive, one conversation after the other, however large it is.

    The archive is a JSON file (a list of conversations, one conversation, or one to a line), a folder or a ZIP. Which files
    hold conversations is told by their shape, not their name. A conversation that is broken is set aside as a dead letter
    with the byte it starts at, and reading goes on with the next one.

    ```turtle
    :read a :ArchiveReader ; :archive "conversations.json" .
    ```

    Each message holds one conversation as it stands in the archive, in `element`, and where it stood in `source` (`file`,
    `offset` and `size` in bytes); `digest` is equal for equal ones. At the end `input` of the message that named the archive
    tells what was found, for ConversionReport.
    """

    archive: Annotated[str, Dynamic()] = "."
    "The file, folder or ZIP, looked up in the working folder; a field `archive` of the message wins."
    shape: Literal["claude"] = "claude"
    "What kind of conversations to look for."
    large_element: Annotated[int, Range(ge=65536), Unit("bytes")] = 4 << 20
    "A conversation longer than this is taken apart message by message, in a temporary file."
    max_ratio: Annotated[int, Range(ge=1)] = 200
    "A ZIP member may unpack to so many times its packed size (members under 16 MiB to any)."
    max_unpacked: Annotated[int, Range(ge=1), Unit("bytes")] = 64 << 30
    "A ZIP member may unpack to so much."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield the conversations of the archive that `message` names."""
        path = self.context.input_path(str(self.dynamic(message, "archive")))
        limits = Limits(ratio=self.max_ratio, unpacked=self.max_unpacked)
        found = find_parts(path, limits)
        parts = [part for part in found if part.shape and part.shape.name == self.shape]
        account: dict[str, Any] = {"name": path.name, "files": [_describe(part) for part in found], "elements": 0, "broken": 0}
        message["input"] = account
        if not parts and not any(part.shape and part.shape.name == "empty" for part in found):
            raise RunError(f"no {self.shape} conversations in '{path}'; {_what_is_there(found)}")
        yield from self._read(parts, account)

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, what each file of the archive is found to hold."""
        path = self.context.input_path(str(self.dynamic(message, "archive")))
        for part in find_parts(path, Limits(ratio=self.max_ratio, unpacked=self.max_unpacked)):
            yield f"{part.name}: {_describe(part)['holds']}, {part.size} bytes"

    def _read(self, parts: list[Part], account: dict[str, Any]) -> Iterator[Message]:
        total = sum(part.size for part in parts)
        before = 0
        for part in parts:
            told = 0
            for item in self._elements(part):
                done = item.offset + item.size
                if done - told >= _STRIDE:
                    told = done
                    self.context.emit("progress", done=before + done, total=total, unit="bytes")
                if isinstance(item, Broken):
                    self._set_aside(part, item, account)
                    continue
                account["elements"] += 1
                source = {"file": part.name, "offset": item.offset, "size": item.size}
                yield {"element": item.value, "source": source, "digest": item.digest}
            before += part.size
        self.context.emit("progress", done=total, total=total, unit="bytes")

    def _elements(self, part: Part) -> Iterator[Element | Broken]:
        assert part.shape is not None
        assert part.shape.layout is not None
        with part.open() as stream:
            yield from read_elements(stream, part.shape.layout._replace(large=self.large_element))

    def _set_aside(self, part: Part, item: Broken, account: dict[str, Any]) -> None:
        account["broken"] += item.size > 0  # A list that is not closed lacks no conversation that we know of.
        self.context.reject(item.fragment, item.error, file=part.name, offset=item.offset, bytes=item.size)


def _describe(part: Part) -> dict[str, Any]:
    return {"name": part.name, "bytes": part.size, "holds": part.shape.holds if part.shape else "something else"}


def _what_is_there(found: list[Part]) -> str:
    if not found:
        return "there is no JSON and no ZIP"
    listed = [f"'{part.name}' holds {part.shape.holds if part.shape else 'something else'}" for part in found[:5]]
    return ", ".join(listed) + (f" (and {len(found) - 5} more files)" if len(found) > 5 else "")  # noqa: PLR2004
