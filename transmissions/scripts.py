"""Processors of an app that are JavaScript, as the original's are: what is said where only such a one is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def script_of(app: Path, name: str) -> Path | None:
    """Return the JavaScript an app brings for a class, in its `processors/` or beside its Turtle."""
    places = (app / "processors" / f"{name}.js", app / f"{name}.js")
    return next((place for place in places if place.is_file()), None)


def how_to_port(script: Path) -> str:
    """Say what takes the place of a script."""
    return (
        f"write processors/{script.stem}.py with `class {script.stem}(Processor)` and `def process(self, message)`, which "
        f"returns the message; `trans new processor {script.stem}` begins it, docs/migrating.md shows how"
    )
