"""Perplexity's threads, as the tools that people save them with write them; Perplexity itself has no export."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_list, as_text, instant
from .plain_blocks import asides, asides_of, cite, filled, first, link_of, parsed, picture, result, text, unknown, words_of
from .plain_turns import chat, identity, items_of, message, no_message, role_of, tally, unroll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About
    from .spool import SpooledList

_ASKED: Final = ("query_str", "query", "question", "prompt")
_ANSWERED: Final = ("answer", "response", "markdown", "text")
_SOURCES: Final = ("sources", "web_results", "citations", "references")
_MOMENTS: Final = ("created_at", "createdAt", "entry_created_datetime", "updated_datetime", "timestamp", "date")
_ASIDES: Final = {"related_queries": "Suggested questions"}
_LISTS: Final = ("messages", "entries", "turns", "items")


class PerplexityThreads:
    """Turns a thread of entries, each a question and its answer, or one saved message by message."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that a thread is, in either of the schemas."""
        if element.__class__ is not dict:
            raise RunError("not a thread of Perplexity: it is no object")
        if "conversations" in element:
            return _thread(items_of(element, "conversations", "thread of Perplexity"), _facts(element.get("metadata")))
        key = next((name for name in _LISTS if name in element), "entries")
        items = items_of(element, key, "thread of Perplexity")
        return _thread(items, _facts(element.get("thread_metadata")) | _facts(element))


def _facts(known: Any) -> dict[str, Any]:
    return {key: value for key, value in known.items() if value not in (None, "")} if known.__class__ is dict else {}


def _thread(items: list[Any] | SpooledList, facts: dict[str, Any]) -> Conversation:
    opening = next((item for item in items if item.__class__ is dict), {})
    known = {**_facts(opening), **facts}
    identifier = as_text(first(known, "context_uuid", "thread_id", "threadId", "conversation_id", "uuid", "id", "slug"))
    counts = _count(items)
    moments = sorted(filter(None, (_moment(item) for item in items)))
    address = as_text(first(known, "url", "thread_url", "link"))
    slug = as_text(known.get("thread_url_slug"))
    address = address or (f"https://www.perplexity.ai/search/{slug}" if slug.replace("-", "").isalnum() else "")
    return chat(
        "perplexity",
        identifier or identity(items),
        unroll(_messages, items, counts["messages"]),
        counts,
        title=as_text(first(known, "thread_title", "title", "name")),
        created=moments[0] if moments else _moment(known),
        updated=moments[-1] if moments else _moment(known),
        url=address if address.startswith("https://") else "",
        model=_model(known),
    )


def _moment(item: Any) -> str:
    return instant(first(item, *_MOMENTS)) if item.__class__ is dict else ""


def _model(item: dict[str, Any]) -> str:
    return as_text(first(item, "display_model", "model", "user_selected_model"))


def _messages(items: Iterable[Any]) -> Iterator[ChatMessage]:
    for item in items:
        if item.__class__ is not dict:
            yield no_message(item)
        elif _is_said(item):
            yield _said(item)
        else:
            yield from _turn(_with_found(item))


def _is_said(item: dict[str, Any]) -> bool:
    """Whether an item is one message; it is a question with its answer else."""
    return "role" in item or "content" in item


def _with_found(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with the pages that its `text` names, where it tells of none itself."""
    told = any(filled(entry.get(key)) for key in _SOURCES) or any(map(_pages_of, as_list(entry.get("blocks"))))
    pages = [] if told else as_list(as_dict(_final(entry.get("text"))).get("web_results")) or _found(entry.get("text"))
    return {**entry, "web_results": pages} if pages else entry


def _found(value: Any) -> list[Any]:
    """Return the pages that the steps of a search found, each once."""
    contents = [as_dict(step.get("content")) for step in as_list(parsed(value)) if step.__class__ is dict]
    pages = [page for content in contents for page in as_list(content.get("web_results")) if page.__class__ is dict]
    return list({as_text(page.get("url")): page for page in pages}.values())


def _said(item: dict[str, Any]) -> ChatMessage:
    """Return a message that says itself who spoke."""
    role, model = role_of(item.get("role")), _model(item)
    blocks = _with_sources(item, [text(words_of(item["content"]), "content")] if filled(item.get("content")) else [])
    more = {"model": model} if model and role == "assistant" else {}
    return message(role, blocks, as_text(first(item, "id", "uuid")), _moment(item), **more)


def _turn(entry: dict[str, Any]) -> Iterator[ChatMessage]:
    """Yield the question and the answer of an entry."""
    identifier, created, model = as_text(first(entry, "uuid", "backend_uuid", "id")), _moment(entry), _model(entry)
    asked = [text(entry[key], key) for key in _ASKED if filled(entry.get(key))][:1]
    files = [picture(address, "attachments") for address in as_list(entry.get("attachments"))]
    yield message("human", asked + files, identifier, created)
    blocks = _blocks(_answers(entry))
    more = {"model": model} if model else {}
    blocks = _with_sources(entry, blocks) + asides(entry, _ASIDES)
    yield message("assistant", blocks, f"{identifier}.answer" if identifier else "", created, **more)


def _answers(entry: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what an answer consists of, by type: its blocks if there are any, and its text if none of them is one."""
    found = [(_use_of(block), block) for block in as_list(entry.get("blocks"))]
    if not any(_markdown_of(block) for _, block in found):
        found += [(key, entry[key]) for key in _ANSWERED if filled(entry.get(key))][:1]
    return found


def _blocks(answers: list[tuple[str, Any]]) -> list[Block]:
    """Return the blocks of an answer. It is sent both whole, as `ask_text`, and in sections, which say the same again."""
    blocks: list[Block] = []
    whole = next((block for kind, block in answers if kind == "ask_text" and _markdown_of(block)), None)
    sections = [kind.startswith("ask_text_") and bool(whole and _markdown_of(block)) for kind, block in answers]
    for (kind, value), is_section in zip(answers, sections, strict=True):
        if not is_section:
            blocks.append(_answer(kind, value))
        if value is whole and whole:
            blocks[-1]["sources"] += tuple(kind for kind, _ in compress(answers, sections))
    return blocks


def _use_of(block: Any) -> str:
    return as_text(block.get("intended_usage") or "block") if block.__class__ is dict else "block"


def _markdown_of(block: Any) -> str:
    found: Any = block.get("markdown_block") if block.__class__ is dict else None
    if found.__class__ is not dict:
        return ""
    return as_text(found.get("answer")) or "".join(map(as_text, as_list(found.get("chunks"))))


def _answer(kind: str, value: Any) -> Block:
    if kind in _ANSWERED:
        found = _final(value) if kind == "text" else words_of(value)
        return text(as_dict(found).get("answer", found), kind)
    markdown = _markdown_of(value)
    if markdown:
        return text(markdown, kind)
    pages = _pages_of(value)
    if pages:
        return result("web search", [_page(page) for page in pages], kind)
    return unknown(kind, value)


def _page(page: Any) -> Any:
    if page.__class__ is not dict:
        return page
    link = link_of(page)
    return {"title": link["title"], "url": link["url"], "text": as_text(first(page, "snippet", "text"))}


def _pages_of(block: Any) -> list[Any]:
    found: Any = block.get("web_result_block") if block.__class__ is dict else None
    return as_list(found.get("web_results")) if found.__class__ is dict else []


def _final(value: Any) -> Any:
    """Return what `text` says: words, or the object with the `answer` in JSON, in the last step of a search."""
    found = parsed(value)
    steps = [step for step in as_list(found) if step.__class__ is dict]
    for step in reversed(steps):
        content: Any = as_dict(step.get("content", step))
        inner = parsed(content.get("answer"))
        found = inner if inner.__class__ is dict else {**content, "answer": inner}
        if found.get("answer").__class__ is str and found["answer"]:
            return found
    return as_text(value)


def _with_sources(item: dict[str, Any], blocks: list[Block]) -> list[Block]:
    """Put the pages a text rests on into its citations; without a text they stand alone."""
    for key in _SOURCES:
        if not filled(item.get(key)):
            continue
        texts = [block for block in blocks if block["kind"] == "text"]
        if texts:
            texts[-1]["citations"] += cite(item[key], len(texts[-1]["text"]))
            texts[-1]["sources"] += (key,)
        else:
            blocks.append(unknown(key, item[key]))
    return blocks


def _count(items: Iterable[Any]) -> dict[str, Any]:
    kinds: list[str] = []
    messages = 0
    for item in items:
        is_turn = item.__class__ is dict and not _is_said(item)
        messages += 1 + is_turn
        kinds += _kinds(_with_found(item) if is_turn else item, is_turn) if item.__class__ is dict else ["message"]
    return tally(messages, kinds)


def _kinds(item: dict[str, Any], is_turn: bool) -> list[str]:
    found = [key for key in _SOURCES if filled(item.get(key))]
    if not is_turn:
        return found + ["content"] * filled(item.get("content"))
    asked = [key for key in _ASKED if filled(item.get(key))][:1]
    found += asides_of(item, _ASIDES)
    return found + asked + ["attachments"] * len(as_list(item.get("attachments"))) + [kind for kind, _ in _answers(item)]
