"""The raw content of ChatGPT's messages: of what type it is, what parts it has, and how many of each the archive holds."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .conversation import as_dict, as_list, as_text
from .plain_blocks import parsed

PLAIN: Final = frozenset(("text", "multimodal_text"))
"""Contents that consist of parts."""
REPORT: Final = "report"
"""What we call the report of a research among types: it has none of its own."""


def kind_of(content: Any) -> str:
    """Return the type of a message's content; empty where there is none."""
    if content.__class__ in (str, list):
        return "text" if content else ""
    if content.__class__ is not dict:
        return "" if content is None else "untyped"
    kind = content.get("content_type")
    if kind.__class__ is str and kind:
        return str(kind)
    if "parts" in content or content.get("text").__class__ is str:
        return "text"
    return "untyped" if content else ""


def parts_of(content: Any) -> list[Any]:
    """Return the parts of a plain content that say something."""
    if content.__class__ is dict:
        parts = content.get("parts")
        content = content.get("text") if parts is None else parts
    return [part for part in as_list(content) if part not in (None, "")]


def type_of(part: Any) -> str:
    """Return the type of a part: `text` where it is nothing else."""
    if part.__class__ is str:
        return "text"
    return as_text(as_dict(part).get("content_type")) or "untyped"


def types_of(message: Any) -> list[str]:
    """Return the types of all that a message consists of: each part of a plain content, any other content as a whole."""
    if message.__class__ is not dict:
        return ["message"]
    content = message.get("content")
    kind = kind_of(content)
    types = [type_of(part) for part in parts_of(content)] if kind in PLAIN else [kind] if kind else []
    return [*types, REPORT] if report_of(message).text else types


class Report(NamedTuple):
    """The report of a research."""

    text: str
    """Empty if there is none."""
    metadata: dict[str, Any]
    """Where the sources of its citations are told."""


def report_of(message: Any) -> Report:
    """Return the report that a message holds beside its content, in the state of the window that shows it: JSON, and long."""
    sdk = as_dict(as_dict(as_dict(message).get("metadata")).get("chatgpt_sdk"))
    told = as_dict(as_dict(parsed(sdk.get("widget_state"))).get("report_message"))
    text = "\n\n".join(part for part in parts_of(told.get("content")) if part.__class__ is str)
    return Report(text, as_dict(told.get("metadata")))


class Counted:
    """What an archive holds of one conversation."""

    def __init__(self) -> None:
        self.messages = 0
        self.files = 0
        self.blocks: dict[str, int] = {}

    def add(self, types: list[str], files: int) -> None:
        """Count a message: what it consists of, and how many files it lists."""
        self.messages += 1
        self.files += files
        for kind in types:
            self.blocks[kind] = self.blocks.get(kind, 0) + 1

    def counts(self) -> dict[str, Any]:
        """Return the counts of the common model."""
        return {"messages": self.messages, "blocks": self.blocks, "attachments": 0, "files": self.files}
