"""One line on a terminal that says how far a run is: a bar where the total is known, the rate, the time left, the nodes.

    [########            ]  41%  77 MB of 189 MB  52 MB/s  0:02 left   read 410 > render 398 > write 398

Sources tell `progress` (done, total, unit) where they know it; counts come from the run itself.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any, Final, TextIO

from .standard_output import write_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INTERVAL: Final = 0.2
_BAR: Final = 20
_CLEAR: Final = "\r\x1b[K"
_THOUSAND: Final = 1000


class Progress:
    """The line, and a stream for whatever else is said meanwhile, which takes the line away first."""

    def __init__(self, stream: TextIO, counts: Callable[[], Mapping[str, int]]) -> None:
        self._stream = stream
        self._counts = counts
        self._began = time.monotonic()
        self._done: dict[str, tuple[float, float]] = {}
        self._unit = ""
        self._is_shown = False

    def hear(self, _event: str, fields: Mapping[str, Any]) -> None:
        """Take a `progress` event of one node."""
        self._done[str(fields.get("node"))] = (fields.get("done", fields.get("completed")) or 0, fields.get("total") or 0)
        self._unit = str(fields.get("unit") or "")

    async def keep_showing(self) -> None:
        """Draw the line a few times a second until cancelled, then take it away."""
        try:
            while True:
                await asyncio.sleep(_INTERVAL)
                self._draw()
        finally:
            self.clear()

    def write(self, text: str) -> None:
        """Write something else above the line."""
        self.clear()
        self._stream.write(text)

    def show(self, text: str) -> None:
        """Write data to standard output, where that is the same terminal."""
        self.clear()
        write_out(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._is_shown = False

    def _draw(self) -> None:
        width = os.get_terminal_size(self._stream.fileno()).columns - 1
        self._stream.write(_CLEAR + self.line(time.monotonic() - self._began)[:width])
        self._stream.flush()
        self._is_shown = True

    def line(self, seconds: float) -> str:
        """Return the line as it stands after so many seconds."""
        done, total = (sum(column) for column in zip(*self._done.values(), strict=True)) if self._done else (0.0, 0.0)
        nodes = " > ".join(f"{path.rpartition('/')[2]} {count}" for path, count in self._counts().items())
        return "  ".join(filter(None, (*self._bar(done, total), *self._rate(done, total, seconds), f" {nodes}")))

    def _bar(self, done: float, total: float) -> list[str]:
        if not total:
            return []
        share = min(done / total, 1.0)
        bar = "#" * int(share * _BAR)
        amounts = [] if self._unit == "%" else [f"{self._amount(done)} of {self._amount(total)}"]
        return [f"[{bar:{_BAR}}]", f"{share:4.0%}", *amounts]

    def _rate(self, done: float, total: float, seconds: float) -> list[str]:
        if not done or not seconds:
            return [clock_time(seconds)]
        left = f"{clock_time((total - done) * seconds / done)} left" if total > done else ""
        return [clock_time(seconds) if self._unit == "%" else f"{self._amount(done / seconds)}/s", left]

    def _amount(self, number: float) -> str:
        return readable_bytes(number) if self._unit == "bytes" else f"{number:.0f} {self._unit}".strip()


def readable_bytes(number: float) -> str:
    """Return a number of bytes as people read it, with decimal units: `189 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < _THOUSAND:
            return f"{number:.{int(0 < number < 10 and unit != 'B')}f} {unit}"  # noqa: PLR2004 - one decimal below ten
        number /= _THOUSAND
    return f"{number:.1f} TB"


def clock_time(seconds: float) -> str:
    """Return seconds as minutes and seconds, `1:05`, with hours in front where there are any."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
