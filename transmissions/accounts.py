"""What steps do beside their results, kept by the process they run in, and done by the one that holds the run.

An account goes with the results of a batch: events, dead letters, log records, a halt, taps, in their order, and what was
counted. So a batch whose process is lost has left no trace, and can be worked on again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .deadletters import DeadLetters
from .errors import NodeFailed, RunError, describe, origin_of
from .state import RunState, Tap
from .supervisor import Raised, attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from .context import Folders
    from .plan import Plan
    from .state import Load

_LOGGER = "transmissions"


class Account(NamedTuple):
    """What is to be done for a batch. Plain data, as far as what the steps said is."""

    told: list[tuple[Any, ...]]
    counts: dict[str, list[Any]]
    skipped: int


class WorkerState(RunState):
    """The state of a run, in a process that works for it: everything is noted down."""

    def __init__(self, plan: Plan, folders: Folders, load: Load, taps: dict[str, int]) -> None:
        self.told: list[tuple[Any, ...]] = []
        super().__init__(plan, folders, _Letters(self.told), load)
        self.listen("*", lambda event, fields: self.told.append(("event", event, fields)))
        for node, left in taps.items():
            self.taps[node] = Tap(left, lambda node, message: self.told.append(("tap", node, message)))

    def drain(self) -> None:
        """Note that the run is to end."""
        self.told.append(("drain",))

    def show(self, node: str, text: str) -> None:
        """Note what is to be printed."""
        self.told.append(("show", node, text))

    def take(self) -> Account:
        """Return what came up since the last time."""
        told, skipped = self.told[:], self.skipped
        del self.told[: len(told)]
        self.skipped = 0
        taken = {path: counts.take() for path, counts in self.counts.items()}
        return Account(told, {path: counts for path, counts in taken.items() if counts}, skipped)

    def log_to(self, level: int) -> None:
        """Note what is logged from now on."""
        log = logging.getLogger(_LOGGER)
        log.handlers[:] = [_Notes(self.told, self.clean)]
        log.setLevel(level)
        log.propagate = False


class _Letters(DeadLetters):
    def __init__(self, told: list[tuple[Any, ...]]) -> None:
        super().__init__(Path())
        self._told = told

    def _append(self, line: bytes) -> None:
        self._told.append(("letter", line))


class _Notes(logging.Handler):
    def __init__(self, told: list[tuple[Any, ...]], clean: Callable[[str], str]) -> None:
        super().__init__()
        self._told = told
        self._clean = clean

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)).rstrip() if record.exc_info else None
        told = {"msg": self._clean(record.getMessage()), "exc_text": trace and self._clean(trace)}
        self._told.append(("log", {**record.__dict__, **told, "args": None, "exc_info": None}))


def settle(account: Account, state: RunState) -> None:
    """Do in the run what an account says.

    Raises:
        RunError: a listener failed, or a dead letter cannot be written.

    """
    for path, counts in account.counts.items():
        state.counts[path].add(counts)
    state.skipped += account.skipped
    for kind, *words in account.told:
        _KINDS[kind](state, *words)


def _log(_state: RunState, words: dict[str, Any]) -> None:
    record = logging.makeLogRecord(words)
    logging.getLogger(record.name).handle(record)


def _tap(state: RunState, node: str, message: Any) -> None:
    if node in state.taps:
        state.taps[node].show(node, [message])


_KINDS: Final[dict[str, Callable[..., None]]] = {
    "event": RunState.emit,
    "show": RunState.show,
    "drain": RunState.drain,
    "letter": lambda state, line: state.letters.append(json.loads(line)["node"], line),
    "log": _log,
    "tap": _tap,
}


class Fault(NamedTuple):
    """An error that is to be raised in another process."""

    error: bytes
    """The error, or for a node that failed its cause, pickled; empty if that cannot be."""
    text: str
    exit_code: int
    trace: str
    """Where it was raised, as Python shows it."""
    origin: tuple[str, int | None, str] | None
    """File, line and function."""
    node: tuple[Any, ...] | None
    """Path, place and message of the node that failed."""


def fault_of(error: BaseException) -> Fault:
    """Return an error in a form that can travel."""
    cause = error.cause if isinstance(error, NodeFailed) else error
    packed = attempt(_packed, cause)
    return Fault(
        b"" if isinstance(packed, Raised) else packed,
        describe(cause),
        getattr(error, "exit_code", 1),
        "".join(traceback.format_exception(cause)),
        origin_of(cause),
        (error.node, error.where, _shown(error.message)) if isinstance(error, NodeFailed) else None,
    )


def error_of(fault: Fault, state: RunState) -> BaseException:
    """Return the error that came from another process, as it may be told in this run."""
    unpacked = attempt(pickle.loads, fault.error) if fault.error else None
    cause = state.cleaned(unpacked if isinstance(unpacked, BaseException) else _likeness(fault))
    cause.add_note(f"in a process of its own:\n{state.clean(fault.trace.rstrip())}")
    cause.__dict__["origin"] = fault.origin
    if fault.node is None:
        return cause
    node, where, message = fault.node
    failed = NodeFailed(node, where, message, cause)
    failed.__cause__ = cause
    return failed


def _packed(error: BaseException) -> bytes:
    data = pickle.dumps(error)
    again = pickle.loads(data)  # noqa: S301 - written one line above; errors are often made with other arguments than they keep
    same = type(again) is type(error) and describe(again) == describe(error)
    return data if same and not isinstance(error, asyncio.CancelledError) else b""


def _likeness(fault: Fault) -> RunError:
    error = RunError(fault.text)
    error.exit_code = fault.exit_code
    return error


def _shown(message: Any) -> Any:
    packed = attempt(pickle.dumps, message)
    return repr(message) if isinstance(packed, Raised) else message
