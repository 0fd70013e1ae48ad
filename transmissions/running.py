"""A run: a plan at work, from its first message to its result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .channel import Channel, Pressure
from .deadletters import DeadLetters
from .errors import INCOMPLETE, OK, RunTimeout, UsageError
from .message import END, Token
from .near import suggestion
from .pace import RareCollections
from .state import RunState, Tap
from .tellers import told
from .tracing import traced
from .transmission import Transmission

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .channel import Outlet
    from .context import Folders
    from .message import Message
    from .plan import Plan
    from .state import Listener, Load


class Result(NamedTuple):
    """What became of a run."""

    sent: int
    """Messages that left the last node."""
    dead: int
    """Dead letters."""
    skipped: int
    """Failures passed over by policy, and input skipped for a reason."""
    drained: bool
    """Whether the run was asked to end before its input did."""
    figures: dict[str, Any]
    """Everything counted: `nodes` and `buffers`."""
    messages: tuple[Message, ...] = ()
    """The final messages, if they were collected."""

    @property
    def exit_code(self) -> int:
        """0, or 3 when messages were set aside or skipped."""
        return INCOMPLETE if self.dead or self.skipped else OK


class Run:
    """A plan at work: `async with open(…) as run: async for message in run: …`.

    It starts when the block is entered, works no further ahead than its buffers allow, and is stopped if the block is left
    early. A failure is raised where messages are taken, or at the end of the block.
    """

    def __init__(
        self, plan: Plan, messages: Sequence[Message], folders: Folders, letters: Path, load: Load, timeout: float | None = None
    ) -> None:
        self.plan = plan
        self.messages = messages
        self.state = RunState(plan, folders, DeadLetters(letters), load)
        self.timeout = timeout
        """Seconds after which the run is stopped with RunTimeout; None lets it take as long as it takes."""
        self._sent = 0
        self._out: Outlet
        self._ready: list[Message] = []
        self._is_told = self._is_stopped = False
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._begin(Channel("out"))
        self._task = asyncio.create_task(self._conduct(), name=f"run {self.plan.app}")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        task = self._task
        if task is not None and not task.done():
            self._cancel()
            await asyncio.wait([task])
        if task is not None and not task.cancelled():
            task.exception()  # It is known now, whether or not it is raised below.
        if kind is None:
            await self._raise_failure()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        if not self._ready:
            self._ready.extend(await self._next_batch())
        return self._ready.pop(0)

    async def into(self, out: Outlet) -> None:
        """Work to the end in the task at hand, its final messages going to `out`; a run that is stopped ends as others do."""
        self._begin(out)
        self._task = task = asyncio.current_task()
        assert task is not None
        try:
            await self._conduct()
        except asyncio.CancelledError:
            if task.cancelling() > self._is_stopped:  # somebody else means all that this task does
                raise
        finally:
            self._task = None
            if self._is_stopped:
                task.uncancel()

    async def wait(self) -> Result:
        """Work to the end, letting final messages go; return the result."""
        try:
            while True:
                await self._next_batch()
        except StopAsyncIteration:
            return self.result

    def on(self, event: str, callback: Listener) -> Self:
        """Call `callback(event, fields)` at every event of a name; `*` stands for all.

        Buffers tell `pause`, `resume`, `drain`, `overflow` and `drop`, the run `error`, `skip`, `halt`, `metrics` and `end`.
        Processors may tell others. Without a listener to `output` the run prints it. The callback runs in the middle of the
        engine: be brief.
        """
        self.state.listen(event, callback)
        return self

    def tap(self, node: str, count: int, callback: Callable[[str, Message], None]) -> Self:
        """Call `callback(node, message)` with copies of the first messages that leave a node, named by path or last name.

        Raises:
            UsageError: there is no such node.

        """
        paths = [path for path in (one.path for one in self.plan.nodes()) if node in {path, path.rpartition("/")[2]}]
        if not paths:
            raise UsageError(_no_such(node, [one.path for one in self.plan.nodes()]))
        for path in paths:
            self.state.taps[path] = Tap(count, callback)
        return self

    def snapshot(self) -> dict[str, Any]:
        """Return what was counted so far: `nodes` by path, `buffers` by name."""
        return self.state.snapshot()

    def drain(self) -> None:
        """Stop the sources and let everything on its way arrive. May be called from any thread and from signal handlers."""
        self.state.draining = True
        self._soon(self.state.drain)

    def stop(self) -> None:
        """Cancel the run; what is on its way is lost. May be called from any thread."""
        if self._task is not None:
            self._soon(self._cancel)

    @property
    def result(self) -> Result:
        """What became of the run, or of what has run so far."""
        state = self.state
        return Result(self._sent, state.letters.count, state.skipped, state.draining, state.snapshot())

    async def put_many(self, messages: list[Message]) -> None:
        """Take what leaves the last node of a transmission."""
        self._sent += len(messages)
        await self._out.put_many(messages)

    async def put_token(self, token: Token) -> None:
        """Keep tokens inside: the end of one transmission is not the end of the run."""

    @property
    def pressure(self) -> Pressure:
        """How often those who take the final messages made the run wait."""
        return self._out.pressure

    def _begin(self, out: Outlet) -> None:
        if self._loop is not None:
            raise UsageError("a run runs once; open the app again for another")
        self._loop, self._out = asyncio.get_running_loop(), out

    async def _next_batch(self) -> list[Message]:
        if self._task is None:
            raise UsageError("the run has not begun; enter it with `async with`")
        assert isinstance(self._out, Channel)
        while True:
            item = await self._out.get_many(self._out.items)
            if not isinstance(item, Token):
                return item
            await self._out.put_token(item)  # Whoever asks again is told again.
            await self._raise_failure()
            raise StopAsyncIteration

    async def _conduct(self) -> None:
        try:
            with RareCollections(), traced(self):
                await self._in_time()
        finally:
            self.state.letters.close()
            await self._out.put_token(END)
            if self.state.is_heard("end"):
                self.state.emit("end", self.result._asdict())

    async def _in_time(self) -> None:
        scope = asyncio.timeout(self.timeout)
        try:
            async with scope:
                await (told(self._work, self.plan, self.state) if self.plan.metrics or self.plan.events else self._work())
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise RunTimeout(f"the run took longer than {self.timeout:g} s") from error

    async def _work(self) -> None:
        for entry in self.plan.entries():
            if not self.state.draining:
                await Transmission(entry, self.state, self).run(self._feed)
        if self.state.failure:
            raise self.state.failure from getattr(self.state.failure, "cause", None)

    async def _feed(self, head: Outlet) -> None:
        for message in self.messages:
            if self.state.draining:
                break
            await head.put_many([message.copy()])
        await head.put_token(END)

    def _soon(self, what: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what)

    def _cancel(self) -> None:
        # A second time would interrupt the teardown that the first began.
        if self._task is not None and not self._task.cancelling():
            self._is_stopped = self._task.cancel()

    async def _raise_failure(self) -> None:
        """Raise what the run failed with, once."""
        if self._task is None:
            return
        await asyncio.wait([self._task])
        failure = None if self._task.cancelled() else self._task.exception()
        if failure is not None and not self._is_told:
            self._is_told = True
            raise failure


def _no_such(node: str, paths: list[str]) -> str:
    names = [name for path in paths for name in (path, path.rpartition("/")[2])]
    return f"no pipe has a node '{node}'{suggestion(node, names)}"
