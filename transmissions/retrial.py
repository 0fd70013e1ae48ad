"""Dead letters at work again: each enters the pipe where it failed, and everything behind that happens.

For each node that letters come from there is a pipe of its own, which begins at that node. Its letters go through one after
the other, each followed by a barrier: what is set aside until that has come out is what became of the letter. The groups that
were open in front of the node are closed behind the last letter as broken ones, for the rest of them is not here: who collects
a group is told of its end, and what collapses it gives nothing in its place.

A letter is done once its pipe has ended well, with all that its processors do at their end. Until then the file stays as it is.
"""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .deadletters import DeadLetters
from .errors import RunError
from .homes import load_class
from .letters import message_of, tried_again
from .message import END, Barrier, GroupEnd
from .near import suggestion
from .plan import NodePlan, inside, rebuilt, walk, with_processes
from .processor import Retries, Source
from .running import Run
from .transmission import Transmission

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .channel import Outlet
    from .context import Folders
    from .letters import Letter, LetterFile
    from .message import Message, Token
    from .plan import Pipe, Plan, TransmissionPlan
    from .processor import Processor
    from .state import Load

_LOG: Final = logging.getLogger(__name__)
_LETTER: Final = "letter"
"""The field of a message that has a Source try a letter again."""


class Entrance(NamedTuple):
    """A pipe that begins where some letters failed."""

    transmission: TransmissionPlan
    letters: list[Letter]

    @property
    def node(self) -> NodePlan:
        """The node they failed at."""
        return next(walk(self.transmission.pipe))

    def gathering(self) -> list[str]:
        """Return the nodes that make one message of a group, and will not: the rest of the group is not here."""
        behind = [node for node in walk(self.transmission.pipe) if node.depth <= self.node.depth]
        return [node.path for node in behind if load_class(node.implementation).collapses]


def sort_out(plan: Plan, letters: Iterable[Letter]) -> tuple[list[Entrance], list[tuple[Letter, str]]]:
    """Return where letters enter, in the order of the plan, and which stay, each with the reason."""
    plan = with_processes(plan, 1)
    entrances = {node.path: Entrance(one._replace(pipe=pipe), []) for one in plan.entries() for node, pipe in _tails(one.pipe)}
    left: list[tuple[Letter, str]] = []
    for letter in letters:
        if letter.is_blank:
            continue
        fault = letter.fault or _fault_of(letter, plan, entrances)
        if fault:
            left.append((letter, fault))
        else:
            entrances[letter.node].letters.append(letter)
    return [entrance for entrance in entrances.values() if entrance.letters], left


def _fault_of(letter: Letter, plan: Plan, entrances: dict[str, Entrance]) -> str:
    paths = [node.path for node in plan.nodes()]
    if letter.node not in paths:
        return f"no pipe has a node '{letter.node}'{suggestion(letter.node, paths)}"
    if letter.node not in entrances:
        return f"'{letter.node}' stands in a transmission that others call; what came of it would reach nobody"
    kind = load_class(entrances[letter.node].node.implementation)
    if letter.was_rejected and not (issubclass(kind, Source) and hasattr(kind, "retry")):
        return f"{kind.__name__} set it aside by itself, and has no way to try it again"
    return ""


def _tails(pipe: Pipe) -> Iterator[tuple[NodePlan, Pipe]]:
    """Yield every node of a pipe with the pipe that begins at it; a branch goes on behind the place where it joins."""
    for number, step in enumerate(pipe):
        behind = pipe[number + 1 :]
        if isinstance(step, NodePlan):
            yield step, (step, *behind)
        for one in inside(step):
            for node, tail in _tails(one):
                yield node, (*tail, *behind)


class Retrial(Run):
    """A run whose messages are dead letters."""

    def __init__(self, plan: Plan, entrances: list[Entrance], file: LetterFile, folders: Folders, load: Load) -> None:
        called = tuple(one for one in with_processes(plan, 1).transmissions if not one.entry)
        tails = tuple(one.transmission._replace(pipe=_forgiving(one.transmission.pipe)) for one in entrances)
        super().__init__(plan._replace(transmissions=(*tails, *called)), [], folders, file.path, partial(_load, load))
        self.outcomes: dict[int, list[bytes]] = {}
        """By the line of each letter that was tried: the lines that take its place, none if it is done."""
        self._file = file
        self._letters = [one.letters for one in entrances]
        self._aside = _Aside(file)
        self.state.letters = self._aside
        self._tried: dict[int, list[bytes]] = {}
        self._number = 0
        self._passed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many letters there are to try."""
        return sum(map(len, self._letters))

    async def put_token(self, token: Token) -> None:
        """Notice that a letter has gone its way."""
        if isinstance(token, Barrier) and token.number == self._number:
            self._passed.set()

    async def _work(self) -> None:
        for entry, letters in zip(self.plan.entries(), self._letters, strict=True):
            if self.state.draining:
                return
            self._tried = {}
            await Transmission(entry, self.state, self).run(partial(self._feed_letters, entry, letters))
            late = self._aside.take()
            for number, lines in self._tried.items():
                self.outcomes[number] = [self._failed_at_the_end(number, late[0])] if late else lines

    async def _feed_letters(self, entry: TransmissionPlan, letters: list[Letter], head: Outlet) -> None:
        node = next(walk(entry.pipe))
        is_stopped = self._has_sources(entry)  # A drain may have stopped one of them in the middle of a letter.
        for letter in letters:
            if self.state.draining:
                break
            said = self._file.read(letter)
            if said.get("without"):
                _LOG.warning(
                    "line %d is tried again without %s, which is no data", letter.number, " and ".join(said["without"])
                )
            await self._send(_input_of(said, rejected=letter.was_rejected), head)
            failures = self._aside.take()
            if not (self.state.draining and is_stopped):
                self._tried[letter.number] = [_again(said, failure) for failure in failures]
        for depth in range(node.depth, 0, -1):
            await head.put_token(GroupEnd(depth, {}, is_broken=True))
        await head.put_token(END)

    def _has_sources(self, entry: TransmissionPlan) -> bool:
        called = (one for one in self.plan.transmissions if not one.entry)
        steps = (node for one in (entry, *called) for node in walk(one.pipe))
        return any(issubclass(load_class(node.implementation), Source) for node in steps)

    async def _send(self, message: Message, head: Outlet) -> None:
        """Send a message in, and wait until all that came of it is through."""
        self._number += 1
        self._passed.clear()
        await head.put_many([message])
        await head.put_token(Barrier(self._number))
        await self._passed.wait()

    def _failed_at_the_end(self, number: int, failure: dict[str, Any]) -> bytes:
        """Return a letter whose message went through, only for the pipe to fail at its end."""
        letter = next(one for letters in self._letters for one in letters if one.number == number)
        return tried_again(
            self._file.read(letter), {"error": f"{failure['node']}: {failure['error']}", "type": failure["type"]}
        )


class _Aside(DeadLetters):
    """Keeps what fails again, one letter's at a time."""

    def __init__(self, file: LetterFile) -> None:
        super().__init__(file.path)
        self._lines: list[bytes] = []

    def _append(self, line: bytes) -> None:
        self._lines.append(line)

    def take(self) -> list[dict[str, Any]]:
        """Return the letters since the last time."""
        lines, self._lines = self._lines, []
        return [json.loads(line) for line in lines]


def _input_of(said: dict[str, Any], *, rejected: bool) -> Message:
    if rejected:
        return {_LETTER: said}
    message = message_of(said)
    return message if isinstance(message, dict) else {"message": message}


def _again(said: dict[str, Any], failure: dict[str, Any]) -> bytes:
    """Return the line of a letter that failed again; where its Source gave up on all of it, the letter as it was."""
    message = failure["message"]
    if isinstance(message, dict) and message.keys() == {_LETTER}:
        return tried_again(said, {"error": failure["error"], "type": failure["type"]})
    return tried_again(failure, {}) if "tries" not in said else tried_again({**failure, "tries": said["tries"]}, {})


def _forgiving(pipe: Pipe) -> Pipe:
    """Return a pipe in which every node sets aside what fails: one letter does not keep the others from being tried."""
    return rebuilt(pipe, lambda step: step._replace(on_error="deadLetter") if isinstance(step, NodePlan) else step)


def _load(load: Load, node: NodePlan) -> Processor:
    """Make a processor; a Source that retries also takes letters."""
    processor = load(node)
    if isinstance(processor, Source) and isinstance(processor, Retries):
        processor.__dict__["produce"] = partial(_produce, processor.produce, processor)
    return processor


def _produce(produce: Any, source: Retries, message: Message) -> Any:
    if message.keys() != {_LETTER}:
        return produce(message)
    made = source.retry(message[_LETTER])
    if made is None:
        raise RunError(f"{type(source).__name__}.retry gave nothing to go through; it yields messages")
    return made
