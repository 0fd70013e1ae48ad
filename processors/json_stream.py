"""Read JSON elements from a stream of any length: one in memory at a time, and the next one found again after a broken one.

The input is a list, one object, or objects one after the other. `json`'s own `raw_decode` on a rolling buffer takes each
element whole (0.55 s for 189 MB, less than `json.load`). An object that is still open after `large` bytes is taken apart
while it is read: its `inner` list goes item by item to a temporary file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .spool import SpooledList
from .text_window import TextWindow

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_DECODER: Final = json.JSONDecoder(strict=False)
_EDGE: Final = 16
"""A fault this near the end of the buffer may only be a token that is cut in two: an escape, a literal, a number."""


class Element(NamedTuple):
    """One whole element, the byte it starts at and the bytes it takes.

    `digest` is equal for equal JSON text, within one process.
    """

    value: Any
    offset: int
    size: int
    digest: int


class Broken(NamedTuple):
    """A stretch of input that is no JSON: its text (cut after `large` characters), the fault, its first byte, its length."""

    fragment: str
    error: ValueError
    offset: int
    size: int


class Layout(NamedTuple):
    """What is known of the elements of a stream.

    `inner` is the list in an element that may be large; `is_element` tells an element from a smaller object in one;
    `start` matches how an element begins, for one too large to be looked at whole.
    """

    inner: str
    is_element: Callable[[Any], bool]
    start: re.Pattern[str]
    large: int = 4 << 20


class CutOffError(ValueError):
    """The input ends inside an element."""


def read_elements(stream: BinaryIO, layout: Layout) -> Iterator[Element | Broken]:
    """Yield every element of a stream, in order, and every broken stretch between them."""
    window = TextWindow(stream)
    open_list = is_cut = False
    while following := window.peek():
        if following == ("]" if open_list else "["):
            open_list = not open_list
            window.pos += 1
        else:
            element = _next_element(window, layout)
            is_cut = isinstance(element, Broken) and isinstance(element.error, CutOffError)
            yield element
    if open_list and not is_cut:  # A list that ends inside an element has been told of.
        yield Broken("", CutOffError("the file ends before its list is closed"), window.offset(window.pos), 0)


def _next_element(window: TextWindow, layout: Layout) -> Element | Broken:
    start = window.offset(window.pos)
    try:
        value, digest = _take_element(window, layout)
    except (ValueError, RecursionError) as error:
        return _recover(window, layout, start, error)
    return Element(value, start, window.offset(window.pos) - start, digest)


def _take_element(window: TextWindow, layout: Layout) -> tuple[Any, int]:
    while True:
        try:
            value, end = _DECODER.raw_decode(window.text, window.pos)
        except json.JSONDecodeError as error:
            _need_more(window, error)
        else:
            return value, hash(window.skip_to(end))
        if window.pending > layout.large and window.text[window.pos] == "{":
            value = _take_apart(window, layout)
            return value, _digest_apart(value)


def _take_value(window: TextWindow) -> Any:
    """Take any value; a number that touches the end of the buffer may go on behind it."""
    while True:
        try:
            value, end = _DECODER.raw_decode(window.text, window.pos)
        except json.JSONDecodeError as error:
            _need_more(window, error)
            continue
        if end < len(window.text) or value.__class__ in (str, dict, list) or not window.fill():
            window.pos = end
            return value


def _need_more(window: TextWindow, error: json.JSONDecodeError) -> None:
    """Fill the window if that may cure `error`; raise it if it cannot."""
    if not _may_be_cut(error, window):
        raise error
    if not window.fill():
        raise CutOffError(f"the file ends inside this element ({error.msg})") from error


def _may_be_cut(error: json.JSONDecodeError, window: TextWindow) -> bool:
    return error.pos >= len(window.text) - _EDGE or error.msg.startswith("Unterminated string")


def _take_apart(window: TextWindow, layout: Layout) -> dict[str, Any]:
    """Take an object key by key, and its inner list item by item into a file."""
    value: dict[str, Any] = {}
    window.pos += 1
    while (following := window.peek()) != "}":
        if not following:
            raise CutOffError("the file ends inside this element")
        key = _take_value(window)
        window.expect(":")
        spools = window.peek() == "[" and key == layout.inner
        value[key] = _take_list(window) if spools else _take_value(window)
    window.pos += 1
    return value


def _digest_apart(value: dict[str, Any]) -> int:
    items = tuple((key, item.digest if isinstance(item, SpooledList) else json.dumps(item)) for key, item in value.items())
    return hash(items)


def _take_list(window: TextWindow) -> SpooledList:
    items = SpooledList()
    window.pos += 1
    while (following := window.peek()) != "]":
        if not following:
            raise CutOffError("the file ends inside this element")
        items.append(_take_value(window))
    window.pos += 1
    return items


def _recover(window: TextWindow, layout: Layout, start: int, error: Exception) -> Broken:
    """Go on to where the next element starts, and return what lies before it."""
    kept: list[str] = []
    room = layout.large
    at = max(window.pos + 1, getattr(error, "pos", 0))
    while (found := window.text.find("{", at)) >= 0 or window.more():
        if found < 0:
            # Nothing starts in what is left of the buffer: keep it, and look at the next stretch.
            room -= _keep(kept, window.skip_all(), room)
            window.fill()
            at = 0
            continue
        at = _try_candidate(window, layout, found)
        if at == found:
            break
        if at < 0:
            room -= _keep(kept, window.skip_to(found), room)
            window.fill()
            at = 0
    end = found if found >= 0 else len(window.text)
    _keep(kept, window.skip_to(end), room)
    fault = error if isinstance(error, ValueError) else ValueError("the element is nested too deeply")
    return Broken("".join(kept), fault, start, window.offset(window.pos) - start)


def _keep(kept: list[str], text: str, room: int) -> int:
    kept.append(text[: max(room, 0)])
    return len(text)


def _try_candidate(window: TextWindow, layout: Layout, found: int) -> int:
    """Return `found` if an element starts there, where to look on if not, and -1 if more text is needed to tell."""
    try:
        value, end = _DECODER.raw_decode(window.text, found)
    except json.JSONDecodeError as error:
        if not _may_be_cut(error, window) or not window.more():
            return found + 1
        if len(window.text) - found < layout.large:
            return -1
        return found if layout.start.match(window.text, found) else found + 1
    except (ValueError, RecursionError):
        return found + 1
    return found if layout.is_element(value) else int(end)
