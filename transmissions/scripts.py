"""Processors of the original that are not here: an app's own, in JavaScript, and classes whose work something else does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_SUCCESSORS: Final = {
    "McpServer": "`trans mcp APP` offers apps as tools; the tools of another server are used by `:McpClient`",
    "ProcessorTemplate": "the original's class of that name is `:McpClient`; `trans new processor NAME` begins one of your own",
    "Stash": "`:CaptureAll` keeps messages on the whiteboard of the run, `:WhiteboardToMessage` takes them from there",
    "JsonRestructurer": "use `:Restructure`",
}
"""What takes the place of classes that the original has and that are not here."""


def successor(name: str) -> str:
    """Say what to use instead of a class of the original, or return an empty text."""
    return _SUCCESSORS.get(name, "")


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
