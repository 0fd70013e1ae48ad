"""Conversations in a SQLite database with full-text search: ConversationDatabase."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from transmissions import Pattern, Processor

from .conversation import title_of
from .rdf_text import replace_surrogates
from .search_database import Entry, Line, SearchDatabase
from .turns import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .conversation import Conversation

_TOGETHER: Final = 64
"""Messages of a conversation too large for memory that are written together."""


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
    :database a :ConversationDatabase ; :enabled true ; :file "archive.db" .
    ```

    Words of a conversation's older version stay in the index, where no message has them; to be rid of them too, delete the file
    and convert again.
    """

    stateful = True

    enabled: bool = False
    "Whether the database is written."
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

    async def __aenter__(self) -> Self:
        if self.enabled:
            tokenizer = self.tokenizer if self.index == "messages" else ""
            self._database = SearchDatabase(self.context.output_path(self.file), tokenizer).start()
        return self

    def process(self, message: Message) -> Message:
        """Have the message's `conversation` written."""
        if self._database and "conversation" in message:
            conversation = message["conversation"]
            key = message.get("key") or f"{conversation['provider']}:{conversation['id']}"
            self._add(self._database, conversation, key, message.get("place", {}).get("page", ""))
        return message

    def _add(self, database: SearchDatabase, conversation: Conversation, key: str, page: str) -> None:
        get = conversation.get
        row = (key, get("provider"), get("id"), title_of(conversation), get("created"), get("updated"), get("url"), page)
        texts = tuple(clean(text or "") for text in row)
        if conversation["messages"].__class__ is list:
            lines = list(self._lines(conversation))
            database.add(Entry((*texts, _digest(texts, lines))), lines)
            return
        # Gone through twice, because only at its end is it known whether it has changed.
        entry: Entry | None = Entry((*texts, _digest(texts, self._lines(conversation))))
        rest = self._lines(conversation)
        while lines := list(islice(rest, _TOGETHER)):
            database.add(entry, lines)
            entry = None

    def _lines(self, conversation: Conversation) -> Iterator[Line]:
        """Yield what the database says of a conversation and its messages."""
        parts = [conversation["summary"], *(conversation.get("tags") or ())]
        parts += [part for section in conversation.get("sections") or () for part in (section["title"], section["text"])]
        parts += [part for item in conversation.get("attachments") or () for part in (item["name"], item.get("text"))]
        summary = "\n".join(filter(None, parts))
        yield Line(0, "", "conversation", clean(conversation["created"]), clean(conversation["title"]), clean(summary))
        for position, message in enumerate(conversation["messages"], 1):
            text = clean(words(message, self.thinking)) if self.index == "messages" else ""
            yield Line(position, clean(message["id"]), clean(message["role"]), clean(message["created"]), "", text)

    def finish(self) -> None:
        """Wait until all is written."""
        if self._database:
            self._database.complete()

    async def __aexit__(self, *exc: object) -> None:
        if self._database:
            self._database.abandon()


def clean(text: str) -> str:
    """Return text that SQLite takes and shows whole: no halves of pairs, and no NUL, which would end it."""
    if text.isascii():
        return text.replace("\0", " ")
    return replace_surrogates(text)[0].replace("\0", " ")


def _digest(texts: tuple[str, ...], lines: list[Line] | Iterator[Line]) -> bytes:
    digest = hashlib.sha1("\0".join(texts).encode(), usedforsecurity=False)
    for line in lines:
        digest.update(f"\0{line[1]}\0{line[2]}\0{line[3]}\0{line[4]}\0".encode())
        digest.update(line[5].encode())
    return digest.digest()
