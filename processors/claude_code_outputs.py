"""Outputs too long for a session of Claude Code: a result says in which file they are, in `tool-results` beside it."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .spool import Mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .blobs import Blob, Members
    from .conversation import Block, ChatMessage

_SAVED: Final = re.compile(r"\s*<persisted-output>\s[^\n]{0,200}? saved to: ([^\n]{1,4096})")
_FOLDER: Final = "/tool-results/"
_OF_SESSION: Final = re.compile(rf"/[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}{_FOLDER}[^/]*\Z", re.IGNORECASE)


class Outputs:
    """The long outputs that an archive holds."""

    def __init__(self) -> None:
        self._members: Members | None = None
        self._names: dict[str, list[str]] = {}
        """Where the files in such folders lie, by what they are called there."""

    def put_into(self, messages: Any, members: Members) -> Any:
        """Return messages with the outputs that their results name, each as a file behind its call."""
        if self._members is not members:
            self._members, self._names = members, {}
            for name in members.names():
                if _FOLDER in f"/{name}":
                    self._names.setdefault(name.rpartition("/")[2], []).append(name)
        if not self._names:
            return messages
        tell = partial(_told, partial(_find, members, self._names))
        return Mapped(tell, messages) if messages.__class__ is Mapped else list(map(tell, messages))


def _find(members: Members, names: dict[str, list[str]], place: str) -> Blob | None:
    """Return the file that an output was saved to: that of its own session, as others may have one of the same name."""
    *_, session, _, name = ["", "", *re.split(r"[/\\]", place)]
    found = names.get(name, [])
    own = [path for path in found if f"/{path}".endswith(f"/{session}{_FOLDER}{name}")]
    others = [path for path in found if not _OF_SESSION.search(f"/{path}")]
    return members.find((own or others)[0]) if own or len(others) == 1 else None


def _told(find: Callable[[str], Blob | None], message: ChatMessage) -> ChatMessage:
    return message | {"blocks": [part for block in message["blocks"] for part in (block, *_files_of(block, find))]}


def _files_of(block: Block, find: Callable[[str], Blob | None]) -> Iterator[Block]:
    result = block.get("result") or {}
    for part in result.get("parts", ()):
        text: Any = part.get("text") if part.__class__ is dict else None
        saved = _SAVED.match(text) if text.__class__ is str else None
        content = find(saved[1].strip()) if saved else None
        if saved and content:
            yield {
                "kind": "file",
                "name": content.name.rpartition("/")[2],
                "id": saved[1].strip(),
                "type": "text/plain",
                "content": content,
                "sources": (),
            }
