"""Every processor of a plan made once, so that what only its own code can refuse is told at its place, before a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .errors import describe, raised_in
from .extras import absent
from .findings import ERROR
from .homes import IMPORT_FAULTS, load_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .findings import Findings
    from .plan import NodePlan, Plan
    from .problem import Span
    from .subjects import Given, Subject


def check_construction(plan: Plan, subjects: Mapping[str, Subject], findings: Findings) -> None:
    """Make every processor, and report what it raises; `subjects` are the settings that hold, by the path of the node."""
    for node in plan.nodes():
        subject = subjects[node.path]
        if findings.compat and _lacks(subject):
            continue  # It is made when a message brings what is missing.
        if subject.spec.extra and absent(subject.spec.extra):
            continue  # What it then raises says nothing about its settings.
        # A secret may be known only where the app runs, and what is raised over one might show it.
        if any(
            setting.kind == "secret" and one.values.get(setting.term)
            for one in subject.records()
            for setting in one.spec.settings
        ):
            continue
        error = _refusal(node)
        if error:
            sentence, label = describe(error), f"{subject.spec.name} cannot be made with this"
            findings.report(ERROR, "refused", sentence, _place(node, subject, sentence), label, mend=raised_in(error))


def _refusal(node: NodePlan, without: str = "") -> BaseException | None:
    """Return what a processor raises when it is made, if anything; `without` a setting: as if nobody had written that."""
    settings = {name: value for name, value in node.settings.items() if name != without}
    try:
        load_class(node.implementation).from_plan(settings)
    except IMPORT_FAULTS as error:
        return error
    return None


def _matters(node: NodePlan, setting: str, sentence: str) -> bool:
    """Whether something else happens without a setting."""
    error = _refusal(node, setting)
    return error is None or describe(error) != sentence


def _lacks(subject: Subject) -> bool:
    return any(setting.required and not subject.values.get(setting.term) for setting in subject.spec.settings)


def _place(node: NodePlan, subject: Subject, sentence: str) -> Span:
    """Return where the setting stands that makes the difference, or the value that an error speaks about, or the node."""
    said = [setting for setting in subject.spec.settings if setting.name in node.settings]
    decisive = [setting.term for setting in said if not setting.required and _matters(node, setting.name, sentence)]
    terms = decisive or [setting.term for setting in said if setting.required]
    written = [given for term in terms for given in _leaves(subject.values[term]) if given.span]
    named = [given for given in written if _speaks_of(sentence, str(given.plain))]
    places = [given.span for given in (named if len(named) == 1 else written)]
    if len(places) > 1 and len(terms) == 1:
        places = [written[0].key]
    return (places[0] if len(places) == 1 else None) or subject.span


def _leaves(values: Iterable[Given]) -> Iterator[Given]:
    """Yield values, and of records those in them."""
    for given in values:
        if given.record:
            yield from _leaves(value for inner in given.record.values.values() for value in inner)
        else:
            yield given


def _speaks_of(sentence: str, value: str) -> bool:
    return bool(value) and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", sentence) is not None
