"""The log of prompts that the Gemini CLI keeps of all sessions, `logs.json`: those whose session is nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .session_tools import text_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .blobs import Members

_SESSION: Final = re.compile(r"(?:^|/)session-[^/]*-([0-9a-f]{8})\.jsonl?$")
"""The name of a session's file ends with the first digits of its id."""
SKIPPED: Final = "skipped: its session is in the archive"


def split_log(prompts: Iterable[Any], members: Members) -> tuple[dict[str, list[Any]], list[Any]]:
    """Return the prompts by their sessions, and those whose session the archive holds: it has them itself."""
    known = {found[1] for name in members.names() if (found := _SESSION.search(name))}
    lost: dict[str, list[Any]] = {}
    left: list[Any] = []
    for prompt in prompts:
        session = text_at(prompt, "sessionId")
        (left if session[:8] in known else lost.setdefault(session, [])).append(prompt)
    return lost, left
