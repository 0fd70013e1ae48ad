"""Read a session: a file whose objects, one to a line, are together one conversation. It may be larger than memory."""

from __future__ import annotations

import json
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final

from .event_lines import GLANCE, holds_events, object_in
from .json_slices import Element
from .json_stream import Broken, read_elements
from .resync import DECODER
from .spool import SpooledList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedIOBase

    from .shape import Layout

LONGEST: Final = 64 << 20
_STEP: Final = 1 << 20
_KEPT: Final = 4096


def read_session(reopen: Callable[[], BufferedIOBase], name: str, layout: Layout) -> Iterator[Element | Broken]:
    """Yield the broken lines of a session, then the session itself: `{"name": name, "items": [...]}`.

    The digest is of its whole lines. A file whose objects are not one to a line is read too, and one of server-sent events.
    """
    gathered = _Gathered(layout.large)
    with reopen() as stream:
        is_events = holds_events(stream.read(GLANCE))
    with reopen() as stream:
        given = (
            _lines(stream, is_events)
            if _has_lines(reopen)
            else read_elements(stream, layout._replace(is_element=_is_object, large=LONGEST))
        )
        for item in given:
            if isinstance(item, Broken):
                yield item
            else:
                gathered.add(item)
    if gathered.size:
        yield Element({"name": name, "items": gathered.items}, 0, gathered.size, gathered.sum.hexdigest())


class _Gathered:
    """The items of a session: in memory, and in a temporary file once they are many."""

    def __init__(self, large: int) -> None:
        self._large = large
        self.items: list[Any] | SpooledList = []
        self.size = 0
        self.sum = sha1(usedforsecurity=False)

    def add(self, item: Element) -> None:
        self.items.append(item.value)
        self.size += item.size
        self.sum.update(item.digest.encode())
        if self.size > self._large and not isinstance(self.items, SpooledList):
            spooled = SpooledList()
            for value in self.items:
                spooled.append(value)
            self.items = spooled


def _is_object(value: Any) -> bool:
    return value.__class__ is dict


def _has_lines(reopen: Callable[[], BufferedIOBase]) -> bool:
    """Whether the first line that is not blank is whole: or else the objects are spread over lines, or are in a list."""
    with reopen() as stream:
        for line in iter(lambda: stream.readline(LONGEST), b""):
            text = _text_of(line)
            if text.strip("\ufeff \t\r\n"):
                return not text.lstrip("\ufeff \t").startswith("[") and not _goes_on(text)
    return True


def _goes_on(text: str) -> bool:
    try:
        DECODER.decode(text.lstrip("\ufeff"))
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip())
    except (ValueError, RecursionError):
        return False
    return False


def _lines(stream: BufferedIOBase, is_events: bool) -> Iterator[Element | Broken]:
    offset = 0
    while line := stream.readline(LONGEST + 1):
        size = len(line) + _skip_rest(stream, line)
        if size > LONGEST:
            fault = ValueError(f"a line of {size} bytes, more than {LONGEST}")
            yield Broken(_text_of(line[:_KEPT]), fault, offset, size)
        elif text := _text_of(line).strip("\ufeff \t\r\n"):
            data, place = object_in(text) if is_events else (text, 0)
            if data:
                yield _read_line(data, offset + _indent(line) + place)
        offset += size


def _skip_rest(stream: BufferedIOBase, line: bytes) -> int:
    """Step over the rest of a line that is too long, and return its bytes."""
    skipped = 0
    while len(line) > _STEP and not line.endswith(b"\n"):
        line = stream.readline(_STEP + 1)
        skipped += len(line)
    return skipped


def _indent(line: bytes) -> int:
    return len(line) - len(line.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r"))


def _read_line(text: str, offset: int) -> Element | Broken:
    data = text.encode("utf-8", "surrogateescape")
    try:
        value = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        fault = error if isinstance(error, ValueError) else ValueError("the line is nested too deeply")
        return Broken(text, fault, offset, len(data))
    return Element(value, offset, len(data), sha1(data, usedforsecurity=False).hexdigest())


def _text_of(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")
