"""Outputs too long for a session of Claude Code: a result says in which file they are, in `tool-results` beside it."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .spool import Mapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .blobs import Members
    from .conversation import Block, ChatMessage

_SAVED: Final = re.compile(r"\s*<persisted-output>\s[^\n]{0,200}? saved to: ([^\n]{1,4096})")
_FOLDER: Final = "/tool-results/"


class Outputs:
    """The long outputs that an archive holds."""

    def __init__(self) -> None:
        self._members: Members | None = None
        self._there = False

    def put_into(self, messages: Any, members: Members) -> Any:
        """Return messages with the outputs that their results name, each as a file behind its call."""
        if self._members is not members:
            self._members, self._there = members, any(_FOLDER in f"/{name}" for name in members.names())
        if not self._there:
            return messages
        tell = partial(_told, members)
        return Mapped(tell, messages) if messages.__class__ is Mapped else list(map(tell, messages))


def _told(members: Members, message: ChatMessage) -> ChatMessage:
    return message | {"blocks": [part for block in message["blocks"] for part in (block, *_files_of(block, members))]}


def _files_of(block: Block, members: Members) -> Iterator[Block]:
    result = block.get("result") or {}
    for part in result.get("parts", ()):
        text: Any = part.get("text") if part.__class__ is dict else None
        saved = _SAVED.match(text) if text.__class__ is str else None
        name = re.split(r"[/\\]", saved[1].strip())[-1] if saved else ""
        content = members.find(name)
        if saved and content:
            yield {
                "kind": "file",
                "name": name,
                "id": saved[1].strip(),
                "type": "text/plain",
                "content": content,
                "sources": (),
            }
