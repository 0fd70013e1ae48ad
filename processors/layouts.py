"""The two layouts: a page for each conversation, or a page for each message as the original converter made them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .artifacts import Bench
from .branches import Tree, look
from .chat_page import render_body, render_message, show_time
from .conversation import title_of
from .names import UniqueNames
from .page import Page, Style
from .places import Places, hex_id
from .prose import inline
from .spool import Mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conversation import ChatMessage, Conversation
    from .spool import Content

    Files = list[tuple[str, Content]]
    Head = Callable[[dict[str, Any]], str]


def walk(page: Page, conversation: Conversation, tree: Tree, left: bool) -> Iterator[ChatMessage]:
    """Yield the messages on the way the conversation went, or those on the ways it left, with the page's bench set for each."""
    benches: dict[int, Bench] = {} if not left else page.benches
    for position, message in enumerate(conversation["messages"]):
        if tree.path is not None and (position in tree.path) == left:
            continue
        if left:
            page.bench = _bench_for(page, tree.parents[position], tree.forks)
        yield message
        if left or position in tree.forks:
            benches[position] = page.bench if left else page.bench.branch()
    page.benches = benches


def _bench_for(page: Page, parent: int, forks: frozenset[int]) -> Bench:
    known = page.benches.get(parent)
    if known is None:
        return Bench(page.shelf)
    return known.branch() if parent in forks else known


class ConversationLayout:
    """One page for each conversation, its messages in order, ways it left at the end."""

    def __init__(self, style: Style, places: Places, head: Head) -> None:
        self._style = style
        self._places = places
        self._head = head

    def render(self, conversation: Conversation) -> tuple[Files, Page]:
        """Return the files of a conversation, its page first."""
        title = title_of(conversation)
        place = self._places.take(conversation, title)
        page = Page(self._style, place, large=isinstance(conversation["messages"], Mapped))
        tree = look(conversation)
        for message in walk(page, conversation, tree, left=False):
            render_message(page, message)
            page.settle()
        if tree.left:
            _render_left(page, conversation, tree)
        files = page.take_files()
        head = self._head(describe(conversation, title, tree, page))
        return [(f"{place.page}.md", page.take_page(head)), *files], page


def _render_left(page: Page, conversation: Conversation, tree: Tree) -> None:
    page.note("message off the path", "rendered", tree.left)
    page.parts += (
        "## Other branches",
        "*Messages that were edited or answered again; the conversation did not go on from them.*",
    )
    page.shift = 3
    for message in walk(page, conversation, tree, left=True):
        render_message(page, message, "###")
        page.settle()


def describe(conversation: Conversation, title: str, tree: Tree, page: Page) -> dict[str, Any]:
    """Return what the head of a page tells, and what a template may use."""
    attached = sum(number for (kind, outcome), number in page.tally.items() if kind == "attachment" and outcome[:4] != "skip")
    return {
        "title": title,
        "provider": conversation["provider"],
        "conversation_id": conversation["id"],
        "source_url": conversation["url"],
        "created": conversation["created"],
        "updated": conversation["updated"],
        "model": conversation["model"],
        "messages": tree.total,
        "messages_off_path": tree.left or None,
        "artifacts": len(page.shelf.made) or None,
        "attachments": attached or None,
        "summary": conversation["summary"] if page.style.summary == "keep" else "",
    }


class MessageLayout:
    """One page for each message: `<conversation>/<date>_<message>.md`, an id longer where the short one is taken."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._names = UniqueNames()
        self._places = Places("{start}/{id}", "{start}/{kind}/{id} {name}")

    def render(self, conversation: Conversation) -> tuple[Files, Page]:
        """Return the files of a conversation: its messages' pages, then what they hold."""
        folder = hex_id(conversation)[:4]
        page = Page(self._style, self._places.take(conversation, ""), large=isinstance(conversation["messages"], Mapped))
        tree = look(conversation)
        files = [self._page(page, conversation, message, folder) for message in walk(page, conversation, tree, left=False)]
        if tree.left:
            page.note("message off the path", "rendered", tree.left)
            files += [self._page(page, conversation, message, folder) for message in walk(page, conversation, tree, left=True)]
        return [*files, *page.take_files()], page

    def _page(self, page: Page, conversation: Conversation, message: ChatMessage, folder: str) -> tuple[str, Content]:
        digits = hex_id({**message, "title": "", "provider": ""})
        date = show_time(message["created"])[:10] or "undated"
        # Ids of 2026 begin with the time, so the original's three digits are the same for a whole day.
        path = self._names.take(*(f"{folder}/{date}_{digits[:length]}.md" for length in (3, 8, 16, 32)))
        title = inline(conversation["title"])
        head = f"# [{title}]({conversation['url']})\n\n{inline(message['id'])}"
        render_body(page, message)
        page.parts.append(_footer(conversation, message, path))
        return path, page.take_page(head)


def _footer(conversation: Conversation, message: ChatMessage, path: str) -> str:
    meta = {"conv_uuid": conversation["id"], "conv_name": conversation["title"], "updated_at": conversation["updated"]}
    facts = {
        "sender": inline(message["role"]),
        "created_at": inline(message["created"]),
        "meta": json.dumps(meta, ensure_ascii=False, indent=2),
        "filepath": path,
    }
    return "---\n\n" + "\n".join(f"* **{name}** : {value}" for name, value in facts.items())
