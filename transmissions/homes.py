"""Where apps and processors live, and how their code is loaded.

A home is a folder with `apps/`, `processors/` or `configs/`. There are three kinds: the bundled one, the user's (the folder
around the `apps/` an app lies in, or the app's own folder), and those that installed distributions offer by an entry point of
the group `transmissions.homes`, whose value is a package. The working directory is looked at for `apps/` only; its Python
files are never imported as such.

This module stands on the path of every start, so what it needs rarely it imports where it is needed.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .app_folders import CONFIG, app_folders, home_folder, is_app, places_of_apps
from .errors import ConfigError, UsageError
from .problem import Problem
from .processor import Processor

if TYPE_CHECKING:
    from collections.abc import Iterable

BUNDLED_PACKAGE: Final = "transmissions.processors"
_USER_PACKAGE: Final = "transmissions_home_"
_GROUP: Final = "transmissions.homes"
_IMPORTING: Final = RLock()
"""Two threads at once would give each other's standard output back."""
IMPORT_FAULTS: Final = (Exception, SystemExit)
"""What code at the top of a module raises: whatever its author thought of, an early exit included."""


class Home(NamedTuple):
    """A folder that holds `apps/`, `processors/` or `configs/`."""

    folder: Path
    kind: str
    """`bundled`, `user` or `installed`."""
    package: str
    """The package its processors are imported under."""
    layer: int = -1
    """0 for the homes of the app at hand, 1, 2, … for those of the apps it is built on; no class of others can be replaced."""

    @property
    def processors(self) -> Path:
        """The folder of its processors; there may be none."""
        return self.folder / "processors"


class App(NamedTuple):
    """A folder with `transmissions.ttl`, and the subtask asked for."""

    name: str
    folder: Path
    home: Home
    subtask: str | None = None


def bundled() -> Home:
    """Return the home that comes with the framework: the checkout's root, or the installed package itself."""
    engine = Path(__file__).parent
    return Home(engine if (engine / "processors").is_dir() else engine.parent, "bundled", BUNDLED_PACKAGE)


def installed() -> tuple[Home, ...]:
    """Return the homes that installed distributions offer."""
    if not _is_offered():
        return ()
    from importlib.metadata import entry_points  # 15 ms that a start without such homes saves
    from importlib.util import find_spec

    found: list[Home] = []
    for entry in entry_points(group=_GROUP):
        package = find_spec(entry.module)
        if package and package.submodule_search_locations:
            found.append(Home(Path(next(iter(package.submodule_search_locations))), "installed", f"{entry.module}.processors"))
    return tuple(found)


def _is_offered() -> bool:
    """Look for the group's name in the installed metadata, which costs a twentieth of reading it properly."""
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]  # noqa: PTH208
        except OSError:
            continue
        if any(_mentions(os.path.join(folder, name, "entry_points.txt")) for name in names):  # noqa: PTH118
            return True
    return False


def _mentions(file: str) -> bool:
    with suppress(OSError), open(file, "rb") as stream:  # noqa: PTH123 - pathlib doubles the cost of this loop
        return f"[{_GROUP}]".encode() in stream.read()
    return False


def home_of(folder: Path) -> Home:
    """Return the home an app's folder lies in; an app outside any `apps/` is its own home."""
    root = home_folder(_absolute(folder))
    real = os.path.realpath(root)
    if os.path.realpath(bundled().folder) == real:
        return bundled()  # To look for installed ones takes 2 ms.
    return next((home for home in installed() if os.path.realpath(home.folder) == real), _user_home(root))


def homes_for(app: App, bases: Iterable[App] = ()) -> tuple[Home, ...]:
    """Return the homes an app sees processors from: the bundled, its own, those of its bases, the installed."""
    layers = enumerate((app, *bases))
    # Of an app that is a link, the home it lies in counts as well.
    around = ((layer, (_user_home(one.folder), one.home, home_of(Path(os.path.realpath(one.folder))))) for layer, one in layers)
    own = (home._replace(layer=layer) for layer, places in around for home in places)
    homes = (bundled(), *own, *installed())
    folders = {os.path.realpath(home.processors): home for home in reversed(homes) if home.processors.is_dir()}
    return tuple(reversed(folders.values()))


def _user_home(folder: Path) -> Home:
    from hashlib import sha256  # bundled apps need none

    digest = sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:12]
    return Home(folder, "user", _USER_PACKAGE + digest)


def find_app(reference: str, cwd: Path | None = None) -> App:
    """Find an app by NAME, NAME.SUBTASK or a path to its folder or its `transmissions.ttl`.

    Raises:
        UsageError: there is no such app, or there are two of that name.

    """
    cwd = _absolute(cwd or Path())
    if os.path.basename(reference) == CONFIG:  # noqa: PTH119
        reference = os.path.dirname(reference) or "."  # noqa: PTH120
    head, _, subtask = reference.rpartition(".")
    attempts: list[tuple[str, str | None]] = [(reference, None)]
    if head.strip("./") and subtask and "/" not in subtask:
        attempts.append((head, subtask))
    for name, task in attempts:
        found = _folders_called(name, cwd)
        if len(found) > 1:
            places = " and ".join(str(folder) for folder in found)
            raise UsageError(f"app '{name}' is found twice: {places}; give the path of the one you mean")
        if found:
            return App(found[0].name, found[0], home_of(found[0]), task)
    raise UsageError(_unknown(reference, cwd))


def _folders_called(name: str, cwd: Path) -> list[Path]:
    """Return the folders an app reference can mean, nearest first, each once."""
    places = [cwd / name]
    if "/" not in name and name not in {".", ".."}:
        below = (folder for root in search_path(cwd) for folder in app_folders(root))
        places = [*(folder for folder in below if folder.name == name), *places]
    found = {os.path.realpath(place): _absolute(place) for place in reversed(places) if is_app(place)}
    return list(reversed(found.values()))


def search_path(cwd: Path | None = None) -> list[Path]:
    """Return the folders with `apps/` or `src/apps/` to search: the working directory, the installed homes, the bundled one."""
    return [_absolute(cwd or Path()), *(home.folder for home in installed()), bundled().folder]


def apps(cwd: Path | None = None) -> list[App]:
    """Return every app that can be run by name from a working directory, sorted by name."""
    folders = {os.path.realpath(folder): folder for root in reversed(search_path(cwd)) for folder in app_folders(root)}
    return sorted(App(folder.name, folder, home_of(folder)) for folder in folders.values())


def _unknown(reference: str, cwd: Path) -> str:
    from .near import suggestion

    place = os.path.join(cwd, reference)  # noqa: PTH118 - which may be no path at all
    if os.path.isfile(place):  # noqa: PTH113
        return f"'{reference}' is a file; an app is a folder with a {CONFIG}"
    if os.path.isdir(place) and not os.access(place, os.X_OK):  # noqa: PTH112
        return f"cannot read '{reference}': permission denied"
    near = suggestion(os.path.basename(reference.rstrip("/")), (app.name for app in apps(cwd)))  # noqa: PTH119
    empty = (folder / reference for folder in places_of_apps(cwd) if os.path.isdir(folder / reference))  # noqa: PTH112
    if where := reference if "/" in reference or os.path.isdir(place) else next(empty, None):  # noqa: PTH112
        return f"no {CONFIG} in '{where}'{near}"
    above = (folder for folder in cwd.parents if any(is_app(place / reference) for place in places_of_apps(folder)))
    if higher := next(above, None):
        return f"no app '{reference}' here, but there is one in {higher}: start there"
    searched = dict.fromkeys(str(place) for folder in search_path(cwd) for place in places_of_apps(folder))
    return f"no app '{reference}'{near} (looked in {', '.join(searched)})"


def install_homes(homes: Iterable[tuple[str, str]]) -> None:
    """Make the processors of homes importable: (package, folder) pairs, as a plan holds them.

    Each user home becomes a package of its own, so that two homes may both have a `files.py`.
    """
    for package, folder in homes:
        if package.startswith(_USER_PACKAGE) and package not in sys.modules:
            module = ModuleType(package, f"Processors of {folder}.")
            processors = os.path.join(folder, "processors")  # noqa: PTH118
            module.__path__ = [processors]
            sys.modules[package] = module
            # What is known of the folder may be stale. (Python 3.12 imports its metadata library to forget about all folders.)
            sys.path_importer_cache.pop(processors, None)


def load_class(implementation: str) -> type[Processor]:
    """Import a processor class by `module:QualifiedName`.

    Raises:
        ConfigError: the module or the class cannot be had, or it is no processor.

    """
    module, _, name = implementation.partition(":")
    value: Any = _import(module, name)
    for part in name.split("."):
        value = getattr(value, part, None)
    if isinstance(value, type) and hasattr(value, "as_step"):
        value = value.as_step()
    if isinstance(value, type) and issubclass(value, Processor) and value.__module__ != Processor.__module__:
        return value
    shown = shown_module(module)
    fault = f"there is no class '{name}' in module '{shown}'" if value is None else f"'{shown}:{name}' is no processor class"
    raise ConfigError([Problem("error", "no-class", fault)])


def shown_module(module: str) -> str:
    """Return a module's name as people know it: one of a user's home without the package we made for it."""
    package, _, rest = module.partition(".")
    return rest if rest and package.startswith(_USER_PACKAGE) else module


def _import(module: str, name: str) -> ModuleType:
    try:
        if module in sys.modules:
            return sys.modules[module]
        with _IMPORTING, redirect_stdout(sys.stderr):  # Standard output is for data, not for a print at the top of a module.
            return importlib.import_module(module)
    except IMPORT_FAULTS as error:
        from .import_faults import explain  # only a failure needs it

        raise ConfigError([explain(module, name, error)]) from error


def _absolute(folder: Path) -> Path:
    # A link keeps its name: people want to read the path they gave.
    return Path(os.path.abspath(folder))  # noqa: PTH100
