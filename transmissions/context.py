"""What a processor may know of its run: its folders, its log, and the engine's services."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .errors import RunError
from .waiting import open_input

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from io import BufferedReader
    from pathlib import Path

    from .channel import Pressure
    from .message import Message
    from .plan import Plan


class Folders(NamedTuple):
    """Where a run reads and writes. Relative names in settings and messages are looked up here."""

    app: Path
    data: Path
    """The working folder: the target's if there is one, else the app's `data/`."""
    output: Path
    """Where relative outputs go."""
    target: Path | None = None
    roots: tuple[Path, ...] = ()
    """More places this run may touch: the files named on the command line."""
    own_output: bool = False
    """Whether nobody else writes to `output`: relative names are looked up there first, so that a run finds what it wrote."""
    again: bool = False
    """Whether this run goes on with messages another one has left, so that what that one wrote must stay."""


class Services(Protocol):
    """What the engine does for a processor."""

    def emit(self, event: str, fields: dict[str, Any]) -> None:
        """Tell subscribers of `event`."""

    def reject(self, node: str, message: Any, error: BaseException, fields: dict[str, Any]) -> None:
        """Write a dead letter."""

    def skip(self, node: str, reason: str, fields: dict[str, Any]) -> None:
        """Count input that was skipped, and why."""

    def scrub(self, function: Callable[[str], str]) -> None:
        """Send every text of dead letters, skips, errors and the log through `function`."""

    def show(self, node: str, text: str) -> None:
        """Print text, which is data, where the run's owner wants it."""

    @property
    def whiteboard(self) -> dict[str, Any]:
        """What the processors of the run have written for each other."""
        ...

    @property
    def command(self) -> tuple[str, ...]:
        """The words behind `--`."""
        ...

    def writes(self, node: str, path: Path, *, alone: bool = False) -> None:
        """Notice which file or folder may be written, and by whom `alone`."""

    def halt(self, node: str, reason: str) -> None:
        """Drain the run: sources stop, what is on its way arrives, and the run ends well."""

    def snapshot(self) -> dict[str, Any]:
        """Return everything counted so far: `nodes` and `buffers`, by path."""
        ...

    def pressure(self, node: str) -> Pressure:
        """Return how often writing behind the node's segment had to wait."""
        ...

    async def call(self, node: str, transmission: str, message: Message) -> list[Message]:
        """Run another transmission on one message."""
        ...


class Context:
    """One node's view of its run."""

    __slots__ = ("_services", "folders", "log", "node", "plan")

    def __init__(self, node: str, plan: Plan, folders: Folders, log: logging.Logger, services: Services) -> None:
        self.node = node
        self.plan = plan
        self.folders = folders
        self.log = log
        self._services = services

    def emit(self, event: str, **fields: Any) -> None:
        """Tell whoever subscribed to `event` (`pause`, `drop`, `metrics`, … or one of your own).

        What is said in `progress` (`total`, `completed`, `phase`, …) and `summary` is told clients of a server, too, with the
        events of those names: of what was said several times the latest, of dicts all there is in them. A `progress` with a
        `unit` is about this step alone: how much of its input is `done`, for a terminal.
        """
        self._services.emit(event, {"node": self.node, **fields})

    def reject(self, message: Any, error: BaseException, **fields: Any) -> None:
        """Set one broken piece of input aside as a dead letter and go on; the run ends with exit code 3."""
        self._services.reject(self.node, message, error, fields)

    def skip(self, reason: str, **fields: Any) -> None:
        """Count a piece of input that is skipped for a reason; the run ends with exit code 3.

        Clients of a server are told so as an error, unless `told=True` says that a message of the run's own does that.
        """
        self._services.skip(self.node, reason, fields)

    def scrub(self, function: Callable[[str], str]) -> None:
        """Keep something out of all that is told of this run: dead letters, reasons, errors, log lines.

        `function` takes and returns text; where it fails, nothing of the text is told.
        """
        self._services.scrub(function)

    def show(self, text: str) -> None:
        """Print data: whoever listens to `output` gets it as `text`, and if nobody does it goes to standard output as it is."""
        self._services.show(self.node, text)

    @property
    def whiteboard(self) -> dict[str, Any]:
        """What the processors of this run have written for each other, by label; it lives as long as the run."""
        return self._services.whiteboard

    @property
    def command(self) -> tuple[str, ...]:
        """The command a user wrote behind `--`: no message can set it, so it may be run."""
        return self._services.command

    def halt(self, reason: str) -> None:
        """End the run on purpose and cleanly: sources stop, what is on its way arrives; `halt` subscribers are told why."""
        self._services.halt(self.node, reason)

    def snapshot(self) -> dict[str, Any]:
        """Return everything the run has counted so far: `nodes` by path (see `counts.Counts`) and `buffers` by name."""
        return self._services.snapshot()

    @property
    def pressure(self) -> Pressure:
        """How often, and when last, what is behind this step made it wait."""
        return self._services.pressure(self.node)

    async def call(self, transmission: str, message: Message) -> list[Message]:
        """Run another transmission of this app on `message` and return all it gives."""
        return await self._services.call(self.node, transmission, message)

    def input_path(self, name: str | os.PathLike[str]) -> Path:
        """Find a file to read: relative names in the working folder, then its `data/`, then the app's folder.

        In front of them all comes the output folder, if it is this run's own.

        Raises:
            RunError: the name leads outside every folder of this run.

        """
        base = self.folders
        places = [base.data, base.data / "data", base.app, base.app / "data"]
        tried = [base.output, *places] if base.own_output else places
        name = _possible(name)
        found = next((place / name for place in tried if (place / name).exists()), base.data / name)
        return self._confine(found)

    def open_input(self, path: Path) -> BufferedReader:
        """Open a file to read its bytes.

        A source that opens a pipe or a device before it gives its first message is begun again in a thread, where reading may
        wait: nothing else does, and once the run is drained the source is closed as it wants to read on.
        """
        return open_input(path)

    def output_path(self, name: str | os.PathLike[str], *, anew: bool = False, of_run: bool = False) -> Path:
        """Say where a file to write goes: relative names in the output folder. Listeners to `writes` are told the `path`.

        With `anew` the file is to hold the whole stream and nothing else. With `of_run` it tells of one run: what a
        retry tells is a file beside it, as `report-retry.json`.

        Raises:
            RunError: the name leads outside every folder of this run, or the file would lose what another node writes, or what
                the run that `trans retry` goes on with has written.

        """
        path = self._confine(self.folders.output / _possible(name))
        if of_run and self.folders.again:
            path = path.with_stem(f"{path.stem}-retry")
        if anew and self.folders.again and path.exists():
            raise RunError(f"'{path}' would hold nothing but what is tried again; give another folder with -o")
        self._services.writes(self.node, path, alone=anew)
        return path

    def _confine(self, path: Path) -> Path:
        # Symbolic links are resolved first, or a link inside a folder would lead out of it.
        real = os.path.realpath(path)
        base = self.folders
        for root in (base.output, base.data, base.app, base.target, *base.roots):
            if root and (real + os.sep).startswith(os.path.realpath(root).rstrip(os.sep) + os.sep):
                return path
        raise RunError(f"'{path}' is outside the folders of this run; name it on the command line")


def _possible(name: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Return a name that a file may have."""
    try:
        is_possible = b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        is_possible = False
    if not is_possible:
        raise RunError(f"{os.fspath(name)!r} can be the name of no file: it holds U+0000, or half a pair of surrogates")
    return name
