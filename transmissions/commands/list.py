"""`trans list`: the apps that can be run by name, and the processors that can stand in a pipe."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from transmissions.errors import OK

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from transmissions.homes import App
    from transmissions.spec import Spec

HELP = "list the apps, and with -v the processors too"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans list`."""
    parser.add_argument("-v", "--processors", action="store_true", help="list the processors too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def call(options: Namespace) -> int:
    """Print what there is on stdout, and on stderr where it was looked for."""
    from transmissions.homes import apps, search_path

    found = apps()
    specs = _visible_specs() if options.processors else []
    places = list(dict.fromkeys(str(folder) for folder in search_path()))
    if options.json:
        print(json.dumps(_as_json(found, specs, places), ensure_ascii=False, indent=2))
        return OK
    _print_table([(app.name, _about(app)) for app in found])
    if specs:
        print()
        _print_table([(spec.name, spec.summary) for spec in specs])
    sys.stdout.flush()
    print(f"\nsearched: {', '.join(f'{place}/apps' for place in places)}", file=sys.stderr)
    return OK


def _visible_specs() -> list[Spec]:
    """Return every processor an app of the working directory sees; what cannot be used is said on stderr."""
    from transmissions.commands.describe import registry_here

    registry = registry_here()
    specs = list(registry.specs())
    for problem in registry.problems:
        print(f"{problem.severity}: {problem}", file=sys.stderr)
    return specs


def _about(app: App) -> str:
    from transmissions.about import first_sentence

    where = "" if app.home.kind == "bundled" else f"({app.folder})"
    return f"{first_sentence(app)} {where}".strip()


def _as_json(found: list[App], specs: list[Spec], places: list[str]) -> dict[str, Any]:
    from transmissions.about import first_paragraph

    apps = [
        {"name": app.name, "about": first_paragraph(app), "folder": str(app.folder), "home": app.home.kind} for app in found
    ]
    processors = [{"name": spec.name, "iri": spec.iri, "summary": spec.summary, "file": spec.file} for spec in specs]
    return {"apps": apps, "searched": places, **({"processors": processors} if specs else {})}


def _print_table(rows: list[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        print(f"{name:{width}}  {text}".rstrip())
