"""Fields of messages by dotted path, for the processors of this library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from transmissions import MISSING, RunError, get_field, remove_field, suggestion

if TYPE_CHECKING:
    from transmissions import Context, Message

_SHOWN: Final = 8
"""Field names an error lists, at most."""
_SHORTEST_SECRET: Final = 6
"""A shorter one would be scrubbed out of half the words that are told of a run."""


def need(message: Message, path: str) -> Any:
    """Return the value at a dotted path.

    Raises:
        RunError: there is none; the error names the fields there are.

    """
    value = get_field(message, path, MISSING)
    if value is MISSING:
        raise RunError(f"the message has no field '{path}'{_instead(message, path)}")
    return value


def need_text(message: Message, path: str) -> str:
    """Return the text at a dotted path.

    Raises:
        RunError: there is none, or something else.

    """
    text = need(message, path)
    if not isinstance(text, str):
        raise RunError(f"the field '{path}' is not text but a {type(text).__name__}")
    return text


def _instead(message: Message, path: str) -> str:
    if not message:
        return "; it is empty"
    shown = ", ".join([*list(message)[:_SHOWN], *(["…"] if len(message) > _SHOWN else [])])
    return suggestion(path, message) or f"; it has {shown}"


def without(message: Message, path: str) -> Message:
    """Return a shallow copy of a message without the value at a dotted path."""
    rest = dict(message)
    remove_field(rest, path)
    return rest


def keep_secret(context: Context, secret: str) -> None:
    """Keep a secret out of all that is told of a run, whoever says it."""
    if len(secret) >= _SHORTEST_SECRET:
        context.scrub(lambda text: text.replace(secret, "…"))
