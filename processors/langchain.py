"""Messages as LangChain and LangGraph write them down: what is their own about them, put as requests to an API have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .api_logs import APIConversations
from .conversation import as_dict, as_list, as_text, type_of
from .plain_blocks import filled, first
from .spool import SpooledList

if TYPE_CHECKING:
    from .conversation import Conversation
    from .shape import About

_ROLES: Final = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool"}
_SAYING: Final = ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs")
_CLASS: Final = ("MessageChunk", "Message")
"""How the names of their classes end: `HumanMessage`, `AIMessageChunk`."""


class LangChainMessages:
    """Turns a history, a list of messages, or a state that holds one into a conversation."""

    def __init__(self) -> None:
        """Begin."""
        self._one = APIConversations()

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that the messages are.

        Raises:
            RunError: it has no messages.

        """
        outer = as_dict(element)
        given = {**outer, **as_dict(outer.get("values")), "values": None}
        items: Any = given.get("items", given.get("messages"))
        if items.__class__ not in (list, SpooledList):
            raise RunError("no messages of LangChain: there is no list of them")
        told: Any = SpooledList() if items.__class__ is SpooledList else []
        for item in items:
            told.append(_as_sent(item))
        return self._one.convert({**given, "items": None, "messages": told}, about)


def _as_sent(item: Any) -> Any:
    """Return a message as it would be sent; what is none stays as it is."""
    if item.__class__ is not dict:
        return item
    told = as_dict(item.get("kwargs")) or as_dict(item.get("data")) or item
    if told.keys().isdisjoint(_SAYING):
        return item
    role = as_text(told.get("role")) or _role_of(item, told)
    more = as_dict(told.get("additional_kwargs"))
    sent = {"role": role, "content": told.get("content"), "name": told.get("name"), "tool_call_id": told.get("tool_call_id")}
    sent["reasoning_content"] = more.get("reasoning_content")
    if not any(type_of(part) == "tool_use" for part in as_list(told.get("content"))):
        calls = [*as_list(told.get("tool_calls")), *as_list(told.get("invalid_tool_calls"))]
        sent["tool_calls"] = list(map(_call, calls)) or first(more, "tool_calls")
        sent["function_call"] = None if calls else more.get("function_call")
    return {key: value for key, value in sent.items() if filled(value)}


def _role_of(item: dict[str, Any], told: dict[str, Any]) -> str:
    kind = as_text(told.get("type") or item.get("type"))
    if item.get("kwargs").__class__ is dict:
        kind = as_text(next(reversed(as_list(item.get("id"))), kind))
    for end in _CLASS:
        kind = kind.removesuffix(end)
    return _ROLES.get(kind.lower(), kind.lower())


def _call(given: Any) -> Any:
    if given.__class__ is not dict or "function" in given:
        return given
    told = {"id": given.get("id"), "function": {"name": given.get("name"), "arguments": given.get("args")}}
    return told | {"error": given["error"]} if filled(given.get("error")) else told
