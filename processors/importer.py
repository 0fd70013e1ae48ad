"""Turn what an archive holds into the common model, whoever it comes from."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from transmissions import Processor, RunError, suggestion

from .access import need
from .blobs import Members
from .conversation import as_list, leave_out
from .shape import About
from .shapes import BY_NAME

if TYPE_CHECKING:
    from transmissions import Message

    from .shape import Converter


class ConversationImporter(Processor):
    """Turn the elements of chat archives into conversations of one common model, each by the converter of its shape.

    Takes `element` and `shape`, as ArchiveReader gives them, and `members`, the archive's other files; gives `conversation`
    (see `conversation.py` for its fields). An element that cannot be converted keeps its fields, for the dead letter.

    ```turtle
    :conversations a :ConversationImporter ; :onError :deadLetter .
    ```
    """

    stateful = True

    def __post_init__(self) -> None:
        """Begin without converters: each is made when its first element comes."""
        self._converters: dict[str, Converter] = {}
        self._members: Members | None = None
        self._more: dict[str, int] = {}
        """How many more conversations came of the elements of a file."""

    def process(self, message: Message) -> Message | list[Message]:
        """Replace `element`, `shape` and `members` by the `conversation`; an element with several gives a message for each."""
        shape = message.get("shape")
        converter = self._converters.get(str(shape)) or self._make(str(shape))
        members = message.get("members")
        members = members if isinstance(members, Members) else Members()
        source = message.get("source")
        name = source.get("file") if isinstance(source, dict) else None
        message["conversation"] = converter.convert(need(message, "element"), About(str(name or ""), members))
        self._members = members
        for field in ("element", "shape", "members"):
            message.pop(field, None)
        also = message["conversation"].pop("also", ())
        if also:
            self._more[str(name)] = self._more.get(str(name), 0) + len(also)
        outcome = message["conversation"].pop("left_out", "")
        if outcome:
            leave_out(message, outcome)
        return [message, *({**message, "conversation": other} for other in also)] if also else message

    def end_group(self, message: Message) -> None:
        """Say in the account of each archive which of its other files were used, and how many more conversations came."""
        used = self._members.used if self._members else {}
        accounts = [account for account in as_list(message.get("input")) if isinstance(account, dict)]
        for account in accounts:
            files = account.get("files") or ()
            if self._more:
                account["elements"] += sum(self._more.pop(file["name"], 0) for file in files)
            for file in files:
                uses = _uses(used, file["name"])
                if uses and "reason" in file:
                    file["reason"] = f"used by {uses} conversation{'' if uses == 1 else 's'}"
        self._members = None
        self._more.clear()

    def _make(self, name: str) -> Converter:
        shape = BY_NAME.get(name)
        if not shape or not shape.convert:
            known = [one.name for one in BY_NAME.values() if one.convert]
            raise RunError(f"nothing converts elements of shape '{name}'{suggestion(name, known)}")
        module, _, converter = shape.convert.partition(":")
        found: Converter = getattr(importlib.import_module(f".{module}", __package__), converter)()
        self._converters[name] = found
        return found


def _uses(used: dict[str, int], name: str) -> int:
    """Return how often a file was used, or the packed one that it lies in."""
    steps = name.split("/")
    return next((uses for end in range(len(steps), 0, -1) if (uses := used.get("/".join(steps[:end])))), 0)
