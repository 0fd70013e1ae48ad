"""Programs that are played: what every processor that runs one can be told about recordings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from transmissions import Protected, Range, RunError, Settings, Unit
from transmissions.streaming import CommandRunner, Replay

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from transmissions import Context
    from transmissions.streaming import Recorder


class ReplaySettings(Settings):
    """Settings that put a recording in a program's place."""

    replay: Annotated[str, Protected()] = ""
    """A recording, asciicast of version 2 or 3, that is played in place of the program; `.gz` and `.zst` are decompressed. The
    program is not started, and gets no input."""
    replay_speed: Annotated[float, Range(ge=0)] = 1.0
    "How fast it is played: 10 is ten times as fast, 0 as fast as the pipe works."
    idle_limit: Annotated[int, Range(ge=0), Unit("ms")] = 0
    "How long a pause in it may take at most; 0 leaves them as they are."

    if TYPE_CHECKING:

        @property
        def context(self) -> Context:
            """That of the processor."""
            ...

    def playing(self) -> Replay | None:
        """Return what plays the recording, if one is set."""
        if not self.replay:
            return None
        path = self.context.input_path(self.replay)
        return Replay(path, speed=self.replay_speed or math.inf, idle_limit=self.idle_limit / 1000 or None)

    def runner(self, launch: Replay | Recorder | None) -> CommandRunner:
        """Return what runs the program; listeners of this run hear what happens on the way, as `command-started` and so on."""
        return CommandRunner(launch, [self._tell]) if launch else CommandRunner(listeners=[self._tell])

    def _tell(self, event: Mapping[str, Any]) -> None:
        # How it ended is told as `command`, with more to it.
        if event["type"] != "completed":
            self.context.emit(
                f"command-{event['type'].replace('_', '-')}", **{name: event[name] for name in event if name != "type"}
            )


def broken(launch: Replay | Recorder | None) -> RunError | None:
    """Return the failure it is that a recording which was played breaks off."""
    fault = launch.fault if isinstance(launch, Replay) else ""
    return RunError(f"the recording {fault}") if fault else None
