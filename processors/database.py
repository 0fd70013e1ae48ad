"""Conversations in a SQLite database with full-text search: ConversationDatabase."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from transmissions import Pattern, Processor

from .conversation import conversation_of, title_of
from .places import page_of
from .records import one_line, replace_surrogates
from .search_database import Entry, Line, SearchDatabase
from .spoken import searched, searched_beside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transmissions import Message

    from .conversation import ChatMessage, Conversation

_TOGETHER: Final = 64
"""Texts of which a digest is made at once: each time the thread that writes may take its turn, which costs as much as eight."""


class ConversationDatabase(Processor):
    """Keep conversations in a SQLite database that can be searched for words.

    Takes `conversation`, `key` and `place`, and changes nothing. The database has tables `conversation` and `message`, a
    contentless FTS5 table `message_text` (an index of words, without the texts), and a view `hit` that joins them:

    ```sql
    SELECT title, page FROM hit WHERE words MATCH 'stream AND buffer' ORDER BY rank LIMIT 10
    ```

    A message at position 0 stands for the conversation itself: its title and summary. Writing is done by a thread of its own,
    in one transaction for the run; conversations that have not changed are not touched, those that did not come stay.

    ```turtle
    :database a :ConversationDatabase ; :file "archive.db" .
    ```

    Words of a conversation's older version stay in the index, where no message has them; to be rid of them too, delete the file
    and convert again.
    """

    stateful = True

    file: str = "archive.db"
    "The database: below the run's output folder."
    index: Literal["messages", "none"] = "messages"
    "What can be searched for: the words of messages, or nothing."
    thinking: bool = False
    "Whether thoughts, tool calls and their results are searched too."
    tokenizer: Annotated[str, Pattern("[a-z0-9_ ]+")] = "unicode61"
    "How FTS5 takes text apart: `unicode61`, `porter unicode61` for English word stems, `trigram` for parts of words."

    def __post_init__(self) -> None:
        """Begin with nothing open."""
        self._database: SearchDatabase | None = None

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, which database would be brought up to date."""
        yield f"brings {self.context.output_path(self.file)} up to date"

    async def __aenter__(self) -> Self:
        tokenizer = self.tokenizer if self.index == "messages" else ""
        self._database = SearchDatabase(self.context.output_path(self.file), tokenizer).start()
        return self

    async def process(self, message: Message) -> Message:
        """Have the message's `conversation` written."""
        conversation = conversation_of(message)
        if self._database and conversation is not None:
            key = message.get("key") or f"{conversation['provider']}:{conversation['id']}"
            await self._add(self._database, conversation, key, page_of(message))
        return message

    async def _add(self, database: SearchDatabase, conversation: Conversation, key: str, page: str) -> None:
        one = conversation
        row = (one_line(key), one["provider"], one["id"], title_of(one), one["created"], one["updated"], one["url"], page)
        texts = tuple(map(clean, row))
        lines: Iterable[Line] = self._lines(conversation)
        if conversation["messages"].__class__ is list:
            lines = list(lines)
        # What is too large for memory is gone through twice, because only at its end is it known whether it has changed.
        entry = Entry._make((*texts, _digest(texts, lines)))
        await database.add(entry, lines if isinstance(lines, list) else self._lines(conversation))

    def _lines(self, conversation: Conversation) -> Iterator[Line]:
        """Yield what the database says of a conversation and its messages."""
        summary = "\n".join(filter(None, searched_beside(conversation)))
        yield Line(0, "", "conversation", clean(conversation["created"]), clean(conversation["title"]), _encode(summary))
        for position, message in enumerate(conversation["messages"], 1):
            text = self._text(message) if self.index == "messages" else b""
            yield Line(position, clean(message["id"]), clean(message["role"]), clean(message["created"]), "", text)

    def _text(self, message: ChatMessage) -> bytes:
        return _encode("\n".join(filter(None, searched(message, thoughts=self.thinking, calls=self.thinking))))

    def finish(self) -> None:
        """Wait until all is written."""
        if self._database:
            self._database.complete()

    async def __aexit__(self, *exc: object) -> None:
        if self._database:
            self._database.abandon()


def clean(text: str) -> str:
    """Return text that SQLite takes and shows whole: no halves of pairs, and no NUL, which would end it."""
    if not text.isascii():
        text, _ = replace_surrogates(text)
    return text.replace("\0", " ")


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return clean(text).encode()


def _digest(texts: tuple[str, ...], lines: Iterable[Line]) -> str:
    digest = hashlib.sha1("\0".join(texts).encode(), usedforsecurity=False)
    parts: list[bytes] = []
    for _, *words, text in lines:
        parts += ("\0".join(["", *words, ""]).encode(), text)
        if len(parts) >= _TOGETHER:
            digest.update(b"".join(parts))
            parts.clear()
    digest.update(b"".join(parts))
    return digest.hexdigest()
