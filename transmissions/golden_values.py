"""Expected values with `…` for anything, compared with what there is, shown as a difference, and brought up to date."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANYTHING: Final = "…"
"""In expected text: whatever stands there."""


def _merged(expected: Any, actual: Any, text: Callable[[str, str], Any]) -> Any:
    """Return `actual` with each text replaced by what `text` makes of it and the expected one in its place."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {key: _merged(expected[key], value, text) if key in expected else value for key, value in actual.items()}
    if isinstance(expected, list) and isinstance(actual, list):
        paired = [_merged(one, other, text) for one, other in zip(expected, actual, strict=False)]
        return paired + actual[len(paired) :]
    if expected == ANYTHING:
        return text(ANYTHING, actual)
    if isinstance(expected, str) and isinstance(actual, str) and ANYTHING in expected:
        return text(expected, actual) if _fits(expected, actual) else actual
    return actual


def _fits(expected: str, actual: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, expected.split(ANYTHING))), actual, re.DOTALL) is not None


def recorded(expected: Any, actual: Any) -> Any:
    """Return what is to be expected from now on: what there is, and `…` where that was expected and still fits."""
    return _merged(expected, actual, lambda old, _: old)


def differences(expected: Any, actual: Any, name: str) -> list[str]:
    """Return the lines of a difference between two values; none if the one is as expected."""
    shown = recorded(expected, actual)
    return [] if _same(expected, shown) else list(_diff(_pretty(expected), _pretty(shown), name))


def _same(one: Any, other: Any) -> bool:
    # To Python 1, 1.0 and true are equal.
    return _pretty(one) == _pretty(other)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def file_differences(expected: dict[str, bytes], actual: dict[str, bytes], name: str) -> list[str]:
    """Return the lines of a difference between two sets of files."""
    return [line for path in sorted(expected.keys() | actual.keys()) for line in _of_file(expected, actual, path, name)]


def _of_file(expected: dict[str, bytes], actual: dict[str, bytes], path: str, name: str) -> Iterator[str]:
    if path not in actual:
        yield f"{name}/{path}: not written"
    elif path not in expected:
        yield f"{name}/{path}: not expected"
    elif expected[path] != actual[path]:
        yield from _in_text(expected[path], actual[path], f"{name}/{path}")


def _in_text(expected: bytes, actual: bytes, name: str) -> Iterator[str]:
    try:
        old, new = expected.decode(), actual.decode()
    except UnicodeDecodeError:
        yield f"{name}: {len(actual)} bytes, which differ from the {len(expected)} expected"
        return
    if not _fits(old, new):
        yield from _diff(old, new, name)


def recorded_file(expected: bytes | None, actual: bytes) -> bytes:
    """Return what is to be expected of a file from now on: what stood there, if that fits because of a `…`."""
    return expected if expected is not None and not list(_in_text(expected, actual, "")) else actual


def _diff(old: str, new: str, name: str) -> Iterator[str]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"{name} (expected)", f"{name} (now)", lineterm="")
    yield from lines


def without_folder(value: Any, folder: str) -> Any:
    """Return a value with `…` for a folder in every text."""
    if isinstance(value, str):
        return value.replace(folder, ANYTHING)
    if isinstance(value, list):
        return [without_folder(item, folder) for item in value]
    return {key: without_folder(item, folder) for key, item in value.items()} if isinstance(value, dict) else value
