"""`trans describe`: what a processor says about itself, or what an app is made of."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from textwrap import fill, indent
from typing import TYPE_CHECKING, Any

from transmissions.cli import print_problems
from transmissions.errors import OK, ConfigError, UsageError
from transmissions.homes import App, apps, find_app, home_of
from transmissions.near import suggestion
from transmissions.prepare import prepare
from transmissions.registry import Registry
from transmissions.scripts import successor

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator

    from transmissions.plan import Argument, Pipe, Plan
    from transmissions.reference import Row
    from transmissions.spec import Spec

HELP = "say what a processor does and takes, or what an app is made of"
_WIDTH = 100


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans describe`."""
    parser.add_argument(
        "name", metavar="PROCESSOR|APP|TERM", help="a processor's name or IRI, an app's name or path, or a term"
    )
    parser.add_argument("processor", metavar="PROCESSOR", nargs="?", help="a processor that the app before it sees")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def call(options: Namespace) -> int:
    """Print the description on stdout."""
    spec = _seen_by(options.name, options.processor) if options.processor else _processor(options.name)
    if spec:
        print(json.dumps(spec_json(spec), ensure_ascii=False, indent=2) if options.json else "\n".join(spec_lines(spec)))
        return OK
    try:
        app, plan = _app(options.name)
    except UsageError:
        if not _describe_term(options):
            raise
        return OK
    print(
        json.dumps(app_json(app, plan), ensure_ascii=False, indent=2)
        if options.json
        else "\n".join(app_lines(app, plan, options.name))
    )
    return OK


def _describe_term(options: Namespace) -> bool:
    from transmissions.vocabulary import comments

    term = options.name.removeprefix(":")
    comment = comments().get(term)
    if comment:
        print(json.dumps({"name": term, "comment": comment}) if options.json else f":{term} (a term of the engine)\n{comment}")
    return bool(comment)


def registry_here() -> Registry:
    """Return the processors an app of the working directory sees, those too that lack a library to run."""
    here = Path.cwd()
    return Registry.for_app(App("", here, home_of(here)))


def _processor(name: str) -> Spec | None:
    """Return a class that an app of the working directory sees, else one that apps found by name have for themselves."""
    spec = _named(name, registry_here())
    own = {} if spec else {one.file: (app.name, one) for app, registry in _own() if (one := _named(name, registry))}
    if len(own) > 1:
        first, second, *_ = (app for app, _ in own.values())
        raise UsageError(f"'{name}' is a processor of {first} and of {second}: `trans describe {first} {name}` tells about one")
    return spec or next((one for _, one in own.values()), None)


def _seen_by(reference: str, name: str) -> Spec:
    from transmissions.findings import Findings
    from transmissions.loader import load

    app = find_app(reference)
    layers = load(app, None, None, Findings(compat=False))
    registry = Registry.for_app(app, layers.bases if layers else ())
    spec = _named(name, registry)
    if spec is None:
        raise UsageError(f"app '{app.name}' has no processor '{name}'{suggestion(name, registry.names())}")
    return spec


def _named(name: str, registry: Registry) -> Spec | None:
    spec = registry.named(name)
    if registry.failed:
        raise ConfigError([problem for problem in registry.problems if problem.is_error])
    return spec


def _own() -> list[tuple[App, Registry]]:
    """Return the apps found by name that have a folder of processors to themselves, with what each of them sees."""
    return [(app, Registry.for_app(app)) for app in apps() if (app.folder / "processors").is_dir()]


def plan_to_look_at(app: App, **options: Any) -> Plan:
    """Return the plan of an app, or of the part of it that was asked for; libraries it lacks to run are told on stderr."""
    from transmissions.engine import only

    prepared = prepare(app, to_run=False, **options)
    lacks = [problem for problem in prepared.problems if problem.code == "missing-library"]
    if lacks:
        print_problems(lacks)
    return only(prepared.plan, app.subtask) if app.subtask else prepared.plan


def _app(name: str) -> tuple[App, Plan]:
    try:
        app = find_app(name)
    except UsageError as error:
        names = [app.name for app in apps()]
        classes = [known for registry in (registry_here(), *(own for _, own in _own())) for known in registry.names()]
        instead = successor(name)
        meant = f"; {instead}" if instead else suggestion(name, [*classes, *names]) or "; `trans list -v` shows them"
        raise error if "/" in name or name in names else UsageError(f"no processor or app '{name}'{meant}") from None
    return app, plan_to_look_at(app)


def spec_lines(spec: Spec) -> Iterator[str]:
    """Yield a processor's description for a terminal."""
    from transmissions.extras import absent, install_command
    from transmissions.reference import rows_of, split_example

    prose, example = split_example(spec.doc)
    yield f"{spec.name} ({'source' if spec.is_source else 'processor'}, {spec.file}:{spec.line})"
    yield fill(spec.summary, _WIDTH)
    missing = absent(spec.extra) if spec.extra else []
    if missing:
        yield f"\nNeeds libraries that are not installed: {install_command(missing)}"
    if prose:
        yield f"\n{prose}"
    yield "\nSettings:" if spec.settings else "\nNo settings."
    yield from _row_lines(rows_of(spec.settings), ":")
    if spec.accepts:
        yield "\nFields of a message that begins a run with it:"
        yield from _row_lines(rows_of(spec.accepts), "")
    if example:
        yield f"\nExample:\n{indent(example, '  ')}"


def _row_lines(rows: Iterable[Row], sign: str) -> Iterator[str]:
    for row in rows:
        default = f" (default {row.default})" if row.default else ""
        yield f"  {sign}{row.term}  {row.type.replace('`', '')}{default}"
        if row.doc:
            yield indent(fill(row.doc, _WIDTH - 6), "      ")


def print_usage(reference: str) -> None:
    """Print what an app is for and which words it takes; `reference` is what its user calls it."""
    app, plan = _app(reference)
    print(*_usage_lines(app, plan, reference), sep="\n")


def _usage_lines(app: App, plan: Plan, reference: str) -> Iterator[str]:
    from transmissions.about import first_paragraph

    yield f"{app.name} ({app.folder})"
    about = first_paragraph(app)
    if about:
        yield fill(about, _WIDTH)
    yield f"\nusage: trans run {quote(reference)} {' '.join(map(_usage, plan.arguments))}".rstrip()
    for argument in plan.arguments:
        default = f" (default {argument.default})" if argument.default else ""
        yield f"  {argument.name}  {argument.kind}{default}  {argument.help}".rstrip()


def app_lines(app: App, plan: Plan, reference: str) -> Iterator[str]:
    """Yield an app's description for a terminal; `reference` is what its user calls it."""
    from transmissions.terms import local_name

    yield from _usage_lines(app, plan, reference)
    for transmission in plan.transmissions:
        label = f" - {transmission.label}" if transmission.label not in {"", transmission.name} else ""
        yield f"\n{transmission.name}{'' if transmission.entry else ' (no run starts it by itself)'}{label}"
        yield from _pipe_lines(transmission.pipe, "  ")
        if transmission.off:
            yield "\n  left out, as :enabled is false:"
            yield from (f"    {path.partition('/')[2]}  {local_name(type_)}" for path, type_ in transmission.off)


def _usage(argument: Argument) -> str:
    word = argument.name.upper() + ("…" if argument.many else "")
    word = f"-- {word}" if argument.kind == "Command" else word
    return word if argument.required else f"[{word}]"


def _pipe_lines(pipe: Pipe, margin: str) -> Iterator[str]:
    from transmissions.fork import branches_in_words, fork_in_words
    from transmissions.plan import NodePlan, WorkersPlan
    from transmissions.terms import local_name

    for step in pipe:
        name = step.path.partition("/")[2]
        if isinstance(step, NodePlan):
            yield f"{margin}{name}  {local_name(step.type)}"
            continue
        if isinstance(step, WorkersPlan):
            key = f", one at a time of each {step.key}" if step.key else ""
            yield f"{margin}{name}  in {step.processes} processes{key}"
            yield from _pipe_lines(step.pipe, margin + "  ")
            continue
        yield f"{margin}{fork_in_words(step)}"
        for words, branch in branches_in_words(step):
            yield f"{margin}  {words}"
            yield from _pipe_lines(branch, margin + "    ")


def spec_json(spec: Spec) -> dict[str, Any]:
    """Return a processor's description as JSON values."""
    return {**spec._asdict(), "settings": _settings_json(spec.settings), "accepts": _settings_json(spec.accepts)}


def _settings_json(settings: Any) -> list[dict[str, Any]]:
    return [
        {**setting._asdict(), "default": _plain(setting.default), "fields": _settings_json(setting.fields)}
        for setting in settings
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def app_json(app: App, plan: Plan) -> dict[str, Any]:
    """Return an app's description as JSON values."""
    from transmissions.about import first_paragraph
    from transmissions.plan import to_json

    parts = to_json(plan)
    about = {"name": app.name, "folder": str(app.folder), "about": first_paragraph(app)}
    return {**about, "arguments": [argument._asdict() for argument in plan.arguments], "transmissions": parts["transmissions"]}
