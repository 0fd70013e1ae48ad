"""What steps have in common that hold messages until something has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from transmissions import Processor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transmissions import Message


class _Gathering(Processor):
    """Gives at an end what it made of the messages before it."""

    stateful = True

    scope: Literal["group", "stream"] = "group"
    "What must have ended: the group the messages stand in, as each file of many makes one, or all of the stream."

    def end_group(self, message: Message) -> Iterable[Message] | None:
        """Give what the group left, if it stands for itself."""
        return self.finish() if self.scope == "group" else None
