"""A message on a page: its heading, its blocks, its attachments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .blocks import name_files, render_block
from .names import safe_file_name
from .prose import fence, inline

if TYPE_CHECKING:
    from .conversation import ChatMessage
    from .page import Page, Style

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|\+00:00)?.*", re.ASCII)
_ANCHOR: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_BY_TYPE: Final = {
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "text/html": ".html",
    "application/json": ".json",
}
_NO_TEXT: Final = frozenset(
    [
        ".doc",
        ".docx",
        ".epub",
        ".gif",
        ".jpeg",
        ".jpg",
        ".odp",
        ".ods",
        ".odt",
        ".pdf",
        ".png",
        ".ppt",
        ".pptx",
        ".rtf",
        ".xls",
        ".xlsx",
        ".zip",
    ]
)
"""Extensions of files that are no text: what the archive holds of them is their text, so it is called that."""


def render_message(page: Page, message: ChatMessage, level: str = "##") -> None:
    """Add a message with a heading of its own."""
    heading = _heading(page.style, message)
    anchor = message["id"] if _ANCHOR.fullmatch(message["id"]) else ""
    page.parts.append(f"{level} {heading}\n<!-- msg:{anchor} -->" if anchor else f"{level} {heading}")
    render_body(page, message)


def render_body(page: Page, message: ChatMessage) -> None:
    """Add what a message says and holds."""
    shown = name_files(message) if message["files"] else frozenset[str]()
    for block in message["blocks"]:
        render_block(page, block)
    for attachment in message["attachments"]:
        _attach(page, attachment)
    for file in message["files"]:
        page.note("file", "rendered")
        if file["id"] not in shown or not file["id"]:
            page.parts.append(f"**File:** {inline(file['name'] or file['id'])} (not in the archive)")
    holds = message["blocks"] or message["attachments"] or message["files"]
    page.note("message", "rendered" if holds else "rendered empty")


def _heading(style: Style, message: ChatMessage) -> str:
    role = message["role"]
    speaker = (
        style.human if role == "human" else style.assistant if role == "assistant" else inline(role).capitalize() or "Unknown"
    )
    time = show_time(message["created"])
    if style.heading == "{speaker}, {time}":
        return f"{speaker}, {time}" if time else speaker
    return style.heading.format(speaker=speaker, time=time, date=time[:10], id=message["id"]).strip(" ,")


def show_time(time: str) -> str:
    """Return an ISO time as people read it, `2026-03-07 12:04:56Z`; empty if it is none."""
    if len(time) > 40:  # noqa: PLR2004 - no time is so long
        return ""
    found = _TIME.fullmatch(time)
    return f"{found[1]} {found[2]}{'Z' if found[3] else ''}" if found else ""


def _attach(page: Page, attachment: dict[str, Any]) -> None:
    mode, text = page.style.attachments, attachment["text"]
    if mode == "drop":
        page.note("attachment", "skipped: dropped by setting")
        return
    page.note("attachment", "folded" if mode == "fold" else "rendered")
    name = attachment_name(attachment)
    if not text:
        page.parts.append(f"**Attachment:** {inline(name)} (its text is not in the archive)")
        return
    page.parts.append(f"**Attachment:** [{inline(name)}]({page.attach(name, text)}) ({len(text):,} characters)")
    preview = page.style.preview
    if preview:
        cut = len(text) > preview
        page.show(mode, "Beginning" if cut else "Text", fence(text[:preview] + "\n…" if cut else text))


def attachment_name(attachment: dict[str, Any]) -> str:
    """Return the name of the file an attachment's text goes to."""
    name = safe_file_name(attachment["name"], 100, "attachment")
    dot = name.rfind(".")
    extension = name[dot:].lower() if dot > 0 else ""
    if extension in _NO_TEXT:
        return f"{name}.txt"
    return name if extension else name + _BY_TYPE.get(attachment["type"], ".txt")
