"""Sessions of the Gemini CLI, turned into the common model: whole chats, and the log of prompts it keeps of all sessions."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from . import plain_blocks
from .conversation import as_list, as_text, instant, type_of
from .gemini_cli_lines import Lines, is_head
from .gemini_cli_log import SKIPPED, split_log
from .gemini_parts import block_of_part, file_of_part, kind_of_part, result_part
from .plain_turns import identity, is_message, no_message
from .session_groups import Tally
from .session_tools import dict_at, number_at, text_at, texts_in, what_it_adds
from .spool import Mapped, SpooledList

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_SPEAKERS: Final = {"user": "human", "gemini": "assistant", "assistant": "assistant", "model": "assistant", "tool": "tool"}
_TOKENS: Final = {"input": "input", "output": "output", "cache_read": "cached", "thoughts": "thoughts", "tool": "tool"}
_CHECKPOINT: Final = re.compile(r"(?:^|/)checkpoint-([^/]{1,200})\.json$")
_SETUP: Final = re.compile(r"\s*(?:<session_context>\s*)?This is the Gemini CLI\. We are setting up the context for our chat\.")
"""How the first message begins, which the program writes in the user's place."""
_FIELDS: Final = ("type", "content", "message", "thoughts", "toolCalls", "displayContent")
_FAILED: Final = frozenset({"error", "failed"})


class GeminiCLI:
    """Turns sessions into conversations."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation of a session.

        Raises:
            RunError: it is no session.

        """
        given = element if element.__class__ is dict else {}
        items: Any = next((given[key] for key in ("items", "clientHistory", "history") if key in given), None)
        if items.__class__ in (list, SpooledList):
            opening: Any = next((item for item in items if item.__class__ is dict), None)
            if opening.__class__ is dict and "parts" in opening:
                return _saved(items, about.file)
            return _lined(items, about.file) if is_head(opening) else _logged(items, about)
        messages: Any = given.get("messages")
        if messages.__class__ not in (list, SpooledList):
            raise RunError("not a Gemini CLI session: it has no messages")
        return _conversation(given, messages, about.file)


def _lined(items: list[Any] | SpooledList, file: str) -> Conversation:
    """Return the session that was written line by line."""
    lines = Lines(items)
    messages = lines.messages()
    conversation = _conversation(lines.head, messages, file) | {"skipped": lines.tally.skipped}
    last = deque((item for item in messages if text_at(item, "id")), maxlen=1)
    return conversation | {"leaf": last[0]["id"]} if last else conversation


def _saved(items: list[Any] | SpooledList, file: str) -> Conversation:
    """Return the chat that somebody saved under a name: what was sent to the API, without ids and times."""
    told: list[Any] | SpooledList = SpooledList() if isinstance(items, SpooledList) else []
    for item in items:
        told.append(_sent(item) if item.__class__ is dict else item)
    named = _CHECKPOINT.search(file)
    return _conversation({"sessionId": identity(items), "title": named[1] if named else ""}, told, file)


def _sent(item: dict[str, Any]) -> dict[str, Any]:
    """Return what was sent to the API as a message of a session."""
    parts = as_list(item.get("parts"))
    kinds = {kind_of_part(part) for part in parts}
    role = "tool" if kinds == {"functionResponse"} else as_text(item.get("role"))
    if parts and _SETUP.match(text_at(parts[0], "text")):
        role = "context"
    return {"type": role, "content": {"parts": as_list(item.get("parts"))}}


def _logged(items: Iterable[Any], about: About) -> Conversation:
    """Return the prompts of the first session in a log that is nowhere else; those of the others stand in its `also`."""
    lost, left = split_log(items, about.members)
    if left and not lost:
        return _conversation({}, left, about.file) | {"left_out": SKIPPED}
    # Another archive may bring the session itself, with its answers: it must not be taken for a version of this one.
    found = [
        _conversation({"sessionId": f"{session or about.file}.prompts"}, prompts, about.file)
        | {"links": [{"relation": "prompts of", "id": session, "title": ""}] if session else []}
        for session, prompts in (lost or {"": []}).items()
    ]
    skipped = {"skipped": {"message": {SKIPPED: len(left)}}} if left else {}
    return {**found[0], **skipped, "also": found[1:]}


def _conversation(given: dict[str, Any], items: Any, file: str) -> Conversation:
    seen = _Seen(items)
    first = next(iter(items), None)
    parent = as_text(given.get("parentSessionId"))
    return {
        "provider": "gemini-cli",
        "id": as_text(given.get("sessionId")) or text_at(first, "sessionId") or file,
        "title": as_text(given.get("title")),
        "created": instant(given.get("startTime")) or seen.first,
        "updated": instant(given.get("lastUpdated")) or seen.last,
        "url": "",
        "summary": as_text(given.get("summary")),
        "model": seen.model,
        "leaf": "",
        "messages": Mapped(convert_message, items)
        if items.__class__ is SpooledList
        else [convert_message(item) for item in items],
        "counts": seen.tally.counts(len(items)),
        "tokens": seen.tokens,
        "tags": [],
        "links": [{"relation": "sub-agent of", "id": parent, "title": ""}] if parent else [],
    }


class _Seen:
    """What the messages of a session come to."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.tally = Tally()
        self.tokens: dict[str, int] = {}
        self.model = self.first = self.last = ""
        for item in items:
            self._see(item)

    def _see(self, item: Any) -> None:
        for kind in _kinds(item):
            self.tally.block(kind)
        time = instant(item.get("timestamp")) if item.__class__ is dict else ""
        self.first, self.last = self.first or time, time or self.last
        self.model = text_at(item, "model") or self.model
        for name, key in _TOKENS.items():
            number = number_at(dict_at(item, "tokens"), key)
            if number:
                self.tokens[name] = self.tokens.get(name, 0) + number


def _kinds(item: Any) -> Iterator[str]:
    """Yield the types of the blocks that a message of the archive holds."""
    if not is_message(item, _FIELDS):
        yield "message"
        return
    yield from ("thoughts" for _ in as_list(item.get("thoughts")))
    if _displayed(item):
        yield "displayContent"
    yield from (kind_of_part(part) for part in _content(item))
    yield from ("toolCalls" for _ in as_list(item.get("toolCalls")))


def _content(item: dict[str, Any]) -> list[Any]:
    """Return the parts of a message; a log has its text under `message`."""
    content: Any = item.get("content", item.get("message"))
    return as_list(content.get("parts") if content.__class__ is dict and "parts" in content else content)


def _displayed(item: dict[str, Any]) -> str:
    """Return what somebody typed, where that is not what was sent: a command, the name of a file."""
    parts = as_list(item.get("displayContent"))
    return "\n".join(filter(None, (part if part.__class__ is str else text_at(part, "text") for part in parts)))


def convert_message(item: Any) -> ChatMessage:
    """Return one message in the common model."""
    if not is_message(item, _FIELDS):
        return no_message(item)
    kind = type_of(item)
    role = _SPEAKERS.get(kind, "system")
    message: ChatMessage = {
        "id": as_text(item.get("id", item.get("messageId"))),
        "role": role,
        "created": instant(item.get("timestamp")),
        "blocks": list(_blocks(item, kind, role)),
        "attachments": [],
        "files": [],
    }
    if item.get("parent").__class__ is str:
        message["parent"] = item["parent"]
    tokens = {name: number_at(dict_at(item, "tokens"), key) for name, key in _TOKENS.items()}
    if any(tokens.values()):
        message["tokens"] = tokens
    if text_at(item, "model"):
        message["model"] = item["model"]
    return message


def _blocks(item: dict[str, Any], kind: str, role: str) -> Iterator[Block]:
    for thought in as_list(item.get("thoughts")):
        yield _thinking(thought)
    typed = _displayed(item)
    own: Block = {"kind": "text", "text": typed, "citations": (), "sources": ("displayContent",)}
    blocks = [own] if typed else []
    for part in _content(item):
        source = kind_of_part(part)
        block = block_of_part(part, source)
        if typed and block["kind"] == "text" and block["text"].strip() in typed:
            own["sources"] += (source,)
            continue
        if typed and block["kind"] == "text":
            block = {"kind": "injected", "text": block["text"], "source": "Gemini CLI"}
        elif role == "system" and block["kind"] == "text":
            block = {"kind": "event", "title": kind.capitalize(), "text": block["text"]}
        blocks.append({**block, "sources": (source,)})
    yield from blocks
    for call in as_list(item.get("toolCalls")):
        yield from _call(call)


def _thinking(thought: Any) -> Block:
    subject, text = text_at(thought, "subject"), text_at(thought, "description")
    if thought.__class__ is str:
        text = thought
    elif not subject and not text:
        text = as_text(thought)
    summaries = [subject] if subject else []
    return {"kind": "thinking", "text": text, "summaries": summaries, "sources": ("thoughts",)}


def _call(call: Any) -> Iterator[Block]:
    """Yield a call with its result, and the images in that."""
    if call.__class__ is not dict or {"name", "args", "result"}.isdisjoint(call):
        yield plain_blocks.unknown("toolCalls", call)
        return
    parts: list[Any] = []
    files: list[Block] = []
    for item in as_list(call.get("result")) or as_list(call.get("resultDisplay")):
        file = file_of_part(item, "inlineData")
        if file:
            files.append(file)
        parts.append({"text": f"[file: {file['name']}]"} if file else result_part(item))
    shown: Any = call.get("resultDisplay")
    if as_list(call.get("result")) and not ("fileDiff" in shown if shown.__class__ is dict else shown.__class__ is list):
        # What somebody saw of it. A change stands in the arguments, lines with their colours in the result.
        more = what_it_adds(shown, "\n".join(texts_in([call.get("args"), parts])))
        parts += [] if more is None else [result_part(more)]
    told = text_at(call, "description")
    yield plain_blocks.call(call.get("name"), call.get("args"), "toolCalls") | {
        "result": {"parts": parts, "failed": text_at(call, "status") in _FAILED} if parts else None,
        **({"description": told} if told and told not in "\n".join(texts_in(call.get("args"))) else {}),
    }
    yield from files
