"""One request of the API at work: a run of its own, what is collected of it, and what is said of its failure."""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import engine
from .accepted import Unaccepted
from .api_replies import Refusal
from .delivery.ending import PATIENCE
from .errors import NodeFailed, RunError, RunTimeout, TransmissionsError, UsageError, describe
from .json_text import as_json
from .logs import Redaction, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .homes import App
    from .message import Message
    from .plan import Plan
    from .running import Result, Run

_CLEAN: ContextVar[Callable[[str], str]] = ContextVar("clean", default=str)


class Limits(NamedTuple):
    """What a request may take."""

    concurrent: int = 64
    """Requests at work at once."""
    timeout: float = 60.0
    """Seconds."""
    body: int = 1 << 20
    """Bytes of a request."""
    answer: int = 16 << 20
    """Bytes of the messages and the printed text of an answer."""


class Served(NamedTuple):
    """An app that can be called."""

    name: str
    app: App
    plan: Plan
    target: Path | None
    output: Path
    """Holds a folder for the outputs of each request, or those of all of them if they stand in line."""
    line: asyncio.Lock | None = None
    """What the requests stand in line for, if they share the output folder."""


class Collected:
    """The final messages of a run and the text it printed, up to a limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = most
        self._messages: list[bytes] = []
        self._printed: list[str] = []
        self._is_cut = False

    def take(self, message: Message) -> None:
        """Keep a final message.

        Raises:
            RunError: the answer is too large, or JSON has no words for the message.

        """
        text = as_json(message)
        self._room -= len(text)
        if self._room < 0:
            raise RunError(f"the answer is larger than {self._most} bytes")
        self._messages.append(text)

    def hear(self, _: str, fields: dict[str, Any]) -> None:
        """Keep printed text as long as there is room."""
        text = str(fields["text"])
        self._is_cut = self._is_cut or len(text) > self._room
        if not self._is_cut:
            self._room -= len(text)
            self._printed.append(text)

    def answer(self, request_id: str, result: Result) -> bytes:
        """Return the answer as JSON: `data` is the first message or null, `rest` are the others."""
        first, *rest = self._messages or [b"null"]
        parts = [b'"success": true', b'"requestId": ' + as_json(request_id), b'"data": ' + first]
        if rest:
            parts.append(b'"rest": [' + b", ".join(rest) + b"]")
        if self._printed or self._is_cut:
            parts.append(b'"output": ' + as_json("".join(self._printed) + ("…" if self._is_cut else "")))
        if result.exit_code:
            parts.append(b'"warnings": ' + as_json({"dead": result.dead, "skipped": result.skipped}))
        return b"{" + b", ".join(parts) + b"}\n"


AtWork = set["Run"]


async def answer(served: Served, message: Message, request_id: str, limits: Limits, at_work: AtWork) -> bytes:
    """Run an app on a message and return the answer. What is still `at_work` behind it could not be stopped.

    Raises:
        Refusal: the run could not begin, failed or took too long.

    """
    collected = Collected(limits.answer)
    folder = served.output if served.line else served.output / request_id
    try:
        result = await _run(served, message, folder, limits, collected, at_work)
        return collected.answer(request_id, result)
    except TransmissionsError as error:
        raise _refusal(error, served, folder) from error


async def _run(served: Served, message: Message, folder: Path, limits: Limits, collected: Collected, at_work: AtWork) -> Result:
    with contextlib.ExitStack() as after:
        if served.line:
            await _turn(served.line, limits.timeout)
            after.callback(served.line.release)
        opened = engine.open(
            served.plan,
            message=message,
            target=served.target,
            output=folder,
            timeout=limits.timeout,
            own_output=not served.line,
        )
        opened.on("output", collected.hear)
        _CLEAN.set(opened.state.clean)  # The tasks of the run inherit it.
        at_work.add(opened)
        after.callback(at_work.discard, opened)
        work = asyncio.create_task(_collect(opened, collected))
        work.add_done_callback(partial(_over, after.pop_all()))
    return await _in_time(work, limits.timeout)


async def _turn(line: asyncio.Lock, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await line.acquire()
    except TimeoutError as error:
        raise Refusal(503, "the runs before this one took too long", {"Retry-After": "1"}) from error


async def _collect(opened: Run, collected: Collected) -> Result:
    async with opened:
        async for one in opened:
            collected.take(one)
    return opened.result


def _over(after: contextlib.ExitStack, work: asyncio.Task[Result]) -> None:
    after.close()
    if not work.cancelled():
        work.exception()  # Nobody may wait for it any more, and the loop would tell of it.


async def _in_time(work: asyncio.Task[Result], seconds: float) -> Result:
    """Return what a run comes to, which ends by itself when its time is over, unless it cannot be stopped.

    Raises:
        RunTimeout: it did not end.

    """
    try:
        await asyncio.wait({work}, timeout=seconds + PATIENCE)
    except asyncio.CancelledError:
        work.cancel()
        await asyncio.wait({work}, timeout=PATIENCE)
        raise
    if not work.done():
        raise RunTimeout(f"the run took longer than {seconds:g} s, and does not end")
    return work.result()


def clean(text: str) -> str:
    """Return a text of the log as the run it comes from wants it told."""
    return _CLEAN.get()(text)


def _refusal(error: TransmissionsError, served: Served, folder: Path) -> Refusal:
    """Say what went wrong in a sentence without folders of this machine or secrets, and at which node."""
    cause = error.cause if isinstance(error, NodeFailed) else error
    sentence = Cleaner(served, folder)(describe(cause))
    if isinstance(error, NodeFailed):
        return Refusal(400 if isinstance(cause, Unaccepted) else 500, sentence, node=error.node)
    status = 504 if isinstance(error, RunTimeout) else 400 if isinstance(error, UsageError) else 500
    return Refusal(status, sentence)


class Cleaner:
    """Takes secrets of an app and folders of this machine out of texts; `folder` is that of the outputs."""

    __slots__ = ("_folder", "_redaction", "_served")

    def __init__(self, served: Served, folder: Path) -> None:
        self._served = served
        self._folder = folder
        self._redaction: Redaction | None = None  # most runs never have a text for it

    def __call__(self, text: str) -> str:
        """Return a text without them."""
        self._redaction = self._redaction or _redaction(self._served, self._folder)
        return self._redaction.mask(text)


def _redaction(served: Served, folder: Path) -> Redaction:
    target = [(str(served.target), "target")] if served.target else []
    places = [
        (str(folder), "output"),
        *target,
        (served.plan.folder, served.name),
        (str(Path.cwd()), "."),
        (str(Path.home()), "~"),
    ]
    redaction = Redaction(secrets_of(served.plan))
    redaction.clean = partial(_without, [(place, word) for place, word in places if len(place) > 1])
    return redaction


def _without(places: list[tuple[str, str]], text: str) -> str:
    for place, word in places:
        text = text.replace(place, word)
    return text
