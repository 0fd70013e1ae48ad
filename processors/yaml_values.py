"""YAML documents as plain data, built from the parser's events: no recursion, no classes, and a bound on what aliases multiply.

PyYAML's own constructors are not used: its C composer overflows the stack on a hundred thousand brackets, and its safe
constructor reads `no` as false, `012` as ten, and makes dates of texts. Here plain scalars are read by YAML 1.2's core schema.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import yaml

_DEEPEST: Final = 200
_TAG: Final = "tag:yaml.org,2002:"
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBERS: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class Bounds(NamedTuple):
    """How much one document may be."""

    size: int
    """Bytes of text."""
    nodes: int
    """Values, those that aliases repeat counted each time."""


class _Open:
    """A list or object that is not closed yet."""

    __slots__ = ("anchor", "before", "items", "key", "keys", "merged", "value")

    def __init__(self, value: Any, anchor: str | None, before: int) -> None:
        self.value = value
        self.anchor = anchor
        self.before = before
        """How many nodes there were before it."""
        self.key: str | None = None
        self.merged: list[Any] = []


class _Refused(Exception):
    """What cannot be taken, in words."""


class _Document:
    """One document in the making."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._nodes = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        """Values by anchor, with the number of nodes each is; 0 for one that is still open."""
        self.value: Any = None

    def take(self, event: yaml.Event) -> None:
        """Take one event.

        Raises:
            _Refused: it is too much, or not plain data.

        """
        handler = self._HANDLERS.get(type(event).__name__)
        if handler:
            handler(self, event)

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self._bounds.nodes:
            raise _Refused(f"the document has more than {self._bounds.nodes} values, aliases counted each time (:maxValues)")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(1)
        holder = self._open[-1] if self._open else None
        if holder and isinstance(holder.value, dict) and holder.key is None:
            holder.key = event.value  # Names of fields are text, whatever they look like.
            return
        value = scalar_value(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._put(value)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._count(1)
        if len(self._open) >= _DEEPEST:
            raise _Refused(f"it is nested deeper than {_DEEPEST}")
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            raise _Refused("the name of a field must be text, not a list or an object")
        is_list = type(event).__name__ == "SequenceStartEvent"
        if event.tag not in (None, f"{_TAG}{'seq' if is_list else 'map'}"):
            raise _Refused(f"a value with the tag '{event.tag}' is no plain data")
        if event.anchor:
            self._anchors[event.anchor] = (None, 0)
        self._open.append(_Open([] if is_list else {}, event.anchor, self._nodes - 1))

    def _end(self, _: yaml.CollectionEndEvent) -> None:
        closed = self._open.pop()
        for other in closed.merged:
            closed.value = {**_merged(other), **closed.value}
        if closed.anchor:
            self._anchors[closed.anchor] = (closed.value, self._nodes - closed.before)
        self._put(closed.value)

    def _alias(self, event: yaml.AliasEvent) -> None:
        value, nodes = self._anchors.get(event.anchor or "", (None, -1))
        if nodes < 0:
            raise _Refused(f"there is no anchor '&{event.anchor}' before this alias")
        if not nodes:
            raise _Refused(f"the alias '*{event.anchor}' stands in what it names, which would never end")
        self._count(nodes)
        self._put(value)

    def _put(self, value: Any) -> None:
        if not self._open:
            self.value = value
            return
        holder = self._open[-1]
        if isinstance(holder.value, list):
            holder.value.append(value)
            return
        key, holder.key = holder.key, None
        if key is None:
            raise _Refused("the name of a field must be text, not an alias")
        if key in holder.value:
            raise _Refused(f"the field '{key}' stands there twice")
        if key == "<<" and isinstance(value, dict | list):
            holder.merged += value if isinstance(value, list) else [value]
        else:
            holder.value[key] = value

    _HANDLERS: Final[dict[str, Callable[[Any, Any], None]]] = {
        "ScalarEvent": _scalar,
        "SequenceStartEvent": _begin,
        "MappingStartEvent": _begin,
        "SequenceEndEvent": _end,
        "MappingEndEvent": _end,
        "AliasEvent": _alias,
    }


def _merged(other: Any) -> dict[str, Any]:
    if not isinstance(other, dict):
        raise _Refused("what is merged by '<<' must be an object")
    return other


def scalar_value(event: yaml.ScalarEvent) -> Any:
    """Return the value of a scalar: by its tag, by its look if it is plain, else its text.

    Raises:
        _Refused: it is not what its tag says, or no plain data.

    """
    text = event.value
    if event.tag is None or event.tag == "!":
        return _plain(text) if event.implicit[0] else text
    kind = event.tag.removeprefix(_TAG)
    if kind == "str":
        return text
    if kind == "binary":
        try:
            return base64.b64decode(re.sub(r"\s", "", text), validate=True)
        except binascii.Error as error:
            raise _Refused(f"what is tagged as binary is no Base64: {error}") from error
    value = _plain(text)
    wanted = {"int": int, "float": int | float, "bool": bool, "null": type(None)}.get(kind)
    if wanted is None or not isinstance(value, wanted) or (isinstance(value, bool) and kind != "bool"):
        raise _Refused(f"'{text[:40]}' with the tag '{event.tag}' is no plain data")
    return value * 1.0 if isinstance(value, int) and kind == "float" else value


def _plain(text: str) -> Any:
    if text in _NULLS:
        return None
    if text in _TRUTHS:
        return _TRUTHS[text]
    if _INTEGER.fullmatch(text):
        try:
            return int(text) if text[:2] not in {"0o", "0x"} else int(text, 0)
        except ValueError as error:  # more digits than Python turns into a number
            raise _Refused("a number is too long") from error
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _NO_NUMBERS.fullmatch(text) else text


class _Input:
    """A file that is read while it lasts and no document grows too large."""

    def __init__(self, file: IO[bytes], bounds: Bounds) -> None:
        self._file = file
        self._bounds = bounds
        self.taken = 0

    def read(self, size: int) -> bytes:
        """Read on."""
        data = self._file.read(size)
        self.taken += len(data)
        if self.taken > self._bounds.size + size:
            raise _Refused(f"the document is longer than {self._bounds.size} bytes (:maxDocument)")
        return data


def read_documents(file: IO[bytes], bounds: Bounds, name: str) -> Iterator[Any]:
    """Yield the value of every document of a stream.

    Raises:
        RunError: it is not YAML, too large, or more than plain data; the error says where.

    """
    import yaml

    source: Any = _Input(file, bounds)
    place = name
    document = _Document(bounds)
    try:
        for event in yaml.parse(source, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            place = _placed(name, event.start_mark)
            if isinstance(event, yaml.DocumentEndEvent):
                yield document.value
                document, source.taken = _Document(bounds), 0
            else:
                document.take(event)
    except yaml.YAMLError as error:
        raise _located(error, name) from error
    except _Refused as refused:
        raise RunError(f"{place}: {refused}") from refused


def _located(error: yaml.YAMLError, name: str) -> RunError:
    place = _placed(name, getattr(error, "problem_mark", None))
    return RunError(f"{place}: not valid YAML: {getattr(error, 'problem', None) or error}")


def _placed(name: str, mark: Any) -> str:
    return f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
