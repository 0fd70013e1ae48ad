"""The pages of a crawl as RDF: what each is, says of itself, and links to, in the terms of schema.org."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .crawl_log import _PageLog, key_in, whole_lines
from .rdf_text import Names, iri, literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transmissions import Message

_TEXTS: Final = {
    "title": "schema:name",
    "description": "schema:description",
    "language": "schema:inLanguage",
    "author": "schema:author",
    "text": "schema:text",
    "content_hash": "dcterms:identifier",
}
"""What of a document is said as text, and by which term."""
_LAST: Final = re.compile(rb'(?:<[^>]*>) <http://www\.w3\.org/ns/prov#value> "([0-9a-f]{32})" \.\n')
"""The last triple of a page, with its key."""


class PageTriples(_PageLog):
    """Add the triples of each page to a file of N-Triples, as they come.

    A page is a `schema:WebPage`, named by its final URL, with `schema:name`, `schema:description`, `schema:inLanguage`,
    `schema:author`, `schema:datePublished`, `schema:text`, `schema:wordCount`, the time it was fetched
    (`prov:generatedAtTime`), where it was found (`prov:hadPrimarySource`, the URL that was asked for, if it is another), and
    `dcterms:references` for each page it links to. A crawl that goes on adds what is not there yet. Pages that have failed
    pass.

    ```turtle
    :triples a :PageTriples ; :destinationFile "pages.nt" .
    ```
    """

    withhold_text: bool = False
    "Whether the text of pages is left out."

    def __post_init__(self) -> None:
        """Prepare the terms."""
        self._terms = Names("ntriples")

    def encode(self, page: Message) -> bytes:
        """Return the triples of a page; one that cannot be named has none."""
        subject = iri(page.get("final_url") or page["url"])
        return self._terms.triples(subject, list(self._pairs(page))).encode("utf-8", "replace") if subject else b""

    def known(self, path: Path) -> tuple[set[bytes], int]:
        """Return the keys of the pages whose triples are all there, and where the last one ends."""
        keys, end, at = set[bytes](), 0, 0
        for line in whole_lines(path):
            at += len(line)
            found = _LAST.fullmatch(line)
            if found:
                keys.add(bytes.fromhex(found[1].decode()))
                end = at
        return keys, end

    def _pairs(self, page: Message) -> Iterator[str]:
        names, document = self._terms, page.get("document") or {}
        yield f"{names['rdf:type']} {names['schema:WebPage']}"
        for field, term in _TEXTS.items():
            value = document.get(field)
            if isinstance(value, str) and value and not (field == "text" and self.withhold_text):
                yield f"{names[term]} {literal(value)}"
        yield from self._times(page, document)
        if isinstance(document.get("word_count"), int):
            yield f"{names['schema:wordCount']} {names.whole(document['word_count'])}"
        asked = iri(page["url"])
        if asked and page["url"] != page.get("final_url", page["url"]):
            yield f"{names['prov:hadPrimarySource']} {asked}"
        for link in filter(None, map(iri, page.get("links", ()))):
            yield f"{names['dcterms:references']} {link}"
        yield f'{names["prov:value"]} "{key_in(page).hex()}"'

    def _times(self, page: Message, document: dict[str, Any]) -> Iterator[str]:
        for term, text in (("prov:generatedAtTime", page.get("fetched_at")), ("schema:dateModified", document.get("modified"))):
            said = self._terms.time(text) if isinstance(text, str) else ""
            if said:
                yield f"{self._terms[term]} {said}"
        if document.get("published"):
            yield f"{self._terms['schema:datePublished']} {literal(str(document['published']))}"
