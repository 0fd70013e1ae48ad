"""What a class may not be: the rules a declaration must keep so that Turtle can speak about it and the engine can run it."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from .near import nearest
from .processor import Processor, Source, is_overridden
from .settings import Settings
from .terms import NODE_TERMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .spec import Setting

_NUMBERS: Final = ("integer", "decimal")
_TYPES: Final[dict[str, Any]] = {"string": str, "integer": int, "decimal": (int, float), "boolean": bool}
_WORK: Final = ("process", "process_batch", "run", "make_channel")
_PLACEMENTS: Final = ("loop", "thread")
_A_MESSAGE: Final = ("self, message", "a message and nothing else")
_CALLED_WITH: Final = {
    "process": _A_MESSAGE,
    "process_batch": ("self, messages", "a list of messages and nothing else"),
    "produce": _A_MESSAGE,
    "run": ("self, reader, writer", "a reader and a writer"),
    "finish": ("self", "nothing"),
    "end_group": _A_MESSAGE,
    "__aexit__": ("self, kind, error, trace", "three values"),
}
_INSTEAD: Final = {
    "process": "use a plain one, or a Source",
    "process_batch": "return a list",
    "run": "send with `await writer.write(message)`",
    "finish": "use a plain one, or return a list",
    "end_group": "use a plain one, or return a list",
}
"""Of an asynchronous generator."""


def class_faults(cls: type[Processor]) -> Iterator[str]:
    """Yield what would keep the engine from running a class; one whose name begins with `_` is there to be derived from."""
    if cls.placement not in _PLACEMENTS:
        yield f"{cls.__name__}.placement is {cls.placement!r}; it must be one of {', '.join(_PLACEMENTS)}"
    for name, mend in _INSTEAD.items():
        if inspect.isasyncgenfunction(getattr(cls, name, None)):
            yield f"{cls.__name__}.{name} is an asynchronous generator; {mend}"
    if inspect.iscoroutinefunction(getattr(cls, "produce", None)):
        yield f"{cls.__name__}.produce yields nothing: `yield` each message, or leave out `async`"
    yield from _signature_faults(cls)
    methods = ("produce",) if issubclass(cls, Source) else _WORK
    if cls.__name__.startswith("_") or any(_brings(cls, name) for name in methods):
        return
    near = ((own, nearest(own, methods)) for own, value in vars(cls).items() if callable(value))
    hint = next((f"; did you mean `{meant}` by `{own}`?" for own, meant in near if meant), "")
    yield f"{cls.__name__} does no work: it brings {'no' if len(methods) == 1 else 'none of'} {', '.join(methods)}{hint}"


def _signature_faults(cls: type[Processor]) -> Iterator[str]:
    for name, (parameters, what) in _CALLED_WITH.items():
        method = inspect.getattr_static(cls, name, None)
        if not _takes(method, *parameters.split(",")):
            written = "async def" if inspect.iscoroutinefunction(method) else "def"
            yield f"{cls.__name__}.{name} is called with {what}: write `{written} {name}({parameters})`"
    if not _takes(inspect.getattr_static(cls, "__init__"), "self", **dict.fromkeys(cls._names)):
        yield f"{cls.__name__}.__init__ does not take the settings: write `__post_init__(self)`, called once they are set"


def _takes(method: object, /, *values: object, **named: object) -> bool:
    """Whether a plain method can be called so; of any other kind nothing is known."""
    if isinstance(method, FunctionType):
        try:
            inspect.signature(method).bind(*values, **named)
        except TypeError:
            return False
    return True


def _brings(cls: type[Processor], method: str) -> bool:
    return getattr(cls, method, None) not in (None, getattr(Source, method, None))


def undivided(cls: type[Processor]) -> str:
    """Say why several processes cannot each have one of these and a part of its messages; nothing if they can."""
    reasons = {
        "it is a Source, and what it makes of one message belongs together": issubclass(cls, Source),
        "it is itself the buffer between what is in front of it and what is behind": _brings(cls, "make_channel"),
        "it owns its stream, and each process would see a part of it only": _brings(cls, "run"),
        "it closes a group, and each process would see a part of it only": cls.collapses,
        "it waits for the ends of groups, which pass the processes by": is_overridden(cls, "end_group"),
        "it depends on the order or the number of its messages, and each process would see a part of them only": cls.stateful,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def faults_of(cls: type[Settings], settings: Sequence[Setting]) -> Iterator[tuple[str, str]]:
    """Yield the name of each setting at fault and what is wrong with it."""
    base = Processor if issubclass(cls, Processor) else Settings
    terms = Counter(setting.term for setting in settings)
    names = {setting.name for setting in settings}
    for setting in settings:
        if hasattr(base, setting.name):
            yield setting.name, f"hides {base.__name__}.{setting.name}; choose another name, or annotate it as ClassVar"
        if setting.term in NODE_TERMS and base is Processor:
            yield setting.name, f"is called like :{setting.term}, which speaks about a node; choose another name"
        if terms[setting.term] > 1:
            yield setting.name, f"shares the term :{setting.term} with another setting"
        for text in (*_reference_faults(setting, names), *_bound_faults(setting), *_default_faults(setting)):
            yield setting.name, text


def _reference_faults(setting: Setting, names: set[str]) -> Iterator[str]:
    for other in (setting.less_than, setting.less_than_or_equals, setting.fraction_of):
        if other and other not in names:
            yield f"speaks of '{other}', which is no setting of the class"


def _bound_faults(setting: Setting) -> Iterator[str]:
    bounds = (setting.ge, setting.gt, setting.le, setting.lt)
    compared = setting.less_than or setting.less_than_or_equals or setting.fraction_of
    if setting.kind not in _NUMBERS and (compared or any(bound is not None for bound in bounds)):
        yield f"is a {setting.kind}; only numbers have bounds"
    is_text = setting.kind in {"string", "iri"}
    if setting.pattern and not is_text:
        yield f"is a {setting.kind}; only text has a pattern"
    if not is_text and (setting.min_length, setting.max_length) != (None, None):
        yield f"is a {setting.kind}; only text has a length, and a tuple a number of values"
    try:
        re.compile(setting.pattern)
    except re.error as error:
        yield f"has a pattern that is no regular expression: {error}"


def _default_faults(setting: Setting) -> Iterator[str]:
    if isinstance(setting.default, list | dict | set):
        yield "has a default that can change, and every node would share it; use a tuple or None"
    values = setting.default if setting.many and isinstance(setting.default, tuple) else (setting.default,)
    for value in values:
        if value is not None and not _fits(setting, value):
            yield f"has a default it does not allow: {value!r}"


def _fits(setting: Setting, value: Any) -> bool:
    if not isinstance(value, _TYPES.get(setting.kind, object)) or (isinstance(value, bool) and setting.kind in _NUMBERS):
        return False
    if setting.choices:
        return value in setting.choices
    if setting.kind in _NUMBERS and isinstance(value, int | float):
        return (
            (setting.ge is None or value >= setting.ge)
            and (setting.gt is None or value > setting.gt)
            and (setting.le is None or value <= setting.le)
            and (setting.lt is None or value < setting.lt)
        )
    return True
