"""One run from the command line: its first messages, its folders, and what is shown of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import __version__, engine, logs, outputs, signals
from .closed_streams import reader_went_away
from .errors import RunError, UsageError
from .json_text import as_json, parse_json
from .plan import with_processes
from .progress import Progress
from .record import record_of
from .standard_output import write_out
from .summary import last_lines, words_in

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from .homes import App
    from .message import Message
    from .plan import Plan
    from .running import Run

_A_MESSAGE: Final = 'a message is a JSON object, like {"name": "Ada"}, or a list of them'
_TAPPED: Final = 10
"""How many messages `--tap NODE` shows."""
_SKIPPED: Final = 20
"""How many pieces of input that were skipped are told one by one."""


class Session:
    """An app about to be run as a command line says."""

    def __init__(self, app: App, plan: Plan, target: Path | None, words: Sequence[str], options: Namespace) -> None:
        self.app = app
        self.options = options
        self.output, self.is_marked = _choose_output(app, target, options)
        if options.output:
            outputs.refuse_impossible(self.output)
        if self.is_marked and not options.dry_run:
            outputs.claim(self.output, force=options.force)
        dashes = ["--", *options.command_line] if options.command_line is not None else []
        self.opened: Run = engine.open(
            _as_asked(plan, app, options),
            message=read_messages(options.message),
            arguments=[*words, *dashes],
            target=target,
            output=self.output,
            timeout=options.timeout,
        )
        if plan.compat:
            from .compat import at_a_command_line

            at_a_command_line(self.opened, speaks=not (options.json or options.quiet))
        self._summaries: list[str] = []
        self._skipped = 0
        self._began = time.monotonic()

    def run(self) -> int:
        """Run to the end and return the exit code."""
        opened, options = self.opened, self.options
        progress = Progress(sys.stderr, self._sent) if _is_live(options) else None
        if progress:
            logs.write_to(progress)
        self._listen(progress)
        logs.clean_with(opened.state.clean)
        collect_garbage()
        about = record_of(self.app, opened.state.folders.target, opened.state.folders.roots, options)
        marker = (
            outputs.marked(self.output, opened.plan.app, __version__, about) if self.is_marked else contextlib.nullcontext()
        )
        with signals.watched(opened.drain, opened.state.kill, as_json=options.log_format == "json") as stop, marker as lock:
            opened.state.descriptors = () if lock is None else (lock,)
            ending = "failed; "
            try:
                with stop.within(options.timeout):
                    asyncio.run(self._work(progress))
                ending = "stopped; " if stop.number else ""
            except (OSError, RunError) as error:
                ending = "its reader went away; " if reader_went_away(error) else ending
                raise
            finally:
                if not options.quiet:
                    self._say_what_became(ending)
        return stop.exit_code or opened.result.exit_code

    def _say_what_became(self, ending: str) -> None:
        result, seconds = self.opened.result, time.monotonic() - self._began
        lines = last_lines(self.opened, self._summaries, ending, seconds)
        figures: dict[str, Any] = {"sent": result.sent, "dead": result.dead, "skipped": result.skipped, "seconds": seconds}
        logs.tell("\n".join(lines), event="end", app=self.opened.plan.app, **figures)

    def _listen(self, progress: Progress | None) -> None:
        for tap in self.options.tap:
            node, _, count = tap.partition(":")
            if count and not count.isdigit():
                raise UsageError(f"--tap takes NODE or NODE:N, not '{tap}'")
            self.opened.tap(node, int(count or _TAPPED), self._show_tapped)
        self.opened.on("skip", self._tell_skipped)
        self.opened.on("summary", lambda _, fields: self._summaries.extend(words_in(fields)))
        if progress:
            self.opened.on("progress", progress.hear)
            if sys.stdout.isatty():
                self.opened.on("output", lambda _, fields: progress.show(str(fields["text"])))

    def _tell_skipped(self, _: str, fields: dict[str, Any]) -> None:
        """Say what was skipped, and why; of very many the first ones do, the last line has their number."""
        self._skipped += 1
        if self._skipped <= _SKIPPED and not self.options.quiet:
            about = f" '{fields['file']}'" if fields.get("file") and str(fields["file"]) not in fields["reason"] else ""
            told = {name: value for name, value in fields.items() if name in ("node", "reason", "file", "path")}
            words = "".join(sign if sign.isprintable() else "�" for sign in f"{about}: {fields['reason']}")
            logs.tell(f"{fields['node']}: skipped{words}", logging.WARNING, event="skip", **told)

    async def _work(self, progress: Progress | None) -> None:
        showing = asyncio.create_task(progress.keep_showing()) if progress else None
        try:
            await self._take_messages()
        finally:
            if showing:
                showing.cancel()
                await asyncio.wait([showing])

    async def _take_messages(self) -> None:
        async with self.opened as opened:
            if not self.options.json:
                await opened.wait()
                return
            async for message in opened:
                write_out(as_line(message))

    def _sent(self) -> dict[str, int]:
        counts = self.opened.state.counts
        return {node.path: counts[node.path].sent for node in self.opened.plan.nodes()}

    def _show_tapped(self, node: str, message: Message) -> None:
        logs.tell(f"{node}: {as_line(message)}".rstrip(), event="tap", node=node)


def _choose_output(app: App, target: Path | None, options: Namespace) -> tuple[Path, bool]:
    """Return the output folder, and whether it is one that is marked as ours."""
    if options.output:
        return Path(options.output).absolute(), True
    return engine.default_output(app, target)


def _as_asked(plan: Plan, app: App, options: Namespace) -> Plan:
    if app.subtask:
        plan = engine.only(plan, app.subtask)
    if options.workers:
        plan = with_processes(plan, options.workers)
    if options.metrics:
        plan = plan._replace(metrics=tuple(_metrics(where) for where in options.metrics))
    return plan


def _metrics(where: str) -> dict[str, Any]:
    """Return the fields of `metrics.MetricsSettings` for FILE, `-`, or either behind `prometheus:`."""
    form, _, file = where.rpartition(":") if where.startswith(("prometheus:", "json:")) else ("json", "", where)
    _refuse_misspelt(file)
    return {"to": file if file == "-" else str(Path(file).absolute()), "format": form}


def _refuse_misspelt(file: str) -> None:
    from .near import suggestion

    word, colon, _ = file.partition(":")
    meant = suggestion(word, ("prometheus", "json")) if colon else ""
    if meant:
        raise UsageError(f"--metrics has no format '{word}'{meant}")


def collect_garbage() -> None:
    """Turn garbage collection on, for what the run makes; what was there before stays out of its sight."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _is_live(options: Namespace) -> bool:
    return not options.quiet and options.log_format == "text" and sys.stderr is not None and sys.stderr.isatty()


def read_messages(text: str | None) -> list[Message]:
    """Return the messages of `-m`: JSON, or `@FILE` with JSON in it (`@-` is standard input); one object or a list of them.

    The path of a file without `@` makes one message, with what the file holds in its field `payload`.

    Raises:
        UsageError: it is neither.

    """
    if text is None:
        return [{}]
    is_payload = text.endswith(".json") or os.path.isfile(text)  # noqa: PTH113 - it may be no path at all
    name = text[1:] if text.startswith("@") else text if is_payload else "-m"
    hint = "" if text[:1] in {*"@{["} else "; `-m @-` reads standard input" if text == "-" else f"; {_A_MESSAGE}"
    value = parse_json(text if name == "-m" else _read(name), name, hint)
    if name == text:
        return [{"payload": value}]
    messages = value if isinstance(value, list) else [value]
    if not messages or not all(isinstance(message, dict) for message in messages):
        raise UsageError(f"{name}: {_A_MESSAGE}")
    return messages


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        shown = "standard input" if name == "-" else f"'{name}'"
        raise UsageError(f"cannot read {shown}: {(getattr(error, 'strerror', None) or str(error)).lower()}") from error


def as_line(message: Message) -> str:
    """Return a message as a line of JSON; what JSON cannot say is written as text.

    Raises:
        RunError: it is inside itself, nested too deeply, or a field's name is none.

    """
    return as_json(message).decode() + "\n"
