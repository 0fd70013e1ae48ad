"""Numbers in what a server sends, which may be anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST: Final = 2**53
"""What is larger is no whole number in JavaScript."""


def number(data: Mapping[str, Any], name: str) -> float:
    """Return a positive number that was sent; 0 for whatever else stands there."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if 0 < value < _MOST else 0


def whole(data: Mapping[str, Any], name: str) -> int:
    """Return a positive number that was sent, without its fraction; 0 for whatever else stands there."""
    return int(number(data, name))
