"""What a Claude Code log says of the session as a whole: its title, its project, its sub-agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .claude_code_records import content_of, is_spoken
from .conversation import type_of
from .session_tools import base_name, dict_at, text_at

if TYPE_CHECKING:
    from .claude_code_survey import Survey

_TITLES: Final = {"custom-title": "customTitle", "summary": "summary", "ai-title": "aiTitle"}
"""The records that give a session a title, the best first, and the key it stands under."""
_SUMMARIES: Final = 1000
"""How many summaries are remembered; most of them are of other sessions."""


class Head:
    """What is said of the session as a whole."""

    def __init__(self) -> None:
        self.project = ""
        self.agents: dict[str, str] = {}
        """The ids of the sub-agents it started, and what each was to do."""
        self._tasks: dict[str, str] = {}
        self._titles: dict[tuple[str, str], tuple[int, str]] = {}

    def look(self, record: Any, place: int) -> None:
        """Look at a record; `place` is where its last part stands in the plan."""
        if record.__class__ is not dict:
            return
        self.project = self.project or base_name(text_at(record, "cwd"))
        kind = type_of(record)
        if kind in _TITLES:
            self._note_title(kind, record, place)
        if is_spoken(record):
            for item in content_of(record):
                given = dict_at(item, "input")
                if text_at(item, "id") and text_at(given, "prompt"):
                    self._tasks[item["id"]] = text_at(given, "description")
        agent = text_at(dict_at(record, "toolUseResult"), "agentId") or text_at(dict_at(record, "data"), "agentId")
        if agent:
            self.agents[agent] = self.agents.get(agent) or self._task(record)

    def _note_title(self, kind: str, record: dict[str, Any], place: int) -> None:
        title = text_at(record, _TITLES[kind])
        key = (kind, text_at(record, "leafUuid") if kind == "summary" else "")
        self._titles.pop(key, None)
        if title.strip() and len(self._titles) < _SUMMARIES:
            self._titles[key] = (place, title)

    def _task(self, record: dict[str, Any]) -> str:
        called = text_at(record, "parentToolUseID")
        if is_spoken(record):
            called = next(filter(None, (text_at(item, "tool_use_id") for item in content_of(record))), called)
        return self._tasks.get(called, "")

    def title(self, survey: Survey) -> str:
        """Return the title of the session; the record that gives it is accounted for as that."""
        for wanted in _TITLES:
            for (kind, leaf), (place, title) in reversed(self._titles.items()):
                if kind == wanted and (kind != "summary" or survey.knows(leaf)):
                    survey.leave_out(place, kind, "rendered: as title")
                    return title
        return ""
