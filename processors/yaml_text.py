"""Values for YAML front matter: valid for any text, by any YAML 1.1 or 1.2 reader."""

from __future__ import annotations

import json
import re
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any, Final

_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T(?!24)\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?", re.ASCII)
_TIMES: Final = ("created", "updated")
_NOTHING: Final[tuple[Any, ...]] = ("", None, [], {})


def scalar(value: Any) -> str:
    """Return a value in one line of YAML, text in quotes."""
    if isinstance(value, str):
        return quoted(value)
    if value.__class__ is int:
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(scalar, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(name)}: {scalar(item)}' for name, item in value.items())}}}"
    return json.dumps(value)


def _told(name: str, value: Any) -> str:
    if not isinstance(value, str):
        return scalar(value)
    # A title may look like a day, and is none.
    return value if name in _TIMES and _is_time(value) else quoted(value)


def _is_time(text: str) -> bool:
    """Whether a text is a time there is: readers of YAML give up at the thirtieth of February."""
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def quoted(text: str) -> str:
    """Return a text as a double-quoted scalar: JSON's, with what YAML cannot hold as it is escaped too."""
    if text.isprintable():
        return encode_basestring(text)
    clean = _SURROGATE.sub("\ufffd", text)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(clean, ensure_ascii=False))


def front_matter(fields: dict[str, Any]) -> str:
    """Return a front matter block: `created` and `updated` as times. Fields that say nothing are left out."""
    lines = [f"{name}: {_told(name, value)}" for name, value in fields.items() if value or value not in _NOTHING]
    return "\n".join(["---", *lines, "---", ""])
