"""Which module declares which class, read from source text. Nothing is imported here.

A module is parsed only if its text has the words asked for: of 30 modules a lookup parses one or two.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from .problem import Problem
from .pysource import ClassStatement, class_statements, line_span, read
from .terms import NAMESPACE, local_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .homes import Home

_ROOTS: Final = frozenset({"Processor", "Source", "StreamProcessor", "BatchProcessor", "LineStep"})
"""The last three are those of `transmissions.streaming`."""
_CLASS: Final = re.compile(r"class(?=\s+(\w+))")
"""No `\\b` before it: a pattern that begins with plain text is found thirty times as fast, and all modules are searched."""


class Module(NamedTuple):
    """A file that may declare processors. `only` limits it to one class; empty means all."""

    name: str
    package: str
    file: Path
    only: str = ""


class Declaration(NamedTuple):
    """A class statement at the top of a module, and the IRI it would have as a processor."""

    module: Module
    name: str
    iri: str
    bases: tuple[str, ...]


def modules_in(home: Home) -> list[Module]:
    """Return the modules of a home's `processors/`, which is flat.

    Raises:
        OSError: the folder may not be looked into.

    """
    try:
        # An editor's lock is a link to nowhere that ends in .py, too.
        files = sorted(file for file in home.processors.iterdir() if file.suffix == ".py" and file.is_file())
    except FileNotFoundError:
        return []
    return [Module(f"{home.package}.{file.stem}", home.package, file) for file in files if file.stem != "__init__"]


class ClassIndex:
    """The class statements of some modules. `broken` holds the modules found so far that are not Python, and why."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = list(modules)
        self.broken: dict[Module, Problem] = {}
        self._texts: dict[Path, str] = {}
        self._names: dict[Path, frozenset[str]] = {}

    def add(self, module: Module) -> None:
        """Take one more module in, unless its file is in."""
        if all(module.file != other.file for other in self.modules):
            self.modules.append(module)

    def declaring(self, iri: str) -> list[Declaration]:
        """Return the class statements whose IRI this is; of several, those that are processors."""
        candidates = [module for module in self.modules if self.may_declare(module, iri)]
        found = [declaration for module in candidates for declaration in self._declared(module) if declaration.iri == iri]
        return [declaration for declaration in found if self.is_processor(declaration)] if len(found) > 1 else found

    def processors(self) -> list[Declaration]:
        """Return every class statement that leads to Processor or Source by the names of its bases."""
        return [declaration for declaration in self._all if self.is_processor(declaration)]

    def is_processor(self, declaration: Declaration) -> bool:
        """Whether a class leads to Processor or Source, as far as its text says; a private one is nobody's to name."""
        return not declaration.name.startswith("_") and not self._processor_names.isdisjoint(declaration.bases)

    def may_declare(self, module: Module, iri: str) -> bool:
        """Whether a module's text has the words it takes to declare a class of this IRI."""
        return iri in self._text(module) or (iri.startswith(NAMESPACE) and local_name(iri) in self._words(module))

    def fault_of(self, module: Module) -> Problem | None:
        """Return what keeps a module from being read, if anything does."""
        self._declared(module)
        return self.broken.get(module)

    @cached_property
    def _all(self) -> list[Declaration]:
        return [declaration for module in self.modules for declaration in self._declared(module)]

    @cached_property
    def _processor_names(self) -> frozenset[str]:
        names = _ROOTS
        while True:
            more = names | {declaration.name for declaration in self._all if not names.isdisjoint(declaration.bases)}
            if more == names:
                return names
            names = more

    def _declared(self, module: Module) -> list[Declaration]:
        try:
            statements = class_statements(self._text(module))
        except SyntaxError as error:
            text = f"module {module.file.name} is not Python: {error.msg}"
            self.broken[module] = Problem("error", "broken-module", text, line_span(module.file, error.lineno or 1))
            return []
        top = [statement for statement in statements.values() if "." not in statement.name]
        wanted = [statement for statement in top if module.only in {"", statement.name}]
        return [Declaration(module, statement.name, _iri_of(statement), statement.bases) for statement in wanted]

    def _words(self, module: Module) -> frozenset[str]:
        """Return the words behind `class` in a module's text, looked for once: an app may ask for thousands of classes."""
        if module.file not in self._names:
            self._names[module.file] = frozenset(_CLASS.findall(self._text(module)))
        return self._names[module.file]

    def _text(self, module: Module) -> str:
        if module.file not in self._texts:
            try:
                self._texts[module.file] = read(module.file)
            except OSError as error:
                self._texts[module.file] = ""
                text = f"module {module.file} cannot be read: {(error.strerror or str(error)).lower()}"
                self.broken[module] = Problem("error", "broken-module", text)
        return self._texts[module.file]


def _iri_of(statement: ClassStatement) -> str:
    return statement.constants.get("iri") or NAMESPACE + statement.name
