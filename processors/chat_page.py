"""A message on a page: its heading, its blocks, its files. And what is kept beside the chats: texts that are no messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .beside import add_files, attach, name_files
from .blocks import render_block

if TYPE_CHECKING:
    from .conversation import ChatMessage, Conversation
    from .page import Page

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|\+00:00)?.*", re.ASCII)
_ANCHOR: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_RENDERED: Final = ("message", "rendered")
_DEFAULT: Final = "{speaker}, {time}"
_ASSISTANTS: Final = {
    "claude": "Claude",
    "chatgpt": "ChatGPT",
    "gemini": "Gemini",
    "aistudio": "Gemini",
    "grok": "Grok",
    "deepseek": "DeepSeek",
    "lechat": "Le Chat",
    "mistral": "Le Chat",
    "codex": "Codex",
    "perplexity": "Perplexity",
    "copilot": "Copilot",
}


def assistant_of(provider: str) -> str:
    """Return what a provider calls its assistant."""
    known = provider.lower().replace("-", "").replace("_", "").replace(" ", "")
    return next((name for start, name in _ASSISTANTS.items() if known.startswith(start)), "Assistant")


def render_message(page: Page, message: ChatMessage, level: int = 2) -> None:
    """Add a message with a heading of its own; without it where settings leave nothing of what the message holds."""
    identifier = message["id"]
    anchor = identifier if _ANCHOR.fullmatch(identifier) else ""
    page.parts.append(page.flavour.heading(level, _heading(page, message), anchor))
    if not render_body(page, message):
        page.parts.pop()


def render_body(page: Page, message: ChatMessage) -> bool:
    """Add what a message says and holds, and tell whether the message is to be seen."""
    before, dropped, files = len(page.parts), page.dropped, message["files"]
    if files:
        name_files(message)
    for block in message["blocks"]:
        render_block(page, block)
    if files or message["attachments"]:
        add_files(page, message)
    if len(page.parts) > before:
        page.tally[_RENDERED] += 1
        return True
    is_shown = page.dropped == dropped and page.style.empty == "keep"
    page.note("message", "rendered empty" if is_shown else "skipped: nothing of it is shown")
    return is_shown


def render_whole(page: Page, conversation: Conversation) -> None:
    """Add what belongs to a conversation as a whole: links to others, texts that are no messages, files."""
    flavour = page.flavour
    for link in conversation.get("links") or ():
        title = flavour.plain(" ".join(filter(None, [link.get("title"), f"({link['id']})" if link["id"] else ""])))
        page.parts.append(flavour.label(flavour.plain(link["relation"]).capitalize(), title))
    for section in conversation.get("sections") or ():
        page.count(section.get("sources") or (), "rendered")
        page.parts.append(flavour.heading(2, flavour.plain(section["title"]) or "Text"))
        if section["text"]:
            page.parts.append(flavour.text(section["text"], page.shift))
        page.settle()
    for attachment in conversation.get("attachments") or ():
        attach(page, attachment)
        page.settle()


def _heading(page: Page, message: ChatMessage) -> str:
    role, name = message["role"], message.get("name") or ""
    speaker = page.speakers.get((role, name))
    if speaker is None:
        speaker = page.speakers[role, name] = page.flavour.plain(name or _called(page, role)) or "Unknown"
    time, form = show_time(message["created"]), page.style.heading
    if form == _DEFAULT:
        return f"{speaker}, {time}" if time else speaker
    fields = {"speaker": speaker, "time": time, "date": time[:10], "id": page.flavour.plain(message["id"])}
    return form.format(**fields).strip(" ,")


def _called(page: Page, role: str) -> str:
    if role == "human":
        return page.style.human
    return page.style.assistant if role == "assistant" else role.capitalize()


def show_time(time: str) -> str:
    """Return an ISO time as people read it, `2026-03-07 12:04:56Z`; empty if it is none."""
    if len(time) > 40:  # noqa: PLR2004 - no time is so long
        return ""
    found = _TIME.fullmatch(time)
    if found is None:
        return ""
    day, clock, zone = found.groups()
    return f"{day} {clock}Z" if zone else f"{day} {clock}"
