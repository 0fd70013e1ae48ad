"""`trans shapes`: the SHACL of the bundled processors, and whether the generated files are what they should be."""

from __future__ import annotations

import sys
from difflib import unified_diff
from typing import TYPE_CHECKING

from transmissions.errors import FAILED, OK, ConfigError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from transmissions.spec import Spec

HELP = "print, check or write what is made from the processors and the metrics: shapes, reference, dashboard, alerts"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans shapes`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="fail if a generated file is stale, and show how")
    what.add_argument(
        "--write", action="store_true", help="write configs/processors.ttl, configs/observability/ and docs/reference/"
    )


def call(options: Namespace) -> int:
    """Print, check or write."""
    from transmissions.delivery import alerts
    from transmissions.homes import bundled
    from transmissions.reference import generated_files
    from transmissions.shapes import to_turtle

    specs = _bundled_specs()
    if not (options.check or options.write):
        print(to_turtle(specs), end="")
        return OK
    root = bundled().folder
    files = generated_files(specs, root) | alerts.generated_files(root)
    return _write(files) if options.write else _check(files)


def _bundled_specs() -> list[Spec]:
    from transmissions.homes import bundled
    from transmissions.registry import Registry

    registry = Registry([bundled()])
    specs = list(registry.specs())
    if registry.problems:
        raise ConfigError(registry.problems)
    return specs


def _write(files: dict[Path, str]) -> int:
    for path in _superfluous(files):
        path.unlink()
    for path, text in files.items():
        if _read(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(path)
    return OK


def _check(files: dict[Path, str]) -> int:
    stale = [path for path, text in files.items() if _read(path) != text]
    for path in stale:
        there, due = _read(path).splitlines(keepends=True), files[path].splitlines(keepends=True)
        print(*unified_diff(there, due, str(path), f"{path} as it should be"), sep="", end="")
    wrong = [f"{path} is stale" for path in stale] + [f"{path} describes nothing" for path in _superfluous(files)]
    for fault in wrong:
        print(f"trans shapes: {fault}; run trans shapes --write", file=sys.stderr)
    return FAILED if wrong else OK


def _superfluous(files: dict[Path, str]) -> list[Path]:
    """Return generated pages of modules that are gone."""
    folders = {path.parent for path in files if path.suffix == ".md"}
    return sorted(path for folder in folders for path in folder.glob("*.md") if path not in files)


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
