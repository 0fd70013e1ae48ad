"""What lies beside a page: attachments, images, files; and what the page says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .artifacts import extension_of
from .names import safe_file_name

if TYPE_CHECKING:
    from .conversation import ChatMessage
    from .page import Page

_BY_TYPE: Final = {
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "text/html": ".html",
    "application/json": ".json",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "audio/wav": ".wav",
    "audio/mpeg": ".mp3",
}
_NO_TEXT: Final = frozenset(
    [
        ".doc",
        ".docx",
        ".epub",
        ".gif",
        ".jpeg",
        ".jpg",
        ".mp3",
        ".mp4",
        ".odp",
        ".ods",
        ".odt",
        ".pdf",
        ".png",
        ".ppt",
        ".pptx",
        ".rtf",
        ".wav",
        ".webp",
        ".xls",
        ".xlsx",
        ".zip",
    ]
)
"""Extensions of files that are no text: what the archive holds of them as text is called that."""
_IMAGES: Final = frozenset([".png", ".jpg", ".jpeg", ".gif", ".webp"])
_MAGIC: Final = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF87a": ".gif",
    b"GIF89a": ".gif",
    b"%PDF-": ".pdf",
}
_RIFF: Final = {b"WEBP": ".webp", b"WAVE": ".wav"}


def add_files(page: Page, message: ChatMessage) -> None:
    """Add a message's attachments, and those of its files that no block shows."""
    if page.style.attachments == "drop":
        page.dropped += 1
    for attachment in message["attachments"]:
        attach(page, attachment)
    if not message["files"]:
        return
    shown = {block["id"] for block in message["blocks"] if block["kind"] == "file"} - {""}
    for file in message["files"]:
        drop = page.style.attachments == "drop"
        outcome = "written" if file.get("content") is not None else "rendered"
        page.note("file", "skipped: dropped by setting" if drop else outcome)
        if file["id"] not in shown:
            add_file(page, file)


def name_files(message: ChatMessage) -> None:
    """Give file blocks what the message's list of files knows of them: name and content."""
    known = {file["id"]: file for file in message["files"] if file["id"]}
    for block in message["blocks"]:
        if block["kind"] == "file" and block["id"] in known:
            file = known[block["id"]]
            block["name"] = block["name"] or file["name"]
            if block.get("content") is None and file.get("content") is not None:
                block["content"] = file["content"]


def add_file(page: Page, file: dict[str, Any], kind: str = "") -> None:
    """Add a file: its content beside the page with a link to it, or else its name; and what is said of it."""
    content, name = file.get("content"), file["name"] or file["id"] or kind
    if content is not None:
        _link(page, "File", safe_file_name(name, 100, "file"), content, file.get("type") or "", file["id"])
    elif page.style.attachments != "drop":
        page.parts.append(page.flavour.label("File", f"{page.flavour.plain(name)} (not in the archive)"))
    if page.style.attachments != "drop" and file.get("description"):
        page.parts.append(page.flavour.text(file["description"], page.shift))


def attach(page: Page, attachment: dict[str, Any]) -> None:
    """Add an attachment: its content or its text beside the page, with a link to it and a look at the beginning."""
    mode, text, content = page.style.attachments, attachment["text"], attachment.get("content")
    page.note("attachment", _OUTCOMES.get(mode, "rendered"))
    if content is not None:
        _link(page, "Attachment", safe_file_name(attachment["name"], 100, "attachment"), content, attachment["type"], "")
    if text:
        _attach_text(page, attachment_name(attachment), text)
    elif content is None and mode != "drop":
        name = page.flavour.plain(attachment_name(attachment))
        page.parts.append(page.flavour.label("Attachment", f"{name} (its text is not in the archive)"))


_OUTCOMES: Final = {"fold": "folded", "drop": "skipped: dropped by setting"}


def _attach_text(page: Page, name: str, text: str) -> None:
    flavour, mode, preview = page.flavour, page.style.attachments, page.style.preview
    link = page.attach(name, text)
    if mode == "drop":
        return
    page.parts.append(flavour.label("Attachment", f"{flavour.link(name, link)} ({len(text):,} characters)"))
    if preview:
        cut = len(text) > preview
        page.show(mode, "Beginning" if cut else "Text", [flavour.code(text[:preview] + "\n…" if cut else text)])


def _link(page: Page, word: str, name: str, content: Any, kind: str, identifier: str) -> None:
    """Put content beside the page; show an image, link to anything else."""
    extension = extension_of(name) or _BY_TYPE.get(kind, "")
    if extension not in _IMAGES:
        extension = _by_magic(content) or extension
    if extension_of(name) == ".dat" and extension != ".dat":
        name = name[: -len(".dat")]  # It says nothing; an export calls whatever it has so.
    if not extension_of(name):
        name += extension
    link = page.attach(name, content, identifier)
    if page.style.attachments == "drop":
        return
    is_image = extension in _IMAGES
    shown = page.flavour.image(name, link) if is_image else page.flavour.link(name, link)
    page.parts.append(page.flavour.paragraph(shown) if is_image else page.flavour.label(word, shown))


def _by_magic(content: Any) -> str:
    """Return the extension of a file that says what it is; empty for anything else."""
    start = content[:16] if isinstance(content, bytes) else next(iter(content.blocks()), b"")[:16]
    if start[:4] == b"RIFF":
        return _RIFF.get(start[8:12], "")
    return next((extension for magic, extension in _MAGIC.items() if start.startswith(magic)), "")


def attachment_name(attachment: dict[str, Any]) -> str:
    """Return the name of the file an attachment's text goes to."""
    name = safe_file_name(attachment["name"], 100, "attachment")
    extension = extension_of(name)
    if extension in _NO_TEXT:
        return f"{name}.txt"
    by_type = _BY_TYPE.get(attachment["type"], ".txt")
    return name if extension else name + (".txt" if by_type in _NO_TEXT else by_type)
