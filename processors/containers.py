"""Many files as one: FileContainer."""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from transmissions import Processor, Range, RunError, Unit, as_text

from .access import need, need_text
from .files import to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message


class FileContainer(Processor):
    """Put the files of a group into one JSON text.

    Reads `content` and `filepath` of every message, and drops it. At the end of the group one message follows, and the
    group's own message (see Unfork) gets the same: `filepath` is the destination, and `content` the text, an object with
    `files` (by path: `content`, and `type`, the ending of the name) and `summary` (`totalFiles`, `fileTypes`). Outside any
    group that message follows the last one. All contents are held in memory until then, so there is a limit to them.

    ```turtle
    :pack a :FileContainer ; :destination "packed.json" ; :targetDir "src" .
    ```
    """

    stateful = True

    destination: str = "container.json"
    "The path FileWriter is to write the text to."
    target_dir: str = ""
    "A folder that paths of files are given below of; as they are if empty."
    limit: Annotated[int, Range(ge=1), Unit("bytes")] = 268435456
    "How much the contents may come to."

    def __post_init__(self) -> None:
        """Begin empty."""
        self._files: dict[str, Message] = {}
        self._size = 0

    def process(self, message: Message) -> None:
        """Take a file."""
        path, content = self._name(need_text(message, "filepath")), need(message, "content")
        self._size += len(content if isinstance(content, str) else as_text(content))
        if self._size > self.limit:
            raise RunError(f"the files come to more than {self.limit} bytes (:limit)")
        self._files[path] = {"content": content, "type": posixpath.splitext(path)[1]}

    def end_group(self, message: Message) -> list[Message]:
        """Yield the one text in place of the files, and write it into the group's message too."""
        packed = self._take()
        message |= packed
        return [message | packed]

    def finish(self) -> Iterator[Message]:
        """Yield what no group took."""
        if self._files:
            yield self._take()

    def _name(self, path: str) -> str:
        return posixpath.relpath(path, self.target_dir) if self.target_dir else path

    def _take(self) -> dict[str, Any]:
        files, self._files, self._size = self._files, {}, 0
        types = Counter(file["type"] for file in files.values())
        container = {"files": files, "summary": {"totalFiles": len(files), "fileTypes": dict(sorted(types.items()))}}
        return {"filepath": self.destination, "content": to_bytes(container).decode()}
