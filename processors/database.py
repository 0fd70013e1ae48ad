"""Conversations in a SQLite database with full-text search: ConversationDatabase, ConversationRows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from transmissions import Pattern, Processor

from .conversation import conversation_of
from .places import page_of
from .search_rows import Extent, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .conversation import Conversation
    from .search_database import SearchDatabase
    from .search_rows import Rows

_READY: Final = "database_rows"


class ConversationDatabase(Processor):
    """Keep conversations in a SQLite database that can be searched for words.

    Takes `conversation`, `key` and `place`, and changes nothing; where ConversationRows has made rows of them, it takes those
    out of the message instead. The database has tables `conversation` and `message`, a contentless FTS5 table `message_text`
    (an index of words, without the texts), and a view `hit` that joins them:

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
        from .search_database import SearchDatabase  # with SQLite; ConversationRows needs none of it

        tokenizer = self.tokenizer if self.index == "messages" else ""
        self._database = SearchDatabase(self.context.output_path(self.file), tokenizer).start()
        return self

    @property
    def extent(self) -> Extent:
        """What is to be put in."""
        return Extent(self.index == "messages", self.thinking)

    async def process(self, message: Message) -> Message:
        """Have the message's `conversation` written."""
        rows = self._taken(message)
        if rows is None and (conversation := conversation_of(message)) is not None:
            rows = rows_of(conversation, _key_of(message, conversation), page_of(message), self.extent)
        if self._database and rows is not None:
            await self._database.add(*rows)
        return message

    def _taken(self, message: Message) -> Rows | None:
        """Take what was made ready for this database out of the message."""
        ready = message.get(_READY)
        if not ready:
            return None
        rest = {node: rows for node, rows in ready.items() if node != self.context.node}
        if rest:
            message[_READY] = rest
        else:
            del message[_READY]
        rows: Rows | None = ready.get(self.context.node)
        return rows

    def finish(self) -> None:
        """Wait until all is written."""
        if self._database:
            self._database.complete()

    async def __aexit__(self, *exc: object) -> None:
        if self._database:
            self._database.abandon()


class ConversationRows(Processor):
    """Make the rows that ConversationDatabase will write, so that worker processes share that work.

    Takes `conversation`, `key` and `place`; adds `database_rows`: what each ConversationDatabase of the run will write, as its
    settings say. The database stands behind the workers, and takes its rows out again. Without one this does nothing.

    ```turtle
    :pages a :Workers ; :pipe ( :render :rows :write ) .
    :rows a :ConversationRows .
    ```
    """

    async def __aenter__(self) -> Self:
        nodes = [node for node in self.context.plan.nodes() if node.type.rpartition("/")[2] == ConversationDatabase.__name__]
        self._extents = {node.path: ConversationDatabase.from_plan(node.settings).extent for node in nodes}
        return self

    def process(self, message: Message) -> Message:
        """Add the rows of the message's `conversation`."""
        conversation = conversation_of(message) if self._extents else None
        if conversation is not None:
            key, page = _key_of(message, conversation), page_of(message)
            made = {extent: rows_of(conversation, key, page, extent) for extent in set(self._extents.values())}
            message[_READY] = {node: made[extent] for node, extent in self._extents.items()}
        return message


def _key_of(message: Message, conversation: Conversation) -> str:
    return message.get("key") or f"{conversation['provider']}:{conversation['id']}"
