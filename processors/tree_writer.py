"""Write whole files, many of them, so that none is ever seen half written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from transmissions import OutputError, Processor, RunError

from .spool import pieces

if TYPE_CHECKING:
    from pathlib import Path

    from transmissions import Message

    from .spool import Content

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MODE: Final = 0o666
"""What the user's umask makes of it."""


class TreeWriter(Processor):
    """Write the files a message holds.

    Takes `files`, a list of (path, content): paths are relative, with `/`, and cannot lead out of `folder`; content is bytes.
    Gives `written`, the list of (path, bytes) instead. Each file is written under a temporary name and then renamed, so that
    a run that is killed leaves whole files only.

    ```turtle
    :write a :TreeWriter ; :folder "conversations" .
    ```
    """

    folder: str = "."
    "Where the files go: below the run's output folder."

    def __post_init__(self) -> None:
        """Begin with no folder known."""
        self._folders: dict[str, str] = {}

    def process(self, message: Message) -> Message:
        """Write the message's `files`."""
        files = message.pop("files")
        try:
            message["written"] = [(path, self._write(path, content)) for path, content in files]
        except OSError as error:
            raise OutputError(f"cannot write '{error.filename}': {error.strerror}") from error
        return message

    def _write(self, path: str, content: Content) -> int:
        folder, _, name = path.rpartition("/")
        place = self._folders.get(folder) or self._open_folder(folder)
        # Always the same temporary name, so that a run after a killed one leaves nothing behind.
        temporary = f"{place}/.{name}.part"
        handle = os.open(temporary, _FLAGS, _MODE)
        try:
            size = sum(_write_all(handle, piece) for piece in pieces(content))
        finally:
            os.close(handle)
        os.rename(temporary, f"{place}/{name}")  # noqa: PTH104 - a Path for each file costs as much as writing it
        return size

    def _open_folder(self, folder: str) -> str:
        """Make a folder, once it is sure to be below the output folder."""
        if folder and any(part in ("", ".", "..") or "\\" in part for part in folder.split("/")):
            raise RunError(f"'{folder}' is no relative path; nothing is written there")
        place: Path = self.context.output_path(os.path.join(self.folder, folder))  # noqa: PTH118
        place.mkdir(parents=True, exist_ok=True)
        self._folders[folder] = str(place)
        return self._folders[folder]


def _write_all(handle: int, data: Any) -> int:
    """Write all of `data`; the system may take it in several goes."""
    done = os.write(handle, data)
    while done < len(data):
        done += os.write(handle, data[done:])
    return done
