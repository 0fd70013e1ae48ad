"""Digests of messages: Hash, Dedupe, Sample."""

from __future__ import annotations

import base64
import hashlib
import random
from typing import TYPE_CHECKING, Annotated, Literal, Self

from transmissions import Processor, Range, UsageError, set_field

from .access import need, without
from .keys import canonical, digest_of
from .scopes import _Gathering
from .seen import SeenInFile, SeenInMemory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message


class Hash(Processor):
    """Write the digest of a field, or of the whole message, into the message.

    Text counts as its UTF-8 and bytes as they are; anything else, and the whole message without `outputField`, as canonical
    JSON (fields in order, no spaces), so that equal data has equal digests.

    ```turtle
    :digest a :Hash ; :inputField "content" ; :algorithm "blake2b" ; :outputField "contentHash" .
    ```
    """

    input_field: str = ""
    "Dotted path of what is hashed; the whole message if empty."
    output_field: str = "hash"
    "Dotted path the digest is written to."
    algorithm: Literal["sha256", "sha512", "sha1", "md5", "blake2b"] = "sha256"
    "Which digest; sha1 and md5 tell apart what nobody forges."
    encoding: Literal["hex", "base64"] = "hex"
    "How the digest is written."

    def process(self, message: Message) -> Message:
        """Write the digest."""
        value = need(message, self.input_field) if self.input_field else without(message, self.output_field)
        if isinstance(value, str):
            data = value.encode("utf-8", "surrogatepass")
        else:
            data = value if isinstance(value, bytes) else canonical(value)
        digest = hashlib.new(self.algorithm, data, usedforsecurity=False).digest()
        set_field(message, self.output_field, digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode())
        return message


class Dedupe(Processor):
    """Let the first message of each key pass, and drop those that repeat it.

    The key is what stands at the paths in `key`, or the whole message. 1, 1.0 and `1` are the same key. 16 bytes stand for
    each key in memory (about 150 with what Python adds), over the whole run, or as far back as `window` and `seconds` say;
    more keys than `maxKeys` are an error. With `stateFile` they are kept in a SQLite file instead, for later runs too: a run
    that fails or is killed adds nothing to it. What is dropped is counted as such.

    ```turtle
    :once a :Dedupe ; :key "customer.id", "day" ; :stateFile "seen.db" .
    ```
    """

    stateful = True

    key: tuple[str, ...] = ()
    "Dotted paths of the key; the whole message if there are none."
    window: Annotated[int, Range(ge=0)] = 0
    "How many of the latest keys are remembered; 0 for all."
    seconds: Annotated[float, Range(ge=0)] = 0
    "How long a key is remembered after its first message; 0 for ever."
    max_keys: Annotated[int, Range(ge=1)] = 1_000_000
    "How many keys memory may hold."
    state_file: str = ""
    "A SQLite file in the output folder that remembers the keys; memory if empty."

    def __post_init__(self) -> None:
        """Begin with nothing seen."""
        if self.state_file and self.window:
            raise UsageError("a Dedupe with :stateFile remembers by :seconds or for ever, not by :window")
        self._paths = sorted(self.key)  # So that the file means the same in whatever order they are written.
        self._seen: SeenInMemory | SeenInFile = SeenInMemory(self.window, self.seconds, self.max_keys)

    def foresee(self, _message: Message) -> Iterator[str]:
        """Yield, for a dry run, which file would be written."""
        if self.state_file:
            yield f"remembers keys in {self.context.output_path(self.state_file)}"

    async def __aenter__(self) -> Self:
        """Open the file, if there is one."""
        if self.state_file:
            self._seen = SeenInFile(self.context.output_path(self.state_file), self.seconds)
        return self

    def process(self, message: Message) -> Message | None:
        """Pass what is new."""
        return message if self._seen.add(digest_of(message, self._paths)) else None

    def finish(self) -> None:
        """Keep what was seen for later runs."""
        self._seen.keep()

    async def __aexit__(self, *exc: object) -> None:
        """Close the file; what was not kept is undone."""
        self._seen.close()


class Sample(_Gathering):
    """Let some of the messages pass and drop the others.

    One of three ways: `rate`, a share of all messages, drawn by chance, or with `key` by the digest of that field, so that all
    messages of one key pass or none, in every run; `every`, one message in so many; `count`, so many of a group or of the
    stream, each as likely as the other, sent at its end in their order (they are held until then).

    ```turtle
    :some a :Sample ; :rate 0.1 ; :key "userId" .
    ```
    """

    rate: Annotated[float, Range(ge=0, le=1)] | None = None
    "The share that passes."
    key: tuple[str, ...] = ()
    "Dotted paths of the field that decides, for `rate`."
    every: Annotated[int, Range(ge=1)] | None = None
    "Of so many messages the first passes."
    count: Annotated[int, Range(ge=1)] | None = None
    "How many pass."
    seed: int = 0
    "Where chance begins; another seed draws others."

    def __post_init__(self) -> None:
        """Refuse more than one way, and begin."""
        if sum(way is not None for way in (self.rate, self.every, self.count)) != 1:
            raise UsageError("a Sample needs one of :rate, :every and :count")
        if self.key and self.rate is None:
            raise UsageError("the :key of a Sample belongs to :rate")
        self._random = random.Random(self.seed)  # noqa: S311 - chance, not secrecy
        self._held: list[tuple[int, Message]] = []
        self._number = 0

    def process(self, message: Message) -> Message | None:
        """Decide on one message."""
        self._number += 1
        if self.count is not None:
            self._hold(message, self.count)
            return None
        return message if self._passes(message) else None

    def _passes(self, message: Message) -> bool:
        if self.every is not None:
            return self._number % self.every == 1 % self.every
        if not self.key:
            return self._random.random() < (self.rate or 0)
        share = int.from_bytes(digest_of(message, self.key)[:7], "big") ^ (self.seed & (1 << 56) - 1)
        return share < (self.rate or 0) * (1 << 56)

    def _hold(self, message: Message, count: int) -> None:
        """Keep a message in the place of one that was kept, with the chance that makes all equally likely."""
        place = len(self._held) if len(self._held) < count else self._random.randrange(self._number)
        if place < count:
            self._held[place : place + 1] = [(self._number, message)]

    def finish(self) -> Iterator[Message]:
        """Send what was drawn."""
        held, self._held = self._held, []
        self._number = 0
        held.sort(key=lambda one: one[0])
        yield from (message for _, message in held)
