"""What all parts of one run share: who listens, what was counted, where dead letters go, and whether it is to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from .counts import Counts
from .errors import RunError, describe
from .standard_output import write_out
from .supervisor import Raised, attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from .channel import Channel
    from .context import Folders
    from .deadletters import DeadLetters
    from .message import Message
    from .plan import NodePlan, Plan
    from .processor import Processor

    Load = Callable[[NodePlan], Processor]
    Listener = Callable[[str, dict[str, Any]], None]


_TOLD: Final = ("skip", "error", "summary", "halt")
"""Events with words in them that come from messages."""


class Tap:
    """A listener to the first messages that leave a node."""

    def __init__(self, count: int, callback: Callable[[str, Message], None]) -> None:
        self.left = count
        self._callback = callback

    def show(self, node: str, messages: list[Message]) -> None:
        """Hand out shallow copies, until there were enough."""
        shown = messages[: self.left]
        self.left -= len(shown)
        for message in shown:
            self._callback(node, message.copy())


class RunState:
    """The state of one run."""

    def __init__(self, plan: Plan, folders: Folders, letters: DeadLetters, load: Load) -> None:
        self.plan = plan
        self.load = load
        self.folders = folders
        self.letters = letters
        self.counts: defaultdict[str, Counts] = defaultdict(Counts)
        """By node path. Every instance of a node, in calls too, counts here."""
        self.channels: dict[str, Channel] = {}
        """By node path. Where a node has a second, as when two nodes call its transmission, that is `path-2`, and so on."""
        self.taps: dict[str, Tap] = {}
        self.whiteboard: dict[str, Any] = {}
        self.writers: dict[str, tuple[str, object]] = {}
        """Who writes a file for the whole stream, by its real path: a node, and the services of its transmission."""
        self.command: tuple[str, ...] = ()
        """The words behind `--` of a command line."""
        self.about: dict[str, str] = {}
        """What spans say of the run besides, by name."""
        self.skipped = 0
        self.passed_up = 0
        """Failures that were counted where they happened, and again at the node which had called that transmission."""
        self.draining = False
        self.failure: RunError | None = None
        """What the run fails with once it is drained."""
        self.processes: set[int] = set()
        """Those that work for this run, by id; each leads a group of its own."""
        self.descriptors: tuple[int, ...] = ()
        """Files those processes hold open as well: what is locked stays so until the last of them is gone."""
        self.interrupts: set[Callable[[], None]] = set()
        """What makes sources that wait notice a drain."""
        self._listeners: dict[str, tuple[Listener, ...]] = {}
        self._scrubs: list[Callable[[str], str]] = []
        self._going: asyncio.Event | None = None

    def watch(self, channel: Channel) -> None:
        """Have a channel's figures in the snapshot."""
        same = sum(other.name == channel.name for other in self.channels.values())
        self.channels[f"{channel.name}-{same + 1}" if same else channel.name] = channel

    def listen(self, event: str, callback: Listener) -> None:
        """Call `callback(event, fields)` whenever the event is told; `*` stands for all."""
        self._listeners[event] = (*self._listeners.get(event, ()), callback)

    def is_heard(self, event: str) -> bool:
        """Whether anybody listens to an event."""
        return bool(self._listeners.get(event) or self._listeners.get("*"))

    def scrub(self, function: Callable[[str], str]) -> None:
        """Send every text that is told of this run through `function`: letters, reasons, errors, and the log where it asks."""
        self._scrubs.append(function)
        self.letters.clean = self.clean

    def clean(self, text: str) -> str:
        """Return a text as it may be told."""
        for function in self._scrubs:
            scrubbed = attempt(function, text)
            text = "<text that cannot be shown>" if isinstance(scrubbed, Raised) else str(scrubbed)
        return text

    def cleaned(self, error: BaseException) -> BaseException:
        """Return an error as it may be raised: itself, if its text may be told."""
        text = describe(error)
        clean = self.clean(text)
        return error if clean == text else RunError(clean).with_traceback(error.__traceback__)

    def emit(self, event: str, fields: dict[str, Any]) -> None:
        """Tell whoever listens.

        Raises:
            RunError: a listener failed.

        """
        if self._scrubs and event in _TOLD:
            fields = {name: self.clean(value) if isinstance(value, str) else value for name, value in fields.items()}
        for callback in (*self._listeners.get(event, ()), *self._listeners.get("*", ())):
            told = attempt(callback, event, fields)
            if isinstance(told, Raised):
                raise RunError(f"a listener to '{event}' failed: {describe(told.error)}") from told.error

    def reject(self, node: str, message: Any, error: BaseException, fields: dict[str, Any]) -> None:
        """Write a dead letter and count it."""
        where = next((one.where for one in self.plan.nodes() if one.path == node), None)
        self.letters.write(node, where, message, error, fields)
        self.counts[node].dead += 1

    def skip(self, node: str, reason: str, fields: dict[str, Any]) -> None:
        """Count something that was passed over, and tell why."""
        self.skipped += 1
        self.counts[node].skipped += 1
        self.emit("skip", {"node": node, "reason": reason, **fields})

    def show(self, node: str, text: str) -> None:
        """Print data: tell it to those who listen to `output`, or write it to standard output if there is nobody."""
        self.emit("output", {"node": node, "text": text})
        if not self._listeners.get("output"):
            write_out(text)

    def drain(self) -> None:
        """Stop the sources; what is on its way arrives."""
        self.draining = True
        self.let_go()  # Nothing that is held back arrives otherwise.
        for interrupt in tuple(self.interrupts):
            interrupt()

    @property
    def is_held(self) -> bool:
        """Whether sources are to give nothing more for now; what is on its way goes on."""
        return self._going is not None

    def hold(self) -> None:
        """Hold the sources."""
        self._going = self._going or asyncio.Event()

    def let_go(self) -> None:
        """Let them go on."""
        if self._going is not None:
            self._going.set()
            self._going = None

    async def turn(self) -> None:
        """Wait until sources may go on."""
        while self._going is not None:
            await self._going.wait()

    def fail_at_the_end(self, failure: RunError) -> None:
        """Drain the run, which has then failed; of several failures the first counts."""
        self.failure = self.failure or failure
        self.drain()

    def kill(self) -> None:
        """End the other processes of this run at once. May be called from any thread."""
        for process in tuple(self.processes):
            with contextlib.suppress(OSError):  # It is gone already.
                os.killpg(process, signal.SIGKILL)

    def snapshot(self) -> dict[str, Any]:
        """Return everything counted so far, as JSON values.

        What a buffer dropped is booked at the node it belongs to: that node received it, and it went no further.
        """
        nodes = {path: counts.snapshot() for path, counts in self.counts.items()}
        buffers = {name: channel.snapshot() for name, channel in self.channels.items()}
        for name, channel in self.channels.items():
            lost = buffers[name].get("dropped", 0)
            if channel.name in nodes:
                nodes[channel.name]["received"] += lost
                nodes[channel.name]["dropped"] += lost
        return {"nodes": nodes, "buffers": buffers}
