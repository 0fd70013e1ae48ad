"""What kind of archive a file is: told by its shape, never by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .outline import outline
from .shape import Layout, Outline, Shape

try:
    from .shapes_others import SHAPES as _OTHERS
except ImportError:
    _OTHERS = ()
try:
    from .shapes_sessions import SHAPES as _SESSIONS
except ImportError:
    _SESSIONS = ()
try:
    from .shapes_trees import SHAPES as _TREES
except ImportError:
    _TREES = ()

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOPS: Final = ("[]", "")


def _has(seen: Outline, *keys: str) -> bool:
    """Whether the objects at the top, in a list or not, have all of these keys."""
    return any(all(f"{top}.{key}" in seen.paths for key in keys) for top in _TOPS)


def _is_claude(seen: Outline) -> bool:
    others = ("chat_messages[].fragments", "chat_messages[].message_id")
    return _has(seen, "chat_messages") and not any(_has(seen, key) for key in others)


def _is_design(seen: Outline) -> bool:
    return _has(seen, "uuid", "messages[].uuid", "messages[].created_at") and any(
        _has(seen, f"messages[].{key}") for key in ("sender", "role")
    )


def _has_messages(value: Any) -> bool:
    return value.__class__ is dict and "chat_messages" in value


def _has_uuid(value: Any) -> bool:
    return value.__class__ is dict and "uuid" in value and bool({"docs", "prompt_template", "messages"} & value.keys())


_CONVERSATIONS: Final = Layout(
    inner="chat_messages",
    is_element=_has_messages,
    start=re.compile(r'\{\s*"uuid"\s*:\s*"[^"\\]*"\s*,\s*"name"\s*:'),
)
_BY_UUID: Final = Layout(is_element=_has_uuid)


def _claude(
    name: str, holds: str, keys: str = "", convert: str = "", layout: Layout = Layout(), *, also: Iterable[str] = ()
) -> Shape:
    """Return a shape of Claude's export: its objects have all `keys`, or all of one of those in `also`."""
    wanted = [keys.split(), *(other.split() for other in also)]
    return Shape(name, "claude", holds, lambda seen: any(_has(seen, *each) for each in wanted), convert, layout)


CLAUDE: Final = (
    Shape("claude", "claude", "Claude conversations", _is_claude, "claude:Claude", _CONVERSATIONS),
    _claude("claude-projects", "Claude projects", "uuid prompt_template", "claude_extras:Project", _BY_UUID, also=["uuid docs[].filename"]),
    _claude("claude-memories", "Claude memories", "conversations_memory", "claude_extras:Memory", also=["project_memories", "memory_files[].path"]),
    _claude("claude-users", "users", "email_address", "claude_extras:Account", also=["uuid verified_phone_number"]),
    _claude("claude-frames", "Claude artifacts", "active_version versions[].id", "claude_extras:Frame"),
    Shape("claude-designs", "claude", "Claude design chats", _is_design, "claude_extras:Design", _BY_UUID._replace(inner="messages")),
    _claude("claude-logins", "the history of logins", "login_events", also=["login_history"]),
    _claude("claude-manifest", "the list of an export's parts", "data_files[].filename data_files[].export_url"),
)  # fmt: skip
EMPTY: Final = Shape("empty", "", "an empty list", lambda seen: seen.paths == {"[]"} and not seen.values)
SHAPES: Final = (*CLAUDE, *_SESSIONS, *_TREES, *_OTHERS, EMPTY)
BY_NAME: Final = {shape.name: shape for shape in SHAPES}
PROVIDERS: Final = tuple(dict.fromkeys(shape.provider for shape in SHAPES if shape.convert))


def shape_of(head: bytes) -> Shape | None:
    """Return the shape of a file that starts with `head`; None if it is none that we know."""
    return find_shape(head)[0]


def find_shape(head: bytes) -> tuple[Shape | None, str]:
    """Return the shape of a file that starts with `head`, and what is in it in words."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"<":
        shape = next((shape for shape in SHAPES if shape.html and shape.html.search(head)), None)
        return shape, shape.holds if shape else "a page"
    if start not in (b"[", b"{"):
        return None, "no JSON"
    seen = outline(head)
    shape = next((shape for shape in SHAPES if not shape.html and shape.fits(seen)), None)
    return shape, shape.holds if shape else f"something else{_keys_of(seen)}"


def _keys_of(seen: Outline) -> str:
    """Name the first keys of a file nobody knows."""
    known = sorted(path.rsplit(".", 1)[-1] for path in seen.paths if path.count(".") == 1)
    shown = ", ".join(f"'{key[:_SHOWN]}'" for key in known[:5])
    return f" with the keys {shown}" if shown else ""


_SHOWN: Final = 30
