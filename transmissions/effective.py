"""The effective graph: one subject for every placement of a node, with the settings that hold there.

Settings resolve per property: `--set`, then `tt.ttl`, `transmissions.ttl`, `config.ttl`, then the default; in a file what is
written on the node wins over what its settings node says. A plain merge of the files would be wrong in three ways: an
overridden value would count as a second one, rules against absent defaults would pass, and rules across settings would
compare the wrong nodes. Each value keeps its place, so that a violation can be shown where it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import uuid4

from rdflib import BNode, Literal, URIRef

from .coercion import as_written, coerce
from .findings import ERROR, NOTE, STRICT, did_you_mean
from .loader import OVERRIDE, PROFILE, TARGET, Layers, Value, with_profile
from .nodeterms import RECORD_TERMS, as_spec, links_of, transmission_spec, with_node_settings, workers_spec
from .placements import TRN, show
from .problem import Span, label_at
from .rdflists import is_list, read_list
from .subjects import Given, Subject, fill_defaults, resolve_fractions
from .terms import NAMESPACE, local_name

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Sequence

    from rdflib.term import Node

    from .findings import Findings
    from .loader import Layer
    from .overrides import Override
    from .placements import Pipeline, Placed, Shared
    from .spec import Setting, Spec

_LEGACY: Final = frozenset({"loglevel", "processWhenDone", "delay"})
"""Settings every processor of the original looked up, and that have no effect here."""


class Resolver:
    """Finds the settings that hold for each subject."""

    def __init__(self, layers: Layers, overrides: Sequence[Override], findings: Findings) -> None:
        self._layers = layers
        self._overrides = overrides
        self._findings = findings
        self._used = frozenset(term for term in RECORD_TERMS if any(layer.uses(TRN[term]) for layer in layers.all))

    def placed(self, step: Placed) -> Subject:
        """Resolve a placed node."""
        settings = self._settings_node(step)
        sources = (step.node, *settings, URIRef(step.spec.iri))
        told = self._told(step.path, names_of(settings))
        return self._subject(step.path, with_node_settings(step.spec, self._used), sources, step.span, told)

    def transmission(self, pipeline: Pipeline) -> Subject:
        """Resolve what is said about a transmission itself."""
        spec = transmission_spec(self._used)
        return self._subject(pipeline.name, spec, (pipeline.node,), pipeline.span, self._told(pipeline.name))

    def workers(self, step: Shared) -> Subject:
        """Resolve what is said about workers."""
        return self._subject(step.path, workers_spec(), (step.node,), step.span, self._told(step.path))

    def record(self, path: str, spec: Spec, value: Value) -> Subject:
        """Resolve a record: a blank node, or a named one described in any layer."""
        return self._subject(path, spec, (value.term,), value.span or Span("", 1, 1, 1, ""), {})

    def profiled(self, path: str, spec: Spec, value: Value, kind: URIRef) -> Subject:
        """Resolve an endpoint or server, for which a profile may speak as it does for a processor's class."""
        named = [name for layer in self._layers.all for name in layer.values(value.term, TRN.profile)]
        layers = with_profile(self._layers, named[0], self._findings) if named else self._layers
        resolver = Resolver(layers, self._overrides, self._findings)
        span = value.span or Span("", 1, 1, 1, "")
        return resolver._subject(path, spec, (value.term, kind), span, {})

    def _told(self, path: str, settings: Collection[str] = ()) -> dict[str, list[Value]]:
        told: dict[str, list[Value]] = {}
        for override in self._overrides:
            if override.meets(path, settings):
                told.setdefault(override.term, []).append(override.value)
        return told

    def _settings_node(self, step: Placed) -> list[Node]:
        links = self._layers.main.values(step.node, TRN.settings)
        if len(links) > 1:
            related = label_at(links[0].span, "the first")
            sentence = f"{show(step.node)} has {len(links)} :settings"
            self._findings.report(ERROR, "two-settings", sentence, links[1].span, "one too many", related=related)
        for link in links[:1]:
            if isinstance(link.term, Literal):
                self._findings.report(ERROR, "not-a-settings-node", ":settings leads to a node, not to a text", link.span)
            elif isinstance(link.term, URIRef) and not self._layers.describes(link.term):
                self._report_dangling(link)
        return [link.term for link in links[:1]]

    def _report_dangling(self, link: Value) -> None:
        name = local_name(str(link.term))
        mend = did_you_mean(name, self._described()) or "describe it in config.ttl, or name the target whose tt.ttl does"
        alike = [node for layer in self._layers.all for node in layer.subjects if local_name(node) == name]
        if alike:
            mend = f"there is <{alike[0]}>, but the namespace is <{NAMESPACE}>"
        sentence = f"no file describes the settings {show(link.term)}"
        self._findings.report(STRICT, "dangling-settings", sentence, link.span, mend=mend)

    def _described(self) -> list[str]:
        """Return the names of all that the files describe."""
        return [local_name(node) for layer in self._layers.all for node in layer.subjects]

    def _subject(self, path: str, spec: Spec, sources: Sequence[Node], span: Span, told: dict[str, list[Value]]) -> Subject:
        values: dict[str, list[Given]] = {}
        for term, written in (self._gather(sources, links_of(spec), told) | told).items():
            setting = spec.setting(term)
            if setting is None and term in _LEGACY:
                sentence = f":{term} has no effect here"
                self._findings.report(NOTE, "ignored-setting", sentence, written[0].key)
                continue
            last_only = term in told and setting and not setting.many
            kept = written[-1:] if last_only else written
            members = [member for value in kept for member in self._members(value)] if setting else kept
            values[term] = [self._given(path, setting, member) for member in members]
        subject = Subject(URIRef(f"urn:uuid:{uuid4()}"), path, spec, span, values, tuple(sources))
        fill_defaults(subject)
        resolve_fractions(subject)
        return subject

    def _gather(self, sources: Sequence[Node], links: Container[str], told: Container[str]) -> dict[str, list[Value]]:
        """Return the strongest values of each property not yet told; the links of a node are none of its settings."""
        found: dict[str, list[Value]] = {}
        for layer, position, source in self._places(sources):
            for predicate in layer.terms(source):
                term = str(predicate)[len(NAMESPACE) :]
                if term not in found and term not in told and not (position == 0 and term in links):
                    found[term] = layer.values(source, predicate)
        return found

    def _places(self, sources: Sequence[Node]) -> Iterator[tuple[Layer, int, Node]]:
        """Yield where to look for settings, the strongest first: file by file, in each the node before its settings node.

        What is said about the node's class, which is its last source, holds in a profile only.
        """
        classes = sources[-1:] if len(sources) > 1 else ()
        return (
            (layer, position, source)
            for layer in self._layers.all
            for position, source in enumerate(sources)
            if layer.role == PROFILE or source not in classes
        )

    def _members(self, value: Value) -> list[Value]:
        layer = self._layers.get(value.layer)
        if layer is None or not is_list(layer, value):
            return [value]
        reading = read_list(layer, value)
        if reading.fault:
            self._findings.report(ERROR, "broken-list", reading.fault, value.span)
        return [member._replace(key=value.key) for member in reading.members]

    def _given(self, path: str, setting: Setting | None, value: Value) -> Given:
        if setting is None:
            return Given(as_written(value.term), None, value.span, value.key)
        if setting.protected and value.layer == TARGET:
            sentence = f"a target may not set :{setting.term}"
            mend = "tt.ttl travels with data; set it in the app, or with --set"
            self._findings.report(ERROR, "protected-setting", sentence, value.key, mend=mend)
        if setting.kind == "secret":
            return self._secret(setting, value)
        if setting.kind == "record":
            return self._nested(path, setting, value)
        typed = coerce(self._as_text(value) if setting.kind in {"string", "any"} else value.term, setting)
        if setting.kind == "any" and typed.plain is None:
            sentence = f"{setting.term} must be a single value"
            self._findings.report(ERROR, "datatype", sentence, value.span, "is a blank node")
        return Given(typed.term, typed.plain, value.span, value.key)

    def _as_text(self, value: Value) -> Node:
        layer = self._layers.get(value.layer)
        return URIRef(layer.text(value.term)) if layer and isinstance(value.term, URIRef) else value.term

    def _secret(self, setting: Setting, value: Value) -> Given:
        names = [name for layer in self._layers.all for name in layer.values(value.term, TRN.env)]
        if isinstance(value.term, BNode) and len(names) == 1 and str(names[0].term).isidentifier():
            self._refuse_others(setting, value)
            return Given(BNode(), {"env": str(names[0].term)}, value.span, value.key)
        for place in names or [value]:
            self._findings.hide(place.span)
        sentence = f":{setting.term} is a secret, which no file and no command line may hold"
        mend = f'write `:{setting.term} [ :env "NAME" ]` and set the environment variable NAME'
        self._findings.report(ERROR, "secret", sentence, value.key or value.span, mend=mend)
        return Given(BNode(), None, value.span, value.key)

    def _refuse_others(self, setting: Setting, value: Value) -> None:
        sentence = f":{setting.term} takes nothing but the name of an environment variable"
        said = [(layer, term) for layer in self._layers.all for term in layer.terms(value.term) if term != TRN.env]
        for other in (other for layer, term in said for other in layer.values(value.term, term)):
            self._findings.hide(other.span)
            self._findings.report(ERROR, "unknown-setting", sentence, other.key)

    def _nested(self, path: str, setting: Setting, value: Value) -> Given:
        if isinstance(value.term, Literal):
            if value.layer == OVERRIDE:
                sentence = f"--set cannot set :{setting.term}, which has settings of its own"
                self._findings.report(ERROR, "bad-override", sentence, value.span)
            return Given(as_written(value.term), None, value.span, value.key)
        if isinstance(value.term, URIRef) and not self._layers.describes(value.term):
            sentence = f"no file describes {show(value.term)}"
            mend = did_you_mean(local_name(value.term), self._described())
            self._findings.report(ERROR, "undescribed-record", sentence, value.span, mend=mend)
        inner = record_spec(setting)
        inside = f"{path}.{setting.term}"
        is_endpoint = setting.term == "endpoint"
        record = self.profiled(inside, inner, value, TRN.Endpoint) if is_endpoint else self.record(inside, inner, value)
        return Given(record.node, record.plain(), value.span, value.key, record)


def record_spec(setting: Setting) -> Spec:
    """Return a record's fields in the form a processor's settings have."""
    return as_spec(setting.term, setting.fields)


def names_of(settings: Iterable[Node]) -> list[str]:
    """Return the names of those settings that have one."""
    return [local_name(str(node)) for node in settings if isinstance(node, URIRef)]
