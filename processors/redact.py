"""Keep secrets out of what is converted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from transmissions import Processor, write_whole

from .conversation import conversation_of
from .finds import KINDS, Finds, Kind
from .spool import Mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transmissions import Message

    from .conversation import ChatMessage, Conversation

_OF_CONVERSATION: Final = frozenset(("id", "leaf", "provider", "kind", "messages", "counts"))
_OF_MESSAGE: Final = frozenset(("id", "parent"))
"""What others refer to, and what is looked at by itself."""


class RedactSecrets(Processor):
    """Replace keys, passwords, addresses and the names in home paths by marks, or list them.

    Takes `conversation`, and looks at every text in it: titles, words, tool calls and their results, artifacts, attachments,
    names of files. Each secret becomes `[redacted:KIND]`, and an id that has one in it another id of its own; `redacted` of the
    message counts them by kind. While it is at work, dead letters and the log are kept clean too. A conversation that cannot
    be looked through does not go on.

    An edit can put a secret together that stands in no text by itself. So place it a second time behind the steps that make
    `files` and `records`, and it looks through these; files that are no text (they have a zero byte) stay as they are.

    ```turtle
    :redact a :RedactSecrets ; :mode "mark" ; :keep "me@example.org" .
    ```

    With `review` nothing is replaced and nothing converted: `redaction-review.ndjson` lists what was found, masked.

    Not found is what is cut in two by a line break, markup or an invisible character, what is packed, and a password in running
    text that looks like a word. Code that only speaks of secrets stays as it is.
    """

    mode: Literal["off", "mark", "review"] = "off"
    "`mark` replaces secrets, `review` lists them instead of converting anything."
    kinds: tuple[Kind, ...] = KINDS
    "What to look for; everything by default."
    keep: tuple[str, ...] = ()
    "What is no secret: texts, or regular expressions for the whole of one."
    also: tuple[str, ...] = ()
    "Regular expressions for more, such as the names of customers; their kind is `custom`."
    review_file: str = "redaction-review.ndjson"
    "Where the list goes: below the run's output folder."

    def __post_init__(self) -> None:
        """Fail early where an expression is none."""
        if self.mode != "off" or self.keep or self.also:
            from .redactor import Redactor  # 25 ms of expressions, for those who want them.

            self._redactor = Redactor(self.kinds, self.keep, self.also)
        self._lines: list[bytes] | None = None

    async def __aenter__(self) -> Self:
        if self.mode != "off":
            self.context.scrub(self._redactor.scrub)
        return self

    def process(self, message: Message) -> Message:
        """Take the secrets out of a message, or list them."""
        if self.mode == "off":
            return message
        conversation = conversation_of(message)
        if conversation is not None and self.mode == "review":
            return self._review(message, conversation)
        counts = message.get("redacted")
        if counts is None:
            counts = message["redacted"] = {}
            if conversation is not None:
                message["conversation"] = self._clean(conversation, counts)
        self._clean_files(message, counts)
        return message

    def finish(self) -> None:
        """Write the list, if one was made."""
        if self._lines is not None:
            number = len(self._lines)
            self.context.emit("summary", text=f"{number} secret{'' if number == 1 else 's'} listed in {self.review_file}")
            write_whole(self.context.output_path(self.review_file, of_run=True), b"".join(self._lines))

    def _clean(self, conversation: Conversation, counts: dict[str, int]) -> Conversation:
        """Return a conversation without its secrets."""
        finds = Finds()
        fresh = {**conversation, **self._redactor.value(_without(conversation, _OF_CONVERSATION), finds)}
        fresh["id"] = self._redactor.identifier(conversation["id"], finds)
        fresh["leaf"] = self._redactor.identifier(conversation["leaf"])
        fresh["counts"] = self._redactor.value(conversation["counts"], Finds())  # As `sources`, which name the same types.
        messages = conversation["messages"]
        if isinstance(messages, list | tuple):
            fresh["messages"] = [self._clean_message(one, finds) for one in messages]
        else:
            fresh["messages"] = CleanMessages(messages, self._clean_message, counts)
        _add(counts, finds.counts)
        return fresh

    def _clean_message(self, message: ChatMessage, finds: Finds) -> ChatMessage:
        rest = _without(message, _OF_MESSAGE)
        clean = self._redactor.value(rest, finds)
        ids = {"id": self._redactor.identifier(message["id"], finds)}
        if message.get("parent"):
            ids["parent"] = self._redactor.identifier(message["parent"])
        return message if clean is rest and ids.items() <= message.items() else {**message, **clean, **ids}

    def _clean_files(self, message: Message, counts: dict[str, int]) -> None:
        """Look through what renderers made: finished files, records, and what is said of them."""
        finds = Finds()
        redactor = self._redactor
        if "files" in message:
            paths: dict[str, Any] = {}
            for path, content in message["files"]:
                paths[_apart(redactor.name(path, finds), paths)] = redactor.content(content, finds)
            message["files"] = list(paths.items())
        if "records" in message:
            message["records"] = {name: redactor.content(data, finds) for name, data in message["records"].items()}
        if "facts" in message:
            message["facts"] = redactor.value(message["facts"], finds)
        _add(counts, finds.counts)

    def _review(self, message: Message, conversation: Conversation) -> Message:
        """List the secrets of a conversation, and leave it out."""
        self._lines = self._lines if self._lines is not None else []
        finds = Finds(listed=True)
        self._redactor.value(_without(conversation, _OF_CONVERSATION), finds)
        identifier = self._redactor.identifier(conversation["id"], finds)
        self._list(identifier, "", finds)
        counts = dict(finds.counts)
        for one in conversation["messages"]:
            finds = Finds(listed=True)
            self._redactor.value(_without(one, _OF_MESSAGE), finds)
            self._list(identifier, self._redactor.identifier(one["id"], finds), finds)
            _add(counts, finds.counts)
        del message["conversation"]
        message["account"] = {"found": conversation["counts"], "became": {"conversation": {"skipped: only reviewed": 1}}}
        message["redacted"] = counts
        return message

    def _list(self, conversation: str, message: str, finds: Finds) -> None:
        assert self._lines is not None
        for finding in finds.findings:
            line = {"conversation": conversation, "message": message, **finding._asdict()}
            self._lines.append(json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n")


class CleanMessages(Mapped):
    """The messages of a conversation too large for memory, without their secrets; going through them counts these once."""

    __slots__ = ("_clean", "_counts", "_is_counted", "_messages")

    def __init__(self, messages: Any, clean: Callable[[ChatMessage, Finds], ChatMessage], counts: dict[str, int]) -> None:
        self._messages = messages
        self._clean = clean
        self._counts = counts
        self._is_counted = False

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[ChatMessage]:
        finds = Finds()
        for message in self._messages:
            yield self._clean(message, finds)
        if not self._is_counted:
            self._is_counted = True
            _add(self._counts, finds.counts)


def _without(value: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in names}


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for kind, number in more.items():
        counts[kind] = counts.get(kind, 0) + number


def _apart(path: str, taken: dict[str, Any]) -> str:
    """Return a path no other file of the message has: two names may have become one."""
    stem, dot, extension = path.rpartition(".")
    number, free = 2, path
    while free in taken:
        free = f"{stem} {number}{dot}{extension}" if dot else f"{path} {number}"
        number += 1
    return free
