"""The account of one conversation: what the archive held, and what became of it. The two must add up, kind by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .conversation import Conversation

_COUNTED: Final[dict[str, str]] = {"message": "messages", "attachment": "attachments", "file": "files"}


def account_of(conversation: Conversation, tally: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Return what was found, and what became of it: by kind, how many came to each outcome.

    What the converter left out on purpose is in the conversation's `skipped` and not in its counts: it is added to both.
    """
    found = {**conversation["counts"], "blocks": dict(conversation["counts"]["blocks"])}
    became: dict[str, dict[str, int]] = {}
    for (kind, outcome), number in tally.items():
        became.setdefault(kind, {})[outcome] = number
    for kind, outcomes in (conversation.get("skipped") or {}).items():
        for outcome, number in outcomes.items():
            _add(became.setdefault(kind, {}), outcome, number)
            if kind.startswith("block "):
                _add(found["blocks"], kind.removeprefix("block "), number)
            else:
                _add(found, _COUNTED.get(kind) or kind, number)
    return {"found": found, "became": became}


def _add(figures: dict[str, Any], name: str, number: int) -> None:
    figures[name] = figures.get(name, 0) + number
