"""How far a program is, by what it says: ProgressParser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from transmissions import Processor, Protected, UsageError, compile_pattern, get_field, set_field

if TYPE_CHECKING:
    from transmissions import Message

_NUMBER: Final = r"\d+(?:\.\d+)?"
_USUAL: Final = re.compile(
    rf"""
    \[\s*(?P<percent1>{_NUMBER})\s*%\]                              # make, pytest:  [ 42%]
    | (?<![\w.])(?P<percent2>{_NUMBER})\s?%(?=\s*(?:[|(\[]|$))      # tqdm, git:     42%|###   42% (4/9)   done: 42%
    | (?<![\w.])(?P<percent3>{_NUMBER})\s?%(?=\s+[\d.,]+\s?(?:[kKMGT]i?B?|B)\b)  # scp, rsync:  42%  1.2MB
    | \[\s*(?P<done1>\d+)\s*/\s*(?P<total1>\d+)\s*\]                # ninja, bazel:  [12/345]
    | \]\s+(?P<done2>\d+)/(?P<total2>\d+)(?=:|\s|$)                 # cargo:         [====>   ] 12/120:
    | \(\s*(?P<done3>\d+)\s*(?:/|of)\s*(?P<total3>\d+)\s*\)         # npm, docker:   (3/10)   (3 of 10)
    | (?<![\w./-])(?P<done4>{_NUMBER})/(?P<total4>{_NUMBER})\s+[kKMGT]?i?B\b       # pip:  12.3/45.6 MB
    | ^\W*(?:step|test|file|task|chunk)\s+(?P<done5>\d+)\s*(?:/|of)\s*(?P<total5>\d+)\b  # Step 3/10
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_WHOLE: Final = 100


class ProgressParser(Processor):
    """Read how far a program is from the line of each message.

    Writes `targetField`, from 0 to 1, to messages whose line says it, and tells an event `progress` (`done` of `total` percent)
    whenever it has changed; `trans` shows that as a bar on a terminal. Understood are percentages and counts as make, ninja,
    cargo, pytest, pip, git, npm, docker, tqdm and scp write them; what `patterns` finds goes first, by a named group
    `percent`, or `done` and `total`. Of a line that was written over with carriage returns the last writing counts, and with
    `lastOnly` it is all that remains of the line. Colours do not matter.

    ```turtle
    :far a :ProgressParser ; :patterns "rendered (?P<done>[0-9]+) of (?P<total>[0-9]+) frames" .
    ```
    """

    stateful = True

    input_field: str = "line"
    "Top-level field of the line."
    target_field: str = "progress"
    "Dotted path of the share."
    patterns: Annotated[tuple[str, ...], Protected()] = ()
    "Regular expressions of your own."
    last_only: bool = True
    "Whether only the last writing of a line that was written over is kept."

    def __post_init__(self) -> None:
        """Make the patterns ready."""
        self._patterns = [compile_pattern(one) for one in self.patterns]
        for one in self._patterns:
            if "percent" not in one.groupindex and not {"done", "total"} <= set(one.groupindex):
                raise UsageError(f"a pattern of progress has a group `percent`, or `done` and `total`: {one.pattern}")
        self._share = -1.0

    def process(self, message: Message) -> Message:
        """Read one line."""
        line = get_field(message, self.input_field)
        if not isinstance(line, str):
            return message
        if "\r" in line:
            line = last_writing(line)
            if self.last_only:
                message[self.input_field] = line
        share = self._share_in(_ESCAPES.sub("", line) if "\x1b" in line else line)
        if share is not None:
            set_field(message, self.target_field, share)
            if share != self._share:
                self._share = share
                self.context.emit("progress", done=round(share * _WHOLE, 1), total=_WHOLE, unit="%", line=line)
        return message

    def _share_in(self, line: str) -> float | None:
        for pattern in self._patterns:
            found = pattern.search(line)
            share = _share_of(found.groupdict()) if found else None
            if share is not None:
                return share
        if "%" not in line and "/" not in line and "of" not in line:
            return None
        shares = (_share_of(_plain(found)) for found in _USUAL.finditer(line))
        return next((share for share in shares if share is not None), None)


def last_writing(line: str) -> str:
    """Return what a line that was written over shows in the end: the last part between carriage returns that is not empty."""
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


def _plain(found: re.Match[str]) -> dict[str, str | None]:
    return {name.rstrip("0123456789"): text for name, text in found.groupdict().items() if text is not None}


def _share_of(groups: dict[str, str | None]) -> float | None:
    """Return the share that groups say; None for what cannot be one: 300 %, 9 of 4, 0 of 0."""
    try:
        if groups.get("percent"):
            done, total = float(groups["percent"] or 0), float(_WHOLE)
        else:
            done, total = float(groups.get("done") or "x"), float(groups.get("total") or "x")
    except ValueError:
        return None
    return round(done / total, 6) if 0 <= done <= total and total > 0 else None
