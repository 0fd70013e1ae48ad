"""The public way to run an app: `open` it in an event loop of yours, or `run` it to its end."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import bind
from .context import Folders
from .errors import UsageError
from .homes import App, find_app, home_of, install_homes, load_class
from .plan import Plan
from .running import Result, Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .message import Message
    from .plan import NodePlan
    from .processor import Processor
    from .state import Load

__all__ = ["Result", "Run", "open", "run"]

DEAD_LETTERS = "dead-letters.ndjson"


def open(  # noqa: A001 - `transmissions.open` is what people write
    app: str | Path | Plan,
    *,
    message: Message | Sequence[Message] | None = None,
    arguments: Sequence[str] = (),
    target: str | Path | None = None,
    output: str | Path | None = None,
    settings: Mapping[str, object] | None = None,
    dead_letters: str | Path | None = None,
    timeout: float | None = None,
    compat: bool = False,
    own_output: bool = False,
) -> Run:
    """Check an app and make it ready to run; enter the result with `async with`.

    `app` is a name, a folder or a finished plan. `message` fills the first message (or messages), `arguments` are the words
    of a command line, `settings` maps NODE.SETTING to values. Relative outputs go to `output`; without it to the target,
    without a target to the `data/` of an app of yours, and for any other app to `APP-output` in the working directory.

    A run that takes longer than `timeout` seconds is stopped with RunTimeout. `own_output` says that nobody else writes to
    its output folder: what it wrote there itself is what it finds first.

    Raises:
        ConfigError: the app has errors; it holds all of them.
        UsageError: there is no such app, or it does not take these arguments.

    """
    found = app if isinstance(app, Plan) else find_app(str(app))
    plan = found if isinstance(found, Plan) else _prepare(found, target, settings, compat=compat)
    if app is plan and settings:
        raise UsageError("settings cannot be changed in a finished plan; open the app by its name or folder")
    first: list[Message] = [{}] if message is None else [message] if isinstance(message, dict) else list(message)
    bound = bind(plan, arguments, known=set(first[0]).intersection(*first) if first else ())
    work = Path(target).absolute() if target else None
    into = Path(output).absolute() if output else default_output(_app_of(found) if isinstance(found, Plan) else found, work)[0]
    home, data = _folders(plan.folder)
    folders = Folders(home, work or data, into, work, bound.roots, own_output)
    letters = into / (dead_letters or plan.dead_letters or DEAD_LETTERS)
    messages = [{**one, **fields} for one in first for fields in bound.messages]
    make = load(plan)
    opened = _kind_of(plan)(plan, messages, folders, letters, make, timeout)
    opened.state.command = bound.command
    return opened


@cache
def _folders(app: str) -> tuple[Path, Path]:
    """Return the folder of an app and its data: a server opens the same app over and over."""
    return Path(app), Path(app, "data")


def _kind_of(plan: Plan) -> type[Run]:
    if not plan.compat:
        return Run
    from .compat import CompatRun

    return CompatRun


def run(
    app: str | Path | Plan,
    *,
    message: Message | Sequence[Message] | None = None,
    arguments: Sequence[str] = (),
    target: str | Path | None = None,
    output: str | Path | None = None,
    settings: Mapping[str, object] | None = None,
    dead_letters: str | Path | None = None,
    timeout: float | None = None,
    compat: bool = False,
    collect: bool = True,
) -> Result:
    """Run an app to its end and return what became of it; `collect=False` lets its final messages go.

    Raises as `open` does, and RunError when the run fails. Where an event loop runs already, it is `open` that can be used.
    """
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one raises instead
        raise UsageError(
            "transmissions.run() waits for the end, and an event loop runs here; use `async with transmissions.open(…)`"
        )
    opened = open(
        app,
        message=message,
        arguments=arguments,
        target=target,
        output=output,
        settings=settings,
        dead_letters=dead_letters,
        timeout=timeout,
        compat=compat,
    )
    return asyncio.run(_to_the_end(opened, collect=collect))


async def _to_the_end(opened: Run, *, collect: bool) -> Result:
    async with opened:
        if not collect:
            return await opened.wait()
        messages = [message async for message in opened]
        return opened.result._replace(messages=tuple(messages))


def default_output(app: App, target: Path | None) -> tuple[Path, bool]:
    """Return where the relative outputs of an app go that was not told, and whether that folder is for nothing else."""
    if target:
        return target, False
    if app.home.kind == "user":
        return (app.folder / "data").absolute(), False
    return Path.cwd() / f"{app.name}-output", True


def _app_of(plan: Plan) -> App:
    folder = Path(plan.folder)
    return App(plan.app, folder, home_of(folder))


def _prepare(app: App, target: str | Path | None, settings: Mapping[str, object] | None, *, compat: bool) -> Plan:
    from .prepare import prepare

    overrides = [f"{name}={_text(value)}" for name, value in (settings or {}).items()]
    plan = prepare(app, target=Path(target) if target else None, overrides=overrides, compat=compat).plan
    return plan if app.subtask is None else only(plan, app.subtask)


def only(plan: Plan, name: str) -> Plan:
    """Return a plan that starts the transmissions of a name or label, whatever it starts by itself.

    Raises:
        UsageError: there is no such transmission.

    """
    if not any(name in {one.name, one.label} for one in plan.transmissions):
        names = [f"{one.name} ({one.label})" if one.label not in {"", one.name} else one.name for one in plan.transmissions]
        raise UsageError(f"{plan.app} has no transmission '{name}'; it has {', '.join(names)}")
    entries = tuple(one._replace(entry=name in {one.name, one.label}) for one in plan.transmissions)
    return plan._replace(transmissions=entries)


def load(plan: Plan) -> Load:
    """Return what makes the processors of a plan, after its homes can be imported from."""
    install_homes(plan.homes)

    def make(node: NodePlan) -> Processor:
        try:
            return load_class(node.implementation).from_plan(node.settings)
        except UsageError as error:  # A secret that is not set, or what only its value shows: all else was told before.
            raise UsageError(f"{node.where}: {node.path}: {error}") from error

    return make


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
