"""Bodies of HTTP as their content type says they are to be read: JSON, text, bytes."""

from __future__ import annotations

import re
from typing import Any, Final

from .structure import parse_json

_CHARSET: Final = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
_TEXTS: Final = {"application/javascript", "application/xml", "application/x-www-form-urlencoded", "application/sparql-query"}


def media_type(header: str) -> str:
    """Return the media type of a `content-type` header without its parameters, in lower case."""
    return header.partition(";")[0].strip().lower()


def charset_of(header: str) -> str:
    """Return the charset a `content-type` header names, in lower case; empty if it names none."""
    named = _CHARSET.search(header)
    return named[1].lower() if named else ""


def text_in(header: str, body: bytes) -> str:
    """Return a body as text, in the charset its header names, else UTF-8; what is not in it is marked `�`."""
    try:
        return body.decode(charset_of(header) or "utf-8-sig", "replace")
    except LookupError:
        return body.decode("utf-8-sig", "replace")


def read_as_typed(header: str, body: bytes, source: str) -> Any:
    """Return a body parsed if it is JSON, as text if it is text or empty, else as bytes.

    Raises:
        RunError: it is said to be JSON and is not; `source` is what the error calls it.

    """
    kind = media_type(header)
    if body and (kind == "application/json" or kind.endswith("+json")):
        return parse_json(text_in(header, body), source)
    is_text = not body or kind.startswith("text/") or kind.endswith("+xml") or kind in _TEXTS
    return text_in(header, body) if is_text else body
