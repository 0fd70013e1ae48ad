"""Values of messages as JSON text, with one sentence for what JSON has no words for."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from transmissions import RunError

_LONGEST: Final = 14_000
"""Bits of a number that Python writes in digits."""


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON, as it may stand in a file.

    Raises:
        RunError: JSON has no words for it; the sentence says for what, and where that is in the value.

    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except RecursionError as error:
        raise RunError("the value is nested too deeply for JSON") from error
    except (TypeError, ValueError) as error:
        fault = _culprit(value)
        raise RunError(f"JSON has no words for {fault}" if fault else f"this is no JSON: {str(error).lower()}") from error


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
    is_plain = value is None or isinstance(value, str | list | tuple)
    return "" if is_plain else f"a {type(value).__name__}"
