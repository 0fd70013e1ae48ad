"""Values as JSON, and what stands there for those JSON has no words for; and texts of JSON as the values they are."""

from __future__ import annotations

import binascii
import json
import math
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from .errors import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LONGEST: Final = 14_000
"""Bits of a number that Python writes in digits."""
_BYTES: Final = (bytes, bytearray, memoryview)


def as_json(value: Any, *, indent: int | None = None, strict: bool = False) -> bytes:
    r"""Return a value as JSON in UTF-8, without a line feed at its end.

    Bytes are the text they are in UTF-8, else their base64; half a pair of surrogates is written as `\udc80`. Whatever else
    JSON has no words for is what its `__json__()` gives, else its text, and a number that is none is null; `strict` refuses
    these two.

    Raises:
        RunError: JSON has no words for it; the sentence says for what, and where that is in the value.

    """
    try:
        try:
            text = _encoder(indent, strict)(value)
        except ValueError:
            if strict:
                raise
            text = _encoder(indent, strict)(_finite(value))
    except RecursionError as error:
        raise RunError("the value is inside itself, or nested too deeply for JSON") from error
    except (TypeError, ValueError) as error:
        fault = _culprit(value)
        raise RunError(f"JSON has no words for {fault}" if fault else f"this is no JSON: {str(error).lower()}") from error
    return text.encode("utf-8", "backslashreplace")


def stand_in(value: Any) -> Any:
    """Return what stands for a value that JSON has no words for: what it says itself, or its text.

    Bytes are what they are in UTF-8, else their base64.
    """
    if not isinstance(value, _BYTES):
        plain = said_by(value)
        return str(value) if plain is value else plain
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        return binascii.b2a_base64(value, newline=False).decode()


def said_by(value: Any) -> Any:
    """Return what a value says that it is in JSON, by a method `__json__`; itself if it says nothing."""
    say: Callable[[], Any] | None = getattr(value, "__json__", None)
    return say() if say else value


def parse_json(text: str, name: str, hint: str = "") -> Any:
    """Return the value that a text of JSON is.

    Raises:
        UsageError: it is none; the sentence says where it goes wrong, and `hint`.

    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{name}:{error.lineno}:{error.colno}: not JSON: {error.msg.lower()}{hint}") from error
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error).partition(";")[0].lower()
        raise UsageError(f"{name}: JSON that cannot be read: {reason}") from error


def read_json(path: Path) -> Any:
    """Return the value in a file of JSON.

    Raises:
        UsageError: it cannot be read; the sentence says where it goes wrong.

    """
    try:
        return parse_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read '{path}': {(getattr(error, 'strerror', None) or str(error)).lower()}") from error


@cache
def _encoder(indent: int | None, strict: bool) -> Callable[[Any], str]:
    default = _only_data if strict else stand_in
    # What is inside itself is nested too deeply, too: to look for it costs each value a tenth.
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, indent=indent, default=default)
    make = getattr(json.encoder, "c_make_encoder", None)
    if indent is not None or make is None:
        return encoder.encode
    # `encode` makes one of these for each value: that is a quarter of what a small message takes.
    write = make(None, default, json.encoder.encode_basestring, None, ": ", ", ", False, False, False)
    return lambda value: "".join(write(value, 0))


def _only_data(value: Any) -> Any:
    plain = stand_in(value) if isinstance(value, _BYTES) else said_by(value)
    if plain is not value:
        return plain
    raise TypeError(f"a {type(value).__name__} is none")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key) if isinstance(key, float) else key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _culprit(value: Any) -> str:
    """Say what JSON cannot hold in a value, and where; empty if nothing is found."""
    parts: list[tuple[str, Any]] = [("", value)]
    seen: set[int] = set()
    for path, part in parts:  # It grows on the way.
        if fault := _fault(part):
            return f"{fault}{f' at {path!r}' if path else ''}"
        if isinstance(part, dict | list | tuple) and id(part) not in seen:
            seen.add(id(part))
            inner = part.items() if isinstance(part, dict) else enumerate(part)
            dot = "." if path else ""
            parts += [(f"{path}[{key}]" if isinstance(key, int) else f"{path}{dot}{key}", one) for key, one in inner]
    return ""


def _fault(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"the number {value}"
    if isinstance(value, dict):
        key = next((key for key in value if not isinstance(key, str | int | float | None)), "")
        return f"a {type(key).__name__} as the name of a field" if key != "" else ""
    if isinstance(value, int):
        return f"a number of {value.bit_length()} bits" if value.bit_length() > _LONGEST else ""
    is_plain = value is None or isinstance(value, (str, list, tuple, *_BYTES))
    return "" if is_plain else f"a {type(value).__name__}"
