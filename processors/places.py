"""Where a conversation's files go: templates of folders and names, filled in safely."""

from __future__ import annotations

import hashlib
import posixpath
import re
import string
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from .names import LIMIT, UniqueNames, as_link, safe_name

if TYPE_CHECKING:
    from transmissions import Message

    from .conversation import Conversation

EXTENSION: Final = ".md"
KIND, NAME = "\0", "\1"
"""What stands in a place's `assets` for the kind and the name of a file."""
_TITLE: Final = "\2"
"""What stands for the title in a part of a path until it is known how much room there is for it."""
_DATE: Final = re.compile(r"((?!0000)\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f-]{8,128}")
SHORT: Final = 8
_OF_CONVERSATION: Final = (
    "year",
    "month",
    "day",
    "date",
    "title",
    "id",
    "fullId",
    "start",
    "provider",
    "project",
    "kind",
    "kinds",
)
_COMMON: Final = ("provider", "year", "month", "project", "kind", "kinds")
_PLURALS: Final = {"memory": "memories"}
_OF_FILE: Final = ("kind", "name")


class Place:
    """Where one conversation's page is, and the files that belong to it."""

    __slots__ = ("_assets", "_names", "_pages", "folder", "page", "short")

    def __init__(self, page: str, assets: str, folder: str = "", short: str = "") -> None:
        self.page = page
        """The path of its page, with `.md`."""
        self.folder = folder
        """A folder nobody else has, for the layout with a page for each message."""
        self.short = short
        """The short form of its id, which nobody else has."""
        self._assets = assets
        self._names = UniqueNames()
        self._pages: tuple[str, ...] = ()

    @classmethod
    def of(cls, place: dict[str, Any]) -> Self:
        """Return the place a message names."""
        return cls(place["page"], place["assets"], place["folder"], place["id"])

    def take(self, kind: str, name: str) -> tuple[str, str]:
        """Return the path of a file that belongs to the conversation, and the link to it from the page."""
        if not self._pages:  # Most conversations have no file beside the page.
            self._pages = (self.page.lower(), html_path(self.page).lower())
        name = self._names.take(name)
        path = self._assets.replace(KIND, kind).replace(NAME, name)
        if path.lower() in self._pages:
            return self.take(kind, name)  # Which is taken, so there is another.
        folder, _, last = path.rpartition("/")
        return path, _way(folder, self.page.rpartition("/")[0]) + as_link(last)


@lru_cache(maxsize=64)
def _way(folder: str, start: str) -> str:
    """Return the way from one folder to another, as the beginning of a link; many conversations share it."""
    way = posixpath.relpath(folder or ".", start or ".")
    return "" if way == "." else as_link(f"{way}/")


def page_of(message: Message) -> str:
    """Return the path of the page that people open: with Markdown off it is the HTML page."""
    place = message.get("place") or {}
    return str((message.get("facts") or {}).get("page") or place.get("page") or "")


def html_path(page: str) -> str:
    """Return the path of the HTML page beside a page."""
    return f"{posixpath.splitext(page)[0]}.html"


class Templates(NamedTuple):
    """The three templates of names; each a path with `{fields}`."""

    page: str
    asset: str
    other: str
    """The page of what is no chat: a project, a memory."""

    def check(self) -> Self:
        """Return the templates.

        Raises:
            ValueError: one names a field there is not, or could give two files one name.

        """
        _check(self.page, _OF_CONVERSATION)
        _check(self.other, _OF_CONVERSATION)
        _check(self.asset, (*_OF_CONVERSATION, *_OF_FILE), needed="name")
        if not any(f"{{{name}}}" in self.asset for name in ("id", "fullId")):
            raise ValueError("assetName needs {id} or {fullId}, or files of two conversations could have one name")
        return self

    def fill_page(self, conversation: Conversation, fields: dict[str, str], title: str) -> str:
        """Return the path of a page, without extension."""
        template = self.page if fields["kind"] == "chat" else self.other
        return _fill(template, fields, title, LIMIT - len(EXTENSION))

    def fill_assets(self, fields: dict[str, str], title: str, page: str) -> str:
        """Return the path of what belongs to a page: beside it, for what is no chat."""
        if fields["kind"] != "chat":
            return f"{page.removesuffix(EXTENSION)}/{NAME}"
        return _fill(self.asset, {**fields, "kind": KIND, "name": NAME}, title, LIMIT)


def fields_of(conversation: Conversation, full: str, short: str, project: str) -> dict[str, str]:
    """Return what templates may name, each as part of a path."""
    found = _DATE.match(conversation["created"]) or _DATE.match(conversation["updated"])
    year, month, day = found.groups() if found else ("undated", "", "")
    kind = _word(conversation.get("kind") or "chat", "chat")
    return {
        "year": year,
        "month": month,
        "day": day,
        "date": found[0] if found else "undated",
        "title": _TITLE,
        "id": short,
        "fullId": full,
        "start": full[:4],
        "provider": _word(conversation["provider"], "unknown"),
        "project": safe_name(project, 60, "") if project else "",
        "kind": kind,
        "kinds": _PLURALS.get(kind, f"{kind}s"),
    }


@lru_cache(maxsize=64)
def _word(text: str, fallback: str) -> str:
    return safe_name(text, 40, fallback)


def _fill(template: str, fields: dict[str, str], title: str, limit: int) -> str:
    # Hundreds of conversations share provider, year and month, and with them most parts of their paths.
    parts = _parts(template, tuple([fields[name] for name in _COMMON]))
    return "/".join(filter(None, [_part(part, fields, title, limit) if is_own else part for part, is_own in parts]))


@lru_cache(maxsize=4096)
def _parts(template: str, values: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    """Return the parts of a path: filled in, or as they are and True where they differ from conversation to conversation."""
    common: dict[str, str] = dict(zip(_COMMON, values, strict=True))
    own = [f"{{{name}}}" for name in (*_OF_CONVERSATION, "name") if name not in _COMMON]
    parts = [(part, any(field in part for field in own)) for part in template.split("/")]
    return tuple((part, True) if is_own else (part.format_map(common).strip(" ."), False) for part, is_own in parts)


def _part(part: str, fields: dict[str, str], title: str, limit: int) -> str:
    filled = part.format_map(fields)
    if _TITLE in filled:
        # The title gets what the rest leaves; a title that two conversations share may be followed by a full id.
        room = limit - len(filled.replace(_TITLE, "").encode())
        filled = filled.replace(_TITLE, safe_name(title, max(room, 8)))
    return filled.strip(" .")


def _check(template: str, allowed: tuple[str, ...], needed: str = "") -> None:
    used = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    unknown = [name for name in used if name not in allowed]
    if unknown:
        raise ValueError(f"there is no {{{unknown[0]}}}; there are {', '.join(allowed)}")
    if needed and needed not in used:
        raise ValueError(f"'{template}' needs {{{needed}}}")
    if any(part.strip(" .") == "" for part in template.split("/")):
        raise ValueError(f"'{template}' is no relative path")


def hex_id(identifier: str, *instead: str) -> str:
    """Return the hex digits of an id; of a hash where it is no hex number, over `instead` where there is no id at all.

    Ids of 2026 share their first digits for a minute, so a short id is made of the last ones.
    """
    found = identifier.lower()
    if _HEX.fullmatch(found) and len(digits := found.replace("-", "")) >= SHORT:
        return digits[-64:]
    text = identifier or "\0".join(instead)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
