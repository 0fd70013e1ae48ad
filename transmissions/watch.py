"""`--watch`: run again whenever the app, its code or its inputs have changed.

Files are looked at twice a second. A file whose size and times are as they were counts as unchanged; else its content is
compared by digest, so that a file that was merely touched starts nothing.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import STOPPED
from .logs import tell

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator

    from .homes import App

_INTERVAL: Final = 0.5
_SKIPPED: Final = {"__pycache__", "node_modules"}


class Watch:
    """The files under some roots, and what they held when they were last looked at."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = tuple(roots)
        self._digests: dict[str, tuple[tuple[int, ...], str]] = {}
        self._state = self._look()

    def widen(self, roots: Iterable[Path]) -> None:
        """Watch more from now on: what is in these roots counts as known."""
        more = Watch(root for root in roots if root not in self._roots)
        self._roots += more._roots
        self._digests |= more._digests
        self._state |= more._state

    def changed(self) -> list[str]:
        """Return the files that are new, gone or different since the last call."""
        before, self._state = self._state, self._look()
        names = before.keys() | self._state.keys()
        return sorted(name for name in names if before.get(name) != self._state.get(name))

    def _look(self) -> dict[str, str]:
        known, self._digests = self._digests, {}
        for name in _files(self._roots):
            try:
                facts = os.stat(name)  # noqa: PTH116 - thousands of them, twice a second
                mark = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
                kept = known.get(name)
                self._digests[name] = kept if kept and kept[0] == mark else (mark, _digest(name))
            except OSError:  # it went away meanwhile
                continue
        return {name: digest for name, (_, digest) in self._digests.items()}


def _digest(name: str) -> str:
    with Path(name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(roots: Iterable[Path]) -> Iterator[str]:
    for root in roots:
        if root.is_file():
            yield str(root)
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED]
            yield from (os.path.join(folder, name) for name in names if not name.startswith("."))  # noqa: PTH118


def keep_running(app: App, options: Namespace, run: Callable[[], int], made_from: Callable[[], Iterable[Path]]) -> int:
    """Run, and run again after each change, until a signal ends it; return the exit code of the end.

    `made_from` tells what the app's plan is made from, as far as there is one: files of other apps may belong to it.

    What changes in an output folder while a run lasts was written by it and is no reason for another.
    """
    named = [Path(word).absolute() for word in (*options.words, options.target) if word and Path(word).exists()]
    outputs = [Path(options.output).absolute()] if options.output else [app.folder / "data", *filter(Path.is_dir, named)]
    watch = Watch({app.folder, app.home.processors, *named, *made_from()})
    while (code := run()) not in STOPPED:
        watch.widen(made_from())
        changed = [name for name in watch.changed() if not any(Path(name).is_relative_to(folder) for folder in outputs)]
        if not changed:
            tell("watching for changes; Ctrl-C ends it")
        while not changed:
            time.sleep(_INTERVAL)
            changed = watch.changed()
        tell(f"changed: {', '.join(os.path.relpath(name) for name in changed[:3])}")
    return code
