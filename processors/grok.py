"""Grok's data export, `prod-grok-backend.json`, turned into the common model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .ant_tags import split_tags
from .conversation import as_dict, as_list, as_text, instant
from .plain_blocks import asides, asides_of, cite, filled, first, link_of, parsed, parts_of, result, text, thinking, unknown
from .plain_turns import chat, identity, is_message, items_of, message, no_message, role_of, sections_of, shelves, tally, unroll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .blobs import Members
    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_SHELVES: Final = {"projects": "Projects", "tasks": "Tasks", "media_posts": "Pictures"}
_ASIDES: Final = {"query": "Searched for", "webpage_urls": "Pages given"}
_FINDS: Final = {"web_search_results": "web search", "xposts": "search on X"}
_FILES: Final = ("file_attachments", "image_attachments", "generated_image_urls")
_STEPS: Final = ("steps", "agent_thinking_traces")
_CONTENT: Final = ("thinking_trace", *_STEPS, *_FINDS, "message", "cited_web_search_results", "error")
"""The fields of a response that hold what it says; each that is not empty is a block."""
_FIELDS: Final = (*_CONTENT, *_ASIDES, *_FILES, "sender")
_WORDS: Final = ("text", "tagged_text", "thinking_trace")
_CARD: Final = re.compile(
    r'<grok:render\b[^<>]{0,300}?\bcard_id="([^"<>]{1,100})"[^<>]{0,300}>.{0,500}?</grok:render>', re.DOTALL
)
"""A mark in an answer, in whose place the site shows a card."""


class GrokConversations:
    """Turns the conversations of an export, each with its list of responses."""

    def __init__(self) -> None:
        """Know of no archive yet."""
        self._members: Members | None = None
        self._assets: dict[str, str] = {}

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that an element of `conversations` holds, or what stands beside that list."""
        kept = shelves("grok", element, _SHELVES) if "responses" not in as_dict(element) else []
        if kept:
            return {**kept[0], "also": kept[1:]}
        items = items_of(element, "responses", "conversation of Grok")
        known = element.get("conversation")
        get = known.get if known.__class__ is dict else {}.get
        self._look_at(about.members)
        counts = _count(items)
        identifier = as_text(get("id") or get("conversation_id"))
        return chat(
            "grok",
            identifier or identity(items),
            unroll(self._messages, items, counts["messages"]),
            counts,
            title=as_text(get("title")),
            created=instant(get("create_time")),
            updated=instant(get("modify_time")),
            url=f"https://grok.com/chat/{identifier}" if identifier.replace("-", "").isalnum() else "",
            summary=as_text(get("summary")),
            leaf=as_text(get("leaf_response_id")),
            **sections_of({"Personality": get("custom_personality")}),
        )

    def _look_at(self, members: Members) -> None:
        """Learn where the files of an archive are: each is called `content`, in a folder with its id for a name."""
        if members is self._members:
            return
        ways = [name.split("/") for name in members.names()]
        self._assets = {way[-2]: "/".join(way) for way in ways if len(way) > 1 and way[-1] == "content"}
        self._members = members

    def _messages(self, items: Iterable[Any]) -> Iterator[ChatMessage]:
        for item in items:
            response = _response_of(item)
            yield self._message(response) if response else no_message(item)

    def _message(self, response: dict[str, Any]) -> ChatMessage:
        parent = response.get("parent_response_id")
        role, model = role_of(response.get("sender")), as_text(first(response, "model"))
        found = message(
            role,
            _blocks(response),
            as_text(first(response, "_id", "response_id")),
            instant(response.get("create_time")),
            **({"model": model} if model and role == "assistant" else {}),
        )
        found["files"] = [self._file(entry) for key in _FILES for entry in as_list(response.get(key))]
        return found | ({"parent": parent} if parent.__class__ is str else {})

    def _file(self, entry: Any) -> dict[str, Any]:
        if entry.__class__ is dict:
            name = as_text(first(entry, "file_name", "fileName", "name"))
            identifier = as_text(first(entry, "file_id", "file_metadata_id", "fileMetadataId", "_id", "id", "url"))
        else:
            name, identifier = "", as_text(entry)
        # A picture that was made is named by its way, `users/<id>/generated/<id>/image.jpg`: one of its folders is its id.
        ways = [part for part in reversed(identifier.split("/")) if part in self._assets]
        content = self._members.find(self._assets[ways[0]]) if ways and self._members else None
        named = {"name": name or identifier.rpartition("/")[2], "id": identifier}
        return named | ({"content": content} if content else {})


def _response_of(item: Any) -> dict[str, Any] | None:
    response = item.get("response", item) if item.__class__ is dict else None
    return response if response and is_message(response, _FIELDS) else None


def _blocks(response: dict[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    for key in _CONTENT:
        value = response.get(key)
        if not filled(value):
            continue
        if key == "message":
            blocks += _said(as_text(value), response)
        elif key in _STEPS:
            _add_steps(blocks, key, value)
            blocks += _pages_in(value, response)
        elif key == "cited_web_search_results" and (said := _last_text(blocks)):
            cited = {citation["url"] for citation in said["citations"]}
            said["citations"] += [page for page in cite(value, len(said["text"])) if page["url"] not in cited]
            said["sources"] += (key,)
        else:
            blocks.append(_block(key, value))
    return blocks + asides(response, _ASIDES)


def _said(words: str, response: dict[str, Any]) -> list[Block]:
    """Return what a response says: its text, with the artifacts in it told apart."""
    whole = _cited(words, response.get("card_attachments_json"))
    if "<xaiArtifact" not in words or role_of(response.get("sender")) != "assistant":
        return [whole]
    blocks = list(split_tags(whole["text"]))
    blocks[0]["sources"] = whole["sources"]
    if said := _last_text(blocks):
        said["citations"] += [{**citation, "end": len(said["text"])} for citation in whole["citations"]]
    return blocks


def _last_text(blocks: list[Block]) -> Block | None:
    return next((block for block in reversed(blocks) if block["kind"] == "text"), None)


def _cited(words: str, cards: Any) -> Block:
    """Return the text of an answer, with marks as citations; one whose card has no address stays as it is."""
    known = [parsed(card) for card in as_list(cards)]
    found = {as_text(card.get("id")): link_of(card) for card in known if card.__class__ is dict and filled(card.get("url"))}
    parts: list[str] = []
    citations = []
    at = length = 0
    for match in _CARD.finditer(words) if found else ():
        if match[1] in found:
            parts.append(words[at : match.start()])
            length += match.start() - at
            at = match.end()
            citations.append({"end": length, **found[match[1]]})
    return text("".join(parts) + words[at:], "message", citations)


def _add_steps(blocks: list[Block], key: str, value: Any) -> None:
    """Add what the model thought step by step, unless the whole of it stands there already."""
    words = "\n\n".join(_words(value))
    before = blocks[0] if blocks and blocks[0]["kind"] == "thinking" else None
    if before and all(part in before["text"] for part in _words(value)):
        before["sources"] += (key,)
    else:
        blocks.append(thinking(words, key) if words else unknown(key, value))


def _pages_in(steps: Any, response: dict[str, Any]) -> list[Block]:
    """Return what a search in the steps found, of which the response itself does not tell."""
    known = {as_text(page.get("url")) for key in _FINDS for page in as_list(response.get(key)) if page.__class__ is dict}
    listed = [page for step in as_list(steps) for key in _FINDS for page in as_list(as_dict(step).get(key))]
    found = {as_text(page.get("url")): page for page in listed if first(as_dict(page), "title", "preview")}
    pages = [_find(page) for url, page in found.items() if url not in known]
    return [{**result("web search", pages, ""), "sources": ()}] if pages else []


def _words(value: Any) -> Iterator[str]:
    """Yield the texts in steps, wherever in them."""
    waiting = [(value, False)]
    while waiting:
        item, within = waiting.pop()
        if item.__class__ is str and within and item.strip():
            yield item
        elif item.__class__ is list:
            waiting += [(entry, within) for entry in reversed(item)]
        elif item.__class__ is dict:
            waiting += [(entry, within or name in _WORDS) for name, entry in reversed(item.items())]


def _block(key: str, value: Any) -> Block:
    if key == "thinking_trace":
        return thinking(value, key)
    if key in _FINDS:
        return result(_FINDS[key], [_find(item) for item in as_list(value)], key)
    if key == "error":
        return {"kind": "event", "title": "Error", "text": as_text(value), "sources": (key,)}
    return unknown(key, value)


def _find(item: Any) -> Any:
    """Return one page or post that a search found."""
    if item.__class__ is not dict or item.get("preview").__class__ is not str:
        who = as_text(item.get("username")) if item.__class__ is dict else ""
        (part,) = parts_of([item])
        return {"title": f"@{who}", "url": "", **part} if who and "text" in part else part
    return {"title": as_text(item.get("title")), "url": as_text(item.get("url")), "text": item["preview"]}


def _count(items: Iterable[Any]) -> dict[str, Any]:
    kinds: list[str] = []
    messages = files = 0
    for item in items:
        messages += 1
        response = _response_of(item)
        if not response:
            kinds.append("message")
            continue
        kinds += [key for key in _CONTENT if filled(response.get(key))] + asides_of(response, _ASIDES)
        files += sum(len(as_list(response.get(key))) for key in _FILES)
    return tally(messages, kinds, files=files)
