"""`trans watch`: apps run when files change, one run after the other.

A settled set of changes is one run of each app for each watched folder that it happened in. What runs wrote themselves starts
none. A run that fails has said so, and watching goes on. Changes during a run are kept for the next.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Any

from . import logs, signals
from .cli import guarded, parser_of
from .commands.run import prepare_for, run_once
from .errors import STOPPED, RunError
from .homes import find_app
from .watch_changes import Doings, changes_in
from .watch_sets import EVENTS

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .running import Run
    from .watch_sets import WatchSet

    Changes = list[tuple[str, str]]

_SHOWN = 3
"""How many of the files that changed are named on stderr."""


class Watching:
    """Sets of folders being watched."""

    def __init__(self, sets: Sequence[WatchSet], options: Namespace) -> None:
        self._sets = sets
        self._options = options
        self._doings = Doings()
        self._stop = Event()

    def check(self) -> None:
        """Find out now what would keep the apps from running.

        Raises:
            ConfigError: an app has errors.
            UsageError: there is no such app.

        """
        for one in self._sets:
            for words in one.apps:
                self._prepare(words, one, one.folders[0])

    def run(self) -> int:
        """Watch until a signal comes; return the exit code."""
        folders = {folder: None for one in self._sets for folder in one.folders}
        with signals.watched(self._stop.set) as stop:
            try:
                code = self._watch(list(folders))
            except OSError as error:
                raise RunError(f"cannot watch {', '.join(map(str, folders))}: {error}") from error
        return code or stop.exit_code

    def _watch(self, folders: list[Path]) -> int:
        is_told = False
        for changes in changes_in(folders, self._options.debounce, self._stop):
            if not is_told:
                apps = dict.fromkeys(words[0] for one in self._sets for words in one.apps)
                logs.tell(f"watching {', '.join(map(os.path.relpath, folders))} for {', '.join(apps)}; Ctrl-C ends it")
                is_told = True
            found, looping = self._doings.others(changes) if changes else ([], [])
            for path in looping:
                logs.tell(f"'{os.path.relpath(path)}' changes with every run, so it starts none any more", logging.WARNING)
            for code in self._runs(found):
                if code in STOPPED:
                    return code
        return 0

    def _runs(self, found: Changes) -> Iterator[int]:
        """Run what the changes ask for, and yield the exit codes."""
        for one in self._sets:
            for folder in one.folders:
                inside = [(event, path) for event, path in found if EVENTS[event] in one.events and _is_in(path, folder)]
                for words in one.apps if inside else ():
                    yield self._run(words, one, folder, inside)

    def _run(self, words: Sequence[str], one: WatchSet, folder: Path, changes: Changes) -> int:
        more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        logs.tell(f"{words[0]}: {', '.join(f'{path} {event}' for event, path in _near(changes[:_SHOWN]))}{more}")
        self._doings.begin()
        try:
            return guarded(lambda: self._run_once(words, one, folder, changes), verbose=self._options.verbose)
        finally:
            self._doings.end()

    def _run_once(self, words: Sequence[str], one: WatchSet, folder: Path, changes: Changes) -> int:
        options = self._prepare(words, one, folder)
        options.message = json.dumps(message_of(folder, changes))

        def opened(run: Run) -> None:
            run.state.folders = run.state.folders._replace(roots=(*run.state.folders.roots, folder))
            run.on("writes", self._doings.hear)
            self._doings.hear("", {"path": str(run.state.letters.path)})

        return run_once(find_app(options.app), options, opened)

    def _prepare(self, words: Sequence[str], one: WatchSet, folder: Path) -> Namespace:
        """Return the options of a run: the folder is its word, if it has none and the app can do something with it."""
        given = [*words, str(folder)] if one.gives_folder and len(words) == 1 else words
        options = parser_of("run").parse_intermixed_args(given)
        said = {name: value for name, value in vars(self._options).items() if value and name in vars(options)}
        options.__dict__.update(said, command_line=None, implied=False)
        prepared, _, left = prepare_for(find_app(options.app), options)
        if given is not words and left and prepared.plan.arguments[0].kind != "Path":
            options.words = []
        return options


def message_of(folder: Path, changes: Changes) -> dict[str, Any]:
    """Return the message of a run: all files, and the fields the original has for the first of them."""
    event, path = changes[0]
    return {
        "files": [{"path": path, "event": event} for event, path in changes],
        "eventType": EVENTS[event],
        "filename": os.path.relpath(path, folder),
        "sourcePath": path,
        "watchDir": str(folder),
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }


def _is_in(path: str, folder: Path) -> bool:
    return path.startswith(os.path.join(folder, ""))  # noqa: PTH118


def _near(changes: Changes) -> Iterator[tuple[str, str]]:
    return ((event, os.path.relpath(path)) for event, path in changes)
