"""Conversations as RDF, streamed: one file of N-Triples for all, or one beside each page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from transmissions import Processor, UsageError

from .access import need_text
from .conversation import conversation_of
from .places import page_of
from .rdf_parts import Graph, Options, page_link
from .rdf_text import Names, Syntax, iri
from .records import encode_pieces, note_replaced, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .conversation import Conversation
    from .spool import Content


class ConversationRDF(Processor):
    """Say in RDF what a conversation consists of.

    Takes `conversation`, `key` and `place`. Adds the triples to `records`, for RecordCollector, or with `each` to `files`, as
    a file beside the page. Conversations are `schema:Conversation` and `sioc:Thread`, messages `schema:Message` and
    `sioc:Post`; names are `urn:uuid:` where the provider gives UUIDs, else hashes. There are no blank nodes. Each block begins
    with a comment that holds the key, by which its record is found again.

    ```turtle
    :rdf a :ConversationRDF ; :file "archive.nt" .
    ```

    A conversation's block is the same in every run. `configs/chat-shapes.ttl` holds SHACL shapes for it.
    """

    file: str = "archive.nt"
    "The one file: below the run's output folder."
    each: bool = False
    "Whether each conversation has a file of its own instead, beside its page."
    format: Syntax = "ntriples"
    "`ntriples`, or `turtle`, which is shorter and easier to read."
    profile: Literal["schema", "solid"] = "schema"
    "`solid` adds what Solid chat apps look for: `foaf:maker`, `dcterms:created`, `flow:message`."
    content: bool = False
    "Whether the text of messages is in it too, as `sioc:content`."
    base: str = ""
    "Where the output folder will be: an IRI that ends with `/`. Then `schema:archivedAt` is an IRI, else the page's path."

    def __post_init__(self) -> None:
        """Make the names that all conversations share, and fail early where pages would have none."""
        if self.base and not (iri(self.base) and self.base.endswith("/")):
            raise UsageError(f"base is no IRI that ends with '/', as https://example.org/chats/ is: '{self.base}'")
        self._terms = Names(self.format)
        self._options = Options(self.content, self.profile == "solid")

    def process(self, message: Message) -> Message:
        """Add the RDF of the message's `conversation`."""
        conversation = conversation_of(message)
        if conversation is None:
            return message
        content, replaced = self._content(message, conversation)
        if self.each:
            page = need_text(message, "place.page")
            path = f"{page.rpartition('.')[0] or page}{'.ttl' if self.format == 'turtle' else '.nt'}"
            message["files"] = [*message.get("files", ()), (path, content)]
        else:
            message["records"] = {**message.get("records", {}), self.file: content}
        note_replaced(message, "in RDF", replaced)
        return message

    def _content(self, message: Message, conversation: Conversation) -> tuple[Content, int]:
        key = message.get("key", "")
        page = page_of(message)
        graph = Graph(self._terms, self._options, conversation, key)
        head = f"# {one_line(key or conversation['id'])}\n{self._terms.head()}"
        is_large = conversation["messages"].__class__ is not list
        texts = graph.pieces(page_link(self.base, page) if page else "")
        return encode_pieces(_after(head, texts), is_large)


def _after(head: str, texts: Iterator[str]) -> Iterator[str]:
    yield head
    yield from texts
