"""Why a processor's code cannot be had: a Problem for each way an import fails, and the libraries an extra brings."""

from __future__ import annotations

import re
import traceback
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING

from .errors import describe
from .homes import IMPORT_FAULTS, shown_module
from .problem import Problem, Span
from .pysource import class_statements, line_span, read

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


def explain(module: str, name: str, error: BaseException) -> Problem:
    """Return the problem of a module that could not be imported; `name` is the class wanted from it."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        if f"{module}.".startswith(f"{error.name}."):
            return Problem("error", "no-module", f"there is no module '{shown_module(module)}' to take {name} from")
        if not error.name.startswith("transmissions"):
            return _missing(module, name, error)
    sentence = f"module '{shown_module(module)}' cannot be imported: {describe(error)}"
    return Problem("error", "broken-module", sentence, _place(module, error))


def spec_of(module: str) -> ModuleSpec | None:
    """Return where a module lies, or None; looking it up imports the package around it, which may fail in any manner."""
    try:
        return find_spec(module)
    except IMPORT_FAULTS:
        return None


def absent_libraries(extra: str) -> list[str]:
    """Return the libraries of one of our extras that are not installed."""
    marker = re.compile(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]")
    needed = [re.split(r"[^\w.-]", line)[0] for line in metadata.requires("transmissions") or () if marker.search(line)]
    return [library for library in needed if not _is_installed(library)]


def missing_library(name: str, library: str, extra: str, span: Span | None) -> Problem:
    """Return the problem of a processor whose optional library is missing."""
    mend = f"install it: pip install 'transmissions[{extra}]'" if extra else f"install {library}"
    return Problem("error", "missing-library", f"{name} needs the library '{library}', which is not installed", span, help=mend)


def _missing(module: str, name: str, error: ModuleNotFoundError) -> Problem:
    span = _place(module, error)
    statement = class_statements(read(span.file)).get(name) if span else None
    extra = statement.constants.get("extra", "") if statement else ""
    return missing_library(name, (error.name or "").partition(".")[0], extra, span)


def _place(module: str, error: BaseException) -> Span | None:
    if isinstance(error, SyntaxError) and error.filename:
        return line_span(error.filename, error.lineno or 1)
    spec = spec_of(module)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if spec and frame.filename == spec.origin]
    return line_span(spec.origin, lines[-1] or 1) if spec and spec.origin and lines else None


def _is_installed(library: str) -> bool:
    try:
        metadata.distribution(library)
    except metadata.PackageNotFoundError:
        return False
    return True
