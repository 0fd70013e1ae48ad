"""Claude Code's session logs, turned into the common model.

A session is a file of JSON Lines, one record to a line, or one object with `loglines`. Messages are the records of user
and assistant, without results: the records of one answer of the API are one message, results go to their calls, and every
other record (`record <type>` in the account) stands as an event in the message it follows. A record that gives the
session its title is accounted for as that. What a sub-agent did is a conversation of its own: its file, or, where its
records stand in the session's file, one of the conversations in `also`.

`/branch` copies a session into a new file. What came in another file already is left out, counted by records, and linked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .claude_code_head import Head
from .claude_code_messages import convert_message
from .claude_code_outputs import Outputs
from .claude_code_prompts import Prompts
from .claude_code_records import content_of, is_spoken, split
from .claude_code_survey import Survey
from .conversation import type_of
from .number_table import NumberTable
from .session_tools import base_name, dict_at, text_at
from .spool import Mapped, SpooledList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .claude_code_chain import Chain
    from .conversation import Conversation
    from .session_groups import Part
    from .shape import About

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PROVIDER: Final = "claude-code"


class ClaudeCode:
    """Turns sessions into conversations, and leaves out of each what came in another before."""

    def __init__(self) -> None:
        self._sessions: list[str] = []
        self._seen = NumberTable()
        self._forks: dict[str, str] = {}
        self._outputs = Outputs()

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation of a session; those of sub-agents within it stand in its `also`.

        Raises:
            RunError: it is no session.

        """
        given = element if element.__class__ is dict else {}
        records: Any = given.get("items", given.get("loglines"))
        if records.__class__ not in (list, SpooledList):
            raise RunError("not a Claude Code session: it has no records")
        try:
            found = self._session(records, base_name(text_at(given, "name") or about.file))
        except RecursionError as error:
            raise RunError("a record of the session is nested too deep") from error
        for conversation in (found, *found["also"]):
            conversation["messages"] = self._outputs.put_into(conversation["messages"], about.members)
        return found

    def _session(self, records: list[Any] | SpooledList, name: str) -> Conversation:
        agent = _agent_of(records, name)
        session = agent or _session_of(records, name)
        survey, head = Survey(bool(agent)), Head()
        copied = self._walk(records, session, survey, head)
        title = head.title(survey)
        survey.finish()
        messages = _messages(records, survey, copied)
        whole = _conversation(survey, 0, session, messages[0])
        whole["title"], whole["tags"] = title, [f"project:{head.project}"] if head.project else []
        whole["links"] = [*self._links(session, copied), *_agent_links(head, survey)]
        if agent:
            whole["links"].insert(0, {"relation": "sub-agent of", "id": _session_of(records, ""), "title": ""})
        whole["also"] = [
            _conversation(survey, number, chain.name, messages[number])
            | {"links": [{"relation": "sub-agent of", "id": session, "title": title}], "tags": whole["tags"]}
            for number, chain in enumerate(survey.chains)
            if number
        ]
        return whole

    def _walk(self, records: Iterable[Any], session: str, survey: Survey, head: Head) -> dict[int, list[Any]]:
        """Survey the records, and return what was left out before which message: how many, and the session they are in."""
        self._sessions.append(session)
        here = len(self._sessions) - 1
        copied: dict[int, list[Any]] = {}
        lost, prompts = survey.chains[0].tally, Prompts()
        for record in records:
            other = self._copy_of(record, here)
            if other is None:
                survey.add(record)
                head.look(record, survey.plan.place - 1)
                prompts.look(record, survey.plan.place - 1, survey)
                continue
            survey.plan.skip()
            if other == session:
                lost.skip("record", "skipped: twice in this session")
                continue
            lost.skip("record", "skipped: in another session already")
            stretch = copied.setdefault(survey.await_next(), [0, other])
            stretch[0] += 1
            survey.chains[0].see_copy(record)
        return copied

    def _copy_of(self, record: Any, here: int) -> str | None:
        """Return the session that a record was in before; None if it is new."""
        uuid = text_at(record, "uuid")
        if not uuid:
            return None
        origin = text_at(dict_at(record, "forkedFrom"), "sessionId")
        if origin:
            self._forks[self._sessions[here]] = origin
        key = (uuid, type_of(record), _gist(record))
        known = self._seen.get(key)
        # A sub-agent's records may stand in its session too: in its own file they are its own.
        is_own = text_at(record, "agentId") == self._sessions[here]
        if known >= 0 and (known == here or (self._sessions[known] != self._sessions[here] and not is_own)):
            return self._sessions[known]
        self._seen[key] = here
        return None

    def _links(self, session: str, copied: dict[int, list[Any]]) -> list[dict[str, str]]:
        others = dict.fromkeys(other for _, other in copied.values())
        if self._forks.get(session) not in (None, session):
            others.setdefault(self._forks[session])
        return [
            {"relation": "continued in" if self._forks.get(other) == session else "continues", "id": other, "title": ""}
            for other in others
        ]


def _gist(record: dict[str, Any]) -> int:
    """Return a hash of what a record says: one id for two different texts must lose neither."""
    if not is_spoken(record):
        return 0
    return hash(tuple(_gist_of(item) for item in content_of(record)))


def _gist_of(item: Any) -> Any:
    return item if item.__class__ is str else tuple(text_at(item, key) for key in ("text", "thinking", "id", "tool_use_id"))


def _agent_of(records: Iterable[Any], name: str) -> str:
    """Return the id of the sub-agent whose file this is; empty if it is a session's."""
    first: dict[str, Any] = next((record for record in records if is_spoken(record)), {})
    if first.get("isSidechain") is not True:
        return ""
    stem = name.removesuffix(".jsonl")
    return text_at(first, "agentId") or (stem.removeprefix("agent-") if stem.startswith("agent-") else "")


def _session_of(records: Iterable[Any], name: str) -> str:
    """Return a session's id: its file is called by it. Else the last that is named: those before may be copied."""
    stem = name.removesuffix(".jsonl")
    if _UUID.fullmatch(stem):
        return stem
    last = ""
    for record in records:
        last = text_at(record, "sessionId") or last
    return last or stem


def _agent_links(head: Head, survey: Survey) -> list[dict[str, str]]:
    agents = {chain.name: "" for chain in survey.chains[1:]} | head.agents
    return [{"relation": "sub-agent", "id": agent, "title": task} for agent, task in agents.items()]


def _messages(records: list[Any] | SpooledList, survey: Survey, copied: dict[int, list[Any]]) -> list[Any]:
    """Return the messages of each conversation in the file."""
    large = records.__class__ is SpooledList
    groups: list[Any] = [SpooledList() if large else [] for _ in survey.chains]
    for number, parts in survey.plan.assemble(records, split):
        chain = survey.chain_of[number]
        group = {
            "id": survey.ids[number],
            "parent": survey.parent_of(number, parts),
            "parts": parts,
            "agent": survey.agent or chain > 0,
            "copied": copied.get(number),
            "written": _written(parts, survey.written),
        }
        groups[chain].append(group if large else convert_message(group))
    return [Mapped(convert_message, items) for items in groups] if large else groups


def _written(parts: list[Part], written: set[str]) -> list[str]:
    """Return the files among those the session wrote whole that the calls of a message speak of."""
    records = [payload for kind, payload in parts if kind == "message" and is_spoken(payload)]
    paths = {text_at(dict_at(item, "input"), "file_path") for record in records for item in content_of(record)}
    return sorted(paths & written)


def _conversation(survey: Survey, number: int, identifier: str, messages: Any) -> Conversation:
    chain: Chain = survey.chains[number]
    return {
        "provider": _PROVIDER,
        "id": identifier,
        "title": "",
        "created": chain.created or chain.copied,
        "updated": chain.updated or chain.copied,
        "url": "",
        "summary": "",
        "model": chain.model,
        "leaf": survey.ids[chain.leaf] if chain.leaf >= 0 else "",
        "messages": messages,
        "counts": chain.tally.counts(chain.messages),
        "skipped": chain.tally.skipped,
        "tokens": chain.tokens,
    }
