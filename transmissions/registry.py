"""The processor classes an app can name, found in source text and imported only when asked for."""

from __future__ import annotations

import re
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .class_index import ClassIndex, Declaration, Module, modules_in
from .errors import ConfigError
from .homes import BUNDLED_PACKAGE, homes_for, install_homes, load_class
from .import_faults import spec_of
from .problem import Label, Problem
from .pysource import line_span, read
from .spec import describe_class
from .terms import local_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from importlib.metadata import EntryPoint

    from .homes import App, Home
    from .spec import Spec

_GROUP: Final = "transmissions.processors"
_MOST_PARTS: Final = 32
"""Of a dotted path; a longer one is nonsense that importlib would recurse over."""


class Registry:
    """What classes there are. Asking for one imports the module that declares it and no other.

    `problems` grows as classes are asked for: two classes with one IRI, a module that cannot be imported, a class that declares
    itself wrongly. A broken module nobody asked for is a note. `failed` holds the IRIs that have a class which cannot be used.
    A class may lack its optional libraries: it can be read about and checked, and is refused when it is to run.
    """

    def __init__(self, homes: Iterable[Home], offers: Iterable[EntryPoint] = ()) -> None:
        homes = tuple(homes)
        install_homes((home.package, str(home.folder)) for home in homes)
        self.problems: list[Problem] = []
        self.failed: set[str] = set()
        self.strangers: dict[str, str] = {}
        """By IRI, how to make a processor of a class that has the name of one and is none."""
        self._packages = sorted((home.package for home in homes), key=BUNDLED_PACKAGE.__eq__)
        self._layers = {home.package: home.layer for home in homes}
        self._index = ClassIndex(module for home in homes for module in self._modules_in(home))
        self._known: dict[str, Spec | None] = {}
        for offer in offers:
            self._take(offer)
        self._note_broken(module for module in self._index.modules if module.package != BUNDLED_PACKAGE)

    @classmethod
    def for_app(cls, app: App, bases: Iterable[App] = ()) -> Registry:
        """Return the classes an app can see: of its homes and its bases', and those installed distributions offer."""
        return cls(homes_for(app, bases), entry_points(group=_GROUP))

    def get(self, iri: str) -> Spec | None:
        """Return the class of an IRI, or None if there is none that can be used."""
        if iri not in self._known:
            self._known[iri] = self._look_up(iri)
        return self._known[iri]

    def names(self) -> list[str]:
        """Return the local names of all classes, sorted, without importing any."""
        return sorted({local_name(declaration.iri) for declaration in self._index.processors()})

    def named(self, name: str) -> Spec | None:
        """Return the class of an IRI or of its local name, which people write behind the prefix."""
        iris = [declaration.iri for declaration in self._index.processors()]
        wanted = [iri for iri in iris if name in {iri, local_name(iri)}]
        return self.get(wanted[0]) if wanted else None

    def specs(self) -> Iterator[Spec]:
        """Yield every class that can be used, sorted by name; imports all."""
        self._note_broken(self._index.modules)
        iris = {declaration.iri for declaration in self._index.processors()}
        for iri in sorted(iris, key=lambda iri: (local_name(iri), iri)):
            spec = self.get(iri)
            if spec:
                yield spec

    def implemented_by(self, reference: str) -> Spec:
        """Return the class of a dotted path or `module:Class`, of a home's module or an installed package.

        Raises:
            ConfigError: there is no such class, or it declares itself wrongly.

        """
        module, colon, name = reference.rpartition(":") if ":" in reference else reference.rpartition(".")
        parts = f"{module}.{name}".split(".")
        if not colon or len(parts) > _MOST_PARTS or not all(part.isidentifier() for part in parts):
            raise ConfigError([Problem("error", "no-class", f"'{reference}' is no module:Class")])
        package = next((package for package in self._packages if spec_of(f"{package}.{module}")), "")
        full = f"{package}.{module}" if package else module
        return self._described(f"{full}:{name}", self._package_of(full))

    def module_files(self, specs: Iterable[Spec]) -> list[Path]:
        """Return the files whose text decides what these classes are: their modules, and what they took from their homes."""
        packages = {spec.package for spec in specs} | {BUNDLED_PACKAGE}
        loaded = [module for name, module in list(sys.modules.items()) if _is_inside(name, packages)]
        files = {getattr(module, "__file__", None) for module in loaded} | {spec.file for spec in specs}
        return sorted(Path(file) for file in files if file)

    def _look_up(self, iri: str) -> Spec | None:
        declarations = self._index.declaring(iri)
        found = [spec for declaration in declarations if (spec := self._describe(declaration, iri))]
        found.sort(key=self._layer)
        # An app's own class replaces that of an app it is built on.
        if len(found) > 1 and (self._layer(found[0]) < 0 or self._layer(found[0]) == self._layer(found[1])):
            self._report([_clash(iri, found)], iri)
        if not declarations:
            self._report([fault for module, fault in self._index.broken.items() if self._index.may_declare(module, iri)], iri)
        return found[0] if found else None

    def _layer(self, spec: Spec) -> int:
        return self._layers.get(spec.package, -1)

    def _describe(self, declaration: Declaration, iri: str) -> Spec | None:
        module = declaration.module
        try:
            return self._described(f"{module.name}:{declaration.name}", module.package)
        except ConfigError as error:
            # A class of another kind that happens to have the name may be nobody's fault.
            if error.problems[0].code != "no-class":
                self._report(error.problems, iri)
            elif self._index.is_processor(declaration):
                mend = "its class statement is there: does what decorates it give the class back?"
                self._report([error.problems[0]._replace(help=mend)], iri)
            elif module.package != BUNDLED_PACKAGE:
                self.strangers[iri] = (
                    f"{module.file} has a class {declaration.name}: write `class {declaration.name}(Processor)`"
                )
            return None

    def _described(self, implementation: str, package: str) -> Spec:
        return describe_class(load_class(implementation), package)

    def _report(self, problems: Sequence[Problem], iri: str) -> None:
        self.problems += [problem for problem in problems if problem not in self.problems]
        if problems:
            self.failed.add(iri)

    def _modules_in(self, home: Home) -> list[Module]:
        try:
            return modules_in(home)
        except OSError as error:
            text = f"no processor of {home.processors} is seen: {(error.strerror or str(error)).lower()}"
            self.problems.append(Problem("note", "broken-module", text))
            return []

    def _note_broken(self, modules: Iterable[Module]) -> None:
        for module in modules:
            fault = self._index.fault_of(module)
            note = fault and fault._replace(severity="note")
            if note and note not in self.problems:
                self.problems.append(note)

    def _take(self, offer: EntryPoint) -> None:
        try:
            module = _offered(offer)
        except ConfigError as error:
            self.problems += [problem._replace(severity="note") for problem in error.problems]
        else:
            self._index.add(module)

    def _package_of(self, module: str) -> str:
        return next((package for package in self._packages if _is_inside(module, {package})), _top(module))


def _offered(offer: EntryPoint) -> Module:
    """Return the module an entry point offers; for a class, the module that declares it, imported only if it is another."""
    spec = spec_of(offer.module)
    if spec is None or spec.origin is None:
        raise ConfigError(
            [Problem("error", "no-module", f"entry point '{offer.name}' offers {offer.value}, which there is not")]
        )
    module = Module(offer.module, _top(offer.module), Path(spec.origin), offer.attr or "")
    if not offer.attr or re.search(rf"^class {re.escape(offer.attr)}\b", read(module.file), re.MULTILINE):
        return module
    declaring = load_class(offer.value).__module__
    return Module(declaring, _top(declaring), Path(sys.modules[declaring].__file__ or ""), offer.attr)


def _clash(iri: str, specs: list[Spec]) -> Problem:
    first, second = (line_span(spec.file, spec.line) for spec in specs[:2])
    text = f"two classes are called <{iri}>: {first.where} and {second.where}"
    mend = 'give one of them another name, or an IRI of its own: iri = "…"'
    return Problem("error", "two-classes", text, second, help=mend, related=(Label(first, "the other one"),))


def _is_inside(module: str, packages: set[str]) -> bool:
    return any(module.startswith(f"{package}.") for package in packages)


def _top(module: str) -> str:
    return module.partition(".")[0]
