"""Write whole files, many of them, so that none is ever seen half written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from transmissions import Processor, RunError, cannot_write

from .spool import pieces
from .write_apart import write_whole
from .writing_process import WritingProcess

if TYPE_CHECKING:
    from transmissions import Message

    from .spool import Content

_MANY: Final = 256
"""Files after which a process of its own pays."""


class TreeWriter(Processor):
    """Write the files a message holds.

    Takes `files`, a list of (path, content): paths are relative, with `/`, and cannot lead out of `folder`; content is bytes.
    Gives `written`, the list of (path, bytes) instead. Each file is written under a temporary name and then renamed, so that
    a run that is killed leaves whole files only. When there are many, a second process writes them while the run goes on.

    ```turtle
    :write a :TreeWriter ; :folder "conversations" .
    ```
    """

    stateful = True

    folder: str = "."
    "Where the files go: below the run's output folder."
    apart: bool = True
    "Whether a second process may do the writing."

    def __post_init__(self) -> None:
        """Begin with no folder known."""
        self._places: dict[str, str] = {}
        self._count = 0
        self._process: WritingProcess | None = None
        self._second = self.apart and os.name == "posix" and (os.cpu_count() or 1) > 1

    def process(self, message: Message) -> Message:
        """Write the message's `files`."""
        message["written"] = [(path, self._write(path, content)) for path, content in message["files"]]
        del message["files"]  # Only now: had writing failed, the dead letter would hold them.
        return message

    def finish(self) -> None:
        """Wait until all is written."""
        process, self._process = self._process, None
        if process:
            process.close()

    async def __aexit__(self, *exc: object) -> None:
        if self._process:
            self._process.abandon()

    def _write(self, path: str, content: Content) -> int:
        folder, _, name = path.rpartition("/")
        place = self._places.get(folder) or self._place(folder)
        if not name or "\0" in path or name == "..":
            raise RunError(f"'{path}' is no name of a file")
        self._count += 1
        if self._second and self._count > _MANY:
            self._process = self._process or WritingProcess()
            self._process.send(f"{place}/{name}", content)
        else:
            _write_here(f"{place}/{name}", content)
        return len(content) if isinstance(content, bytes) else sum(map(len, content))

    def _place(self, folder: str) -> str:
        """Return where a folder is, once it is sure to be below the output folder."""
        if folder and any(part in ("", ".", "..") or "\\" in part for part in folder.split("/")):
            raise RunError(f"'{folder}' is no relative path; nothing is written there")
        self._places[folder] = str(self.context.output_path(os.path.join(self.folder, folder)))  # noqa: PTH118
        return self._places[folder]


def _write_here(path: str, content: Content) -> None:
    try:
        write_whole(path, pieces(content))
    except OSError as error:
        raise cannot_write(path, error) from error
