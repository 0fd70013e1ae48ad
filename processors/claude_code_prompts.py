"""Records of Claude Code that repeat what the user wrote: a prompt that waited for the assistant, the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .claude_code_records import content_of, is_queued_prompt, is_spoken
from .conversation import as_list, type_of
from .session_tools import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .claude_code_survey import Survey

_WAITING: Final = 1000
"""How many prompts that wait are remembered."""
_REPEATED: Final = "skipped: repeats a prompt"


class Prompts:
    """What the user has written so far, and where records stand that say it before it was sent. Texts are not kept."""

    def __init__(self) -> None:
        self._said: set[int] = set()
        self._waiting: dict[int, list[tuple[int, str]]] = {}

    def look(self, record: Any, place: int, survey: Survey) -> None:
        """Look at a record, whose last part stands at `place`, and leave out what says the same."""
        kind = type_of(record)
        if kind == "queue-operation" and text_at(record, "content"):
            self._wait(text_at(record, "content"), place, kind)
        elif kind == "last-prompt" and hash(text_at(record, "lastPrompt").strip()) in self._said:
            survey.leave_out(place, kind, _REPEATED)
        for text in _written(record):
            key = hash(text.strip())
            self._said.add(key)
            for earlier, waited in self._waiting.pop(key, ()):
                survey.leave_out(earlier, waited, _REPEATED)

    def _wait(self, text: str, place: int, kind: str) -> None:
        key = hash(text.strip())
        if key in self._waiting or len(self._waiting) < _WAITING:
            self._waiting.setdefault(key, []).append((place, kind))


def _written(record: Any) -> Iterator[str]:
    """Yield the texts that a record has from the user."""
    items: list[Any] = []
    if is_queued_prompt(record):
        items = as_list(record["attachment"]["prompt"])
    elif type_of(record) == "user" and is_spoken(record):
        items = content_of(record)
    for item in items:
        text = item if item.__class__ is str else text_at(item, "text")
        if text:
            yield text
