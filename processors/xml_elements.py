"""Elements of an XML document as plain data, one at a time and never more of the document than that."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple
from xml.parsers import expat

from transmissions import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK: Final = 65536
_DEEPEST: Final = 200
_CUT: Final = {3, 5, 20}
"""Expat's codes for a document that ends too early: without an element, in a tag, in a CDATA section."""
_STEP: Final = re.compile(r"(?:\{[^}]*\})?[^/{}]+")


class Mapping(NamedTuple):
    """What is taken, and how it becomes data."""

    path: tuple[str, ...]
    """Names of elements, the last one is that to take; `*` is any."""
    is_absolute: bool
    names: str
    """`prefix`, `local` or `expanded`."""
    lists: frozenset[str]
    trim: bool
    longest: int
    """Bytes of the document one element may take."""


def read_path(text: str) -> tuple[tuple[str, ...], bool]:
    """Return the names in a path of elements, and whether it begins at the root.

    Raises:
        UsageError: it is none.

    """
    inner = text.removeprefix("/")
    names = tuple(_STEP.findall(inner))
    if not names or "/".join(names) != inner:
        raise UsageError(f"'{text}' is no path of elements; write `item`, `channel/item` or `/rss/channel/item`")
    return names, text.startswith("/")


class _Open:
    """An element that is not closed yet."""

    __slots__ = ("fields", "name", "texts")

    def __init__(self, name: str, attributes: dict[str, Any]) -> None:
        self.name = name
        self.fields = attributes
        self.texts: list[str] = []


class ElementParser:
    """Turns blocks of a document into the elements that are asked for."""

    def __init__(self, mapping: Mapping, name: str) -> None:
        self._mapping = mapping
        self._name = name
        self._way: list[str] = []
        """Names of the open elements outside the one that is being taken."""
        self._open: list[_Open] = []
        """That one, and those open in it."""
        self._began = self._line = self._fed = 0
        self.found: list[tuple[Any, int]] = []
        """Whole elements with the line each begins at, until somebody takes them."""
        self._expat = self._make_expat()

    def _make_expat(self) -> expat.XMLParserType:
        parser = expat.ParserCreate(namespace_separator="}" if self._mapping.names == "expanded" else None)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        # Without a document type there are no entities but the five of XML itself: none that grow, none from outside.
        parser.StartDoctypeDeclHandler = self._refuse
        return parser

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Parse a block.

        Raises:
            RunError: it is not well-formed, declares a document type, is nested too deeply or has too large an element.

        """
        try:
            self._expat.Parse(data, final)
        except expat.ExpatError as error:
            text = self._cut() if error.code in _CUT else expat.errors.messages.get(error.code) or str(error)
            raise RunError(f"{self._name}:{error.lineno}:{error.offset + 1}: not well-formed XML: {text}") from error
        except (ValueError, LookupError) as error:  # an encoding that Python does not know, or not as one of single bytes
            raise self._fault(f"cannot be read: {error}") from error
        self._fed += len(data)
        # A tag or a comment is held whole until its end has come.
        if self._fed - self._expat.CurrentByteIndex > self._mapping.longest + _BLOCK and not final:
            raise self._fault(f"a tag, comment or text is longer than {self._mapping.longest} bytes (:maxElement)")
        self._check_size()

    def _cut(self) -> str:
        open_ones = [*self._way, *(element.name for element in self._open[1:])]
        return f"it ends before '{open_ones[-1]}' is closed" if open_ones else "there is no element in it"

    def _fault(self, text: str) -> RunError:
        place = f"{self._expat.CurrentLineNumber}:{self._expat.CurrentColumnNumber + 1}"
        return RunError(f"{self._name}:{place}: {text}")

    def _check_size(self) -> None:
        if self._open and self._expat.CurrentByteIndex - self._began > self._mapping.longest:
            what = f"{self._name}:{self._line}: the element '{self._open[0].name}' is longer than"
            raise RunError(f"{what} {self._mapping.longest} bytes (:maxElement)")

    def _refuse(self, *_: object) -> None:
        raise self._fault("the document declares a document type (DTD), which is refused: it could define entities that grow")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = self._called(name)
        if not self._open:
            self._way.append(name)
            if not self._is_wanted():
                return
            self._began, self._line = self._expat.CurrentByteIndex, self._expat.CurrentLineNumber
        elif len(self._open) >= _DEEPEST:
            raise self._fault(f"elements are nested deeper than {_DEEPEST}")
        self._check_size()
        self._open.append(_Open(name, {f"@{self._called(key)}": value for key, value in attributes.items()}))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].texts.append(text)

    def _end(self, _: str) -> None:
        if not self._open:
            self._way.pop()
            return
        self._check_size()
        closed = self._open.pop()
        if self._open:
            self._add(self._open[-1].fields, closed.name, self._value(closed))
            return
        self._way.pop()
        value = self._value(closed)
        self.found.append((value if isinstance(value, dict) else {"#text": value} if value else {}, self._line))

    def _value(self, element: _Open) -> Any:
        text = "".join(element.texts)
        bare = text.strip()
        if not element.fields:
            return bare if self._mapping.trim else text
        if bare:
            element.fields["#text"] = bare if self._mapping.trim else text
        return element.fields

    def _add(self, fields: dict[str, Any], name: str, value: Any) -> None:
        there = fields.get(name)
        if isinstance(there, list):
            there.append(value)
        elif name in fields:
            fields[name] = [there, value]
        else:
            fields[name] = [value] if name in self._mapping.lists else value

    def _called(self, name: str) -> str:
        if self._mapping.names == "local":
            return name.rpartition(":")[2]
        return f"{{{name}" if "}" in name else name

    def _is_wanted(self) -> bool:
        path, way = self._mapping.path, self._way
        if len(way) < len(path) or (self._mapping.is_absolute and len(way) != len(path)):
            return False
        return all(wanted in ("*", name) for wanted, name in zip(reversed(path), reversed(way), strict=False))


def read_elements(file: IO[bytes], mapping: Mapping, name: str) -> Iterator[tuple[Any, int]]:
    """Yield every element a mapping asks for, with its line; of elements in one another the outermost."""
    parser = ElementParser(mapping, name)
    read: Callable[[int], bytes] = file.read
    data = b"-"
    while data:
        data = read(_BLOCK)
        try:
            parser.feed(data, final=not data)
        finally:
            found, parser.found = parser.found, []
            yield from found  # What was whole before a fault is not lost.
