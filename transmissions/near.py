"""The name somebody probably meant."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_COMPARED: Final = 256
"""Or thousands of faults looked up among thousands of names would take minutes."""
_LEAST_ALIKE: Final = 0.65
"""Below, `Mine` would be like `HTMLIndex`."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of `names` that is most like `name` whatever their case, or an empty string."""
    import difflib  # needed only where something is wrong

    by_lower = {known.lower(): known for known in islice(dict.fromkeys(names), _MOST_COMPARED)}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=_LEAST_ALIKE)
    return by_lower[close[0]] if close else ""


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: what was probably meant, if anything."""
    near = nearest(name, names)
    return f"; did you mean '{near}'?" if near else ""
