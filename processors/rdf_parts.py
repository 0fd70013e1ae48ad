"""What a conversation of the common model is in RDF: itself, its messages, and what they hold and make."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from .artifacts import exact_bytes
from .rdf_resources import Senders, Versions, media, name_of
from .rdf_text import Names, iri, iri_or_literal, literal
from .spoken import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Block, ChatMessage, Conversation


class Options(NamedTuple):
    """What is said beyond the bare facts."""

    content: bool = False
    solid: bool = False


class Graph:
    """The triples of one conversation, piece by piece in the order of its messages."""

    def __init__(self, names: Names, options: Options, conversation: Conversation, key: str) -> None:
        self._n = names
        self._options = options
        self._conversation = conversation
        provider = conversation["provider"]
        identifier = conversation["id"]
        is_own = key in ("", f"{provider}:{identifier}")
        # A second conversation under the same id has a key of its own, and must not become one with the first.
        self._subject = name_of(provider, identifier if is_own else "", "conversation", key or identifier)
        self._of_all = (
            f"{names['rdf:type']} {names['schema:Message']}",
            f"{names['rdf:type']} {names['sioc:Post']}",
            f"{names['schema:isPartOf']} {self._subject}>",
            f"{names['sioc:has_container']} {self._subject}>",
        )
        """What is said of every message."""
        self._name_messages()
        self._senders = Senders(names, provider, conversation["model"])
        self._versions = Versions(names, self._subject)
        self._shelf: dict[str, str] = {}
        """The version of each artifact at this point of this branch."""
        self._shelves: dict[int, dict[str, str]] = {}
        """The same after each message where the conversation branches."""

    def _name_messages(self) -> None:
        messages, provider = self._conversation["messages"], self._conversation["provider"]
        named: dict[str, None] = {}
        places: dict[str, int] = {}
        parents: list[str | None] = []
        for position, message in enumerate(messages):
            identifier = message["id"]
            name = name_of(provider, identifier, self._subject, identifier or str(position))
            # An id that came before is no name: two messages would become one.
            named[name if name not in named else name_of(provider, "", self._subject, identifier, str(position))] = None
            places[identifier] = position
            parents.append(message.get("parent"))
        self._names = list(named)
        self._parents = [_parent_of(position, parent, places) for position, parent in enumerate(parents)]
        self._forks = {parent for position, parent in enumerate(self._parents) if parent != position - 1}

    def pieces(self, page: str) -> Iterator[str]:
        """Yield the triples as text: of the conversation, of each message and what belongs to it, and of who spoke."""
        yield from self._n.pieces(f"{self._subject}>", self._facts(page))
        whole = {"attachments": self._conversation.get("attachments") or (), "files": ()}
        pairs: list[str] = []
        beside = "".join(self._attached(self._subject, whole, pairs))
        yield self._n.triples(f"{self._subject}>", pairs) + beside if pairs else ""
        for position, message in enumerate(self._conversation["messages"]):
            yield self._message(position, message)
        yield "".join(self._senders.triples)

    def _facts(self, page: str) -> Iterator[str]:
        n, conversation = self._n, self._conversation
        kind = conversation.get("kind") or "chat"
        yield from self._kinds(kind)
        texts = {
            "dcterms:title": conversation["title"],
            "dcterms:identifier": conversation["id"],
            "dcterms:abstract": conversation["summary"],
            "schema:provider": conversation["provider"],
            "schema:genre": "" if kind == "chat" else kind,
        }
        yield from (f"{n[name]} {literal(text)}" for name, text in texts.items() if text)
        for name, text in (("created", conversation["created"]), ("modified", conversation["updated"])):
            if time := n.time(text):
                yield f"{n[f'dcterms:{name}']} {time}"
        if conversation["url"]:
            url = iri_or_literal(conversation["url"])
            yield from (f"{n['schema:url']} {url}", f"{n['dcterms:source']} {url}")
        if page:
            yield f"{n['schema:archivedAt']} {page}"
        yield from (f"{n['schema:keywords']} {literal(tag)}" for tag in conversation.get("tags") or ())
        yield from self._parts()

    def _kinds(self, kind: str) -> Iterator[str]:
        chat = ("schema:Conversation", "sioc:Thread", *(("meeting:LongChat",) if self._options.solid else ()))
        for name in chat if kind == "chat" else ("schema:DigitalDocument",):
            yield f"{self._n['rdf:type']} {self._n[name]}"

    def _parts(self) -> Iterator[str]:
        n, conversation = self._n, self._conversation
        provider = conversation["provider"]
        for link in conversation.get("links") or ():
            relation = n["dcterms:isPartOf" if link["relation"] == "sub-agent of" else "dcterms:relation"]
            other = link["id"]
            if other:
                yield f"{relation} {name_of(provider, other, 'conversation', f'{provider}:{other}')}>"
        if self._options.content:
            yield from (f"{n['schema:text']} {literal(part['text'])}" for part in conversation.get("sections") or ())
        for term in ("schema:hasPart", *(("flow:message",) if self._options.solid else ())):
            yield from (f"{n[term]} {name}>" for name in self._names)

    def _message(self, position: int, message: ChatMessage) -> str:
        n, name, parent = self._n, self._names[position], self._parents[position]
        sender, time = self._senders.name(message), n.time(message["created"])
        pairs = [*self._of_all, f"{n['schema:position']} {n.whole(position + 1)}", f"{n['schema:sender']} {sender}"]
        if time:
            pairs.append(f"{n['schema:dateSent']} {time}")
        if parent >= 0:
            pairs.append(f"{n['sioc:reply_of']} {self._names[parent]}>")
        if self._options.solid:
            pairs += [f"{n['foaf:maker']} {sender}", *([f"{n['dcterms:created']} {time}"] if time else [])]
        if self._options.content:
            pairs.append(f"{n['sioc:content']} {literal(said(message))}")
        beside = self._blocks(position, sender, message, pairs)
        if message["attachments"] or message["files"]:
            beside += self._attached(name, message, pairs)
        said_of_it = n.triples(f"{name}>", pairs)
        return "".join([said_of_it, *beside]) if beside else said_of_it

    def _blocks(self, position: int, sender: str, message: ChatMessage, pairs: list[str]) -> list[str]:
        """Add what the blocks of a message say of it, and return what stands beside it."""
        if self._parents[position] != position - 1:
            self._shelf = dict(self._shelves.get(self._parents[position], {}))
        name = self._names[position]
        beside: list[str] = []
        for number, block in enumerate(message["blocks"], 1):
            if block["kind"] == "text":
                if not block["citations"]:
                    continue
                cited = dict.fromkeys(one["url"] or one["title"] for one in block["citations"])
                pairs += [f"{self._n['schema:citation']} {iri_or_literal(text)}" for text in cited if text]
            else:
                beside += self._block(f"{name}#block-{number}>", f"{name}>", sender, block, pairs)
        if position in self._forks:
            self._shelves[position] = dict(self._shelf)
        return beside

    def _block(self, name: str, message: str, sender: str, block: Block, pairs: list[str]) -> Iterator[str]:
        n, kind, made = self._n, block["kind"], block.get("artifact")
        before = self._shelf.get(made["key"], "") if made else ""
        if kind == "file":
            pairs.append(f"{n['schema:messageAttachment']} {name}")
            yield n.triples(name, list(media(n, block["name"], block.get("type") or "", block.get("content"))))
        elif kind == "tool":
            used = [f"{n['prov:used']} {before}"] if before else []
            yield n.triples(name, [*self._call(message, sender, block), *used])
        if made and made["command"] != "view" and not (block.get("result") or {}).get("failed"):
            self._shelf[made["key"]], text = self._versions.add(made, before, message, name if kind == "tool" else "")
            yield text

    def _call(self, message: str, sender: str, block: Block) -> Iterator[str]:
        n = self._n
        yield f"{n['rdf:type']} {n['prov:Activity']}"
        yield f"{n['rdf:type']} {n['schema:Action']}"
        yield f"{n['dcterms:isPartOf']} {message}"
        yield f"{n['prov:wasAssociatedWith']} {sender}"
        yield f"{n['schema:name']} {literal(block['name'] or 'tool')}"
        if block["result"] is not None:
            status = "Failed" if block["result"]["failed"] else "Completed"
            yield f"{n['schema:actionStatus']} {n[f'schema:{status}ActionStatus']}"

    def _attached(self, name: str, message: ChatMessage, pairs: list[str]) -> Iterator[str]:
        attached = [(kind, item) for kind in ("attachment", "file") for item in message[f"{kind}s"]]
        for number, (kind, item) in enumerate(attached, 1):
            one = f"{name}#{kind}-{number}>"
            pairs.append(f"{self._n['schema:messageAttachment']} {one}")
            content = item.get("content") or (exact_bytes(item["text"]) if item.get("text") else None)
            yield self._n.triples(one, list(media(self._n, item["name"], item.get("type") or "", content)))


def _parent_of(position: int, parent: str | None, places: dict[str, int]) -> int:
    """Return the place of the message that one answers, -1 for none; the one before where the archive does not say."""
    if parent == "":
        return -1
    found = position if parent is None else places.get(parent, position)
    return position - 1 if found == position else found


def page_link(base: str, path: str) -> str:
    """Return what points to a page: an IRI below `base`, or without one the path itself."""
    return (iri(base + quote(path, errors="replace")) if base else "") or literal(path)
