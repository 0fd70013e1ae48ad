"""The turns of a conversation, for those who train or retrieve: what one says in a row, with what is made in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .artifacts import Bench, Made, Shelf, fence_language
from .prose import fence
from .spoken import attached, on_path, said_in
from .spool import Spool

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from .conversation import Block, ChatMessage, Conversation


class Turn(NamedTuple):
    """What one says in a row."""

    role: str
    text: str
    messages: list[dict[str, Any]]
    """Id and time of each message that it was said in."""


class _Step(NamedTuple):
    """An artifact behind an edit, and which edit of the conversation that is."""

    made: Made
    number: int


_Piece = str | _Step


def turns(conversation: Conversation, *, roles: Container[str] = (), at_end: bool = False) -> Iterator[Turn]:
    """Yield the turns on the way a conversation went, of these roles if some are named; what tools give is none.

    An artifact stands in each turn that made or changed it, as it is at the end of that turn; `at_end` only in the last one.
    """
    last = _last_steps(conversation) if at_end else None
    role = ""
    told: list[_Piece] = []
    messages: list[dict[str, Any]] = []
    for message, pieces in _told(conversation):
        kept = [piece for piece in pieces if last is None or isinstance(piece, str) or last[piece.made.path] == piece.number]
        if not kept or (roles and message["role"] not in roles):
            continue
        if message["role"] != role and messages:
            yield Turn(role, _joined(told), messages)
            told, messages = [], []
        role = message["role"]
        told += kept
        messages.append({"id": message["id"], "created": message["created"]})
    if messages:
        yield Turn(role, _joined(told), messages)


def _told(conversation: Conversation) -> Iterator[tuple[ChatMessage, list[_Piece]]]:
    """Yield each message that says something, with what it says."""
    making = _Making(conversation["messages"].__class__ is not list)
    for message in on_path(conversation):
        pieces: list[_Piece] = [piece for block in message["blocks"] if (piece := making.piece(block))]
        pieces += attached(message)
        if message["role"] != "tool" and any(not isinstance(piece, str) or piece.strip() for piece in pieces):
            yield message, pieces


class _Making:
    """The artifacts of a conversation while it goes on."""

    def __init__(self, is_large: bool) -> None:
        self._shelf = Shelf(lambda _: (str(len(self._shelf.made)), ""), Spool() if is_large else None)
        self._bench = Bench(self._shelf)
        self._number = 0

    def piece(self, block: Block) -> _Piece:
        """Return what a block says; of an edit, what it edits."""
        artifact = block.get("artifact")
        if not artifact:
            return said_in(block)
        misfits = self._shelf.misfits
        failed = bool((block.get("result") or {}).get("failed"))
        made = self._bench.apply(artifact, failed)
        if made is None or failed or artifact["command"] == "view" or self._shelf.misfits > misfits:
            return said_in(block)
        self._number += 1
        return _Step(made, self._number)


def _last_steps(conversation: Conversation) -> dict[str, int]:
    """Return the last edit of each artifact."""
    return {step.made.path: step.number for _, pieces in _told(conversation) for step in pieces if isinstance(step, _Step)}


def _joined(pieces: list[_Piece]) -> str:
    """Return what was said, with each artifact where it was edited last."""
    last = {piece.made.path: piece.number for piece in pieces if isinstance(piece, _Step)}
    return "\n\n".join(
        piece if isinstance(piece, str) else fence(piece.made.body, fence_language(piece.made))
        for piece in pieces
        if isinstance(piece, str) or last[piece.made.path] == piece.number
    )
