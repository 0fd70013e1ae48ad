"""Sessions of OpenAI's Codex CLI, turned into the common model.

A message is what a user, developer or system item says, or an answer: thoughts, calls and the text they end with. Results
go to their calls. Events that repeat an item are left out and counted as that; so are turns whose settings are those of the
turn before. Token counts become the tokens of the answer they follow.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .codex_events import instructions_of
from .codex_messages import convert_message, tokens_at
from .codex_records import count_record, label, opened, parent_thread, repeated_text, settings_of, split, texts_of
from .conversation import as_dict
from .number_table import NumberTable
from .plain_blocks import parsed
from .session_groups import Plan, Tally
from .session_tools import base_name, text_at, time_at
from .spool import Mapped, SpooledList

if TYPE_CHECKING:
    from .blobs import Members
    from .conversation import Conversation
    from .shape import About

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INDEX: Final = "session_index.jsonl"
_LONGEST: Final = 16 << 20
_ITEMS: Final = 100
"""How many records one answer takes up."""


class Codex:
    """Turns sessions into conversations."""

    def __init__(self) -> None:
        self._members: Members | None = None
        self._titles: dict[str, str] = {}

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation of a session.

        Raises:
            RunError: it is no session.

        """
        records: Any = element.get("items") if element.__class__ is dict else None
        if records.__class__ not in (list, SpooledList):
            raise RunError("not a Codex session: it has no records")
        if element.get("session").__class__ is dict:
            records = [{"instructions": None, **element["session"]}, *records]
        survey = _Survey({hash(text) for record in records for text in texts_of(record)})
        try:
            for record in records:
                survey.add(record)
            messages = _messages(records, survey)
        except RecursionError as error:
            raise RunError("a record of the session is nested too deep") from error
        found = survey.conversation(messages, text_at(element, "name") or about.file)
        return found if found["title"] else found | {"title": self._titles_in(about.members).get(found["id"], "")}

    def _titles_in(self, members: Members) -> dict[str, str]:
        """Return the names that users gave to sessions, by their ids: they stand in a list beside the sessions."""
        if self._members is not members:
            index = members.find(_INDEX)
            self._members, self._titles = members, _titles(index.read(_LONGEST)) if index else {}
        return self._titles


def _titles(lines: bytes) -> dict[str, str]:
    entries = (as_dict(parsed(line)) for line in lines.decode("utf-8", "replace").splitlines())
    return {text_at(entry, "id"): text_at(entry, "thread_name") for entry in entries}


def _messages(records: list[Any] | SpooledList, survey: _Survey) -> Any:
    large = records.__class__ is SpooledList
    groups: Any = SpooledList() if large else []
    for number, parts in survey.plan.assemble(records, split):
        model = survey.models[survey.model_of[number]]
        items = (payload for kind, payload in (opened(record) for _, record in parts) if kind == "response_item")
        identifier = next((found for payload in items if (found := text_at(payload, "id"))), "")
        group = {"id": identifier or f"message.{number + 1}", "model": model, "parts": parts}
        groups.append(group if large else convert_message(group))
    return Mapped(convert_message, groups) if large else groups


class _Survey:
    """The first walk through a session: which record belongs to which message, and what they say of the whole."""

    def __init__(self, texts: set[int]) -> None:
        self.plan = Plan()
        self.models = [""]
        self.model_of = array("i")
        self._texts = texts
        self._tally = Tally()
        self._calls = NumberTable()
        self._meta: dict[str, Any] = {}
        self._tokens: dict[str, int] = {}
        self._times = ["", ""]
        self._title = ""
        self._settings = ""
        self._answering = False
        self._size = 0

    def add(self, record: Any) -> None:
        """Find the message a record belongs to, or leave it out."""
        time = time_at(record)
        if time[:1].isdigit():
            self._times = [min(self._times[0] or time, time), max(self._times[1], time)]
        left_out = self._left_out(record)
        if left_out:
            self._tally.skip(f"block {label(record)}", left_out)
            self.plan.skip()
            return
        count_record(self._tally, record)
        ((kind, _),) = split(record)
        self.plan.add(self._owner(kind, record))

    def _left_out(self, record: Any) -> str:
        """Return why a record is no part of any message; empty if it is."""
        kind, payload = opened(record)
        text = repeated_text(record)
        if text is not None:
            return "skipped: repeats an item" if not text or hash(text) in self._texts else ""
        if kind == "turn_context":
            return self._turn(record, payload)
        if kind == "session_meta":
            self._meta = self._meta or payload
            return "" if instructions_of(payload) else "rendered: in the head"
        if kind == "event_msg" and text_at(payload, "type") == "agent_reasoning_section_break":
            return "skipped: empty"
        self._title = text_at(payload, "thread_name") or self._title
        return ""

    def _turn(self, record: Any, payload: dict[str, Any]) -> str:
        model, settings = text_at(payload, "model"), settings_of(record) or ""
        if model and model != self.models[-1]:
            self.models.append(model)
        if settings == self._settings:
            return "skipped: as in the turn before"
        self._settings = settings
        return ""

    def _owner(self, kind: str, record: Any) -> int:
        outer, payload = opened(record)
        inner = text_at(payload, "type")
        known = self._calls.get(text_at(payload, "call_id")) if kind in ("output", "note") else -1
        if known >= 0:
            return known
        if kind == "output":
            return self._open()
        if kind == "tokens":
            self._tokens = tokens_at(record, "total_token_usage") or self._tokens
        if kind == "tokens" or (kind == "note" and outer != "compacted"):
            return self._with_last()
        if outer == "compacted" or inner == "user_message" or (inner == "message" and payload.get("role") != "assistant"):
            return self._open()
        return self._in_answer(payload, ends=inner in ("message", "agent_message"))

    def _open(self) -> int:
        self._answering, self._size = False, 0
        self.model_of.append(len(self.models) - 1)
        return self.plan.open()

    def _with_last(self) -> int:
        """Return the last message, or a new one where it is full."""
        self._size += 1
        return len(self.plan) - 1 if len(self.plan) and self._size < _ITEMS else self._open()

    def _in_answer(self, payload: dict[str, Any], ends: bool) -> int:
        number = self._with_last() if self._answering else self._open()
        self._answering = not ends
        called = text_at(payload, "call_id") or text_at(payload, "id")
        if called:
            self._calls[called] = number
        return number

    def conversation(self, messages: Any, file: str) -> Conversation:
        """Return the conversation around the messages."""
        stem = base_name(file).removesuffix(".jsonl")
        last = _UUID.findall(stem)
        project = base_name(text_at(self._meta, "cwd"))
        return {
            "provider": "codex",
            "id": text_at(self._meta, "id") or (last[-1] if last else stem),
            "title": self._title,
            "created": time_at(self._meta) or self._times[0],
            "updated": self._times[1],
            "url": "",
            "summary": "",
            "model": self.models[-1],
            "leaf": "",
            "messages": messages,
            "counts": self._tally.counts(len(self.plan)),
            "skipped": self._tally.skipped,
            "tokens": self._tokens,
            "tags": [f"project:{project}"] if project else [],
            "links": self._links(),
        }

    def _links(self) -> list[dict[str, str]]:
        others = {"continues": text_at(self._meta, "forked_from_id"), "sub-agent of": parent_thread(self._meta)}
        return [{"relation": relation, "id": other, "title": ""} for relation, other in others.items() if other]
