"""Changes in watched folders, without those nobody wants to hear of, and without what runs did themselves."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final

from watchfiles import BaseFilter, Change, watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from watchfiles.main import FileChange

_PATIENCE: Final = 10
"""Quiet times after which changes that go on are told anyway."""
_HEARTBEAT: Final = 200
"""Milliseconds between looks at whether to stop."""
_LOOPS: Final = 3
"""Runs in a row that may be started by nothing but what changed while the run before was at work."""

Signature = tuple[int, ...] | None
Identity = tuple[int, int] | None


class Wanted(BaseFilter):
    """Leaves out what editors, databases and version control do beside the files that matter."""

    ignore_dirs = ("node_modules", ".git", "__pycache__")
    ignore_entity_patterns = (r"\.swp$", r"~$", r"\.tmp$", r"\.log$", r"-(wal|shm|journal)$", r"^\.transmissions$")


def changes_in(folders: Sequence[Path], quiet: int, stop: Event) -> Iterator[set[FileChange]]:
    """Yield sets of changes once there were none for `quiet` milliseconds, and empty sets in between, until told to stop.

    What happens between two of them is kept. The first set means that watching has begun. The system watches a folder, not its
    name: one that takes the place of another is watched from then on, and has been added.
    """
    before: dict[Path, Identity] = {}
    while not stop.is_set():
        with contextlib.ExitStack() as held:
            watched = {folder: _hold(folder, held) for folder in folders}
            anew = {(Change.added, str(folder)) for folder in before if watched[folder] not in {None, before[folder]}}
            yield from _while_the_same(watched, anew, quiet, stop)
        before = watched


def _while_the_same(watched: dict[Path, Identity], anew: set[FileChange], quiet: int, stop: Event) -> Iterator[set[FileChange]]:
    """Yield what is new from the beginning, and changes, until one of the folders is another, or gone, or back."""
    there = [folder for folder, identity in watched.items() if identity]
    for changes in _changes(there, quiet, stop) if there else _nothing(stop):
        yield changes | anew
        anew = set()
        if any(_identity(folder) != identity for folder, identity in watched.items()):
            return


def _hold(folder: Path, held: contextlib.ExitStack) -> Identity:
    """Return what tells a folder from another of its name, for as long as it is held: no other gets its number meanwhile."""
    with contextlib.suppress(OSError):
        held.callback(os.close, os.open(folder, os.O_RDONLY))
    return _identity(folder)


def _identity(folder: Path) -> Identity:
    try:
        facts = folder.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _nothing(stop: Event) -> Iterator[set[FileChange]]:
    while not stop.wait(_HEARTBEAT / 1000):
        yield set()


def _changes(folders: Iterable[Path], quiet: int, stop: Event) -> Iterator[set[FileChange]]:
    with contextlib.suppress(FileNotFoundError):  # It has gone in this moment.
        yield from watch(
            *folders,
            watch_filter=Wanted(),
            debounce=quiet * _PATIENCE,
            step=quiet,
            stop_event=stop,
            rust_timeout=_HEARTBEAT,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )


class Doings:
    """What runs wrote into watched folders, so that it is told apart from what others did."""

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._known: dict[str, Signature] = {}
        self._loops: dict[str, int] = {}
        self._window = (0.0, 0.0)

    def hear(self, _: str, fields: dict[str, Any]) -> None:
        """Take note of a file or folder a run may write."""
        self._paths.add(os.path.realpath(fields["path"]))

    def begin(self) -> None:
        """Take note that a run begins."""
        self._window = (time.time(), 0.0)

    def end(self) -> None:
        """Take note of how things are now that the run has ended."""
        self._window = (self._window[0], time.time())
        self._known.update({name: _signature(name) for path in self._paths for name in _with_contents(path)})
        self._paths.clear()

    def others(self, changes: set[FileChange]) -> tuple[list[tuple[str, str]], list[str]]:
        """Return the (event, path) of changes of files that no run made, sorted, and paths ignored from now on.

        A file that changed while a run was at work may have been written by a command the run started. One that starts the
        next run in this way again and again is ignored.
        """
        found = [(event, path) for event, path in _each_once(changes) if not self._is_own(path)]
        meanwhile = {path for _, path in found if self._changed_meanwhile(path)}
        if meanwhile != {path for _, path in found}:
            self._loops.clear()
            return found, []
        self._loops = {path: self._loops.get(path, 0) + 1 for path in meanwhile}
        looping = [path for path, count in self._loops.items() if count > _LOOPS]
        return [(event, path) for event, path in found if path not in looping], looping

    def _is_own(self, path: str) -> bool:
        real = os.path.realpath(path)
        if real not in self._known:
            return False
        return self._known[real] == _signature(real)

    def _changed_meanwhile(self, path: str) -> bool:
        begin, end = self._window
        signature = _signature(path)
        return signature is not None and begin <= signature[1] / 1e9 <= end


def _signature(name: str) -> Signature:
    try:
        facts = os.stat(name)  # noqa: PTH116 - of every file written
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


def _with_contents(path: str) -> Iterator[str]:
    yield path
    for folder, _, names in os.walk(path):
        yield from (os.path.join(folder, name) for name in names)  # noqa: PTH118


def _each_once(changes: set[FileChange]) -> Iterator[tuple[str, str]]:
    """Yield an event for each file, sorted; none for one that came and went."""
    events: dict[str, set[str]] = {}
    for change, name in changes:
        for path in _files(change.name, name):
            events.setdefault(path, set()).add(change.name)
    for path in sorted(events):
        happened = events[path]
        if os.path.lexists(path):
            yield "added" if "added" in happened else "modified", path
        elif "added" not in happened:
            yield "deleted", path


def _files(event: str, name: str) -> Iterator[str]:
    """Yield the files a change is about: a folder that came has files, one that changed is no news."""
    if not os.path.isdir(name):  # noqa: PTH112
        yield name
    elif event == "added":
        yield from (one for one in _with_contents(name) if not os.path.isdir(one))  # noqa: PTH112
