"""Keys of messages: what makes two of them the same, in one way for everything that compares them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError, said_by

from .access import need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transmissions import Message

    Key = tuple[str | None, ...]

_DIGEST: Final = 16


def canonical(value: Any) -> bytes:
    """Return a value as JSON that is the same for equal values: fields in order, no spaces, UTF-8, bytes as Base64.

    Raises:
        RunError: it is no JSON.

    """
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_in_json)
        return text.encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        raise RunError(f"a key or digest is made of plain data only: {error}") from error


def _in_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    plain = said_by(value)
    if plain is value:
        raise TypeError(f"a {type(value).__name__} is none")
    return plain


def key_text(value: Any) -> str | None:
    """Return what a value is compared by: 1, 1.0 and `1` are the same, null is only itself."""
    if value is None or value.__class__ is str:
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return canonical(value).decode("utf-8", "surrogatepass")


def key_of(message: Message, paths: Sequence[str]) -> Key:
    """Return the key of a message: the values at some dotted paths, as text.

    Raises:
        RunError: a field is not there.

    """
    return tuple([key_text(need(message, path)) for path in paths])


def digest_of(message: Message, paths: Sequence[str]) -> bytes:
    """Return 16 bytes that stand for a key, or without paths for the whole message.

    Raises:
        RunError: a field is not there, or the message is not plain data.

    """
    data = canonical(key_of(message, paths) if paths else message)
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()
