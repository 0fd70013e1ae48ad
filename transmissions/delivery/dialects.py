"""What clients say over a WebSocket, in the three shapes there are."""

from __future__ import annotations

from typing import Any, Final

from transmissions.api_replies import Refusal
from transmissions.api_requests import parse_message

from .asks import is_name
from .errors import InvalidRequest

ACTIONS: Final = ("run", "pause", "resume", "cancel", "status", "ping")
_NOT_DATA: Final = {"action", "request_type", "requestId", "request_id", "sessionId", "session_id", "timestamp", "since"}


def parse(text: str) -> dict[str, Any]:
    """Return a message as `{action, request_id, data, since, …}`, with what it said besides.

    Raises:
        InvalidRequest: it says nothing.

    """
    try:
        asked = parse_message(text.encode(), "message")
    except Refusal as error:
        raise InvalidRequest(str(error)) from error
    action = asked.get("action") or asked.get("request_type")
    if not isinstance(action, str):
        raise InvalidRequest(f"a message needs an action: {', '.join(ACTIONS)}")
    data = asked.get("data")
    if data is not None and not isinstance(data, dict):
        raise InvalidRequest("the data of a message is a JSON object")
    return {
        **asked,
        "action": action,
        "request_id": _name_in(asked, data or {}),
        "data": {key: value for key, value in asked.items() if key not in _NOT_DATA} if data is None else data,
        "since": str(asked.get("since") or ""),
        "is_flat": "requestId" in asked,
    }


def _name_in(asked: dict[str, Any], data: dict[str, Any]) -> str:
    given = asked.get("request_id") or asked.get("requestId") or data.get("request_id") or ""
    name = str(given) if isinstance(given, str | int) else "?"
    if name and not is_name(name):
        raise InvalidRequest("a request id is 1 to 128 letters, digits and signs of '._~-'")
    return name


def echo(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the names of a request, as its sender spelt them."""
    names = {"request_id": asked["request_id"]} if asked.get("request_id") else {}
    if asked.get("is_flat"):
        names["requestId"] = asked["request_id"]
        names["sessionId"] = asked.get("sessionId", "")
    return names
