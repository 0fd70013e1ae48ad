"""DeepSeek's conversations, of its data export and of its web API, turned into the common model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_list, as_text, instant, type_of
from .message_tree import MessageTree, nodes_of
from .plain_blocks import call, link_of, parsed, text, thinking, unknown
from .plain_turns import boxed, chat, no_message
from .spool import SpooledList

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .message_tree import Turn
    from .shape import About

_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_MARK: Final = re.compile(r" ?\[(?:citation|reference):(\d{1,6})\]")
_ROLES: Final = {"user": "human"}
_THOUGHTS: Final = ("thinking_content", "reasoning_content")
_FLAT: Final = (*_THOUGHTS, "search_results", "content")
"""Fields of a message that has no fragments, in the order they are shown: of the web API, or an export of early 2025."""
_FIELDS: Final = (*_FLAT, "fragments", "files", "role")
_RESULTS: Final = ("results", "search_results", "result", "output")


class DeepSeekConverter:
    """Turns DeepSeek's conversations into the common model."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation an element holds, whether its messages lie in a `mapping` or in `chat_messages`.

        Raises:
            RunError: there are none.

        """
        session, nodes = _open(element)
        tree = MessageTree(isinstance(nodes, SpooledList))
        blocks: dict[str, int] = {}
        attachments = files = 0
        for key, parent, children, message in _nodes(nodes):
            tree.add(key, parent, children, boxed(message, _FIELDS), time=instant(as_dict(message).get("inserted_at")))
            for kind in [] if message is None else _types_of(boxed(message, _FIELDS)):
                blocks[kind] = blocks.get(kind, 0) + 1
            listed = as_list(as_dict(message).get("files"))
            read = sum(map(_is_read, listed))
            attachments, files = attachments + read, files + len(listed) - read
        tree.arrange()
        identifier = as_text(session.get("id"))
        counts = {"messages": len(tree), "blocks": blocks, "attachments": attachments, "files": files}
        # The type of messages is a promise that they can be gone through, in memory or not.
        messages: Any = tree.told(_told)
        return chat(
            "deepseek",
            identifier,
            messages,
            counts,
            title=as_text(session.get("title")),
            created=instant(session.get("inserted_at")) or tree.first_time,
            updated=instant(session.get("updated_at")) or tree.last_time,
            url=f"https://chat.deepseek.com/a/chat/s/{identifier}" if _ID.fullmatch(identifier) else "",
            model=as_text(session.get("model") or session.get("model_type")),
            leaf=tree.leaf(session.get("current_node", session.get("current_message_id"))),
        )


def _open(element: Any) -> tuple[dict[str, Any], Any]:
    """Return what is told of a conversation, and its nodes or messages."""
    for key in ("data", "biz_data"):
        if as_dict(element).get(key).__class__ is dict:
            element = element[key]
    inner = as_dict(element)
    nodes = inner.get("mapping", inner.get("chat_messages"))
    if not isinstance(nodes, dict | list | SpooledList):
        raise RunError("not a DeepSeek conversation: it has neither mapping nor chat_messages")
    return as_dict(inner.get("chat_session")) or inner, nodes


def _nodes(nodes: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield key, parent, children and message of each node; a message of the web API is a node by itself."""
    for key, value in nodes_of(nodes):
        node = as_dict(value)
        if "message_id" in node:
            yield as_text(node["message_id"]), node.get("parent_id"), None, value
        elif "message" in node or "children" in node:
            yield key, node.get("parent"), node.get("children"), node.get("message")
        else:
            yield key, node.get("parent_id", node.get("parent")), None, value


def _types_of(message: Any) -> list[str]:
    if message.__class__ is not dict:
        return ["message"]
    fragments = as_list(message.get("fragments"))
    return [type_of(fragment) for fragment in fragments] + [kind for kind in _flat(message) if message.get(kind)]


def _flat(message: dict[str, Any]) -> tuple[str, ...]:
    """Return the fields of a message that say something beside its fragments."""
    return ("search_results",) if message.get("fragments") else _FLAT


def _told(turns: Iterable[Turn]) -> Iterator[ChatMessage]:
    """Yield the messages. Where none says whose it is, an answer follows a question, and a question an answer."""
    asked: set[int] = set()
    for turn in turns:
        is_dict = turn.message.__class__ is dict
        told = _message(turn.message, turn.above in asked) if is_dict else no_message(turn.message)
        if told["role"] == "human":
            asked.add(turn.number)
        yield told | {"id": turn.id, "parent": turn.parent}


def _message(raw: dict[str, Any], is_answer: bool) -> ChatMessage:
    fragments = as_list(raw.get("fragments"))
    found = _found(raw, fragments)
    blocks = [_flat_block(kind, raw[kind], found) for kind in _flat(raw) if raw.get(kind)]
    blocks += [_fragment(fragment, found) for fragment in fragments]
    listed = as_list(raw.get("files"))
    message: ChatMessage = {
        "role": _role(raw, fragments, is_answer),
        "created": instant(raw.get("inserted_at")),
        "blocks": blocks,
        "attachments": [_file(entry) | {"type": "", "text": entry["content"]} for entry in listed if _is_read(entry)],
        "files": [_file(entry) for entry in listed if not _is_read(entry)],
    }
    if model := as_text(raw.get("model")):
        message["model"] = model
    return message


def _role(raw: dict[str, Any], fragments: list[Any], is_answer: bool) -> str:
    role = as_text(raw.get("role")).lower()
    if role:
        return _ROLES.get(role, role)
    if fragments:
        return "human" if any(type_of(fragment) == "REQUEST" for fragment in fragments) else "assistant"
    return "assistant" if is_answer or any(map(raw.get, _THOUGHTS)) else "human"


def _found(raw: dict[str, Any], fragments: list[Any]) -> dict[str, dict[str, Any]]:
    """Return the pages a search found, by the number under which the answer cites them."""
    pages = as_list(raw.get("search_results"))
    for fragment in fragments:
        pages += _results(as_dict(fragment))
    entries = [page for page in pages if page.__class__ is dict]
    return {as_text(page.get("cite_index", place)): _link(page) for place, page in enumerate(entries, 1)}


def _results(fragment: dict[str, Any]) -> list[Any]:
    return next((as_list(fragment[key]) for key in _RESULTS if fragment.get(key)), [])


def _fragment(fragment: Any, found: dict[str, dict[str, Any]]) -> Block:
    kind = type_of(fragment)
    if fragment.__class__ is not dict:
        return text(fragment, kind) if fragment.__class__ is str else unknown(kind, fragment)
    if kind == "REQUEST":
        return text(fragment.get("content"), kind)
    if kind.endswith("RESPONSE"):
        return _cited(as_text(fragment.get("content")), kind, found)
    if kind == "THINK":
        return thinking(fragment.get("content"), kind)
    if kind.startswith(("SEARCH", "TOOL")):
        return _tool(fragment, kind)
    return unknown(kind, fragment)


def _flat_block(kind: str, value: Any, found: dict[str, dict[str, Any]]) -> Block:
    if kind in _THOUGHTS:
        return thinking(value, kind)
    if kind == "search_results":
        return call("search", None, kind) | {"result": {"parts": [_page(item) for item in as_list(value)], "failed": False}}
    return _cited(as_text(value), kind, found)


def _tool(fragment: dict[str, Any], kind: str) -> Block:
    name = as_text(fragment.get("name") or fragment.get("tool_name")) or kind.lower()
    rest = {key: value for key, value in fragment.items() if key not in ("type", "name", "tool_name", *_RESULTS) and value}
    given = parsed(rest["content"]) if set(rest) == {"content"} else rest or None
    pages = _results(fragment)
    block = call(name, given, kind)
    return block | {"result": {"parts": [_page(page) for page in pages], "failed": False}} if pages else block


def _page(page: Any) -> Any:
    if page.__class__ is not dict:
        return {"text": page} if page.__class__ is str else page
    link = _link(page)
    if not link["url"]:
        return page
    return {**link, "text": as_text(page.get("snippet") or page.get("summary") or page.get("text"))}


def _link(page: dict[str, Any]) -> dict[str, Any]:
    """Return the title and address of a page; the title tells the site, too."""
    link, site = link_of(page), as_text(page.get("site_name")).strip()
    if not site or site in link["title"]:
        return link
    return link | {"title": f"{link['title']} ({site})" if link["title"] else site}


def _cited(words: str, kind: str, found: dict[str, dict[str, Any]]) -> Block:
    """Return a text with its marks, `[citation:3]`, as citations; a mark that stands for no page stays."""
    parts: list[str] = []
    citations = []
    at = length = 0
    for match in _MARK.finditer(words):
        if match[1] in found:
            parts.append(words[at : match.start()])
            length += match.start() - at
            at = match.end()
            citations.append({"end": length, **found[match[1]]})
    return text("".join(parts) + words[at:], kind, citations)


def _is_read(entry: Any) -> bool:
    """Whether the archive holds the text of a file."""
    return entry.__class__ is dict and entry.get("content").__class__ is str and entry["content"] != ""


def _file(entry: Any) -> dict[str, Any]:
    if entry.__class__ is not dict:
        return {"name": as_text(entry), "id": ""}
    return {
        "name": as_text(entry.get("file_name") or entry.get("name")),
        "id": as_text(entry.get("id") or entry.get("file_id")),
    }
