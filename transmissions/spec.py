"""A Spec: what a processor class says about itself, read from the class once."""

from __future__ import annotations

import inspect
import sys
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

from .errors import SpecError
from .fieldtypes import Unreadable, read_type
from .problem import Problem
from .processor import Processor, Source
from .pysource import ClassStatement, Field, class_statements, line_span, read
from .settings import Settings, setting_types
from .spec_rules import class_faults, faults_of, undivided
from .terms import NAMESPACE, local_name, to_term

Fault: TypeAlias = tuple[int, str]
"""A line of the class's file, and what is wrong there."""


class Setting(NamedTuple):
    """One setting of a processor, or one field of a record."""

    name: str
    """The Python field, `report_interval`."""
    term: str
    """The Turtle term, `reportInterval`."""
    kind: str
    """`string`, `integer`, `decimal`, `boolean`, `iri`, `secret`, `record` or `any`."""
    many: bool = False
    """Whether it takes several values (or an RDF list of them)."""
    required: bool = False
    default: Any = None
    doc: str = ""
    choices: tuple[str, ...] = ()
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    pattern: str = ""
    less_than: str = ""
    """The Python field this one must be less than."""
    less_than_or_equals: str = ""
    fraction_of: str = ""
    unit: str = ""
    dynamic: bool = False
    protected: bool = False
    transmission: bool = False
    """Whether it names a transmission of the app."""
    fields: tuple[Setting, ...] = ()
    """The fields of a record."""
    min_count: int | None = None
    """How many values it takes at least, where it takes several and is given."""
    max_count: int | None = None
    min_length: int | None = None
    """How many characters each text has at least."""
    max_length: int | None = None


class Spec(NamedTuple):
    """One processor class, described."""

    iri: str
    name: str
    """The class IRI's last part: what people write behind the prefix."""
    summary: str
    doc: str
    """The whole docstring, cleaned."""
    implementation: str
    """`module:QualifiedName`."""
    package: str
    """The home's package, `transmissions.processors` for the bundled one."""
    file: str
    line: int
    settings: tuple[Setting, ...]
    is_source: bool = False
    collapses: bool = False
    stateful: bool = False
    extra: str = ""
    undivided: str = ""
    """Why it cannot be divided among processes; empty if it can."""
    accepts: tuple[Setting, ...] = ()
    """The fields of a message that begins a run with it, where it says so; their terms are their names in JSON."""

    def setting(self, term: str) -> Setting | None:
        """Return the setting of a Turtle term."""
        return next((setting for setting in self.settings if setting.term == term), None)


def describe_class(cls: type[Processor], package: str) -> Spec:
    """Read a processor class. `package` is the package its home is imported under.

    Raises:
        SpecError: the class declares itself wrongly; holds every fault of it.

    """
    statement = _statement_of(cls)
    faults = [] if cls.__dict__.get("__doc__") else [(statement.line, f"{cls.__name__} has no docstring")]
    doc = inspect.cleandoc(cls.__doc__ or "")
    faults += [(statement.line, text) for text in class_faults(cls)]
    settings, more = _read_settings(cls, ())
    file = _file_of(cls)
    if faults or more:
        raise SpecError([Problem("error", "spec", text, line_span(file, line)) for line, text in [*faults, *more]])
    iri = cls.__dict__.get("iri") or NAMESPACE + cls.__name__
    return Spec(
        iri=iri,
        name=local_name(iri),
        summary=doc.partition("\n")[0],
        doc=doc,
        implementation=f"{cls.__module__}:{cls.__qualname__}",
        package=package,
        file=file,
        line=statement.line,
        settings=settings,
        is_source=issubclass(cls, Source),
        collapses=cls.collapses,
        stateful=cls.stateful,
        extra=cls.extra,
        undivided=undivided(cls),
        accepts=_as_in_json(describe_settings(cls.accepts)) if cls.accepts else (),
    )


def describe_settings(cls: type[Settings]) -> tuple[Setting, ...]:
    """Read the settings of a class that is no processor: a record, or the fields of `:buffer` or `:retry`.

    Raises:
        SpecError: a field is declared wrongly.

    """
    settings, faults = _read_settings(cls, ())
    if faults:
        raise SpecError([Problem("error", "spec", text, line_span(_file_of(cls), line)) for line, text in faults])
    return settings


def _as_in_json(settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
    return tuple(one._replace(term=one.name, fields=_as_in_json(one.fields)) for one in settings)


def _read_settings(cls: type[Settings], above: tuple[type[Settings], ...]) -> tuple[tuple[Setting, ...], list[Fault]]:
    try:
        types = setting_types(cls)
    except NameError as error:
        text = f"a setting's type in {cls.__name__} cannot be read: {error}; import it outside `if TYPE_CHECKING:`"
        return (), [(_statement_of(cls).line, text)]
    settings: list[Setting] = []
    faults: list[Fault] = []
    fields = _fields_of(cls)
    for name, hint in types.items():
        field = fields.get(name, Field(0, ""))
        try:
            settings.append(_read_setting(cls, name, hint, field.doc, (*above, cls)))
        except Unreadable as error:
            faults.append((field.line, f"setting {cls.__name__}.{name} {error}"))
        except SpecError as error:
            faults += [(field.line, problem.message) for problem in error.problems]
    for name, text in faults_of(cls, settings):
        faults.append((fields[name].line if name in fields else 0, f"setting {cls.__name__}.{name} {text}"))
    return tuple(settings), faults


def _read_setting(cls: type[Settings], name: str, hint: Any, doc: str, above: tuple[type[Settings], ...]) -> Setting:
    words = {"term": to_term(name), **read_type(hint)}
    record = words.pop("record", None)
    if record in above:
        raise Unreadable(f"leads back to {record.__name__}, so that it would never end")
    fields, faults = _read_settings(record, above) if record else ((), [])
    if faults:
        raise SpecError([Problem("error", "spec", text) for _, text in faults])
    has_default = hasattr(cls, name)
    return Setting(name=name, required=not has_default, default=getattr(cls, name, None), doc=doc, fields=fields, **words)


def _statement_of(cls: type) -> ClassStatement:
    """Find the class statement; a class made without one, in a shell or by `type()`, gets an empty one."""
    found: ClassStatement | None = None
    with suppress(OSError, SyntaxError):
        found = class_statements(read(_file_of(cls))).get(cls.__qualname__)
    return found or ClassStatement(cls.__qualname__, 0, (), {}, {}, {})


def _fields_of(cls: type[Settings]) -> dict[str, Field]:
    """Return the line and text of each setting; one declared again without a text keeps the text it had."""
    found: dict[str, Field] = {}
    for owner in reversed(cls.__mro__):
        own = _statement_of(owner).fields if inspect.get_annotations(owner).keys() & set(cls._names) else {}
        for name, field in own.items():
            found[name] = Field(field.line, field.doc or found.get(name, field).doc)
    return found


def _file_of(cls: type) -> str:
    return getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
