"""Where a conversation's files go: templates of folders and names, filled in safely, no two the same."""

from __future__ import annotations

import hashlib
import posixpath
import re
import string
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from .names import LIMIT, UniqueNames, safe_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conversation import Conversation

_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_NOT_HEX: Final = re.compile(r"[^0-9a-f]")
_AS_IT_IS: Final = re.compile(r"[A-Za-z0-9_.~-]+")
_SHORT: Final = 8
_OF_CONVERSATION: Final = ("year", "month", "day", "date", "title", "id", "fullId", "start", "provider")
_OF_FILE: Final = ("kind", "name")
_KIND, _NAME = "\0", "\1"


class Place:
    """Where one conversation's page is, and the files that belong to it."""

    __slots__ = ("_assets", "_links", "_names", "page")

    def __init__(self, page: str, assets: Callable[[], str]) -> None:
        self.page = page
        """The path of its page, without extension."""
        self._assets: Callable[[], str] | str = assets
        self._links = ""
        self._names = UniqueNames()

    def take(self, kind: str, name: str) -> tuple[str, str]:
        """Return the path of a file that belongs to the conversation, and the link to it from the page."""
        if not isinstance(self._assets, str):
            # Most conversations have no such files, so their names are worked out when there is one.
            self._assets = self._assets()
            way = posixpath.relpath(self._assets, posixpath.dirname(self.page) or ".")
            self._links = quote(way, safe="/" + _KIND + _NAME)
        name = self._names.take(name)
        path = self._assets.replace(_KIND, kind).replace(_NAME, name)
        return path, self._links.replace(_KIND, kind).replace(_NAME, name if _AS_IT_IS.fullmatch(name) else quote(name))


class Places:
    """Gives every conversation of a run its own place."""

    def __init__(self, page: str, assets: str, extension: str = ".md") -> None:
        _check(page, _OF_CONVERSATION)
        _check(assets, (*_OF_CONVERSATION, *_OF_FILE), needed="name")
        if not any(f"{{{name}}}" in assets for name in ("id", "fullId")):
            raise ValueError("asset name needs {id} or {fullId}, or files of two conversations could have one name")
        self._page = page.split("/")
        self._assets = assets.split("/")
        self._extension = extension
        self._names = UniqueNames()
        self._ids = UniqueNames()

    def take(self, conversation: Conversation, title: str) -> Place:
        """Return a conversation's place; nobody else gets it.

        Ids of 2026 share their first digits for a minute, so the short id is made of the last ones.
        """
        full = hex_id(conversation)
        fields = _fields_of(conversation, self._ids.take(full[-_SHORT:], full))
        path = self._fill(self._page, fields, title, LIMIT - len(self._extension))
        page = self._names.take(path + self._extension, f"{path} ~{fields['id']}{self._extension}").removesuffix(
            self._extension
        )
        return Place(page, lambda: self._fill(self._assets, {**fields, "kind": _KIND, "name": _NAME}, title, LIMIT))

    @staticmethod
    def _fill(parts: list[str], fields: dict[str, str], title: str, limit: int) -> str:
        filled = (_part(part, fields, title, limit) for part in parts)
        return "/".join(part for part in filled if part)


def _part(part: str, fields: dict[str, str], title: str, limit: int) -> str:
    if "{title}" not in part:
        return part.format_map(fields).strip(" .")
    # The title gets what the rest leaves; a title that two conversations share may be followed by a full id.
    room = limit - len(part.format_map({**fields, "title": ""}).encode())
    return part.format_map({**fields, "title": safe_name(title, max(room, 8))})


def _fields_of(conversation: Conversation, short: str) -> dict[str, str]:
    found = _DATE.match(conversation["created"]) or _DATE.match(conversation["updated"])
    year, month, day = found.groups() if found else ("undated", "", "")
    fields = {"year": year, "month": month, "day": day, "date": found[0] if found else "undated"}
    full = hex_id(conversation)
    return fields | {"id": short, "fullId": full, "start": full[:4], "provider": conversation["provider"]}


def _check(template: str, allowed: tuple[str, ...], needed: str = "") -> None:
    used = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    unknown = [name for name in used if name not in allowed]
    if unknown:
        raise ValueError(f"there is no {{{unknown[0]}}}; there are {', '.join(allowed)}")
    if needed and needed not in used:
        raise ValueError(f"'{template}' needs {{{needed}}}")
    if any(part.strip(" .") == "" for part in template.split("/")):
        raise ValueError(f"'{template}' is no relative path")


def hex_id(conversation: Conversation) -> str:
    """Return the hex digits of a conversation's id, or of a hash where it has too few."""
    digits = _NOT_HEX.sub("", conversation["id"].lower())
    if len(digits) >= _SHORT:
        return digits[-64:]
    text = "\0".join((conversation["id"], conversation["title"], conversation["created"]))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
