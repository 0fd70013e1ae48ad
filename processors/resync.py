"""Find the next element after a stretch of a stream that is no JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from .shape import Layout
    from .text_window import TextWindow

DECODER: Final = json.JSONDecoder(strict=False)
_EDGE: Final = 16
"""A fault this near the end of the buffer may only be a token that is cut in two: an escape, a literal, a number."""
_OPENING: Final = re.compile(r'\{\s*(?:["}]|\Z)')
_PATIENCE: Final = 64 << 20
"""Characters that may be looked at in vain; more come with each that is passed, or hostile input would cost square time."""
_PER_CHARACTER: Final = 16
_TRY: Final = 4096
"""What a try costs that fails at once: an error counts the lines before it."""
_TOO_DEEP: Final = 1 << 18
_LEVELS: Final = 400
"""What is nested too deeply is nested so deep at least, and each level takes a character."""
_LEAP: Final = 1 << 16


class _Verdict(NamedTuple):
    """Where to look on: the same place if an element starts there, -1 if that takes more text; and what it cost to say so."""

    at: int
    cost: int = 0


def may_be_cut(error: json.JSONDecodeError, window: TextWindow) -> bool:
    """Whether a fault may come of the end of the window only."""
    return error.pos >= len(window.text) - _EDGE or error.msg.startswith("Unterminated string")


def find_next(window: TextWindow, layout: Layout, at: int) -> str:
    """Step to where the next element starts, from `at` on, and return the text before it, cut after `large` characters."""
    kept: list[str] = []
    room, patience = layout.large, _PATIENCE
    while (match := _OPENING.search(window.text, at)) or window.more():
        found = match.start() if match else len(window.text)
        verdict = _try(window, layout, found) if match else _Verdict(-1)
        if verdict.at == found:
            _keep(kept, window.skip_to(found), room)
            return "".join(kept)
        if verdict.at < 0:
            room -= _keep(kept, window.skip_to(found), room)
            window.fill()
            at = 0
            continue
        patience -= verdict.cost
        at = verdict.at if patience > 0 else _leap(window, layout, verdict.at)
        patience += _PER_CHARACTER * (at - found)
    _keep(kept, window.skip_all(), room)
    return "".join(kept)


def _keep(kept: list[str], text: str, room: int) -> int:
    kept.append(text[: max(room, 0)])
    return len(text)


def _leap(window: TextWindow, layout: Layout, at: int) -> int:
    match = layout.start.search(window.text, at + _LEAP) if layout.start else None
    return match.start() if match else at + _LEAP


def _try(window: TextWindow, layout: Layout, found: int) -> _Verdict:
    try:
        value, end = DECODER.raw_decode(window.text, found)
    except json.JSONDecodeError as error:
        if not may_be_cut(error, window) or not window.more():
            return _Verdict(found + 1, _TRY + error.pos - found)
        if len(window.text) - found < layout.large:
            return _Verdict(-1)
        starts = layout.start is not None and layout.start.match(window.text, found)
        return _Verdict(found if starts else found + 1, _TRY + len(window.text) - found)
    except RecursionError:
        return _Verdict(found + _LEVELS, _TOO_DEEP)
    except ValueError:
        return _Verdict(found + 1, _TRY)
    return _Verdict(found if layout.is_element(value) else int(end))
