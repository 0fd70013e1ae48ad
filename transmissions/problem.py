"""A Problem: one located fault of a config, in our own words."""

from __future__ import annotations

from typing import NamedTuple


class Where(NamedTuple):
    """A place in a file; line and column count from 1, columns in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Span(NamedTuple):
    """A stretch of one line of a file, with that line's text, so that a caret can be drawn anywhere later."""

    file: str
    line: int
    column: int
    width: int
    text: str

    @property
    def where(self) -> Where:
        """The place where the span begins."""
        return Where(self.file, self.line, self.column)


class Label(NamedTuple):
    """A second place a problem speaks about, and what it says there."""

    span: Span
    text: str


def label_at(span: Span | None, text: str) -> tuple[Label, ...]:
    """Return the label of a place, if that is known."""
    return (Label(span, text),) if span else ()


class Problem(NamedTuple):
    """One fault: what is wrong, where, and how to mend it.

    `severity` is `error`, `warning` or `note`. `code` is a stable short word (`range`, `unknown-setting`).
    `label` stands behind the caret. `help` is one sentence on the mend, often "did you mean `x`?".
    """

    severity: str
    code: str
    message: str
    span: Span | None = None
    label: str = ""
    help: str = ""
    related: tuple[Label, ...] = ()

    def __str__(self) -> str:
        place = f"{self.span.where}: " if self.span else ""
        return f"{place}{self.message}"

    def as_seen_from(self, span: Span | None) -> Problem:
        """Return it at the place that leads to the class it is about."""
        return self._replace(span=span, label="leads there", related=label_at(self.span, "in the class") + self.related)

    @property
    def is_error(self) -> bool:
        """Whether this problem stops the run."""
        return self.severity == "error"
