"""The text of a field that holds markup: decoded as its kind says, free of what no document may hold."""

from __future__ import annotations

import asyncio
import codecs
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from transmissions import RunError

from .access import need

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions import Message

T = TypeVar("T")

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DECLARED: Final = re.compile(rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")
_IN_XML: Final = re.compile(rb"""\A\s{0,99}<\?xml\s[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([A-Za-z0-9_.:-]{2,40})""")
_NAME: Final = re.compile(rb"[A-Za-z0-9_.:-]{2,40}")
_HEAD: Final = 2048
"""Bytes in which a page names its charset; browsers look through 1024."""
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BARE: Final = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_LATIN: Final = frozenset(["iso8859-1", "ascii", "utf-16", "utf-16-le", "utf-16-be"])
"""What a page that says so is not: browsers take the first two for windows-1252, and what could be read is no UTF-16."""
_FLAWED: Final = 4
_SHORT: Final = 1 << 16
"""Characters up to which markup is worked on right here: a hop to a thread costs as much as 20,000 of them."""


def need_markup(message: Message, path: str) -> str:
    """Return the markup at a dotted path; bytes are decoded by their mark, by what they declare, else as UTF-8.

    Raises:
        RunError: there is none, or it is neither text nor bytes.

    """
    value = need(message, path)
    if isinstance(value, bytes | bytearray):
        return decoded(bytes(value))
    if not isinstance(value, str):
        raise RunError(f"the field '{path}' is neither text nor bytes but a {type(value).__name__}")
    return whole_characters(value).removeprefix("\ufeff")


def decoded(data: bytes, declaration: re.Pattern[bytes] = _DECLARED, said: str = "") -> str:
    """Return bytes of markup as text; what is in no encoding at all is marked, never an error.

    `said` is the charset that came with them, as in a header: it counts more than what they declare, and less than their mark.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if data[:2] in _BARE:
        return data.decode(_BARE[data[:2]], "replace")
    declared = declaration.search(data, 0, _HEAD)
    named = [said.encode("ascii", "replace"), declared[1] if declared else b""]
    for encoding in (*(_known(name) for name in named if _NAME.fullmatch(name)), "utf-8"):
        try:
            return whole_characters(data.decode(encoding))
        except ValueError:
            continue
    text = data.decode("utf-8", "replace")
    # Where characters of several bytes are many and flaws are few it is UTF-8, damaged or cut off.
    return text if text.count("\ufffd") * _FLAWED < len(data) - len(text) else data.decode("windows-1252", "replace")


def _known(name: bytes) -> str:
    try:
        info = codecs.lookup(name.decode("ascii"))
    except LookupError:
        return "utf-8"
    is_text: bool = getattr(info, "_is_text_encoding", True)  # `rot13` and `hex` are codecs, and no charsets
    return "utf-8" if info.name in _LATIN or not is_text else info.name


def whole_characters(text: str) -> str:
    """Return text with halves of characters marked, which no encoding can hold."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


async def off_loop(work: Callable[..., T], text: str | bytes, *more: Any) -> T:
    """Return `work(text, …)`, done in a thread where the text is long: the loop goes on meanwhile."""
    return work(text, *more) if len(text) <= _SHORT else await asyncio.to_thread(work, text, *more)


def need_document(message: Message, path: str) -> bytes:
    """Return the XML or JSON document at a dotted path in UTF-8, without the declaration that may say otherwise.

    No tag of it can hide from who reads it as bytes.

    Raises:
        RunError: there is none, or it is neither text nor bytes.

    """
    value = need(message, path)
    is_bytes = isinstance(value, bytes | bytearray)
    text = decoded(bytes(value), _IN_XML) if is_bytes else need_markup(message, path)
    return _DECLARATION.sub("", text.replace("\0", ""), count=1).encode()
