"""Write whole files, many of them, so that none is ever seen half written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from transmissions import Processor, RunError

from .access import need
from .tree import Tree

if TYPE_CHECKING:
    from transmissions import Message

    from .spool import Content


class TreeWriter(Processor):
    """Write the files a message holds.

    Takes `files`, a list of (path, content): paths are relative, with `/`, and cannot lead out of `folder`; content is bytes.
    Gives `written`, the list of (path, bytes) instead. Each file is written under a temporary name and then renamed, so that
    a run that is killed leaves whole files only. Where there are many, `:Workers` has several processes write them.

    ```turtle
    :write a :TreeWriter ; :folder "conversations" .
    ```
    """

    folder: str = "."
    "Where the files go: below the run's output folder."

    async def __aenter__(self) -> Self:
        self._tree = Tree(self.context, self.folder)
        return self

    def process(self, message: Message) -> Message:
        """Write the message's `files`."""
        message["written"] = [(path, self._tree.write(path, content)) for path, content in _files_of(message)]
        del message["files"]  # Only now: had writing failed, the dead letter would hold them.
        return message


def _files_of(message: Message) -> list[tuple[str, Content]]:
    files = need(message, "files")
    if not isinstance(files, list | tuple):
        raise RunError(f"the field 'files' is not a list but a {type(files).__name__}")
    for number, file in enumerate(files):
        if not isinstance(file, list | tuple) or [*map(type, file[:1])] != [str] or len(file) != len(("path", "content")):
            raise RunError(f"'files[{number}]' is not a path and its content")
        if not isinstance(file[1], bytes | list):
            raise RunError(f"the content at 'files[{number}]' is not bytes but a {type(file[1]).__name__}")
    return list(files)
