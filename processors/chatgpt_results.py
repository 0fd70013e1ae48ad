"""What tools gave back, in ChatGPT's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .chatgpt_files import pointers
from .chatgpt_parts import kind_of, parts_of
from .conversation import as_dict, as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conversation import Block


class Result(NamedTuple):
    """The parts of a result, and whether it tells of a failure."""

    parts: list[Any]
    failed: bool = False


def _text(content: dict[str, Any]) -> Result:
    return Result([{"text": as_text(content.get("text"))}])


def _output(content: dict[str, Any]) -> Result:
    output = content.get("output_str", content.get("text"))
    rest = {key: value for key, value in content.items() if key not in ("content_type", "output_str", "text") and value}
    return Result([{"text": as_text(output)}, *([rest] if rest else [])])


def _page(content: dict[str, Any]) -> Result:
    text = as_text(content.get("text")) or as_text(content.get("snippet"))
    title = as_text(content.get("title")) or as_text(content.get("domain"))
    return Result([{"title": title, "url": as_text(content.get("url")), "text": text}])


def _browsing(content: dict[str, Any]) -> Result:
    texts = [as_text(content.get(key)) for key in ("summary", "result")]
    assets = [{"text": as_text(asset)} for asset in as_list(content.get("assets"))]
    return Result([{"text": text} for text in dict.fromkeys(texts) if text] + assets)


def _error(content: dict[str, Any]) -> Result:
    name, text = as_text(content.get("name")), as_text(content.get("text"))
    return Result([{"text": ": ".join(filter(None, (name, text)))}], failed=True)


def _computer(content: dict[str, Any]) -> Result:
    rest = {key: value for key, value in content.items() if key not in ("content_type", "screenshot") and value}
    if content.get("screenshot") and not list(pointers(content["screenshot"])):
        rest["screenshot"] = content["screenshot"]
    return Result([rest] if rest else [])


RESULTS: Final[dict[str, Callable[[dict[str, Any]], Result]]] = {
    "execution_output": _text,
    "computer_output": _computer,
    "citable_code_output": _output,
    "tether_quote": _page,
    "sonic_webpage": _page,
    "tether_browsing_display": _browsing,
    "system_error": _error,
}
"""The contents that only tools have."""


def result_of(message: dict[str, Any]) -> Result:
    """Return the result in a message of a tool; its files are no part of it."""
    content = message.get("content")
    kind = kind_of(content)
    pages = pages_of(message)
    if kind in RESULTS:
        result = RESULTS[kind](as_dict(content))
        return result._replace(parts=result.parts + pages)
    return Result([{"text": part} for part in parts_of(content) if part.__class__ is str] + pages)


def pages_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pages that a search found; they stand beside the content of a message, which is often empty then."""
    groups = as_list(as_dict(message.get("metadata")).get("search_result_groups"))
    entries = [as_dict(entry) for group in groups for entry in as_list(as_dict(group).get("entries"))]
    keys = {"title": "title", "url": "url", "text": "snippet"}
    return [{name: as_text(entry.get(key)) for name, key in keys.items()} for entry in entries if entry.get("url")]


def searched(metadata: dict[str, Any], cited: set[str]) -> list[Block]:
    """Return what was searched for an answer and found, where its metadata tell of pages that it does not cite."""
    pages = [page for page in pages_of({"metadata": metadata}) if page["url"] not in cited]
    queries = [as_text(as_dict(entry).get("q")) for entry in as_list(metadata.get("search_queries"))]
    if not pages:
        return []
    given = {"queries": list(filter(None, queries))} if any(queries) else None
    result = Result(pages)._asdict()
    return [{"kind": "tool", "name": "search", "input": given, "result": result, "sources": ()}]


class FoundPages:
    """The pages that tools found so far: the answer that follows often tells all of them again."""

    def __init__(self) -> None:
        self._addresses: set[int] = set()

    def once(self, blocks: list[Block], role: str) -> list[Block]:
        """Return the blocks of a message, without pages beside an answer that a tool's own message told before it."""
        return [block for block in blocks if self._is_new(block, role)]

    def _is_new(self, block: Block, role: str) -> bool:
        result = block.get("result") or {}
        pages = [page for page in result.get("parts", ()) if page.__class__ is dict and page.get("url").__class__ is str]
        if role == "tool" or block["sources"] or not pages:
            self._addresses.update(hash(page["url"]) for page in pages)
            return True
        result["parts"] = [page for page in pages if hash(page["url"]) not in self._addresses]
        return bool(result["parts"])


def is_result(message: dict[str, Any], types: list[str]) -> bool:
    """Whether a message of a tool, of these types, says nothing but a result, with no file in it: then a call may take it."""
    content = message.get("content")
    kind = kind_of(content)
    if as_dict(message.get("metadata")).get("attachments"):
        return False
    if kind in RESULTS:
        return not list(pointers(as_dict(content).get("screenshot")))
    return set(types) == {"text"} if types else bool(pages_of(message))


def images_of(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the images that a piece of code drew, as parts."""
    drawn = as_list(as_dict(metadata.get("aggregate_result")).get("messages"))
    urls = [item.get("image_url") for item in drawn if item.__class__ is dict and item.get("message_type") == "image"]
    return [{"content_type": "image", "asset_pointer": url} for url in urls]
