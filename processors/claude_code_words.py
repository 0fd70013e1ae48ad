"""What stands in the user's place in Claude Code's log, told apart: their words, commands, what the program added."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Block

_ANYWHERE: Final = ("system-reminder", "user-prompt-submit-hook")
_INJECTED: Final = (
    *_ANYWHERE,
    "local-command-caveat",
    "task-notification",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "post-tool-use-hook",
    "session-start-hook",
    "new-diagnostics",
    "bash-notification",
    "agent-notification",
    "teammate-message",
    "cross-session-message",
    "mcp-resource-update",
    "mcp-polling-update",
    "remote-review",
    "fork-boilerplate",
)
_EVENTS: Final = {
    "command-name": "Command",
    "command-message": "Command message",
    "command-args": "Command arguments",
    "local-command-stdout": "Command output",
    "local-command-stderr": "Command error output",
    "bash-input": "Shell command",
    "bash-stdout": "Shell output",
    "bash-stderr": "Shell error output",
    "user-memory-input": "To be remembered",
}
_OPENING: Final = re.compile(rf"<({'|'.join((*_INJECTED, *_EVENTS))})(?:\s[^<>]{{0,300}})?>")
_OPENING_ANYWHERE: Final = re.compile(f"<({'|'.join(_ANYWHERE)})>")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]{0,20}m")
_INTERRUPTED: Final = re.compile(r"\s*\[Request interrupted by user[^\]\n]{0,40}\]\s*")


def split_words(text: str) -> list[Block]:
    """Return the blocks of a text in the user's place; there is at least one. None of them has sources yet."""
    if _INTERRUPTED.fullmatch(text):
        return [{"kind": "event", "title": "Interrupted by the user", "text": ""}]
    if "<" not in text:
        return [{"kind": "text", "text": text, "citations": ()}]
    # Only a text that begins with such a tag was written by the program: a user may quote one in the middle.
    opening = _OPENING if _OPENING.match(text.lstrip()) else _OPENING_ANYWHERE
    blocks = [_block(tag, body) for tag, body in _tagged(text, opening)]
    return _as_commands([block for block in blocks if block]) or [{"kind": "text", "text": "", "citations": ()}]


def _tagged(text: str, opening: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield (tag, what is in it) and, with an empty tag, what stands between."""
    done = 0
    unclosed: set[str] = set()
    for found in opening.finditer(text):
        if found.start() < done or found[1] in unclosed:
            continue
        close = f"</{found[1]}>"
        end = text.find(close, found.end())
        if end < 0:
            unclosed.add(found[1])
            continue
        yield "", text[done : found.start()]
        yield found[1], text[found.end() : end]
        done = end + len(close)
    yield "", text[done:]


def _block(tag: str, body: str) -> Block | None:
    if not tag:
        return {"kind": "text", "text": body.strip("\n"), "citations": ()} if body.strip() else None
    body = _COLOUR.sub("", body).strip()
    if tag in _INJECTED:
        return {"kind": "injected", "text": body, "source": tag}
    return {"kind": "event", "title": _EVENTS[tag], "text": body} if body else None


def _as_commands(blocks: list[Block]) -> list[Block]:
    """Make one event of a command's name, arguments and message; they come in any order."""
    parts = {block["title"]: block for block in blocks if block.get("title", "").startswith("Command")}
    command = parts.get("Command")
    if command is None:
        return blocks
    name = command["text"]
    message = parts.get("Command message", {"text": ""})
    command["title"], command["text"] = f"Command {name}", parts.get("Command arguments", {"text": ""})["text"]
    gone = [parts.get("Command arguments"), message if message["text"].strip("/") == name.strip("/") else None]
    return [block for block in blocks if not any(block is other for other in gone)]
