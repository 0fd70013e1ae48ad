"""Folders of apps below a folder: in its `apps/` and `src/apps/`, which may be in order, to a depth of four."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG: Final = "transmissions.ttl"
DEPTH: Final = 4
_PASSED: Final = frozenset({"data", "processors", "node_modules"})
"""Folders of an app, and no place for others."""


def app_folders(root: Path) -> Iterator[Path]:
    """Yield the folders with a `transmissions.ttl` below a folder, by name."""
    for place in places_of_apps(root):
        yield from _below(place, DEPTH)


def places_of_apps(root: Path) -> list[Path]:
    """Return where below a folder apps are looked for."""
    nested = root / "src" / "apps"
    return [root / "apps", nested] if nested.is_dir() else [root / "apps"]


def is_app(folder: Path) -> bool:
    """Whether a folder is an app; one that may not be looked into, or whose name no folder can have, is none."""
    return os.path.isfile(folder / CONFIG)  # noqa: PTH113 - pathlib raises


def home_folder(app: Path) -> Path:
    """Return the folder around the `apps/` an app lies in, or the app's own."""
    return next((above.parent for above in list(app.parents)[:DEPTH] if above.name == "apps"), app)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return
    for name in names:
        child = folder / name
        if is_app(child):
            yield child
        if depth > 1 and name not in _PASSED and not name.startswith(".") and not child.is_symlink():
            yield from _below(child, depth - 1)
