"""`--compat`: a run as the original showed it.

Everything it takes stands here, in `compat_steps` and in `compat_settings`; the rest of the engine works the same. A run of a
plan made for compat puts the original's initial fields into its first messages, has every processor wrapped, and hands the
first result of one transmission to the next. From a command line it also prints the original's lines, and lets messages set
settings: over the API and behind a server, data never does.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .compat_steps import Surface, disguised
from .homes import load_class
from .plan import walk
from .running import Run
from .terms import local_name
from .transmission import Transmission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .context import Folders
    from .message import Message
    from .plan import NodePlan, Plan, TransmissionPlan
    from .processor import Processor
    from .state import Load


class CompatRun(Run):
    """A run whose messages and lines look as those of the original did."""

    def __init__(
        self, plan: Plan, messages: Sequence[Message], folders: Folders, letters: Path, load: Load, timeout: float | None = None
    ) -> None:
        told = first_fields(plan, folders)
        super().__init__(plan, [{**message, **told} for message in messages], folders, letters, load, timeout)
        self.state.load = self._make
        self.surface = Surface(frozenset(one.pipe[0].path for one in plan.transmissions if one.pipe))
        self._result: Message | None = None

    async def put_many(self, messages: list[Message]) -> None:
        """Keep the first result of a transmission, for the next one."""
        if self._result is None:
            self._result = messages[0].copy()
        await super().put_many(messages)

    async def _work(self) -> None:
        for line in opening_lines(self.plan):
            self.surface.say(line)
        for entry in self.plan.entries():
            if self.state.draining:
                break
            self.surface.say(f"\n+ Run Transmission : {_titled(entry)}")
            self._result = None
            await Transmission(entry, self.state, self).run(self._feed)
            if self._result is not None:
                self.messages = [self._result]

    def _make(self, plan: NodePlan) -> Processor:
        return disguised(load_class(plan.implementation), plan, self.surface)

    def show(self, text: str) -> None:
        """Print one of the original's lines."""
        self.state.show(self.plan.app, text)


def at_a_command_line(run: Run, *, speaks: bool) -> None:
    """Let messages set settings, as whoever started the run wrote both; `speaks` says whether lines are printed."""
    assert isinstance(run, CompatRun)
    run.surface.takes_settings = True
    run.surface.show = run.show if speaks else None


def first_fields(plan: Plan, folders: Folders) -> dict[str, Any]:
    """Return the fields the original put into every first message, over those it was given."""
    fields = {
        "appName": plan.app,
        "appPath": plan.folder,
        "rootDir": str(folders.target or folders.app),
        "dataDir": str(folders.app / "data"),
        "workingDir": str(folders.data),
        "appRunStart": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return fields | ({"targetDir": str(folders.target)} if folders.target else {})


def opening_lines(plan: Plan) -> Iterator[str]:
    """Yield what the original printed before it ran anything."""
    yield f"APP PATH = {plan.folder}"
    yield f"*** Module path = {plan.folder}/processors"
    for transmission in plan.transmissions:
        yield f"\n+ ***** Construct Transmission : {_titled(transmission)}"
        names = [local_name(node.path) for node in walk(transmission.pipe)]
        for number, (left, right) in enumerate(pairwise(names)):
            yield f"  > Connect #{number} [{left}] => [{right}]"


def _titled(transmission: TransmissionPlan) -> str:
    return f"{transmission.label} <{transmission.iri}>"
