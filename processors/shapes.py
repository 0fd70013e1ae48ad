"""What kind of archive a JSON file is: told by its shape, never by its name."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from .json_stream import Layout

HEAD: Final = 1 << 18
"""How many bytes of a file are looked at."""


class Shape(NamedTuple):
    """One kind of JSON file that people find in their exports."""

    name: str
    evidence: re.Pattern[bytes]
    holds: str
    layout: Layout | None = None
    """How conversations lie in it; None where it holds something else."""


def _is_claude(value: Any) -> bool:
    return value.__class__ is dict and "chat_messages" in value


_CLAUDE = Layout(
    inner="chat_messages",
    is_element=_is_claude,
    start=re.compile(r'\{\s*"uuid"\s*:\s*"[^"\\]*"\s*,\s*"name"\s*:'),
)

SHAPES: Final = (
    Shape("claude", re.compile(rb'"chat_messages"\s*:'), "Claude conversations", _CLAUDE),
    Shape("chatgpt", re.compile(rb'"mapping"\s*:\s*\{'), "ChatGPT conversations"),
    Shape("users", re.compile(rb'"(?:email_address|verified_phone_number)"\s*:'), "users"),
    Shape("projects", re.compile(rb'"prompt_template"\s*:'), "projects"),
    Shape("memories", re.compile(rb'"(?:conversations_memory|project_memories)"\s*:'), "memories"),
    Shape("empty", re.compile(rb"\A\s*\[\s*\]\s*\Z"), "an empty list"),
)


def shape_of(head: bytes) -> Shape | None:
    """Return the shape of a file that starts with `head`; None if it is JSON of no kind we know, or no JSON."""
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"[", b"{"):
        return None
    return next((shape for shape in SHAPES if shape.evidence.search(head)), None)
