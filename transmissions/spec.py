"""A Spec: what a processor class says about itself, read from the class once."""

from __future__ import annotations

from typing import Any, NamedTuple


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
    fields: tuple[Setting, ...] = ()
    """The fields of a record."""


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

    def setting(self, term: str) -> Setting | None:
        """Return the setting of a Turtle term."""
        return next((setting for setting in self.settings if setting.term == term), None)
