"""The two layouts: a page for each conversation, or a page for each message as the original converter made them."""

from __future__ import annotations

import json
import posixpath
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .artifacts import Bench
from .blocks import render_made
from .branches import Tree, look
from .chat_page import assistant_of, render_body, render_message, render_whole, show_time
from .conversation import title_of
from .flavour_markdown import SAFE_URL
from .names import UniqueNames, as_link
from .page import Page, Style
from .places import EXTENSION, hex_id
from .prose import inline

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from .conversation import ChatMessage, Conversation
    from .flavour import Flavour
    from .places import Place
    from .spool import Content

    Files = list[tuple[str, Content]]
    Facts = dict[str, Any]
    Head = Callable[[Facts], str]


def walk(page: Page, conversation: Conversation, tree: Tree, left: bool) -> Iterator[ChatMessage]:
    """Yield the messages on the way the conversation went, or those on the ways it left, with the page's bench set for each."""
    if tree.path is None and not left:
        yield from conversation["messages"]
        return
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

    def __init__(self, style: Style, flavour: Flavour, head: Head) -> None:
        self._style = style
        self._flavour = flavour
        self._head = head

    def render(
        self, conversation: Conversation, place: Place, facts: Facts, written: Container[str] = ()
    ) -> tuple[Files, Page, Facts]:
        """Return the files of a conversation, its page first, and what its head tells; `facts` is what is known already."""
        page = _begin(conversation, self._style, self._flavour, place.take, written)
        render_whole(page, conversation)
        tree = look(conversation)
        for message in walk(page, conversation, tree, left=False):
            render_message(page, message)
            page.settle()
        if tree.left:
            _render_left(page, conversation, tree)
        render_made(page)
        tail = self._flavour.tail(place.short)
        if tail:
            page.parts.append(tail)
        files = page.take_files()
        told = {**facts, **describe(tree, page)}
        summary = conversation["summary"] if self._style.summary == "keep" else ""
        head = self._head({**told, "summary": summary, "model": conversation["model"]})
        path = place.page.removesuffix(EXTENSION) + self._flavour.extension
        return [(path, page.take_page(head)), *files], page, told


def _begin(conversation: Conversation, style: Style, flavour: Flavour, take: Any, written: Container[str] = ()) -> Page:
    style = _complete(style, conversation["provider"])
    return Page(style, flavour, take, conversation["messages"].__class__ is not list, written)


@lru_cache(maxsize=64)
def _complete(style: Style, provider: str) -> Style:
    return style if style.assistant else style._replace(assistant=assistant_of(provider))


def _render_left(page: Page, conversation: Conversation, tree: Tree) -> None:
    page.note("message off the path", "rendered", tree.left)
    page.parts += (
        page.flavour.heading(2, "Other branches"),
        page.flavour.aside("Messages that were edited or answered again; the conversation did not go on from them."),
    )
    page.shift = 3
    for message in walk(page, conversation, tree, left=True):
        render_message(page, message, 3)
        page.settle()


def describe(tree: Tree, page: Page) -> Facts:
    """Return what is known of a conversation once its page is made."""
    attached = page.tally.get(("attachment", "rendered"), 0) + page.tally.get(("attachment", "folded"), 0)
    return {
        "messages": tree.total,
        "messages_off_path": tree.left or None,
        "artifacts": len(page.shelf.made) or None,
        "attachments": attached or None,
    }


class MessageLayout:
    """One page for each message: `<conversation>/<date>_<message>.md`, an id longer where the short one is taken.

    What belongs to no message, as a project's instructions, is in `about.md`.
    """

    def __init__(self, style: Style, flavour: Flavour) -> None:
        self._style = style
        self._flavour = flavour

    def render(self, conversation: Conversation, place: Place, facts: Facts) -> tuple[Files, Page, Facts]:
        """Return the files of a conversation: its messages' pages, then what they hold."""

        def take(kind: str, name: str) -> tuple[str, str]:
            path, _ = place.take(kind, name)
            return path, as_link(posixpath.relpath(path, place.folder))

        page = _begin(conversation, self._style, self._flavour, take)
        names = UniqueNames()
        tree = look(conversation)
        files = self._whole(page, conversation, place.folder)
        files += [
            self._page(page, conversation, message, place.folder, names)
            for message in walk(page, conversation, tree, left=False)
        ]
        if tree.left:
            page.note("message off the path", "rendered", tree.left)
            files += [
                self._page(page, conversation, message, place.folder, names)
                for message in walk(page, conversation, tree, left=True)
            ]
        return [*files, *page.take_files()], page, {**facts, **describe(tree, page)}

    @staticmethod
    def _whole(page: Page, conversation: Conversation, folder: str) -> Files:
        if not any(conversation.get(key) for key in ("links", "sections", "attachments")):
            return []
        render_whole(page, conversation)
        return [(f"{folder}/about.md", page.take_page(f"# {inline(title_of(conversation))}"))]

    @staticmethod
    def _page(
        page: Page, conversation: Conversation, message: ChatMessage, folder: str, names: UniqueNames
    ) -> tuple[str, Content]:
        digits = hex_id(message["id"], message["created"])
        date = show_time(message["created"])[:10] or "undated"
        # Ids of 2026 begin with the time, so the original's three digits are the same for a whole day.
        path = names.take(*(f"{folder}/{date}_{digits[:length]}.md" for length in (3, 8, 16, 32)))
        head = f"# {_headline(conversation)}\n\n{inline(message['id'])}"
        render_body(page, message)
        page.parts.append(_footer(conversation, message, path))
        return path, page.take_page(head)


def _headline(conversation: Conversation) -> str:
    """Return the title as a link to the conversation, if what should be its address is one."""
    title, url = inline(conversation["title"]), conversation["url"]
    if url and not SAFE_URL.fullmatch(url):
        return title
    return f"[{title}](<{url}>)" if "(" in url or ")" in url else f"[{title}]({url})"


def _footer(conversation: Conversation, message: ChatMessage, path: str) -> str:
    meta = {"conv_uuid": conversation["id"], "conv_name": conversation["title"], "updated_at": conversation["updated"]}
    facts = {
        "sender": inline(message["role"]),
        "created_at": inline(message["created"]),
        "meta": json.dumps(meta, ensure_ascii=False, indent=2),
        "filepath": path,
    }
    return "---\n\n" + "\n".join(f"* **{name}** : {value}" for name, value in facts.items())
