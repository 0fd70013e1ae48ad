"""Front matter of Markdown: YAML between two lines of dashes."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any, Final

from transmissions import RunError, missing_extra

from .yaml_values import Bounds, read_documents

_MATTER: Final = re.compile(r"\ufeff?---[ \t]*\r?\n(?:(.*?)\r?\n)?(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_HEADING: Final = re.compile(r"^ {0,3}#[ \t]+(.{1,1000}?)[ \t]*#*[ \t]*\r?$", re.MULTILINE)
_LONGEST: Final = 1 << 16
"""Characters of front matter; somebody's data between two rules is none."""
_VALUES: Final = 10_000


def split_front_matter(text: str, source: str) -> tuple[dict[str, Any], str]:
    """Return the fields of front matter and the text below it.

    Raises:
        RunError: it is not YAML, or no object; the error says where in `source`.

    """
    found = _MATTER.match(text[:_LONGEST])
    if found is None:
        return {}, text
    fields = _parsed(found[1] or "", source)
    if not isinstance(fields, dict):
        raise RunError(f"{source}:2: the front matter is not an object but a {type(fields).__name__}")
    return fields, text[found.end() :]


def _parsed(matter: str, source: str) -> Any:
    data = BytesIO(f"\n{matter}".encode())  # begins at the second line of the text
    try:
        return next(read_documents(data, Bounds(4 * _LONGEST, _VALUES), source), None) or {}
    except ImportError as error:
        raise missing_extra("yaml", "front matter") from error


def title_of(markdown: str) -> str:
    """Return the first heading of the first level, or nothing."""
    found = _HEADING.search(markdown[:_LONGEST])
    return found[1] if found else ""
