"""The first walk through a Claude Code session: which part of it belongs to which message, of which conversation."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from .claude_code_chain import Chain
from .claude_code_records import content_of, count_part, is_spoken, split
from .number_table import NumberTable
from .session_groups import Plan
from .session_tools import dict_at, text_at

if TYPE_CHECKING:
    from .session_groups import Part

_NOTES: Final = 100
"""How many records that are no messages one message takes up."""
_NEAR: Final = 32
"""How many messages back such a record may belong."""
_CHAINS: Final = 64
"""How many sub-agents in one file get a conversation of their own; those beyond share the last."""


class Survey:
    """What a session's records come to. Texts are not kept, only the ids of messages and hashes of the others."""

    def __init__(self, agent: bool) -> None:
        self.plan = Plan()
        self.ids: list[str] = []
        self.chain_of = array("i")
        self.chains = [Chain()]
        self.written: set[str] = set()
        """The paths of files that the session wrote whole."""
        self.agent = agent
        self._before = array("i")
        self._notes = array("i")
        self._by_uuid = NumberTable()
        self._above: dict[str, str] = {}
        self._calls = NumberTable()
        self._answers = NumberTable()
        self._side: dict[str, int] = {}
        self._awaited = -1

    def add(self, record: Any) -> None:
        """Find the messages that a record belongs to."""
        chain, owner = self._chain(record), -1
        for kind, payload in split(record):
            number = self._owner(kind, payload, chain)
            self.plan.add(number)
            count_part(self.chains[self.chain_of[number]].tally, kind, payload)
            owner = number if kind == "message" or owner < 0 else owner
        if text_at(record, "uuid"):
            self._index(record, owner)
        here = self.chains[self.chain_of[owner]]
        here.see(record)
        if is_spoken(record):
            here.leaf = owner
            here.spend(owner, record)

    def _index(self, record: dict[str, Any], owner: int) -> None:
        key = record["uuid"]
        if key in self._by_uuid:
            return
        above = text_at(record, "logicalParentUuid") or text_at(record, "parentUuid")
        if owner == self._awaited:
            self._above[key] = above
        else:
            # What follows a result follows all that came before it, be it later than the call.
            before = self._by_uuid.get(above, owner)
            owner = before if self.chain_of[before] == self.chain_of[owner] else owner
        self._by_uuid[key] = owner

    def knows(self, uuid: str) -> bool:
        """Whether a record with this id has been added."""
        return uuid in self._by_uuid

    def _owner(self, kind: str, payload: Any, chain: int) -> int:
        if kind == "message":
            key = _answer_key(payload, chain)
            number = self._answers.get(key)
            if number < 0:
                number = self._open(payload, chain)
            self._learn(payload, number, key)
            return number
        if kind == "result":
            number = self._calls.get(text_at(payload["result"], "tool_use_id"))
            return number if number >= 0 else self._orphan(payload, chain)
        if kind == "before" or not self.ids:
            return self.await_next()
        return self._for_note(payload, chain)

    def _learn(self, payload: dict[str, Any], number: int, key: int) -> None:
        """Remember what later records may refer to."""
        if key:
            self._answers[key] = number
        if not is_spoken(payload):
            return
        for item in content_of(payload):
            if text_at(item, "id"):
                self._calls[item["id"]] = number
            if text_at(item, "name") == "Write":
                self.written.add(text_at(dict_at(item, "input"), "file_path"))

    def _open(self, payload: Any, chain: int) -> int:
        here = self.chains[chain]
        if chain == 0 and self._awaited >= 0:
            number, self._awaited = self._awaited, -1
        else:
            number = self._reserve(chain)
        uuid = text_at(payload, "uuid")
        if uuid and uuid not in self._by_uuid:
            self._by_uuid[uuid] = number
            self.ids[number] = uuid
        here.leaf = number
        return number

    def _reserve(self, chain: int) -> int:
        number = self.plan.open()
        self.ids.append(f"message.{number + 1}")
        self.chain_of.append(chain)
        self._notes.append(0)
        here = self.chains[chain]
        self._before.append(here.last)
        here.last = number
        here.messages += 1
        return number

    def await_next(self) -> int:
        """Return the number the session's next message will have."""
        if self._awaited < 0:
            self._awaited = self._reserve(0)
        return self._awaited

    def _orphan(self, payload: dict[str, Any], chain: int) -> int:
        """Return the message for a result that nothing asked for: a new one for all such in a record."""
        last = self.chains[chain].last
        uuid = text_at(payload, "uuid")
        return last if uuid and last >= 0 and self.ids[last] == uuid else self._open(payload, chain)

    def _for_note(self, payload: Any, chain: int) -> int:
        number = self._by_uuid.get(text_at(payload, "parentUuid"))
        if number < max(len(self.ids) - _NEAR, 0) or self._notes[number] >= _NOTES:
            number = self.chains[chain].last
        if number < 0:
            number = len(self.ids) - 1
        if self._notes[number] >= _NOTES:
            number = self._open(payload, self.chain_of[number])
        self._notes[number] += 1
        return number

    def _chain(self, record: Any) -> int:
        if self.agent or record.__class__ is not dict or record.get("isSidechain") is not True:
            return 0
        parent = self._by_uuid.get(text_at(record, "parentUuid"))
        if parent >= 0 and self.chain_of[parent]:
            return self.chain_of[parent]
        name = text_at(record, "agentId") or text_at(record, "uuid") or "side"
        if name not in self._side:
            self._side[name] = min(len(self._side) + 1, _CHAINS)
            if self._side[name] == len(self.chains):
                self.chains.append(Chain(name))
        return self._side[name]

    def leave_out(self, place: int, kind: str, outcome: str) -> None:
        """Take the record whose part stands at `place` out of its message, and count it as what it is instead."""
        self.chains[self.chain_of[self.plan.drop(place)]].tally.leave_out(kind, outcome)

    def finish(self) -> None:
        """End the walk: what waited for a next message is the last one."""
        if self._awaited >= 0:
            self.chains[0].leaf = self._awaited

    def parent_of(self, number: int, parts: list[Part]) -> str:
        """Return the id of the message that one follows; empty at a root, unknown to the file if the record is."""
        opening = next((payload for kind, payload in parts if kind in ("message", "result")), None)
        before = self.ids[self._before[number]] if self._before[number] >= 0 else ""
        if opening is None or "parentUuid" not in opening:
            return before
        uuid = text_at(opening, "parentUuid")
        if not uuid:
            # A compaction begins a new tree, but no new conversation.
            return before if opening.get("isCompactSummary") is True else ""
        owner = self._by_uuid.get(uuid)
        for _ in range(_NOTES):
            if owner != number:
                break
            # It follows a record that stands in this very message: the mark of a compaction.
            uuid = self._above.get(uuid, "")
            owner = self._by_uuid.get(uuid)
        if owner < 0 or owner == number:
            return before if owner == number or not uuid else uuid
        return self.ids[owner] if self.chain_of[owner] == self.chain_of[number] else ""


def _answer_key(payload: dict[str, Any], chain: int) -> int:
    """Return what the records of one answer of the API share; 0 if it says none."""
    identifier = text_at(dict_at(payload, "message"), "id")
    return hash((identifier, chain)) if identifier and payload.get("type") == "assistant" else 0
