"""LM Studio's chats, `*.conversation.json`, turned into the common model. Each message has versions, one of them chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .conversation import as_dict, as_list, as_text, instant, type_of
from .plain_blocks import call, first, parsed, parts_of, result, text, thinking, unknown
from .plain_turns import chat, held_file, identity, items_of, message, no_message, role_of, sections_of, tally, unroll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_STATES: Final = frozenset(["status", "debugInfoBlock", "toolStatus"])
"""Steps that say what LM Studio did meanwhile."""


class LMStudioChats:
    """Turns a chat. Versions that were not chosen are ways that it left."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that a file holds."""
        items = items_of(element, "messages", "chat of LM Studio")
        told, created = as_text(element.get("systemPrompt")) or _set_prompt(element), instant(element.get("createdAt"))
        walk = _Walk(told, about)
        counts = walk.count(items)
        moments = [instant(element.get(key)) for key in ("createdAt", "userLastMessagedAt", "assistantLastMessagedAt")]
        used = element.get("lastUsedModel")
        last, total = walk.leaf(items)
        more: dict[str, Any] = {"leaf": last} if total else {}
        notes = "\n\n".join(map(as_text, as_list(element.get("notes"))))
        more |= sections_of({"Notes": notes, "Not sent": element.get("clientInput")})
        return chat(
            "lm-studio",
            identity(as_text(element["createdAt"])) if created else identity(items),
            unroll(walk.messages, items, counts["messages"]),
            counts,
            title=as_text(element.get("name")),
            created=created,
            updated=max(moments),
            model=as_text(first(used, "identifier", "indexedModelIdentifier")) if used.__class__ is dict else "",
            **more,
        )


def _set_prompt(element: dict[str, Any]) -> str:
    """Return the system prompt among the settings of a chat, where newer versions keep it."""
    fields = as_list(as_dict(element.get("perChatPredictionConfig")).get("fields"))
    told = {as_text(field.get("key")): field.get("value") for field in fields if field.__class__ is dict}
    return as_text(told.get("llm.prediction.systemPrompt"))


class _Walk:
    """Goes through the messages of one chat, version by version."""

    def __init__(self, told: str, about: About) -> None:
        self._told = told
        self._about = about

    def messages(self, items: Iterable[Any]) -> Iterator[ChatMessage]:
        """Yield every version of every message; all of a message follow the one that was chosen before."""
        before = ""
        if self._told:
            before = "system"
            yield message("system", [text(self._told, "systemPrompt")], before, parent="")
        for number, item in enumerate(items):
            versions, chosen = _versions_of(item)
            for place, version in enumerate(versions):
                yield self._version(version, f"{number}.{place}", before)
            before = f"{number}.{chosen}" if versions else before

    def count(self, items: Iterable[Any]) -> dict[str, Any]:
        """Count what a chat holds."""
        kinds, messages = ["systemPrompt"] * bool(self._told), int(bool(self._told))
        files = 0
        for item in items:
            for version in _versions_of(item)[0]:
                messages += 1
                found = list(_contents(version))
                kinds += [kind for kind, _, _ in found if kind != "file"]
                files += sum(kind == "file" for kind, _, _ in found)
        return tally(messages, kinds, files=files)

    def leaf(self, items: Iterable[Any]) -> tuple[str, int]:
        """Return the id of the chosen version of the last message, and how many messages there are."""
        last, total = "", 0
        for total, item in enumerate(items, 1):
            versions, chosen = _versions_of(item)
            last = f"{total - 1}.{chosen}" if versions else last
        return last, total

    def _version(self, version: Any, identifier: str, before: str) -> ChatMessage:
        if version.__class__ is not dict:
            return no_message(version) | {"id": identifier, "parent": before}
        blocks: list[Block] = []
        files: list[dict[str, Any]] = []
        for kind, entry, style in _contents(version):
            if kind == "file":
                files.append(self._file(entry))
            else:
                _add(blocks, kind, entry, style)
        more: dict[str, Any] = _facts(version) | {"parent": before, "files": files}
        return message(role_of(version.get("role")), blocks, identifier) | more

    def _file(self, entry: dict[str, Any]) -> dict[str, Any]:
        name = as_text(first(entry, "name", "fileName", "fileIdentifier"))
        return held_file(self._about, name, as_text(entry.get("fileIdentifier")))


def _versions_of(item: Any) -> tuple[list[Any], int]:
    """Return the versions of a message and the place of the one that was chosen."""
    versions: Any = item.get("versions") if item.__class__ is dict else None
    if versions.__class__ is not list:
        return [item], 0
    chosen: Any = item.get("currentlySelected")
    return versions, chosen if chosen.__class__ is int and 0 <= chosen < len(versions) else max(len(versions) - 1, 0)


def _contents(version: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield what a version holds: its type, itself, and the style of the step it is part of."""
    if version.__class__ is not dict:
        yield "message", version, ""
        return
    for entry in as_list(version.get("content")):
        yield type_of(entry), entry, ""
    for step in as_list(version.get("steps")):
        if type_of(step) != "contentBlock":
            yield type_of(step), step, ""
            continue
        style = type_of(step.get("style"))
        for entry in as_list(step.get("content")):
            yield type_of(entry), entry, style


def _facts(version: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of the model that wrote a version."""
    infos = [step["genInfo"] for step in as_list(version.get("steps")) if step.__class__ is dict and step.get("genInfo")]
    infos = [info for info in infos if info.__class__ is dict]
    sender: Any = version.get("senderInfo")
    model = as_text(first(infos[0], "identifier", "indexedModelIdentifier")) if infos else ""
    model = model or (as_text(sender.get("senderName")) if sender.__class__ is dict and version.get("role") != "user" else "")
    stats = [info["stats"] for info in infos if info.get("stats").__class__ is dict]
    tokens = {"input": _sum(stats, "promptTokensCount"), "output": _sum(stats, "predictedTokensCount")}
    return ({"model": model} if model else {}) | ({"tokens": tokens} if any(tokens.values()) else {})


def _sum(stats: list[dict[str, Any]], key: str) -> int:
    return sum(found[key] for found in stats if found.get(key).__class__ is int)


def _add(blocks: list[Block], kind: str, entry: Any, style: str) -> None:
    """Add one content as a block; a result goes to the call it answers."""
    if kind == "toolCallResult" and entry.__class__ is dict:
        asked = first(entry, "toolCallRequestId", "toolCallId", "callId")
        waiting = [block for block in blocks if block["sources"] == ("toolCallRequest",)]
        for block in waiting:
            if asked is not None and block["id"] == as_text(asked):
                block["result"] = _result(entry)
                block["sources"] = ("toolCallRequest", kind)
                return
    blocks.append(_block(kind, entry, style))


def _block(kind: str, entry: Any, style: str) -> Block:
    if entry.__class__ is str:
        return text(entry, kind)
    if entry.__class__ is not dict:
        return unknown(kind, entry)
    if kind == "text":
        return thinking(entry.get("text"), kind) if style == "thinking" else text(entry.get("text"), kind)
    if kind == "toolCallRequest":
        identifier = first(entry, "toolCallRequestId", "callId")
        return call(entry.get("name"), parsed(first(entry, "parameters", "arguments")), kind, identifier)
    if kind == "toolCallResult":
        return result(entry.get("name"), [], kind) | {"result": _result(entry)}
    if kind in _STATES:
        said = first(entry, "debugInfo", "text", "statusState")
        said = first(said, "status", "text") if said.__class__ is dict else said
        return {"kind": "event", "title": "LM Studio", "text": as_text(said), "sources": (kind,)}
    return unknown(kind, entry)


def _result(entry: dict[str, Any]) -> dict[str, Any]:
    return {"parts": parts_of(parsed(entry.get("content"))), "failed": entry.get("isError") is True}
