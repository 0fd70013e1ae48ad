"""Names for files that hold on every file system: no surprises in them, no two alike."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .number_table import MANY, NumberTable

LIMIT: Final = 120
"""Bytes of a name in UTF-8. File systems allow 255; what people sync to and archive with often less."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _,()+=&'-]*")
_FORBIDDEN: Final = frozenset('/\\:*?"<>|#^[]')
_REPLACED: Final = dict.fromkeys(map(ord, _FORBIDDEN), "-")
_INVISIBLE: Final = frozenset("\u061c\u200b\u200e\u200f\u2060\ufeff\u00ad")
_RESERVED: Final = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³]|CONIN\$|CONOUT\$)(?=\.|\Z)", re.IGNORECASE)
_GAPS: Final = re.compile(r"\s{2,}|[^\S ]|(?<=-)-+")
_IN_LINKS: Final = re.compile(r"[^A-Za-z0-9_.~/%-]+")
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")


def safe_name(text: str, limit: int = LIMIT, fallback: str = "Untitled") -> str:
    """Return a file name that says what `text` says, in at most `limit` bytes.

    Unicode is kept (NFC). Left out are controls, bidirectional marks, lone surrogates, what Windows, Obsidian or a shell
    takes as its own, and dots or spaces at the ends.
    """
    is_odd = False
    if _PLAIN.fullmatch(text) is None:
        text = unicodedata.normalize("NFC", text)
        is_odd = not text.isprintable()
        if is_odd:
            text = "".join(map(_safe_character, text))
        elif not _FORBIDDEN.isdisjoint(text):  # To see that takes a tenth of what it takes to replace them.
            text = text.translate(_REPLACED)
    # What is printable has no white space but spaces.
    if is_odd or "  " in text or "--" in text:
        text = _GAPS.sub(lambda gap: " " if gap[0].isspace() else "", text)
    name = _trim(cut(_trim(text), limit))
    if not name:
        return fallback
    reserved = _RESERVED.match(name)
    return f"{name[: reserved.end()]}_{name[reserved.end() :]}" if reserved else name


def safe_file_name(text: str, limit: int = LIMIT, fallback: str = "file") -> str:
    """Return a safe name that keeps the extension however long the rest is."""
    base = text.replace("\\", "/").rpartition("/")[2]
    found = _EXTENSION.search(base)
    extension = found[0] if found and found.start() else ""
    stem = base[: len(base) - len(extension)] if extension else base
    return safe_name(stem, limit - len(extension), fallback) + extension


def as_link(path: str) -> str:
    """Return a path as the target of a link: what `urllib.parse.quote` gives, in a fifth of its time."""
    # A space is what most of our paths have and little else: replaced like this it costs a quarter.
    plain = path.replace("%", "%25").replace(" ", "%20")
    return _IN_LINKS.sub(_quoted, plain) if _IN_LINKS.search(plain) else plain


def _quoted(found: re.Match[str]) -> str:
    return f"%{found[0].encode('utf-8', 'replace').hex('%').upper()}"


def cut(text: str, limit: int) -> str:
    """Cut a text to `limit` bytes of UTF-8, between two code points."""
    if text.isascii():
        return text[:limit]
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def _trim(name: str) -> str:
    return name.strip(" ").rstrip(". ").lstrip("-.~ ")


def _safe_character(character: str) -> str:
    if character in _FORBIDDEN:
        return "-"
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if (
        category in ("Cs", "Cn", "Co")
        or character in _INVISIBLE
        or "\u202a" <= character <= "\u202e"
        or "\u2066" <= character <= "\u2069"
    ):
        return ""
    return character


class UniqueNames:
    """Tells names apart as the least discerning file system does: without case, composed."""

    __slots__ = ("_former", "_taken")

    def __init__(self, *, many: bool = False) -> None:
        # Hashes, not names, and for those of a whole archive in a table that holds a million in 24 MB.
        self._taken: set[int] | NumberTable = NumberTable(MANY) if many else set()
        self._former: dict[int, str] = {}

    def take(self, *candidates: str, owner: str = "") -> str:
        """Return the first candidate nobody has taken, or that its owner gave up, or the last with a number, and take it."""
        for name in candidates:
            if self._claim(name) or (owner and self._former.get(_key(name)) == owner):
                return name
        number = 2
        while not self._claim(name := _numbered(candidates[-1], number)):
            number += 1
        return name

    def give_up(self, name: str, owner: str) -> None:
        """Let its owner, and nobody else, take a name again: what lies there may be needed still."""
        self._former[_key(name)] = owner

    def _claim(self, name: str) -> bool:
        """Take a name, and return whether it was free."""
        key, taken = _key(name), self._taken
        if isinstance(taken, NumberTable):
            return taken.add(key)
        is_free = key not in taken
        taken.add(key)
        return is_free


def _key(name: str) -> int:
    return hash(name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold()))


def _numbered(name: str, number: int) -> str:
    found = _EXTENSION.search(name)
    at = found.start() if found else len(name)
    return f"{name[:at]}-{number}{name[at:]}"
