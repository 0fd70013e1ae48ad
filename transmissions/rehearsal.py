"""Tries regular expressions on texts, each for no more than 0.3 s of a processor's time.

What a pattern looks like does not always say how long it takes. A process of its own is ended by a timer of the system, which
works inside the expression engine too; the last number it wrote is that of the pattern that took too long.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS: Final = 0.3
_PATIENCE: Final = 10.0
"""Seconds after which a machine that is very busy is not waited for."""


def find_slow(patterns: Sequence[str], texts: Sequence[str]) -> int | None:
    """Return the index of the first pattern that takes too long over the texts."""
    command = [sys.executable, "-P", "-m", "transmissions.rehearsal"]
    order = json.dumps([patterns, texts])
    try:
        done = subprocess.run(command, input=order, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None
    return int(done.stdout.split()[-1]) if done.returncode < 0 and done.stdout else None


def main() -> None:
    """Try the patterns on the texts from standard input, and say before each which one it is."""
    patterns, texts = json.load(sys.stdin)
    for number, pattern in enumerate(patterns):
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        with suppress(AttributeError):  # Windows has no such timer; there only the limit of the whole validation holds.
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
        search = re.compile(pattern).search
        for text in texts:
            search(text)


if __name__ == "__main__":
    main()
