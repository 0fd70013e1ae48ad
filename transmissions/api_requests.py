"""What a request of the API brings: one JSON object, within limits."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NoReturn

from starlette.requests import ClientDisconnect

from .api_replies import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from .message import Message

_CLOSE: Final = {"Connection": "close"}
_PLAIN: Final = "identity"
_FORBEARANCE: Final = 8
"""How many times too large a body may be whose sender is heard out: one that is cut off may never read why."""


async def read_message(request: Request, most: int) -> Message:
    """Read the body of a request as a message; an empty one is an empty message.

    Raises:
        Refusal: the body is larger than `most` bytes, or no JSON object.

    """
    return parse_message(await _read(request, most))


def parse_message(body: bytes, called: str = "body") -> Message:
    """Return the message a body holds, or what else it is `called`.

    Raises:
        Refusal: it is no JSON object; the sentence says where it goes wrong.

    """
    try:
        value = _JSON.decode(body.decode("utf-8-sig") or "{}")
    except UnicodeDecodeError as error:
        raise Refusal(400, f"the {called} is not UTF-8, at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise Refusal(400, f"{called}:{error.lineno}:{error.colno}: not JSON: {error.msg.lower()}") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error).partition("; use ")[0]
        raise Refusal(400, f"the {called} cannot be read: {reason[0].lower()}{reason[1:]}") from error
    if not isinstance(value, dict):
        raise Refusal(400, f"a message is a JSON object, not {_kind(value)}")
    return value


def gone_away() -> Refusal:
    """Return what stands in the log for a request whose client is gone."""
    return Refusal(400, "the client went away")


async def _read(request: Request, most: int) -> bytes:
    coding = request.headers.get("content-encoding", "").strip().lower() or _PLAIN
    if coding != _PLAIN:
        raise Refusal(415, f"a body is sent as it is, not packed by {coding[:64]}", {"Accept-Encoding": _PLAIN, **_CLOSE})
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:19]) > most:
        raise _too_large(most)
    body, size = bytearray(), 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > _FORBEARANCE * most:
                break
            body += piece if size <= most else b""
    except ClientDisconnect as error:
        raise gone_away() from error
    if size > most:
        raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> Refusal:
    # The rest of the body may not have been read, so the connection cannot be used again.
    return Refusal(413, f"the body is larger than {most} bytes", _CLOSE)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"there is no {name} in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:64]} is too large")
    return number


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of two members by one name its sender may have meant either."""
    value = dict(members)
    if len(value) < len(members):
        [(name, _)] = Counter(name for name, _ in members).most_common(1)
        raise ValueError(f"an object has {name[:64]!r} twice")
    return value


_JSON: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_object)


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
