"""The Gemini CLI's sessions as JSON Lines: a head, a line for each message, and lines that change what was written before.

`{"$set": {…}}` changes the head. A message that is written again, under the id it had, stands for the earlier one.
`{"$rewindTo": id}` takes back the message of that id and all after it; they are kept as a branch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conversation import type_of
from .number_table import NumberTable
from .session_groups import Tally
from .session_tools import dict_at, text_at
from .spool import SpooledList

if TYPE_CHECKING:
    from collections.abc import Iterator


class Lines:
    """What the lines of a session come to."""

    def __init__(self, records: list[Any] | SpooledList) -> None:
        self.head: dict[str, Any] = {}
        self.tally = Tally()
        self._records = records
        self._last = NumberTable()
        for place, record in enumerate(records):
            self._look(record, place)

    def _look(self, record: Any, place: int) -> None:
        change = dict_at(record, "$set")
        if is_head(record):
            self.head = {**self.head, **record}
            self.tally.skip("block record head", "rendered: in the head")
        elif change:
            self.head |= {key: value for key, value in change.items() if key != "messages"}
            self.tally.skip("block record $set", "rendered: in the head")
        elif text_at(record, "$rewindTo"):
            self.tally.skip("block record $rewindTo", "rendered: as a branch")
        else:
            identifier = text_at(record, "id")
            if identifier and identifier in self._last:
                self.tally.skip("message", "skipped: written anew")
            if identifier:
                self._last[identifier] = place

    def messages(self) -> list[Any] | SpooledList:
        """Return the messages, each with the id of the one before it as `parent`."""
        found: list[Any] | SpooledList = SpooledList() if isinstance(self._records, SpooledList) else []
        for message in self._told():
            found.append(message)
        return found

    def _told(self) -> Iterator[Any]:
        way: list[str] = []
        steps = NumberTable()
        for place, record in enumerate(self._records):
            back = text_at(record, "$rewindTo")
            identifier = text_at(record, "id")
            if back:
                step = steps.get(back)
                del way[step if step >= 0 and way[step : step + 1] == [back] else len(way) :]
            elif is_head(record) or dict_at(record, "$set") or (identifier and self._last.get(identifier) != place):
                continue
            else:
                yield {**record, "parent": way[-1] if way else ""} if identifier else record
                if identifier:
                    steps[identifier] = len(way)
                    way.append(identifier)


def is_head(record: Any) -> bool:
    """Whether a record is the head of a session."""
    return bool(text_at(record, "sessionId") and "projectHash" in record and type_of(record) == "untyped")
