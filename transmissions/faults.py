"""What is said about a value that breaks a rule: our own sentence for each kind of SHACL violation."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rdflib import BNode

from .coercion import kind_in_words
from .findings import ERROR, STRICT, did_you_mean
from .near import nearest
from .nodeterms import links_of
from .problem import Label, Span
from .pysource import class_statements, read
from .terms import local_name, to_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from .findings import Findings
    from .spec import Setting, Spec
    from .subjects import Given, Subject

_SHORT: Final = 60
_TRUTHS: Final = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_QUANTITY: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?([A-Za-z]{1,3})")
_TIMES: Final = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
_SIZES: Final = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_UNITS: Final = {"ms": (_TIMES, 1), "s": (_TIMES, 1000), "bytes": (_SIZES, 1)}
"""By the unit of a setting: others of its kind, and how many of their smallest it is."""
_FOR_BRANCHES: Final = {
    "when": "it belongs to a branch of a :Route; a :Filter keeps messages by its :where",
    "branches": "it belongs to a :FanOut or a :Route",
}


class Violation(NamedTuple):
    """One rule of the shapes that one value of one subject breaks."""

    subject: Subject
    term: str
    rule: str
    """The SHACL constraint without its suffix: `MaxCount`, `In`."""
    given: Given | None
    """The value, if the rule is about one."""

    @property
    def setting(self) -> Setting | None:
        """The declaration of the setting."""
        return self.subject.spec.setting(self.term)

    @property
    def is_certain(self) -> bool:
        """Whether it is about written values only: not a missing one, nor one computed from or compared with a default."""
        setting = self.setting
        values = list(self.subject.values.get(self.term, ()))
        if setting and self.rule.startswith("LessThan"):
            compared = {setting.less_than, setting.less_than_or_equals}
            others = (other.term for other in self.subject.spec.settings if other.name in compared)
            values += [value for term in others for value in self.subject.values.get(term, ())]
        return bool(values) and all(value.span and not value.resolved for value in values)

    @property
    def text(self) -> str:
        """The value as people wrote it, as much of it as fits into a sentence."""
        if self.given is None:
            return ""
        text = str(self.given.term) if self.given.plain is None else str(self.given.plain)
        return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def report(violation: Violation, findings: Findings) -> None:
    """Put a violation into words."""
    setting = violation.setting
    if setting is None:
        _unknown(violation, findings)
    elif violation.rule in _SENTENCES:
        _SENTENCES[violation.rule](violation, setting, findings)
    else:
        given = violation.given
        sentence = f"{violation.term} breaks the rule {violation.rule}"
        findings.report(ERROR, "rule", sentence, given.span if given else violation.subject.span)


def _unknown(violation: Violation, findings: Findings) -> None:
    spec = violation.subject.spec
    near = _meant(spec, violation.term)
    given = violation.given or violation.subject.values[violation.term][0]
    meant = spec.setting(near)
    if meant and meant.kind == "secret":
        findings.hide(given.span)
    asked = f"did you mean `:{near}`?" if near not in {"", violation.term} else ""
    mend = _FOR_BRANCHES.get(violation.term) or _untyped(spec, violation.term) or asked
    findings.report(
        STRICT, "unknown-setting", f"{spec.name} has no setting {violation.term}", given.key or given.span, mend=mend
    )


def _meant(spec: Spec, term: str) -> str:
    return nearest(term, [*(setting.term for setting in spec.settings), *links_of(spec)])


def _untyped(spec: Spec, term: str) -> str:
    """Say that a class has something of the name that is no setting, because it has no type."""
    name = to_name(term)
    statement = class_statements(read(spec.file)).get(spec.implementation.rpartition(":")[2]) if spec.file else None
    if statement is None or name not in statement.untyped:
        return ""
    place = f"{Path(spec.file).name}:{statement.untyped[name]}"
    return f"`{name}` in {place} has no type, and only what has one is a setting: `{name}: int = …`"


def _missing(violation: Violation, setting: Setting, findings: Findings) -> None:
    given = violation.subject.values.get(setting.term)
    if given:
        sentence = f"{setting.term} needs at least {setting.min_count} values, not {len(given)}"
        findings.report(ERROR, "too-few-values", sentence, given[0].span or violation.subject.span)
        return
    spec = violation.subject.spec
    strange = [term for term in violation.subject.values if spec.setting(term) is None]
    if not findings.compat and any(_meant(spec, term) == setting.term for term in strange):
        return  # It is misspelt, which is told as that.
    sentence = f"{spec.name} needs the setting {setting.term}"
    # A message may bring it to a node under `--compat`, to a record never.
    severity = STRICT if spec.file else ERROR
    findings.report(severity, "missing-setting", sentence, violation.subject.span, f"has no {setting.term}", mend=setting.doc)


def _too_many(violation: Violation, setting: Setting, findings: Findings) -> None:
    written = [given.span for given in violation.subject.values[setting.term] if given.span]
    most = (setting.max_count or 0) if setting.many else 1
    takes = "one value" if most == 1 else f"at most {most} values"
    related = (Label(written[0], "the first"),)
    sentence = f"{setting.term} takes {takes}, not {len(written)}"
    mend = _fraction(written[0], written[-1]) if setting.kind == "decimal" else ""
    findings.report(ERROR, "too-many-values", sentence, written[most], "one too many", mend=mend, related=related)


def _fraction(first: Span, last: Span) -> str:
    """Say how a number is written that has a comma in it, if two values look like one."""
    text = first.text[first.column - 1 : last.column - 1 + last.width]
    is_one = first.line == last.line and re.fullmatch(r"[0-9]+,[0-9]+", text)
    return f"a fraction is written with a point: {text.replace(',', '.')}" if is_one else ""


def _wrong_type(violation: Violation, setting: Setting, findings: Findings) -> None:
    sentence = f"{setting.term} must be {kind_in_words(setting.kind, violation.text)}"
    is_blank = violation.given is not None and isinstance(violation.given.term, BNode)
    label = "is a blank node" if is_blank else f"is '{violation.text}'"
    findings.report(ERROR, "datatype", sentence, _span(violation), label, mend=_as_written(violation.text, setting))


def _as_written(text: str, setting: Setting) -> str:
    """Say how a truth or a number is written that was spelt otherwise."""
    truth = _TRUTHS.get(local_name(text).lower()) if setting.kind == "boolean" else None
    return f"write `{truth}`, without quotes or a colon" if truth else _plain_number(text, setting)


def _plain_number(text: str, setting: Setting) -> str:
    """Say which number a size or a time such as `15s` is, in the unit of its setting."""
    found = _QUANTITY.fullmatch(text)
    units, own = _UNITS.get(setting.unit, ({}, 1))
    if found is None or found[2].lower() not in units:
        return ""
    number = Fraction(found[1]) * units[found[2].lower()] / own
    if setting.kind == "integer" and number.denominator != 1:
        return ""
    return f"a plain number stands for {setting.unit}: write {float(number):.15g}"


def _choice(violation: Violation, setting: Setting, findings: Findings) -> None:
    choices = ", ".join(setting.choices)
    mend = did_you_mean(violation.text, setting.choices, "")
    findings.report(ERROR, "choice", f"{setting.term} must be one of {choices}", _span(violation), "is none of them", mend=mend)


def _pattern(violation: Violation, setting: Setting, findings: Findings) -> None:
    sentence = f"{setting.term} must match {setting.pattern}"
    findings.report(ERROR, "pattern", sentence, _span(violation), f"'{violation.text}' does not")


def _bound(words: str, attribute: str, verdict: str) -> Callable[[Violation, Setting, Findings], None]:
    def say(violation: Violation, setting: Setting, findings: Findings) -> None:
        bound = getattr(setting, attribute)
        unit = f" {setting.unit}" if setting.unit else ""
        sentence = f"{setting.term} must be {words} {bound}{unit}"
        findings.report(ERROR, "range", sentence, _span(violation), f"{violation.text} is too {verdict}")

    return say


def _length(words: str, attribute: str) -> Callable[[Violation, Setting, Findings], None]:
    def say(violation: Violation, setting: Setting, findings: Findings) -> None:
        sentence = f"{setting.term} must be {words} {getattr(setting, attribute)} characters long"
        size = len(str(violation.given.plain)) if violation.given else 0
        findings.report(ERROR, "length", sentence, _span(violation), f"has {size}")

    return say


def _compared(words: str, attribute: str) -> Callable[[Violation, Setting, Findings], None]:
    def say(violation: Violation, setting: Setting, findings: Findings) -> None:
        name = getattr(setting, attribute)
        other = next(other for other in violation.subject.spec.settings if other.name == name)
        than = violation.subject.values[other.term][0]
        sentence = f"{setting.term} must {words} {other.term}"
        span = violation.given.span if violation.given else None
        place = f"{Path(than.span.file).name}:{than.span.line}" if than.span else "default"
        fault = words.removeprefix("not be ") if words.startswith("not ") else f"not {words.removeprefix('be ')}"
        label = f"{violation.text} is {fault} {than.plain} ({other.term}, {place})"
        if span is None:
            label = f"{setting.term} is {violation.text} (default)"
        findings.report(ERROR, "range", sentence, span or than.span or violation.subject.span, label)

    return say


def _span(violation: Violation) -> Span:
    return (violation.given.span if violation.given else None) or violation.subject.span


_SENTENCES: Final[dict[str, Callable[[Violation, Setting, Findings], None]]] = {
    "MinCount": _missing,
    "MaxCount": _too_many,
    "Datatype": _wrong_type,
    "NodeKind": _wrong_type,
    "Or": _wrong_type,
    "In": _choice,
    "Pattern": _pattern,
    "MinLength": _length("at least", "min_length"),
    "MaxLength": _length("at most", "max_length"),
    "MinInclusive": _bound("at least", "ge", "small"),
    "MinExclusive": _bound("greater than", "gt", "small"),
    "MaxInclusive": _bound("at most", "le", "large"),
    "MaxExclusive": _bound("less than", "lt", "large"),
    "LessThan": _compared("be less than", "less_than"),
    "LessThanOrEquals": _compared("not be greater than", "less_than_or_equals"),
}
