"""Problems for machines: JSON, SARIF 2.1.0 for code scanners, and the workflow commands of GitHub Actions."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from . import __version__
from .render import printable, tidy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .problem import Problem, Span

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def to_json(problems: Iterable[Problem]) -> str:
    """Return a JSON array with one object for each problem; columns count characters from 1, `endColumn` is behind the last."""
    return json.dumps([_as_json(problem) for problem in tidy(problems)], indent=2, ensure_ascii=False)


def to_sarif(problems: Iterable[Problem]) -> str:
    """Return a SARIF 2.1.0 log of one run."""
    ordered = tidy(problems)
    rules = sorted({problem.code for problem in ordered})
    driver = {"name": "transmissions", "version": __version__, "rules": [{"id": rule} for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_as_sarif(problem, rules) for problem in ordered],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def to_github(problems: Iterable[Problem]) -> str:
    """Return one workflow command a line, which GitHub shows beside the changed line."""
    return "\n".join(_as_command(problem) for problem in tidy(problems))


def _as_json(problem: Problem) -> dict[str, Any]:
    found = {"severity": problem.severity, "code": problem.code, "message": problem.message}
    place = _place(problem.span) if problem.span else {"file": None}
    words = {name: text for name, text in (("label", problem.label), ("help", problem.help)) if text}
    related = [{**_place(label.span), "text": label.text} for label in problem.related]
    return {**found, **place, **words, **({"related": related} if related else {})}


def _place(span: Span) -> dict[str, Any]:
    return {"file": span.file, "line": span.line, "column": span.column, "endColumn": span.column + span.width}


def _as_sarif(problem: Problem, rules: list[str]) -> dict[str, Any]:
    words = [text for text in (problem.message, problem.label, problem.help) if text]
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rules.index(problem.code),
        "level": problem.severity,
        "message": {"text": "; ".join(words)},
    }
    if problem.span:
        result["locations"] = [_location(problem.span)]
    if problem.related:
        result["relatedLocations"] = [{**_location(label.span), "message": {"text": label.text}} for label in problem.related]
    return result


def _location(span: Span) -> dict[str, Any]:
    region = {"startLine": span.line, "startColumn": span.column, "endColumn": span.column + span.width}
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(os.fsencode(span.file.replace("\\", "/")))}, "region": region}
    }


def _as_command(problem: Problem) -> str:
    properties = {"title": problem.code}
    if problem.span:
        span = problem.span
        place = {"file": span.file, "line": span.line, "col": span.column, "endColumn": span.column + span.width}
        properties = {**{name: str(value) for name, value in place.items()}, **properties}
    fields = ",".join(f"{name}={_escaped(value, {':': '%3A', ',': '%2C'})}" for name, value in properties.items())
    text = ". ".join(printable(part) for part in (problem.message, problem.label, problem.help) if part)
    return f"::{_COMMANDS[problem.severity]} {fields}::{_escaped(text, {})}"


def _escaped(text: str, more: dict[str, str]) -> str:
    for character, code in {"%": "%25", "\r": "%0D", "\n": "%0A", **more}.items():
        text = text.replace(character, code)
    return text
