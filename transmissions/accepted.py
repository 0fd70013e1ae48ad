"""What a message that begins a run must look like, where the first processor of its pipe says so (`Processor.accepts`).

It is declared with the fields and markers of settings, and said in plain JSON: a field has its Python name, values are what
they are (no text is read as a number), and null stands for a field that is not given where None is its default.
"""

from __future__ import annotations

import math
import operator
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from .errors import UsageError
from .homes import install_homes, load_class
from .near import suggestion
from .plan import NodePlan
from .spec import describe_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .message import Message
    from .plan import Plan
    from .settings import Record
    from .spec import Setting

    R = TypeVar("R", bound=Record)

_KINDS: Final[dict[str, tuple[Any, str]]] = {
    "string": ((str,), "a text"),
    "iri": ((str,), "a text"),
    "integer": ((int,), "a whole number"),
    "decimal": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
    "record": ((dict,), "an object"),
}
_SHORT: Final = 80
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""What JSON can say and UTF-8 cannot."""
_KNOWN: Final[dict[type[Record], tuple[Setting, ...]]] = {}
_COMPARISONS: Final[tuple[tuple[str, str, Callable[[float, float], bool]], ...]] = (
    ("ge", "less than", operator.ge),
    ("gt", "not more than", operator.gt),
    ("le", "more than", operator.le),
    ("lt", "not less than", operator.lt),
)


class Fault(NamedTuple):
    """One thing that is wrong with a message."""

    path: str
    """The dotted path of the field; empty for the message."""
    said: str

    def __str__(self) -> str:
        return f"{self.path}: {self.said}" if self.path else self.said


class Unaccepted(UsageError):
    """A message that no run begins with; `faults` are all there are."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, faults)))


class Accepted(NamedTuple):
    """What the messages must look like that a run begins with."""

    record: type[Record]
    at_most: Mapping[str, int]
    """How many values lists may have, where a setting of the first processor says so."""


def read_request(record: type[R], message: Message, *, at_most: Mapping[str, int] | None = None) -> R:
    """Return a message as a record, with the defaults of what it does not say; lists have `at_most` so many values.

    Raises:
        Unaccepted: it is not as the record declares it; every fault is told, with its path.

    """
    settings = fields_of(record, at_most)
    faults = list(_faults(settings, message, ""))
    if faults:
        raise Unaccepted(faults)
    try:
        return record.from_plan(_given(settings, message))
    except UsageError as error:
        raise Unaccepted([Fault("", str(error))]) from error


def accepted_by(plan: Plan) -> Accepted | None:
    """Return what the first processor of what a plan starts accepts; None if it does not say."""
    first = next((entry.pipe[0] for entry in plan.entries() if entry.pipe), None)
    if not isinstance(first, NodePlan):
        return None
    install_homes(plan.homes)
    kind = load_class(first.implementation)
    at_most = {field: first.settings.get(name, getattr(kind, name)) for field, name in kind.at_most.items()}
    return Accepted(kind.accepts, at_most) if kind.accepts else None


def _described(record: type[Record]) -> tuple[Setting, ...]:
    if record not in _KNOWN:
        _KNOWN[record] = describe_settings(record)
    return _KNOWN[record]


def fields_of(record: type[Record], at_most: Mapping[str, int] | None) -> Sequence[Setting]:
    """Return the fields of a record, whose lists have `at_most` so many values."""
    bounds = at_most or {}
    return [one._replace(max_count=bounds.get(one.name, one.max_count)) for one in _described(record)]


def _is_left_out(setting: Setting, value: Any) -> bool:
    return value is None and setting.default is None and not setting.required


def _given(settings: Sequence[Setting], message: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a message says, without what is null in it because it is not said."""
    values = {one.name: message[one.name] for one in settings if one.name in message}
    return {
        one.name: _within(one, values[one.name])
        for one in settings
        if one.name in values and not _is_left_out(one, values[one.name])
    }


def _within(setting: Setting, value: Any) -> Any:
    if setting.kind != "record":
        return value
    return [_given(setting.fields, item) for item in value] if setting.many else _given(setting.fields, value)


def _further_in(name: str, settings: Sequence[Setting]) -> str:
    """Return the question after the field of that name in another field, or an empty string."""
    records = [one for one in settings if not one.many]
    outer = next((one.name for one in records if any(inner.name == name for inner in one.fields)), "")
    return f"; did you mean '{outer}.{name}'?" if outer else ""


def _faults(settings: Sequence[Setting], message: Mapping[str, Any], path: str) -> Iterator[Fault]:
    names = [one.name for one in settings]
    for name in message:
        if name not in names:
            yield Fault(f"{path}{name[:_SHORT]}", f"no such field{_further_in(name, settings) or suggestion(name, names)}")
    for one in settings:
        if one.name in message and not _is_left_out(one, message[one.name]):
            yield from _of_field(one, message[one.name], f"{path}{one.name}")
        elif one.required:
            yield Fault(f"{path}{one.name}", "must be given")
    yield from _compared(settings, message, path)


def _of_field(setting: Setting, value: Any, path: str) -> Iterator[Fault]:
    if not setting.many:
        yield from _of_value(setting, value, path)
        return
    if not isinstance(value, list | tuple):
        yield Fault(path, f"must be a list, not {_shown(value)}")
        return
    yield from _of_size(len(value), setting.min_count, setting.max_count, path, "value")
    # A list that is too long is not looked through: what is wrong with each of a million values is of no use.
    for number, item in enumerate(value[: setting.max_count]):
        yield from _of_value(setting, item, f"{path}[{number}]")


def _of_value(setting: Setting, value: Any, path: str) -> Iterator[Fault]:
    types, words = _KINDS.get(setting.kind, ((object,), ""))
    fields: Any = value
    if not isinstance(value, types) or (isinstance(value, bool) and setting.kind in {"integer", "decimal"}):
        yield Fault(path, f"must be {words}, not {_shown(value)}")
    elif setting.kind == "record":
        yield from _faults(setting.fields, fields, f"{path}.")
    elif isinstance(value, str):
        yield from _of_text(setting, value, path)
    elif isinstance(value, int | float):
        yield from _of_number(setting, value, path)


def _of_text(setting: Setting, text: str, path: str) -> Iterator[Fault]:
    if _SURROGATE.search(text):
        yield Fault(path, "holds half a pair of surrogates, which no text does")
    if setting.choices and text not in setting.choices:
        near = suggestion(text[:_SHORT], setting.choices)
        yield Fault(path, f"'{text[:_SHORT]}' is none of {', '.join(setting.choices)}{near}")
    if setting.pattern and not re.fullmatch(setting.pattern, text):
        yield Fault(path, f"'{text[:_SHORT]}' does not match {setting.pattern}")
    yield from _of_size(len(text), setting.min_length, setting.max_length, path, "character")


def _of_size(size: int, least: int | None, most: int | None, path: str, of: str) -> Iterator[Fault]:
    if least is not None and size < least:
        yield Fault(path, f"must have at least {least} {of}{'s' * (least != 1)}, not {size}")
    if most is not None and size > most:
        yield Fault(path, f"may have at most {most} {of}{'s' * (most != 1)}, not {size}")


def _of_number(setting: Setting, value: float, path: str) -> Iterator[Fault]:
    if not -math.inf < value < math.inf:
        yield Fault(path, f"{value} is no number that can be compared")
        return
    for name, words, fits in _COMPARISONS:
        bound = getattr(setting, name)
        if bound is not None and not fits(value, bound):
            yield Fault(path, f"{_shown(value)} is {words} {bound:g}")


def _compared(settings: Sequence[Setting], message: Mapping[str, Any], path: str) -> Iterator[Fault]:
    values = {one.name: message.get(one.name, one.default) for one in settings}
    numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
    for one in (one for one in settings if one.name in numbers):
        if one.less_than in numbers and not numbers[one.name] < numbers[one.less_than]:
            yield Fault(f"{path}{one.name}", f"must be less than {one.less_than}")
        other = one.less_than_or_equals
        if other in numbers and not numbers[one.name] <= numbers[other]:
            yield Fault(f"{path}{one.name}", f"must not be greater than {other}")


def _shown(value: Any) -> str:
    plain = {type(None): "null", dict: "an object", list: "a list", bool: "true or false"}
    return plain.get(type(value)) or (f"'{value[:_SHORT]}'" if isinstance(value, str) else str(value)[:_SHORT])
