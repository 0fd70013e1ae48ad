"""Every processor of a plan made once, so that what only its own code can refuse is told at its place, before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import describe
from .findings import ERROR
from .homes import IMPORT_FAULTS, load_class
from .nodeterms import node_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .findings import Findings
    from .plan import Plan
    from .problem import Span
    from .subjects import Given, Subject


def check_construction(plan: Plan, subjects: Mapping[str, Subject], findings: Findings) -> None:
    """Make every processor, and report what it raises; `subjects` are the settings that hold, by the path of the node."""
    for node in plan.nodes():
        subject = subjects[node.path]
        if findings.compat and _lacks(subject):
            continue  # It is made when a message brings what is missing.
        # A secret may be known only where the app runs, and what is raised over one might show it.
        if any(
            setting.kind == "secret" and one.values.get(setting.term)
            for one in subject.records()
            for setting in one.spec.settings
        ):
            continue
        try:
            load_class(node.implementation).from_plan(node.settings)
        except IMPORT_FAULTS as error:
            sentence = describe(error)
            name = subject.spec.name
            findings.report(ERROR, "refused", sentence, _place(subject, sentence), f"{name} cannot be made with this")


def _lacks(subject: Subject) -> bool:
    return any(setting.required and not subject.values.get(setting.term) for setting in subject.spec.settings)


def _place(subject: Subject, sentence: str) -> Span:
    """Return where the setting stands that an error speaks about, or the node."""
    written = [(given, given.span) for given in _written(subject) if given.span]
    named = [span for given, span in written if str(given.plain) and str(given.plain) in sentence]
    return (named if len(named) == 1 else [span for _, span in written] if len(written) == 1 else [subject.span])[0]


def _written(subject: Subject) -> list[Given]:
    about_node = {setting.term for setting in node_settings(frozenset())}
    return [
        given
        for record in subject.records()
        for term, values in record.values.items()
        if record is not subject or term not in about_node
        for given in values
        if not given.record
    ]
