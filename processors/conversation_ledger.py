"""Record what was written for each conversation, once it is."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from transmissions import Processor

from .ledger import NAME, Known, Ledger
from .tree import Tree

if TYPE_CHECKING:
    from transmissions import Message

_AT_ONCE: Final = 256
"""Conversations that are recorded together: what is lost of the record by a kill is only converted again."""


class ConversationLedger(Processor):
    """Record in the ledger what was written for a conversation, and remove what is left of an older version of it.

    Takes `key`, `place`, `written` and `facts`, as ConversationPlaces and ConversationWriter give them. Because it stands
    behind the writer, what it records is on the disk. Files that the last run wrote and this one did not, such as the page
    under an old title, are removed.

    ```turtle
    :record a :ConversationLedger .
    ```
    """

    stateful = True

    state: str = NAME
    "The ledger's file: below the run's output folder."

    async def __aenter__(self) -> Self:
        self._ledger = Ledger.open(self.context.output_path(self.state))
        self._tree = Tree(self.context, ".")
        self._count = 0
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._ledger.close()

    def process(self, message: Message) -> Message:
        """Record the message's `written`."""
        if "place" not in message:
            return message
        place = message.pop("place")
        files = {path: [digest, size] for path, digest, size, _ in message["written"]}
        before = self._ledger.known(message["key"]) if place["was"] else None
        for path in before.files.keys() - files.keys() if before else ():
            self._remove(path)
        known = Known(place["updated"], place["digest"], place["wanted"], place["page"], place["id"], place["folder"], files)
        self._ledger.record(message["key"], known, message.pop("facts"))
        self._count += 1
        if self._count % _AT_ONCE == 0:
            self._ledger.commit()
        return message

    def finish(self) -> None:
        """Make the last records last."""
        self._ledger.commit()

    def _remove(self, path: str) -> None:
        """Remove a file, and its folders if they are empty now."""
        with suppress(OSError):
            os.unlink(self._tree.locate(path))  # noqa: PTH108
            folder: Any = path.rpartition("/")[0]
            while folder:
                os.rmdir(self._tree.locate(folder))  # noqa: PTH106
                folder = folder.rpartition("/")[0]
