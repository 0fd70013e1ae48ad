"""Settings: a class whose annotated fields are its declaration, and the markers that refine a field's type.

    class Throttle(Processor):
        rate: Annotated[int, Range(ge=1), Unit("messages/s")] = 100
        "How many messages pass in a second."

No default means required; `Literal` lists choices; `tuple[T, ...]` takes many; the string below a field documents it. The
Turtle term of a field is its name in lowerCamel (`report_interval` is `:reportInterval`).
"""

from __future__ import annotations

import inspect
import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, dataclass_transform, get_args, get_origin, get_type_hints

from .errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Range(NamedTuple):
    """Bounds of a number (`sh:minInclusive` and its kin)."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None


class Length(NamedTuple):
    """How many characters a text has, or, around a tuple, how many values there are (`sh:minLength`, `sh:maxCount`, …)."""

    ge: int | None = None
    le: int | None = None


class Pattern(NamedTuple):
    """A regular expression that the whole text must match (`sh:pattern`)."""

    regex: str


class LessThan(NamedTuple):
    """The value must be less than another setting's (`sh:lessThan`); `other` is the Python name of that field."""

    other: str


class LessThanOrEquals(NamedTuple):
    """The value must not be greater than another setting's (`sh:lessThanOrEquals`)."""

    other: str


class FractionOf(NamedTuple):
    """A decimal up to 1 means that share of another setting; it is resolved before validation."""

    other: str


class Unit(NamedTuple):
    """The unit of a number, for the docs: `ms`, `bytes`."""

    symbol: str


class Term(NamedTuple):
    """The Turtle term of a field where lowerCamel would be wrong: `Term("baseURI")`."""

    name: str


class Dynamic:
    """Marks a setting that a message field of the same term may override."""


class Protected:
    """Marks a setting that a target's `tt.ttl`, which travels with data, may not set: commands, code, roots."""


class TransmissionName:
    """Marks a setting that names another transmission of the app."""


class IRI(str):
    """A setting that is an IRI; in Turtle an IRI or its text."""

    __slots__ = ()


class Secret:
    """A value that never prints. In Turtle it is a reference, `[ :env "NAME" ]`, never the value itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret text."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


@dataclass_transform(kw_only_default=True)
class Settings:
    """A class that is made from keyword arguments, one for each of its annotated fields."""

    _names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [name for name, kind in inspect.get_annotations(cls).items() if _is_setting(name, kind)]
        inherited = [name for base in cls.__bases__ for name in getattr(base, "_names", ())]
        cls._names = tuple(dict.fromkeys([*inherited, *own]))

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)
        unknown = values.keys() - set(self._names)
        missing = [name for name in self._names if name not in values and not hasattr(self, name)]
        if unknown or missing:
            fault = f"has no setting {sorted(unknown)}" if unknown else f"needs {missing}"
            raise TypeError(f"{type(self).__name__} {fault}")
        self.__post_init__()

    def __post_init__(self) -> None:
        """Prepare plain state once the settings are in place; override freely."""

    @classmethod
    def from_plan(cls, values: Mapping[str, Any]) -> Self:
        """Build from a plan's JSON values: lists become tuples, dicts become records, references become secrets."""
        if not any(isinstance(value, dict | list) for value in values.values()):
            return cls(**values)
        hints = setting_types(cls)
        return cls(**{name: _revive(value, hints.get(name, Any)) for name, value in values.items()})

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names)
        return f"{type(self).__name__}({inner})"


class Record(Settings):
    """Settings nested in a setting: a blank node with properties of its own, such as Restructure's renames."""


def values_of(settings: Settings) -> dict[str, Any]:
    """Return the value of each setting, its default where nothing was said."""
    return {name: getattr(settings, name) for name in settings._names}  # noqa: SLF001 - this module makes it


def setting_types(cls: type[Settings]) -> dict[str, Any]:
    """Return the evaluated type of each setting, markers included.

    Private fields and class variables are left alone: their types may be imported for the type checker only.
    """
    types: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        own = inspect.get_annotations(owner)
        holder = SimpleNamespace(__annotations__={name: kind for name, kind in own.items() if _is_setting(name, kind)})
        types |= get_type_hints(holder, vars(sys.modules[owner.__module__]), dict(vars(owner)), include_extras=True)
    return {name: types[name] for name in cls._names}


def _is_setting(name: str, kind: Any) -> bool:
    if isinstance(kind, str):
        is_class_variable = kind.startswith(("ClassVar", "typing.ClassVar"))
    else:
        is_class_variable = kind is ClassVar or get_origin(kind) is ClassVar
    return not name.startswith("_") and not is_class_variable


def _revive(value: Any, hint: Any) -> Any:
    kinds = [kind for kind in _leaf_types(hint) if isinstance(kind, type)]
    if isinstance(value, list):
        return tuple(_revive(item, hint) for item in value)
    if isinstance(value, dict):
        if Secret in kinds:
            return _secret(value["env"])
        record = next((kind for kind in kinds if issubclass(kind, Settings)), None)
        return record.from_plan(value) if record else value
    return value


def _secret(name: str) -> Secret:
    if name not in os.environ:
        raise UsageError(f"the environment variable {name} is not set")
    return Secret(os.environ[name])


def _leaf_types(hint: Any) -> list[Any]:
    inner = [part for part in get_args(hint) if part is not Ellipsis]
    return [leaf for part in inner for leaf in _leaf_types(part)] if inner else [hint]
