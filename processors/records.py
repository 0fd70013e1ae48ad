"""What the targets that write records share: keys on one line, text as strict readers take it, whatever its size."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from .spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .spool import Content

_FULL: Final = 1 << 20
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def one_line(key: str) -> str:
    """Return a key as any file can hold it, on one line; two that differ still do."""
    return key if key.isprintable() and not key.startswith('"') else json.dumps(key)


def replace_surrogates(text: str) -> tuple[str, int]:
    """Replace the halves of cut emoji, which no strict reader takes; return how many there were, too."""
    return _SURROGATES.subn("\ufffd", text)


def encode_pieces(texts: Iterator[str], is_large: bool) -> tuple[Content, int]:
    """Return texts in UTF-8, and how many lone surrogates were replaced; what is large is set aside in a temporary file."""
    parts: list[str] = []
    aside: list[Any] = []
    spool = Spool() if is_large else None
    size = replaced = 0
    for text in texts:
        parts.append(text)
        size += len(text)
        if spool and size > _FULL:
            data, number = _encode(parts)
            aside.append(spool.put(data))
            parts, size, replaced = [], 0, replaced + number
    rest, number = _encode(parts)
    return ([*aside, rest] if aside else rest), replaced + number


def _encode(texts: list[str]) -> tuple[bytes, int]:
    try:
        # One by one: where most is ASCII, a letter that is not would make all the rest as slow as itself.
        return b"".join([text.encode() for text in texts]), 0
    except UnicodeEncodeError:
        clean, replaced = replace_surrogates("".join(texts))
        return clean.encode(), replaced


def note_replaced(message: Message, where: str, number: int) -> None:
    """Note in the message's `account` how many lone surrogates a target has replaced."""
    if number and "account" in message:
        account = message["account"]
        became = {**account["became"], f"lone surrogate {where}": {"replaced": number}}
        message["account"] = {**account, "became": became}
