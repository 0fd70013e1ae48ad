"""What stands beside the messages in the RDF of a conversation: who sent them, files, and the versions of artifacts."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from .artifacts import file_name
from .rdf_text import literal, part_of_urn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import ChatMessage
    from .rdf_text import Names

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)


def name_of(provider: str, identifier: str, *otherwise: str) -> str:
    """Return the IRI of what has an id, without its closing bracket: a UUID's own, or one made of a hash of `otherwise`."""
    if _UUID.fullmatch(identifier):
        return f"<urn:uuid:{identifier.lower()}"
    digest = hashlib.blake2b("\0".join(otherwise).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"<urn:transmissions:{part_of_urn(provider)}:{digest}"


class Senders:
    """Who spoke in a conversation: people and programs, told apart by role, name and model."""

    def __init__(self, names: Names, provider: str, model: str) -> None:
        self._n = names
        self._provider = provider
        self._model = model
        self._known: dict[tuple[str, str], str] = {}
        self.triples: list[str] = []

    def name(self, message: ChatMessage) -> str:
        """Return the IRI of who sent a message."""
        role = message["role"]
        model = (message.get("model") or self._model) if role == "assistant" else ""
        called = message.get("name") or model
        known = self._known.get((role, called))
        return known or self._describe(role, called)

    def _describe(self, role: str, called: str) -> str:
        n = self._n
        is_person = role in ("human", "user")
        way = [self._provider, role or "unknown", *([called] if called else [])]
        name = f"<urn:transmissions:{':'.join(map(part_of_urn, way))}>"
        text = called or ("" if is_person else self._provider)
        kind = n["schema:Person" if is_person else "schema:SoftwareApplication"]
        pairs = [f"{n['rdf:type']} {kind}", *([f"{n['schema:name']} {literal(text)}"] if text else [])]
        self.triples.append(n.triples(name, pairs))
        self._known[role, called] = name
        return name


class Versions:
    """The versions of a conversation's artifacts. They are counted through all branches; each revises one of its own branch."""

    def __init__(self, names: Names, subject: str) -> None:
        self._n = names
        self._subject = subject
        self._made: dict[str, tuple[int, int]] = {}

    def add(self, made: dict[str, Any], before: str, message: str, call: str) -> tuple[str, str]:
        """Return the name of a new version, and its triples."""
        n, key = self._n, made["key"]
        number, count = self._made.get(key, (len(self._made) + 1, 0))
        self._made[key] = (number, count + 1)
        name = f"{self._subject}#artifact-{number}-v{count + 1}>"
        kind = "schema:SoftwareSourceCode" if _is_code(made) else "schema:DigitalDocument"
        related = {"dcterms:isPartOf": message, "prov:wasGeneratedBy": call, "prov:wasRevisionOf": before}
        texts = {"schema:name": made["title"] or file_name(made), "dcterms:identifier": key}
        texts |= {"schema:programmingLanguage": made["language"]}
        pairs = [f"{n['rdf:type']} {n[kind]}", f"{n['schema:version']} {n.whole(count + 1)}"]
        pairs += [f"{n[term]} {other}" for term, other in related.items() if other]
        pairs += [f"{n[term]} {literal(text)}" for term, text in texts.items() if text]
        return name, n.triples(name, pairs)


def _is_code(made: dict[str, Any]) -> bool:
    return bool(made["language"]) or "path" in made or not made["type"].startswith("text/")


def media(names: Names, name: str, kind: str, content: Any) -> Iterator[str]:
    """Yield what is said of a file; `content` is its bytes, or what knows how many there are, or None."""
    yield f"{names['rdf:type']} {names['schema:MediaObject']}"
    yield f"{names['schema:name']} {literal(name or 'unnamed')}"
    if kind:
        yield f"{names['schema:encodingFormat']} {literal(kind)}"
    if content is not None:
        yield f"{names['schema:contentSize']} {names.whole(len(content))}"
    if isinstance(content, bytes):
        yield f"{names['schema:sha256']} {literal(hashlib.sha256(content).hexdigest())}"
