"""Workers in a pipe: a stretch of it that several processes work on, and which steps may stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .findings import ERROR
from .placements import TRN, Placed, Shared, show, walk

if TYPE_CHECKING:
    from .findings import Findings
    from .loader import Value
    from .placements import Names
    from .structure import Chain, PipeReader

WORKERS: Final = TRN.Workers


def read_workers(reader: PipeReader, member: Value, chain: Chain, names: Names) -> Shared:
    """Read workers and the pipe in them; the nodes there are named as if they stood in the pipe around."""
    name = names.give(member.term, "Workers")
    steps = reader.pipe(member.term, chain._replace(within=(*chain.within, member.term)), names)
    shared = Shared(f"{chain.path}/{name}", member.term, steps, member.span or reader.span_of(member.term))
    _check_steps(shared, reader.findings)
    return shared


def _check_steps(shared: Shared, findings: Findings) -> None:
    """Report what cannot be divided among processes."""
    for step in walk(shared.steps):
        if isinstance(step, Shared):
            sentence = "workers cannot stand in workers"
            mend = "one :Workers around all of it uses as many processes"
            findings.report(ERROR, "nested-workers", sentence, step.span, "stands in another", mend=mend)
        elif isinstance(step, Placed) and step.spec.undivided:
            sentence = f"{step.spec.name} cannot stand in {show(shared.node)}: {step.spec.undivided}"
            findings.report(ERROR, "not-for-workers", sentence, step.span, mend="put it in front of the :Workers, or behind it")
