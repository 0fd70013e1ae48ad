"""ChatGPT's data export, turned into the common model: a tree of messages, and the node where the conversation stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .chatgpt_calls import Canvas, fits, given_to, tool_of
from .chatgpt_content import call_block, content_blocks, lost_marks, reports, result_blocks
from .chatgpt_files import Assets, files_of
from .chatgpt_parts import REPORT, Counted, kind_of, parts_of, types_of
from .chatgpt_results import FoundPages, images_of, is_result, pages_of
from .conversation import as_dict, as_list, as_text, instant
from .message_tree import MessageTree, nodes_of
from .spool import SpooledList

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .blobs import Members
    from .conversation import Block, ChatMessage, Conversation
    from .message_tree import Turn
    from .shape import About

_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_SANDBOX: Final = re.compile(r"(?<=\]\()sandbox:/mnt/data/[^)\n]+(?=\))|sandbox:/mnt/data/[^\s)\]>\"'`]+")
"""In a link the app takes spaces as part of the name."""
_GIVEN: Final = "skipped: the call above holds its result"
_EMPTY: Final = "skipped: empty"
_LOST: Final = "skipped: its source is not in the archive"
_ROLES: Final = {"user": "human"}


class ChatGPTConverter:
    """Turns conversations of a ChatGPT export into the common model."""

    def __init__(self) -> None:
        self._members: Members | None = None
        self._assets: Assets

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation one element of `conversations.json` holds.

        Raises:
            RunError: it has no mapping.

        """
        told = as_dict(element)
        mapping = told.get("mapping", told.get("messages"))
        if not isinstance(mapping, dict | list | SpooledList):
            raise RunError("not a ChatGPT conversation: it has no mapping")
        tree, counted, skipped = _plant(mapping, timed=not (told.get("create_time") and told.get("update_time")))
        assets = self._assets_of(about.members)
        identifier = as_text(element.get("conversation_id") or element.get("id"))
        conversation = {
            "provider": "chatgpt",
            "id": identifier,
            "title": as_text(element.get("title")),
            "created": instant(element.get("create_time")) or tree.first_time,
            "updated": instant(element.get("update_time")) or tree.last_time,
            "url": f"https://chatgpt.com/c/{identifier}" if _ID.fullmatch(identifier) else "",
            "summary": "",
            "model": as_text(element.get("default_model_slug")),
            "leaf": tree.leaf(element.get("current_node")),
            "messages": tree.told(lambda turns: _tell(turns, assets)),
            "tags": _tags(element),
            "counts": counted.counts(),
        }
        return conversation | {"skipped": skipped} if skipped else conversation

    def _assets_of(self, members: Members) -> Assets:
        if self._members is not members:
            self._members = members
            self._assets = Assets(members)
        return self._assets


def _tags(element: dict[str, Any]) -> list[str]:
    tags = [word for word in ("archived", "starred") if element.get(f"is_{word}") is True]
    gizmo = element.get("gizmo_id")
    if gizmo.__class__ is str and gizmo:
        tags.append(f"project:{gizmo}" if gizmo.startswith("g-p-") else f"gpt:{gizmo}")
    return tags


class _Survey:
    """What is found out of a conversation before its messages are told."""

    def __init__(self) -> None:
        self.counted = Counted()
        self.calls: dict[int, str] = {}
        self.results: dict[int, str] = {}
        self.empty: set[int] = set()
        self.drawn: set[int] = set()
        self.lost_marks = 0

    def add(self, number: int, message: Any) -> None:
        """Take in one message."""
        types, files = types_of(message), _listed(message)
        role = _role(message, types)
        self.counted.add(types, files)
        if images_of(as_dict(as_dict(message).get("metadata"))):
            self.drawn.add(number)
        elif not types and not files and role in ("system", "tool") and not pages_of(as_dict(message)):
            self.empty.add(number)
        if name := tool_of(message):
            self.calls[number] = name
        elif role == "tool" and is_result(message, types):
            self.results[number] = _name(message)
        elif role == "assistant":
            self.lost_marks += lost_marks(message)

    def settle(self, tree: MessageTree) -> dict[str, dict[str, int]]:
        """Give results to their calls; return what is left out by that, and why, by kind."""
        given = tree.pair(self.calls, self.results, fits) - self.drawn
        tree.leave_out(given | self.empty)
        self.counted.messages -= len(given | self.empty)
        outcomes = {_GIVEN: len(given), _EMPTY: len(self.empty - given)}
        left = {outcome: number for outcome, number in outcomes.items() if number}
        skipped = {"message": left} if left else {}
        return skipped | {"citation mark": {_LOST: self.lost_marks}} if self.lost_marks else skipped


def _plant(mapping: Any, *, timed: bool) -> tuple[MessageTree, Counted, dict[str, dict[str, int]]]:
    """Put the nodes of a conversation in a tree; return with it what it holds, and what is left out of that.

    `timed` says that the times of messages are needed.
    """
    tree, survey = MessageTree(isinstance(mapping, SpooledList)), _Survey()
    last = None
    for key, value in nodes_of(mapping):
        node = as_dict(value)
        message = _held_by(node) if value.__class__ is dict else value
        # Messages in a list, without the shells of a tree, follow each other.
        parent = last if message is value and "parent" not in node else node.get("parent")
        told = as_dict(message)
        time = instant(told.get("create_time")) if timed else ""
        number = tree.add(key, parent, node.get("children"), message, told.get("id"), time)
        last = key
        if message is not None:
            survey.add(number, message)
    tree.arrange()
    skipped = survey.settle(tree)
    return tree, survey.counted, skipped


def _held_by(node: dict[str, Any]) -> Any:
    """Return the message of a node; the node itself, where messages are kept without a shell."""
    return node.get("message") if "message" in node or "content" not in node else node


def _listed(message: Any) -> int:
    """Return how many files a message lists, or speaks of as left in the sandbox."""
    metadata = as_dict(as_dict(message).get("metadata"))
    return len(as_list(metadata.get("attachments"))) + len(_sandbox_paths(message))


def _sandbox_paths(message: Any) -> list[str]:
    content = as_dict(message).get("content")
    texts = parts_of(content) if kind_of(content) == "text" else ()
    found = [path for text in texts if text.__class__ is str and "sandbox:" in text for path in _SANDBOX.findall(text)]
    return list(dict.fromkeys(found))


def _role(message: dict[str, Any], types: Iterable[str]) -> str:
    """Return who speaks: the report of a research hangs on the message of a tool, but is the answer."""
    role = _author(message)
    return "assistant" if role == "tool" and REPORT in types else role


def _author(message: dict[str, Any]) -> str:
    author = as_dict(message).get("author")
    role = as_text(author.get("role") if isinstance(author, dict) else author)
    return _ROLES.get(role, role) or "unknown"


def _name(message: dict[str, Any]) -> str:
    return as_text(as_dict(message.get("author")).get("name"))


def _tell(turns: Iterable[Turn], assets: Assets) -> Iterator[ChatMessage]:
    """Yield the messages of a conversation in the common model."""
    canvas, found = Canvas(), FoundPages()
    for turn in turns:
        name = tool_of(turn.message)
        given = given_to(turn.message.get("content")) if name else None
        artifact = canvas.artifact(turn, name, given)
        if name:
            yield _message(turn, found.once([call_block(turn, name, given, artifact)], "tool"), assets)
        elif turn.message.__class__ is dict:
            yield _message(turn, found.once(_blocks(turn, assets), _author(turn.message)), assets)
        else:
            unknown = {"kind": "unknown", "type": "message", "data": turn.message, "sources": ("message",)}
            yield _message(turn._replace(message={}), [unknown], assets)


def _blocks(turn: Turn, assets: Assets) -> list[Block]:
    role = _author(turn.message)
    told = result_blocks(turn, _name(turn.message), assets) if role == "tool" else content_blocks(turn.message, role, assets)
    return [*told, *reports(turn.message)]


def _message(turn: Turn, blocks: list[Block], assets: Assets) -> ChatMessage:
    raw = turn.message
    metadata = as_dict(raw.get("metadata"))
    files = files_of(metadata.get("attachments"), blocks, assets)
    files += [{"name": path.rsplit("/", 1)[-1], "id": path} for path in _sandbox_paths(raw)]
    message = {
        "id": turn.id,
        "role": _role(raw, [kind for block in blocks for kind in block["sources"]]),
        "created": instant(raw.get("create_time")),
        "parent": turn.parent,
        "blocks": blocks,
        "attachments": [],
        "files": files,
    }
    if name := _name(raw):
        message["name"] = name
    if model := as_text(metadata.get("model_slug")):
        message["model"] = model
    return message
