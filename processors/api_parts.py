"""Parts of requests to an API that are no words: files, and results of tools in a user's message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .conversation import as_text, type_of
from .gemini_parts import in_camel_case, kind_of_part
from .plain_blocks import first, picture
from .plain_turns import role_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block

ATTACHED: Final = ("file", "input_file", "input_audio")
"""Types of content in OpenAI's API that hold or name a file."""


def parted(items: Iterable[Any]) -> Iterator[Any]:
    """Yield items; results of tools that stand in one message with a user's words come before it, in one of their own."""
    for item in items:
        key = "parts" if item.__class__ is dict and is_gemini(item) else "content"
        content: Any = item.get(key) if item.__class__ is dict and role_of(item.get("role")) == "human" else None
        results = [part for part in content if _is_result(part)] if content.__class__ is list else []
        if results and len(results) < len(content):
            yield {**item, key: results}
            yield {**item, key: [part for part in content if not _is_result(part)]}
        else:
            yield item


def _is_result(part: Any) -> bool:
    return type_of(part) == "tool_result" or kind_of_part(in_camel_case(part)) == "functionResponse"


def is_gemini(item: dict[str, Any]) -> bool:
    """Whether a message is as Gemini's API has it."""
    return item.get("parts").__class__ is list and "content" not in item


def attached(kind: str, given: dict[str, Any]) -> Block:
    """Return the file of a request to OpenAI's API: its bytes, or a name for what lies elsewhere."""
    if kind == "input_audio":
        return picture(f"data:audio/{as_text(given.get('format'))};base64,{as_text(given.get('data'))}", kind)
    return picture(first(given, "file_data", "file_url", "file_id"), kind, as_text(given.get("filename")))
