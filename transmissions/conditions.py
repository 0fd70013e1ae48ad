"""The conditions of a Route's branches: one field, one operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdflib import Literal

from .comparison import OPERATORS
from .findings import ERROR
from .nodeterms import condition_spec
from .patterns import judge
from .placements import Forked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .effective import Resolver
    from .findings import Findings
    from .loader import Value
    from .placements import Step
    from .problem import Span
    from .subjects import Subject


def read_conditions(steps: Iterable[Step], resolver: Resolver, findings: Findings) -> dict[Span, Subject]:
    """Resolve the `:when` of every branch, by the branch's place."""
    found: dict[Span, Subject] = {}
    for step in steps:
        for branch in step.branches if isinstance(step, Forked) else ():
            if branch.condition and _is_record(branch.condition, findings):
                subject = resolver.record(f"{step.path}.when", condition_spec(), branch.condition)
                _check_operator(subject, branch.span, findings)
                found[branch.span] = subject
    return found


def _is_record(when: Value, findings: Findings) -> bool:
    if isinstance(when.term, Literal):
        findings.report(ERROR, "bad-condition", ":when takes `[ :field … ; :equals … ]`", when.span)
        return False
    return True


def _check_operator(subject: Subject, span: Span, findings: Findings) -> None:
    used = [operator for operator in OPERATORS if operator in subject.values]
    if len(used) != 1:
        mend = f"the operators are {', '.join(OPERATORS)}"
        sentence = f"a condition needs exactly one operator, not {len(used)}"
        findings.report(ERROR, "bad-condition", sentence, subject.span or span, mend=mend)
    for given in subject.values.get("matches", ()):
        code, sentence = judge(str(given.plain))
        if code:
            findings.report(ERROR, "bad-condition", sentence, given.span)
