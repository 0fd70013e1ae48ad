"""Read JSON elements from a stream of any length: one in memory at a time, and the next one found again after a broken one.

The input is a list, one object, objects one after the other, or an object that wraps the list. Elements of a list that begin
alike are told by their bytes (`json_slices`); all else, and what is broken, is read as text by `json`'s own `raw_decode` on a
rolling buffer. An object that is still open after `large` bytes is taken apart while it is read: its `inner` list goes item by
item to a temporary file.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .json_slices import Element, slices
from .resync import DECODER, find_next, may_be_cut
from .spool import SpooledList
from .text_window import CHUNK, TextWindow
from .unread import decode, decode_but

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from io import BufferedIOBase

    from .shape import Layout

_SIGNS: Final = 2
"""What may stand between the digits of a number: `e+`."""


class Broken(NamedTuple):
    """A stretch of input that is no JSON: its text (cut after `large` characters), the fault, its first byte, its length."""

    fragment: str
    error: ValueError
    offset: int
    size: int


class CutOffError(ValueError):
    """The input ends inside an element."""


class UnclosedError(ValueError):
    """Another element begins inside this one."""


def read_elements(stream: BufferedIOBase, layout: Layout) -> Iterator[Element | Broken]:
    """Yield every element of a stream, in order, and every broken stretch between them."""
    window = TextWindow(stream)
    if layout.wrapper and window.peek() == "{":
        yield from _in_wrapper(window, layout)
    while following := window.peek():
        if following == "[":
            yield from _in_list(window, layout)
        elif following in "]}":
            window.pos += 1  # What it closes began in a broken stretch.
        else:
            yield _next_element(window, layout)


def _in_list(window: TextWindow, layout: Layout) -> Iterator[Element | Broken]:
    window.pos += 1
    element: Element | Broken | None = None
    lend_from = 0
    decode_element = partial(decode_but, layout.inner) if layout.leaves_unread else decode
    while (following := window.peek()) not in ("]", ""):
        if window.offset() >= lend_from:
            for element in slices(window, decode_element, layout.large):
                yield element
            lend_from = window.offset() + CHUNK  # To lend the window costs about what it takes to read so much.
            continue
        element = _next_element(window, layout)
        yield element
    window.pos += len(following)
    if not following and not isinstance(element, Broken):  # What is broken may hold the end of the list.
        yield Broken("", CutOffError("the file ends before its list is closed"), window.offset(), 0)


def _in_wrapper(window: TextWindow, layout: Layout) -> Iterator[Element | Broken]:
    """Take an object that holds the list of elements, and what is kept beside it; one without such a list is an element."""
    start = window.begin()
    value: dict[str, Any] | None = {}
    beside: dict[str, Any] = {}
    window.pos += 1
    try:
        for key in _keys(window):
            if key == layout.wrapper and window.peek() == "[":
                yield from _in_list(window, layout)
                start, value = window.begin(), None
                continue
            item = _take_value(window)
            if value is not None and item is not None:
                value[key] = item
            if key in layout.beside and item:
                beside[key] = item
    except (ValueError, RecursionError) as error:
        yield _recover(window, layout, start, error)
        return
    if value is not None or beside:
        yield Element(value if value is not None else beside, start, window.offset() - start, window.digest())


def _keys(window: TextWindow) -> Iterator[Any]:
    """Yield the keys of the object whose inside the window stands at, each before its value, and step over its end."""
    while (following := window.peek()) != "}":
        if not following:
            raise CutOffError("the file ends inside this element")
        key = _take_value(window)
        window.expect(":")
        window.peek()
        yield key
    window.pos += 1


def _next_element(window: TextWindow, layout: Layout) -> Element | Broken:
    window.look_ahead()
    start = window.begin()
    try:
        value = _take_value(window, layout)
    except (ValueError, RecursionError) as error:
        return _recover(window, layout, start, error)
    return Element(value, start, window.offset() - start, window.digest())


def _take_value(window: TextWindow, layout: Layout | None = None) -> Any:
    """Take any value, with a layout an object that is large apart."""
    value, length = _next_value(window, layout)
    window.pos += length
    return value


def _next_value(window: TextWindow, layout: Layout | None = None) -> tuple[Any, int]:
    """Return a value and its characters, 0 if it was taken apart. A number at the end of the buffer may go on behind it."""
    while True:
        try:
            value, end = DECODER.raw_decode(window.text, window.pos)
        except json.JSONDecodeError as error:
            _need_more(window, error)
            if layout and window.pending > layout.large and window.text[window.pos] == "{":
                return _take_apart(window, layout), 0
            continue
        length = end - window.pos  # Filling moves the window.
        if end < len(window.text) - _SIGNS or value.__class__ in (str, dict, list) or not window.fill():
            return value, length


def _need_more(window: TextWindow, error: json.JSONDecodeError) -> None:
    """Fill the window if that may cure `error`; raise it if it cannot."""
    if not may_be_cut(error, window):
        raise error
    if not window.fill():
        raise CutOffError(f"the file ends inside this element ({error.msg})") from error


def _take_apart(window: TextWindow, layout: Layout) -> dict[str, Any]:
    """Take an object key by key, and its inner list item by item into a file."""
    value: dict[str, Any] = {}
    window.pos += 1
    for key in _keys(window):
        spools = key == layout.inner and window.peek() in {"[", "{"}
        value[key] = _take_inner(window, layout.start) if spools else _take_value(window)
    return value


def _take_inner(window: TextWindow, start: re.Pattern[str] | None) -> SpooledList:
    items = SpooledList()
    is_object = window.peek() == "{"
    window.pos += 1
    if is_object:
        for key in _keys(window):
            items.append([key, _take_value(window)])
        return items
    while (following := window.peek()) != "]":
        if not following:
            raise CutOffError("the file ends inside this element")
        if start and start.match(window.text, window.pos):
            raise UnclosedError("another element begins inside this one, which is not closed")
        _take_item(window, items)
    window.pos += 1
    return items


def _take_item(window: TextWindow, items: SpooledList) -> None:
    """Take any value into a list: as it stands in the input, where it stands on one line."""
    value, length = _next_value(window)
    start, end = window.pos, window.pos + length
    if window.text.find("\n", start, end) < 0:
        del value  # It may be as large as its text.
        items.append_json(window.text, start, end)
    else:
        items.append(value)
    window.pos = end
    window.let_go()


def _recover(window: TextWindow, layout: Layout, start: int, error: Exception) -> Broken:
    """Go on to where the next element starts, and return what lies before it."""
    at = window.pos if isinstance(error, UnclosedError) else max(window.pos + 1, getattr(error, "pos", 0))
    fragment = find_next(window, layout, at)
    fault = error if isinstance(error, ValueError) else ValueError("the element is nested too deeply")
    return Broken(fragment, fault, start, window.offset() - start)
