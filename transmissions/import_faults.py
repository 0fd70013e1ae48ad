"""Why a processor's code cannot be had: a Problem for each way an import fails."""

from __future__ import annotations

import re
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from . import __all__ as public
from .errors import describe
from .extras import absent, install_command, libraries_of
from .homes import IMPORT_FAULTS, shown_module
from .near import nearest, suggestion
from .problem import Problem, Span
from .pysource import class_statements, line_span, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec


def explain(module: str, name: str, error: BaseException) -> Problem:
    """Return the problem of a module that could not be imported; `name` is the class wanted from it."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        if f"{module}.".startswith(f"{error.name}."):
            return Problem("error", "no-module", f"there is no module '{shown_module(module)}' to take {name} from")
        if not error.name.startswith("transmissions"):
            return _missing(module, name, error)
        if error.name.startswith(f"{module.partition('.')[0]}."):
            sentence = f"there is no module '{shown_module(error.name)}' beside this file"
            return Problem("error", "broken-module", sentence, _place(module, error))
    if type(error) is ImportError and error.name == "transmissions":
        return Problem("error", "broken-module", _no_such_name(error), _place(module, error))
    told = describe(error).replace(module.removesuffix(shown_module(module)), "")
    sentence = f"module '{shown_module(module)}' cannot be imported: {told}"
    return Problem("error", "broken-module", sentence, _place(module, error))


def spec_of(module: str) -> ModuleSpec | None:
    """Return where a module lies, or None; looking it up imports the package around it, which may fail in any manner."""
    try:
        return find_spec(module)
    except IMPORT_FAULTS:
        return None


def without_libraries(names: Sequence[str], extra: str, span: Span | None) -> Problem | None:
    """Return the problem of processors if optional libraries they name by their extra are missing."""
    missing = absent(extra) if extra else []
    if not missing:
        return None
    mend = f"install {'it' if len(missing) == 1 else 'them'}: {install_command(missing)}"
    return _needs(names, libraries_of(missing), mend, span)


def _missing(module: str, name: str, error: ModuleNotFoundError) -> Problem:
    span = _place(module, error)
    statement = class_statements(read(span.file)).get(name) if span else None
    known = without_libraries([name], statement.constants.get("extra", "") if statement else "", span)
    library = (error.name or "").partition(".")[0]
    mend = (_beside(library, span) if span else "") or _instead_of(library)
    return known or _needs([name], f"'{library}'", mend, span)


def _beside(library: str, span: Span) -> str:
    """Say how a module of a home is imported that lies there, and was looked for among what is installed."""
    found = re.search(rf"\b{library}((?:\.\w+)*)", span.text)
    way = f"{'' if library == 'processors' else f'.{library}'}{found[1] if found else ''}"
    first = Path(span.file).with_name(way[1:].partition(".")[0] or "processors")
    lies = first.is_dir() or first.with_name(f"{first.name}.py").is_file()
    return f"it lies beside this file: write `from {way} import …`" if lies and way else ""


def _no_such_name(error: ImportError) -> str:
    wanted = str(error).split("'")[1]
    return f"there is no '{wanted}' in transmissions{suggestion(wanted, public)}"


def _instead_of(library: str) -> str:
    """Say what to do about a library that is absent: install it, unless it is a way to miss our own name."""
    if library in public:
        return f"write `from transmissions import {library}`"
    is_ours = library == "processors" or nearest(library, ["transmissions"])
    return "write `from transmissions import …`" if is_ours else f"install {library}"


def _needs(names: Sequence[str], libraries: str, mend: str, span: Span | None) -> Problem:
    others = f" and {len(names) - 1} more need" if len(names) > 1 else " needs"
    return Problem("error", "missing-library", f"{names[0]}{others} {libraries}, not installed here", span, help=mend)


def _place(module: str, error: BaseException) -> Span | None:
    if isinstance(error, SyntaxError) and error.filename:
        return line_span(error.filename, error.lineno or 1)
    spec = spec_of(module)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if spec and frame.filename == spec.origin]
    return line_span(spec.origin, lines[-1] or 1) if spec and spec.origin and lines else None
