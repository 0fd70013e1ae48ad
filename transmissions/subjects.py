"""Subjects of the effective graph: the values that hold for a node, a record or a transmission, defaults included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rdflib import Literal

from .coercion import Typed, coerce, from_default

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdflib import URIRef
    from rdflib.term import Node

    from .problem import Span
    from .spec import Setting, Spec


class Given(NamedTuple):
    """One value that holds: for the graph, for the plan, and where it was written (nowhere, if it is a default)."""

    term: Node
    plain: Any
    span: Span | None = None
    key: Span | None = None
    record: Subject | None = None
    resolved: bool = False
    """Whether it was computed from another setting, so that the class must be told even a default."""


class Subject(NamedTuple):
    """One subject of the effective graph: a placed node, a record in its settings, or a transmission."""

    node: URIRef
    """Not a blank node: pySHACL writes out all that is said about one in every complaint, which takes gigabytes for 10,000."""
    path: str
    spec: Spec
    span: Span
    values: dict[str, list[Given]]
    sources: tuple[Node, ...] = ()
    """The nodes of the files that describe it."""

    def records(self) -> Iterator[Subject]:
        """Yield this subject and all records in it."""
        yield self
        for given in self.values.values():
            for value in given:
                if value.record:
                    yield from value.record.records()

    def plain(self) -> dict[str, Any]:
        """Return the plan's form: Python names to JSON values, defaults left out."""
        found: dict[str, Any] = {}
        for setting in self.spec.settings:
            told = [value.plain for value in self.values.get(setting.term, ()) if value.span or value.resolved]
            if told or self.values.get(setting.term) == []:
                found[setting.name] = told if setting.many else told[-1]
        return found


def fill_defaults(subject: Subject) -> None:
    """Insert the default of every setting that nobody wrote."""
    for setting in subject.spec.settings:
        if subject.values.get(setting.term) or (setting.many and setting.term in subject.values):
            continue
        # An empty list means none of many values, and for a single one it means nothing.
        subject.values.pop(setting.term, None)
        if setting.default is None or setting.kind in {"record", "secret", "any"}:
            continue
        defaults = setting.default if setting.many else (setting.default,)
        typed = [from_default(default, setting) for default in defaults]
        if typed:
            subject.values[setting.term] = [Given(value.term, value.plain) for value in typed]


def resolve_fractions(subject: Subject) -> None:
    """Replace a decimal up to 1 by that share of the setting it is a fraction of."""
    by_name = {setting.name: setting for setting in subject.spec.settings}
    for setting in subject.spec.settings:
        given = subject.values.get(setting.term)
        if setting.fraction_of and given:
            whole = subject.values.get(by_name[setting.fraction_of].term)
            subject.values[setting.term] = [_share(value, setting, whole) for value in given]


def _share(value: Given, setting: Setting, whole: list[Given] | None) -> Given:
    of = whole[-1].plain if whole else None
    if not isinstance(value.plain, float) or not 0 <= value.plain <= 1 or not isinstance(of, int | float):
        return value
    share: Typed = coerce(Literal(str(int(value.plain * of))), setting)
    return value._replace(term=share.term, plain=share.plain, resolved=True)
