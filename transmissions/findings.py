"""Findings: the problems of one examination, each said once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .near import nearest
from .problem import Label, Problem, Span, Where

if TYPE_CHECKING:
    from collections.abc import Container, Iterable


ERROR: Final = "error"
WARNING: Final = "warning"
NOTE: Final = "note"
STRICT: Final = "strict"


class Findings:
    """Collects problems. One fault that is met twice (a node placed twice, a shared settings node) is reported once."""

    def __init__(self, *, compat: bool = False) -> None:
        self.compat = compat
        self._found: dict[object, Problem] = {}
        self._secrets: set[Span] = set()

    def add(self, problem: Problem) -> None:
        """Take a problem unless it is known: the same code at the same place."""
        # Two settings may be missing at one node: there only the sentence tells them apart.
        told_apart = problem.message if problem.span is None or problem.code == "missing-setting" else ""
        known = self._found.setdefault((problem.code, problem.span, told_apart), problem)
        if problem.is_error and not known.is_error:  # A broken module is a note until something needs it.
            self._found[problem.code, problem.span, told_apart] = problem

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take several problems."""
        for problem in problems:
            self.add(problem)

    def adopt(self, others: Findings, codes: Container[str]) -> None:
        """Take those of other findings that have one of these codes, and hide what they hide."""
        self._secrets |= others._secrets
        self.extend(problem for problem in others._found.values() if problem.code in codes)

    def report(
        self,
        severity: str,
        code: str,
        message: str,
        span: Span | None,
        label: str = "",
        *,
        mend: str = "",
        related: tuple[Label, ...] = (),
    ) -> None:
        """Report a problem. `strict` is an error, but a warning under `--compat`: what the original let pass."""
        if severity == STRICT:
            severity = WARNING if self.compat else ERROR
        self.add(Problem(severity, code, message, span, label, mend, related))

    def hide(self, span: Span | None) -> None:
        """Never print what stands at `span`: it is, or may be, a secret."""
        if span is not None:
            self._secrets.add(span)

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return any(problem.is_error for problem in self._found.values())

    def sorted(self) -> list[Problem]:
        """Return the problems, errors first, by file and line; secrets are masked."""
        return sorted((self._masked(problem) for problem in self._found.values()), key=_order)

    def _masked(self, problem: Problem) -> Problem:
        if not self._secrets or problem.span is None:
            return problem
        related = tuple(Label(self._mask(label.span), label.text) for label in problem.related)
        return problem._replace(span=self._mask(problem.span), related=related)

    def _mask(self, span: Span) -> Span:
        hidden = [secret for secret in self._secrets if (secret.file, secret.line) == (span.file, span.line)]
        if not hidden:
            return span
        # What follows on the line goes, too: the secret may be longer than its span says.
        cut = min(secret.column for secret in hidden) - 1
        return span._replace(text=span.text[:cut] + "…", width=min(span.width, max(1, cut + 2 - span.column)))


def _order(problem: Problem) -> tuple[int, Where]:
    return (ERROR, WARNING, NOTE).index(problem.severity), problem.span.where if problem.span else Where("", 0, 0)


def did_you_mean(name: str, names: Iterable[str], prefix: str = ":") -> str:
    """Return the question after the nearest name, or an empty string."""
    near = nearest(name, names)
    return f"did you mean `{prefix}{near}`?" if near else ""
