"""A list in JSON that stays text until somebody looks into it: in whichever process that is, and only if anybody does."""

from __future__ import annotations

import json
from collections.abc import MutableMapping, MutableSequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Parts: TypeAlias = dict[str, Any]
    Make: TypeAlias = Callable[[list[Any]], Parts]

_FULL: Final = json.JSONDecoder(strict=False)
_FAST: Final = msgspec.json.Decoder()
_LISTS_APART: Final = msgspec.json.Decoder(
    dict[str, list[msgspec.Raw] | dict[str, Any] | str | int | float | bool | None],
)
"""An object whose lists are checked to be JSON, item by item, and left as they are."""
_REFUSALS: Final = (msgspec.MsgspecError, UnicodeDecodeError)
"""It is no JSON, or what only `json` takes: NaN, 1e400, halves of surrogates, control characters, bytes that are no UTF-8."""


def decode(text: bytes | memoryview) -> Any:
    """Return a JSON value, the same that the reader of text makes of it.

    Raises:
        ValueError: it is no JSON, or not one value.
        RecursionError: it is nested too deeply.

    """
    try:
        return _FAST.decode(text)
    except _REFUSALS:
        return _FULL.decode(str(text, "utf-8", "surrogateescape"))


def decode_but(inner: str, text: memoryview) -> Any:
    """Return a JSON value; if it is an object, its list `inner` is left unread."""
    try:
        value: dict[str, Any] = _LISTS_APART.decode(text)
        for key, item in value.items():
            if item.__class__ is list:
                value[key] = _unread(text, key, len(item)) if key == inner else [*map(_FAST.decode, item)]
    except _REFUSALS:
        return decode(text)
    return value


def _unread(text: memoryview, key: str, count: int) -> UnreadList:
    return UnreadList(Unread(bytes(text), key, count, _as_it_is), "items")


def _as_it_is(items: list[Any]) -> Parts:
    return {"items": items}


class Unread:
    """An object in JSON with a list at `key`, its number of items, and what is to be made of it: parts, each with a name.

    It travels between processes as the text; `make` is a function that another process can import.
    """

    __slots__ = ("_key", "_make", "_parts", "_text", "count")

    def __init__(self, text: bytes, key: str, count: int, make: Make) -> None:
        self._text = text
        self._key = key
        self._make = make
        self._parts: Parts | None = None
        self.count = count

    def part(self, name: str) -> Any:
        """Return one of the parts; all are made when the first is looked at.

        Raises:
            RunError: the list is JSON, and cannot be read: a number in it is too long, or it is nested too deeply.

        """
        if self._parts is None:
            try:
                items = decode(self._text)[self._key]
            except (ValueError, RecursionError) as error:
                raise RunError(f"'{self._key}' cannot be read: {error}; `source` says where it stands") from error
            self._parts = self._make(items)
        return self._parts[name]

    @property
    def is_read(self) -> bool:
        """Whether somebody has looked at a part, and may have changed it."""
        return self._parts is not None

    def made_by(self, make: Make) -> Unread:
        """Return the same text, of which something else is to be made."""
        return Unread(self._text, self._key, self.count, make)

    def __reduce__(self) -> tuple[Any, ...]:
        return Unread, (self._text, self._key, self.count, self._make)

    def __sizeof__(self) -> int:
        # What is made of a text takes up to twice as much, and the text is still there.
        return len(self._text) if self._parts is None else 3 * len(self._text)


class _Part:
    """A part that is made when somebody looks into it. Looked into it travels as what it is then, else as text."""

    __slots__ = ("_name", "unread")

    def __init__(self, unread: Unread, name: str) -> None:
        self.unread = unread
        self._name = name

    def read(self) -> Any:
        """Return what it is: a list or a dict."""
        return self.unread.part(self._name)

    __json__ = read

    def __len__(self) -> int:
        return len(self.read())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.read())

    def __getitem__(self, key: Any) -> Any:
        return self.read()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.read()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.read()[key]

    def __eq__(self, other: object) -> bool:
        return bool(self.read() == other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.read()) if self.unread.is_read else f"<unread {self._name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.unread.is_read:
            value = self.read()
            return value.__class__, (value,)
        return self.__class__, (self.unread, self._name)


class UnreadList(_Part, MutableSequence[Any]):
    """A list with as many items as the text has."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self.read()) if self.unread.is_read else self.unread.count

    def __sizeof__(self) -> int:
        return self.unread.__sizeof__()

    def __add__(self, other: list[Any]) -> list[Any]:
        return [*self.read(), *other]

    def insert(self, index: int, value: Any) -> None:
        """Put an item in front of the one at `index`."""
        self.read().insert(index, value)


class UnreadDict(_Part, MutableMapping[str, Any]):
    """An object; the list it is read with accounts for its memory."""

    __slots__ = ()
