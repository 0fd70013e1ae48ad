"""Two kinds of messages brought together by key: Join."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import Range, RunError, UsageError, compare, get_field, set_field

from .access import need
from .external_sort import Sorter, text_key
from .keys import key_of
from .lines import Bytes  # noqa: TC001 - a setting's type
from .scopes import _Gathering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

_RIGHT: Final = b"\0"
_LEFT: Final = b"\1"
_NULL: Final = b"\2"
"""What a key with null in it begins with: it equals none, its own kind neither."""


class Join(_Gathering):
    """Join two kinds of messages in one stream by key, once the stream has ended, or with `scope` the group they stand in.

    `sideField` tells the kinds apart, for example one that the branches of a `:FanOut` set. A left message goes out once for
    each right one of the same key, which stands in `targetField` (without one, its fields stand beside the left one's, which
    win). `left` also sends left messages that match none, with null in that field; `outer` also the right ones that match none,
    in that field, with the key at the left one's paths. 1, 1.0 and `1` are the same key; null equals nothing. The results are
    in order of their keys.

    Both kinds are held, in a temporary file beyond `memory`, and the right ones of a single key in memory. How many matched
    none is logged, and told to subscribers of `unmatched` with `left` and `right`. Where one side is a table, Lookup needs no
    end to wait for.

    ```turtle
    :both a :Join ; :sideField "from" ; :left "orders" ; :right "customers" ; :key "customerId" ; :rightKey "id" ;
        :kind "left" ; :targetField "customer" .
    ```
    """

    placement = "thread"

    side_field: str
    "Dotted path of the field that tells the kinds apart."
    left: str
    "Its value in left messages."
    right: str
    "Its value in right messages."
    key: tuple[str, ...]
    "Dotted paths of the key in left messages."
    right_key: tuple[str, ...] = ()
    "Dotted paths of the key in right messages, in the same order; those of `key` if there are none."
    kind: Literal["inner", "left", "outer"] = "inner"
    "What becomes of messages that match none."
    target_field: str = "match"
    "Dotted path the right message is written to; if empty, the fields are merged."
    scope: Literal["group", "stream"] = "stream"
    "What must have ended. Each source in a branch makes a group of its own, so what two of them read meets in the stream only."
    max_matches: Annotated[int, Range(ge=1)] = 100_000
    "How many right messages of one key there may be."
    memory: Bytes = 67108864
    "How much is held before it goes to a file."

    def __post_init__(self) -> None:
        """Refuse what cannot be, and begin empty."""
        self._right_key = self.right_key or self.key
        if not self.key or len(self._right_key) != len(self.key):
            raise UsageError("a Join needs :key, and as many paths in :rightKey")
        self._sorter = Sorter(self.memory)
        self._unmatched = {"left": 0, "right": 0}

    def process(self, message: Message) -> None:
        """Keep the message."""
        side = get_field(message, self.side_field)
        if compare("equals", side, self.left):
            self._sorter.add(_sorted_by(key_of(message, self.key)) + _LEFT, message)
        elif compare("equals", side, self.right):
            self._sorter.add(_sorted_by(key_of(message, self._right_key)) + _RIGHT, message)
        else:
            raise RunError(f"the field '{self.side_field}' is neither '{self.left}' nor '{self.right}' but {side!r}")

    def finish(self) -> Iterator[Message]:
        """Join what is held."""
        self._unmatched = {"left": 0, "right": 0}
        key, is_matched = b"", False
        rights: list[Message] = []
        for place, message in self._sorter.take():  # Right messages of a key come before the left ones.
            if place[:-1] != key or key.startswith(_NULL):
                yield from () if is_matched else self._lonely_rights(rights)
                key, rights, is_matched = place[:-1], [], False
            if place.endswith(_RIGHT):
                rights.append(message)
                self._check(rights)
            elif rights:
                is_matched = True
                yield from (self._joined(message, right) for right in rights)
            else:
                yield from self._lonely_left(message)
        yield from () if is_matched else self._lonely_rights(rights)
        self._tell()

    def _check(self, rights: list[Message]) -> None:
        if len(rights) > self.max_matches:
            told = ", ".join(f"{path} {need(rights[0], path)!r}" for path in self._right_key)
            raise RunError(f"more than {self.max_matches} right messages have {told} (:maxMatches)")

    def _joined(self, left: Message, right: Message) -> Message:
        if not self.target_field:
            return {**right, **left}
        joined = left.copy()
        set_field(joined, self.target_field, right)
        return joined

    def _lonely_left(self, left: Message) -> Iterator[Message]:
        self._unmatched["left"] += 1
        if self.kind != "inner":
            if self.target_field:
                set_field(left, self.target_field, None)
            yield left

    def _lonely_rights(self, rights: list[Message]) -> Iterator[Message]:
        self._unmatched["right"] += len(rights)
        for right in rights if self.kind == "outer" else ():
            alone: Message = {} if self.target_field else right.copy()
            for path, right_path in zip(self.key, self._right_key, strict=True):
                set_field(alone, path, need(right, right_path))
            if self.target_field:
                set_field(alone, self.target_field, right)
            yield alone

    def _tell(self) -> None:
        counts: dict[str, Any] = self._unmatched
        self.context.emit("unmatched", **counts)
        if any(counts.values()):
            self.context.log.info("%s: %d left and %d right messages match none", self.context.node, *counts.values())

    async def __aexit__(self, *exc: object) -> None:
        """Let go of the temporary file."""
        self._sorter.close()


def _sorted_by(key: tuple[str | None, ...]) -> bytes:
    texts = [text_key(part) for part in key if part is not None]
    return (_NULL if len(texts) < len(key) else b"\1") + b"".join(texts)
