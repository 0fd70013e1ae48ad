"""The calls of tools in ChatGPT's messages, and the documents of its canvas with every edit applied."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .chatgpt_parts import PLAIN, kind_of, parts_of, types_of
from .conversation import as_dict, as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .message_tree import Turn

_CREATE: Final = "canmore.create_textdoc"
_UPDATE: Final = "canmore.update_textdoc"
_NOBODY: Final = frozenset(("", "all", "assistant", "user"))
_ANY: Final = r"(?:\(\?s\))?\^?(?:\(?(?:\.|\[\\s\\S\]|\[\\S\\s\]|\[\\d\\D\]|\[\\w\\W\]|\.\|\\n|\.\|\\s)\)?[*+]\??)\$?"
_WHOLE: Final = re.compile(_ANY)
_SPLIT: Final = re.compile(r"((?:\.|\[\\s\\S\]|\[\\S\\s\]|\(\.\|\\n\)|\(\?:\.\|\\n\))[*+]\??)")
_ESCAPED: Final = re.compile(r"\\(.)|([.^$*+?{}\[\]|()])", re.DOTALL)
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r"}
_LANGUAGES: Final = {"react": "jsx"}


def tool_of(message: Any) -> str:
    """Return the name of the tool that a message of the assistant calls; empty if it calls none."""
    if as_dict(as_dict(message).get("author")).get("role") != "assistant":
        return ""
    recipient, content = message.get("recipient"), message.get("content")
    kind = kind_of(content)
    name = "" if recipient.__class__ is not str or recipient in _NOBODY else str(recipient)
    if kind == "code":
        return name or _language(content) or "code"
    return name if name and kind in PLAIN and set(types_of(message)) == {"text"} else ""


def _language(content: Any) -> str:
    language = as_text(as_dict(content).get("language"))
    return "" if language == "unknown" else language


def given_to(content: Any) -> Any:
    """Return what a call gives to its tool: JSON as it is, anything else as code."""
    text = as_text(content.get("text")) if kind_of(content) == "code" else "\n\n".join(parts_of(content))
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text, strict=False)
        except (ValueError, RecursionError):
            pass
    language = _language(content)
    return {"language": language, "code": text} if language else {"code": text}


def fits(called: str, answering: str) -> bool:
    """Whether a message of one tool may hold the result of a call to another name."""
    return not answering or called == "code" or called.partition(".")[0] == answering.partition(".")[0]


class Document(NamedTuple):
    """A document of the canvas as it stands."""

    key: str
    title: str
    type: str
    text: str


class Desk(NamedTuple):
    """The documents as one branch of a conversation sees them, and which is open."""

    documents: dict[str, Document]
    open: str = ""


class Canvas:
    """Follows the canvas through the messages of a conversation, in their order, branch by branch."""

    def __init__(self) -> None:
        self._desk = Desk({})
        self._last = -1
        self._kept: dict[int, Desk] = {}

    def artifact(self, turn: Turn, name: str, given: Any) -> dict[str, Any] | None:
        """Return what a turn does to a document; None if it does nothing. Every turn must come here."""
        desk = self._desk if turn.above == self._last else self._kept.get(turn.above, Desk({}))
        artifact = None
        if name == _CREATE and as_dict(given).get("content").__class__ is str:
            document = Document(_key(turn) or turn.id, *(as_text(given.get(key)) for key in ("name", "type", "content")))
            artifact = _artifact("create", document)
            desk = Desk({**desk.documents, document.key: document}, document.key)
        elif name == _UPDATE and as_dict(given).get("updates").__class__ is list:
            artifact, edited = _update(desk, _key(turn), _edits(given))
            # An edit that the tool refused changed nothing.
            desk = desk if kind_of(as_dict(turn.answer).get("content")) == "system_error" else edited
        self._desk, self._last = desk, turn.number
        if turn.forks:
            self._kept[turn.number] = desk
        return artifact


def _key(turn: Turn) -> str:
    """Return the id of the document a call speaks of: only the tool's answer tells it."""
    for message in (turn.answer, turn.message):
        canvas = as_dict(as_dict(as_dict(message).get("metadata")).get("canvas"))
        if canvas.get("textdoc_id").__class__ is str:
            return str(canvas["textdoc_id"])
    return ""


def _artifact(command: str, document: Document, old: str = "", new: str = "") -> dict[str, Any]:
    kind, _, language = document.type.partition("/")
    return {
        "command": command,
        "key": document.key,
        "title": document.title,
        "type": "text/markdown" if kind == "document" else "",
        "language": _LANGUAGES.get(language, language),
        "content": "" if command == "update" else document.text,
        "old": old,
        "new": new,
    }


class _Edit(NamedTuple):
    pattern: str
    multiple: bool
    replacement: str


def _edits(given: dict[str, Any]) -> list[_Edit]:
    found = [item for item in as_list(given.get("updates")) if item.__class__ is dict]
    return [
        _Edit(as_text(item.get("pattern")), item.get("multiple") is True, as_text(item.get("replacement"))) for item in found
    ]


def _update(desk: Desk, key: str, edits: list[_Edit]) -> tuple[dict[str, Any] | None, Desk]:
    known = desk.documents.get(key) or desk.documents.get(desk.open)
    if not edits:
        return None, desk
    text = _apply(known.text if known else None, edits)
    if text is None:
        # It cannot be carried out; who applies artifacts finds no place for it either, and counts it.
        document = known or Document(key, "", "", "")
        old, new = ("\n\n".join(texts) for texts in zip(*((edit.pattern, edit.replacement) for edit in edits), strict=True))
        return _artifact("update", document, old, new), desk
    document = known._replace(text=text) if known else Document(key or "textdoc", "", "document", text)
    changed = Desk({**desk.documents, document.key: document}, document.key)
    plain = _plain(edits[0].pattern)
    if known and len(edits) == 1 and not edits[0].multiple and plain:
        return _artifact("update", document, plain, edits[0].replacement), changed
    return _artifact("rewrite", document), changed


def _apply(text: str | None, edits: Iterable[_Edit]) -> str | None:
    """Return a text after all edits; None if one of them has no place in it."""
    for edit in edits:
        if _WHOLE.fullmatch(edit.pattern):
            text = edit.replacement
            continue
        spans = list(_places(text or "", edit)) if text is not None else []
        if not spans:
            return None
        text = _replaced(text or "", spans, edit.replacement)
    return text


def _replaced(text: str, spans: list[tuple[int, int]], replacement: str) -> str:
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(text)]
    return replacement.join(text[start:end] for start, end in zip(starts, ends, strict=True))


def _places(text: str, edit: _Edit) -> Iterator[tuple[int, int]]:
    """Yield the places a pattern matches.

    Patterns come from the archive, and a regular expression can take for ever. So only those are followed that are plain
    text, or two plain texts with anything in between; that takes time in proportion to the text.
    """
    pieces = _SPLIT.split(edit.pattern)
    before, after = _plain(pieces[0]), _plain(pieces[-1])
    at = 0
    while before is not None and after is not None and len(pieces) <= 3:  # noqa: PLR2004 - text, anything, text
        start = text.find(before, at)
        end = start + len(before)
        if start >= 0 and len(pieces) > 1:
            found = text.find(after, end) if pieces[1].endswith("?") else text.rfind(after, end)
            end = found + len(after)
            start = start if found >= 0 else -1
        if start < 0 or end == start:
            return
        yield start, end
        if not edit.multiple:
            return
        at = end


def _plain(pattern: str) -> str | None:
    """Return the text that a pattern stands for; None if it stands for more than one."""
    parts: list[str] = []
    at = 0
    for match in _ESCAPED.finditer(pattern):
        escaped = match[1]
        if escaped is None or (escaped.isalnum() and escaped not in _CONTROLS):
            return None
        parts += (pattern[at : match.start()], _CONTROLS.get(escaped, escaped))
        at = match.end()
    return "".join(parts) + pattern[at:]
