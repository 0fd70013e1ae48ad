"""Depths: how many groups are open in front of each step.

A Source opens a group, a step that collapses closes one. Whatever joins again must agree on how many are open, or the ends
of groups could not be told apart behind the join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .findings import ERROR, STRICT
from .placements import Forked, Placed, Shared, Step, Steps

if TYPE_CHECKING:
    from .findings import Findings


def with_depths(steps: Steps, depth: int, findings: Findings) -> tuple[Steps, int]:
    """Return the steps with their depths, and the depth behind the last one."""
    placed: list[Step] = []
    for step in steps:
        if isinstance(step, Placed):
            placed.append(step._replace(depth=depth))
            depth = _behind(step, depth, findings)
        elif isinstance(step, Shared):
            inner, behind = with_depths(step.steps, depth, findings)
            placed.append(step._replace(steps=inner, depth=depth))
            depth = behind
        else:
            fork, depth = _fork(step, depth, findings)
            placed.append(fork)
    return tuple(placed), depth


def _behind(step: Placed, depth: int, findings: Findings) -> int:
    if step.spec.is_source:
        return depth + 1
    if not step.spec.collapses:
        return depth
    if depth == 0:
        sentence = f"{step.name} has no group to close: no Source stands in front of it"
        findings.report(STRICT, "no-group", sentence, step.span)
    return max(0, depth - 1)


def _fork(fork: Forked, depth: int, findings: Findings) -> tuple[Forked, int]:
    laid = [with_depths(branch.steps, depth, findings) for branch in fork.branches]
    branches = tuple(branch._replace(steps=steps) for branch, (steps, _) in zip(fork.branches, laid, strict=True))
    ends = [end for _, end in laid]
    if fork.kind == "first" and all(branch.condition for branch in fork.branches):
        ends.append(depth)  # A message that no branch takes goes on as it is.
    if len(set(ends)) > 1:
        sentence = f"the branches of {fork.path} join with {' and '.join(map(str, sorted(set(ends))))} groups open"
        mend = "close each group in the branch that opens it, with :Unfork, or open it in front of the fork"
        findings.report(ERROR, "uneven-branches", sentence, fork.span, mend=mend)
    return fork._replace(branches=branches, depth=depth), ends[0] if ends else depth
