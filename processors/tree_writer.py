"""Write whole files, many of them, so that none is ever seen half written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from transmissions import Processor

from .tree import Tree

if TYPE_CHECKING:
    from transmissions import Message


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
        message["written"] = [(path, self._tree.write(path, content)) for path, content in message["files"]]
        del message["files"]  # Only now: had writing failed, the dead letter would hold them.
        return message
