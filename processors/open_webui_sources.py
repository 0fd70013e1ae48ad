"""What an answer of Open WebUI rests on: pages it cites, and the passages of them that the model was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conversation import as_dict, as_list, as_text
from .plain_blocks import link_of, result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Block


def add_sources(blocks: list[Block], raw: dict[str, Any]) -> None:
    """Add the sources a message names to its last text, and in front what was found in them."""
    last = next((block for block in reversed(blocks) if block["kind"] == "text"), None)
    links = [link for entry in as_list(raw.get("sources") or raw.get("citations")) for link in _links(as_dict(entry))]
    passages = documents_of(raw)
    if passages:
        blocks.insert(0, result("retrieval", passages, "sources"))
    if last:
        last["citations"] += [{"end": len(last["text"]), **link} for link in {link["url"]: link for link in links}.values()]


def _links(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    source = link_of(as_dict(entry.get("source")))
    pages = [as_dict(page) for page in as_list(entry.get("metadata"))]
    addresses = dict.fromkeys(as_text(page.get("source")) for page in pages if "://" in as_text(page.get("source")))
    yield from ({"url": address, "title": source["title"]} for address in addresses)
    if not addresses and (source["url"] or source["title"]):
        yield {"url": source["url"], "title": source["title"]}


def documents_of(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the passages that were found for a message, as parts of a result."""
    entries = [as_dict(entry) for entry in as_list(raw.get("sources") or raw.get("citations"))]
    return [{"text": text} for entry in entries for text in as_list(entry.get("document")) if text.__class__ is str and text]
