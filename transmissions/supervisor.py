"""What becomes of a message whose processing failed: tried again, then the run stops, or it is passed over or set aside."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from .errors import NodeFailed, RunError, describe
from .settings import Range, Record, Unit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from .counts import Counts
    from .plan import NodePlan
    from .state import RunState

FAILED: Final = object()
"""The outcome of a message that failed for good and is dealt with."""

FAULTS: Final = (BaseException,)
"""What a processor may raise that is a failure like any other, unless `is_cancelled`: `sys.exit` in one must not end the run as
if all were well, and what a library written in Rust raises where it panics is no `Exception`."""
INTERRUPTS: Final = (KeyboardInterrupt, GeneratorExit)
"""What ends the program or the task, whoever is at work: nobody's failure."""


def is_cancelled(error: BaseException) -> bool:
    """Whether an error is the end of the task at work, and not one that came out of a processor's own doings."""
    if isinstance(error, INTERRUPTS):
        return True
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


class Raised(NamedTuple):
    """What a call raised, as a value."""

    error: BaseException


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a processor; return what it returns, or what it raised."""
    try:
        return function(*arguments)
    except INTERRUPTS:
        raise
    except FAULTS as error:
        return Raised(error)


async def attempt_async(work: Awaitable[Any]) -> Any:
    """Wait for work of a processor; return its result, or what it raised."""
    try:
        return await work
    except FAULTS as error:
        if is_cancelled(error):
            raise
        return Raised(error)


class Retry(Record):
    """How often, and how long after a failure, a message is tried again.

    A processor that may be tried again must leave the message as it got it when it raises.
    """

    attempts: Annotated[int, Range(ge=1)] = 3
    "How often it is tried again."
    delay: Annotated[float, Range(ge=0), Unit("ms")] = 100
    "How long to wait before the first new attempt."
    backoff: Annotated[float, Range(ge=1)] = 2.0
    "What the wait is multiplied by each time."
    max_delay: Annotated[float, Range(ge=0), Unit("ms")] = 10_000
    "The longest wait."
    jitter: Annotated[float, Range(ge=0, le=1)] = 0.1
    "The share of a wait that is left to chance, so that not all try again at once."

    def wait_before(self, attempt: int, asked: float = 0.0) -> float:
        """Return the seconds to wait before an attempt; the first new one is 0. `asked` is how many a server asks for."""
        try:
            wait = min(self.delay * self.backoff**attempt, self.max_delay)
        except OverflowError:  # Whoever tries for ever gets there.
            wait = self.max_delay
        import random  # A start that has nothing to try again does without.

        share = 1 + self.jitter * random.uniform(-1, 1)  # noqa: S311 - no secret hangs on it
        return max(wait * share / 1000, min(asked, self.max_delay / 1000))


async def together(works: Iterable[tuple[str, Callable[[], Awaitable[None]]]]) -> None:
    """Have named works done side by side, as a TaskGroup does, which has one that is cancelled all by itself pass for done.

    Whatever waits for it would wait for ever. That may be a processor's doing: an `asyncio.timeout` that stays open over a
    `yield` cancels the task that happens to be at work then.
    """
    own, is_over = asyncio.current_task(), False

    async def part(name: str, work: Callable[[], Awaitable[None]]) -> None:
        nonlocal is_over
        try:
            await work()
        except BaseException as error:
            is_stray = isinstance(error, asyncio.CancelledError) and not (is_over or (own and own.cancelling()))
            is_over = True
            if not is_stray:
                raise
            raise RunError(f"{name}: cancelled from within; nothing that cancels may stay open over a `yield`") from error

    async with asyncio.TaskGroup() as tasks:
        for name, work in works:
            tasks.create_task(part(name, work))


class Supervisor:
    """The failure policy of one node."""

    def __init__(self, plan: NodePlan, state: RunState, counts: Counts) -> None:
        self.plan = plan
        self.retry = Retry.from_plan(plan.retry) if plan.retry is not None else None
        self._state = state
        self._counts = counts

    async def recover(self, message: Any, error: BaseException, again: Callable[[Any], Any] | None) -> Any:
        """Return the result of a new attempt, or FAILED once the policy has dealt with the message.

        `again` processes the message once more; None where that would repeat what has already gone on.

        Raises:
            NodeFailed: the policy is to stop.

        """
        if is_cancelled(error):
            raise error
        if self.retry is not None and again is not None:
            for number in range(self.retry.attempts):
                await asyncio.sleep(self.retry.wait_before(number, getattr(error, "retry_after", 0.0)))
                self._counts.retried += 1
                result = attempt(again, message)
                if inspect.isawaitable(result):
                    result = await attempt_async(result)
                if not isinstance(result, Raised):
                    return result
                error = result.error
        self.give_up(message, error)
        return FAILED

    def give_up(self, message: Any, error: BaseException) -> None:
        """Do what the policy says with a message that failed for good."""
        plan = self.plan
        self._counts.failed += 1
        self._state.passed_up += isinstance(error, NodeFailed) and error.node in self._state.counts
        self._state.emit("error", {"node": plan.path, "error": describe(error), "policy": plan.on_error})
        if plan.on_error == "skip":
            self._state.skip(plan.path, describe(error), {})
        elif plan.on_error == "deadLetter":
            self._state.reject(plan.path, message, error, {})
        else:
            cause = self._state.cleaned(error)
            failure = NodeFailed(plan.path, plan.where, message, cause)
            if not getattr(error, "is_late", False):
                raise failure from cause
            self._state.fail_at_the_end(failure)
