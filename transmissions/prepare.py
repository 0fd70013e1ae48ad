"""The way from an app to its Plan: out of the cache if nothing changed, else by examining everything.

Stands on the path of every start, so the examination, with its parsers and SHACL, is imported only when it is needed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from . import cache
from .errors import ConfigError
from .homes import BUNDLED_PACKAGE, bundled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .homes import App
    from .plan import Plan
    from .problem import Problem

    _Outcome = tuple[Plan | None, list[Problem], tuple[Path, ...], dict[str, str | None]]

_ENGINE: Final = Path(__file__).parent


class Prepared(NamedTuple):
    """A plan that may be run."""

    plan: Plan
    problems: tuple[Problem, ...]
    """Warnings and notes."""
    cached: bool
    why: str
    """`cached`, or why the app was examined: `first run`, `apps/x/config.ttl changed`."""
    inputs: tuple[str, ...] = ()
    """The files and folders it was made from."""


def prepare(
    app: App,
    *,
    target: Path | None = None,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    compat: bool = False,
    use_cache: bool = True,
    apart: bool = False,
    to_run: bool = True,
) -> Prepared:
    """Return the plan of an app.

    `apart` has a child process examine it, so that a long run does not carry the parsers and SHACL (40 MiB) with it. For who
    only looks at it (not `to_run`) libraries that are missing are warnings.

    Raises:
        ConfigError: the app has errors; it holds every problem found.

    """
    key = cache.key_of(app.name, app.folder, target and target.absolute(), list(overrides), profile, compat, Path.cwd())
    entry, why = cache.load(key) if use_cache else (None, "the cache is not used")
    if entry:
        return Prepared(entry.plan, entry.problems, cached=True, why=why, inputs=tuple(entry.inputs))
    # Digests are taken before the files are read: an edit in between makes a stale entry, never a wrong plan.
    inputs = cache.digests(_inputs(app, target))

    work = partial(_examine, app, target, overrides, profile, compat=compat, to_run=to_run)
    plan, problems, modules, imported = _apart(work) if apart else work()
    if plan is None:
        raise ConfigError(problems)
    inputs |= imported
    inputs |= cache.digests(module for module in modules if not _is_covered(module, inputs))
    entry = cache.Entry(plan, tuple(problems), inputs)
    if use_cache and all(problem.code != "missing-library" for problem in problems):
        cache.store(key, entry)
    return Prepared(plan, entry.problems, cached=False, why=why, inputs=tuple(inputs))


def _examine(
    app: App, target: Path | None, overrides: Sequence[str], profile: str | None, *, compat: bool, to_run: bool
) -> _Outcome:
    from .validate import examine

    found = examine(app, target=target, overrides=overrides, profile=profile, compat=compat, to_run=to_run)
    # A plain tuple: to unpickle an Examined, a parent would import what the child was made to keep it from.
    return found.plan, found.problems, found.modules, dict(found.inputs)


def _apart(work: Callable[[], _Outcome]) -> _Outcome:
    from .apart import in_child

    return in_child(work)


def _inputs(app: App, target: Path | None) -> list[Path]:
    files = made_from(app)
    if target:
        files.append((target / "tt.ttl").absolute())
    # Any profile may be named by an endpoint.
    return files + sorted((bundled().folder / "configs" / "profiles").glob("*.ttl"))


def made_from(app: App) -> list[Path]:
    """Return what an app's plan is made from, the folders of code it can see included."""
    folders = {app.folder / "processors", app.home.processors}
    if _is_checkout():
        folders |= {bundled().processors, _ENGINE}
    elif app.home.package == BUNDLED_PACKAGE:
        folders.discard(app.home.processors)
    files = [app.folder / name for name in ("transmissions.ttl", "config.ttl", "shapes.ttl")]
    return [path.absolute() for path in (*files, *sorted(folders))]


def _is_checkout() -> bool:
    """Whether the engine's files may change without its version, as they do where it is being worked on."""
    return (_ENGINE.parent / "pyproject.toml").exists()


def _is_covered(module: Path, inputs: dict[str, str | None]) -> bool:
    in_release = not _is_checkout() and _ENGINE in module.absolute().parents
    return in_release or str(module.absolute().parent) in inputs
