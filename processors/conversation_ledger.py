"""Record what was written for each conversation, once it is."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from transmissions import Processor

from .access import need
from .ledger import NAME, Known, Ledger
from .tree import Tree

if TYPE_CHECKING:
    from transmissions import Message

_AT_ONCE: Final = 256
"""Conversations that are recorded together: what is lost of the record by a kill is only converted again."""

_OFF: Final = "off"
"""Marks the page of a target that is off."""


class ConversationLedger(Processor):
    """Record in the ledger what was written for a conversation, and remove what is left of an older version of it.

    Takes `key`, `place`, `written` and `facts`, as ConversationPlaces and ConversationWriter give them. Because it stands
    behind the writer, what it records is on the disk. Files that the last run wrote and this one did not, such as the page
    under an old title, are removed, but for those that a user has changed, and for pages of a target that is off now.

    ```turtle
    :record a :ConversationLedger .
    ```
    """

    stateful = True

    state: str = NAME
    "The ledger's file: below the run's output folder."

    async def __aenter__(self) -> Self:
        self._ledger = Ledger(self.context.output_path(self.state))
        self._tree = Tree(self.context, ".")
        self._count = 0
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._ledger.close()

    def process(self, message: Message) -> Message:
        """Record the message's `written`."""
        if "place" not in message:
            return message
        place, facts, key = (need(message, name) for name in ("place", "facts", "key"))
        del message["place"], message["facts"]
        files = {path: [digest, size] for path, digest, size, _ in message.get("written", ())}
        before = self._ledger.known(key) if place["was"] else None
        if before:
            stay = _of_targets_that_are_off(before, files, place)
            for path in before.files.keys() - files.keys() - stay.keys():
                is_moved = path == before.page and place["page"] in files
                if self._is_one_of(path, files):
                    continue
                if not is_moved and self._is_changed(path, before.files[path][0]):
                    stay[path] = before.files[path]
                else:
                    self._remove(path)
            files |= stay
            if not facts.get("page") and before.page in stay:
                facts["page"] = before.page
        known = Known(place["updated"], place["digest"], place["wanted"], place["page"], place["id"], place["folder"], files)
        self._ledger.record(key, known, facts)
        self._count += 1
        if self._count % _AT_ONCE == 0:
            self._ledger.commit()
        return message

    def finish(self) -> None:
        """Make the last records last."""
        self._ledger.commit()
        self._ledger.settle()

    def _is_changed(self, path: str, digest: str) -> bool:
        """Whether a file is there and not as it was written: a user has been at work."""
        with suppress(OSError), open(self._tree.locate(path), "rb") as file:  # noqa: PTH123
            return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest() != digest
        return False

    def _is_one_of(self, path: str, files: dict[str, list[Any]]) -> bool:
        """Whether a path is another way to write one of these, as it is where small and capital letters are the same."""
        alike = [other for other in files if other.lower() == path.lower()]
        with suppress(OSError):
            place = self._tree.locate(path)
            return any(os.path.samefile(place, self._tree.locate(other)) for other in alike)  # noqa: PTH121
        return False

    def _remove(self, path: str) -> None:
        """Remove a file, and its folders if they are empty now."""
        with suppress(OSError):
            os.unlink(self._tree.locate(path))  # noqa: PTH108
            folder: Any = path.rpartition("/")[0]
            while folder:
                os.rmdir(self._tree.locate(folder))  # noqa: PTH106
                folder = folder.rpartition("/")[0]


def _of_targets_that_are_off(before: Known, files: dict[str, list[Any]], place: dict[str, Any]) -> dict[str, list[Any]]:
    """Return what stays as it is: pages of a kind that was not made this time, or everything if there was no page at all."""
    if not files:
        return {**before.files}
    folder = f"{place['folder']}/"
    made = {_kind(path) for path in files if path.startswith(folder) or _stem(path) == _stem(place["page"])}
    stem = _stem(before.page)
    off = {path for path, told in before.files.items() if (_stem(path) == stem or _OFF in told) and _kind(path) not in made}
    # One that stays under an old title is no longer known by its name.
    return {path: before.files[path][:2] + [_OFF] * (_stem(path) != _stem(place["page"])) for path in off}


def _stem(path: str) -> str:
    return path.rpartition(".")[0]


def _kind(path: str) -> str:
    return path.rpartition(".")[2]
