"""Private keys in armour (PEM, PGP), whole ones and those that are cut off; in JSON, in code, indented or quoted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END: Final = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BODY: Final = re.compile(
    rb"""(?:(?:\s|\\+[nrt])*[A-Z][A-Za-z-]{2,20}:[ ][^\r\n\\"]{1,120}(?=[\r\n\\]))*
         (?:[A-Za-z0-9+/=\s,:."'>\#*|\xe2\x80\xa6\\-])*""",
    re.VERBOSE,
)
_LINES: Final = re.compile(
    rb"""(?:(?:\s|\\+[nrt]|["'+>\#*|,]){0,16}(?:[A-Z][A-Za-z-]{2,20}:[ ][^\r\n\\"]{1,120}|[A-Za-z0-9+/=]{16,}))+
         (?:(?:\s|\\+[nrt]){1,4}[A-Za-z0-9+/=]{1,63}(?=\s|\\|"|'|$))?""",
    re.VERBOSE,
)
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{8,}")
LONGEST: Final = 24 << 10
"""Bytes a secret may have: a private key of 16,384 bits has 13,000."""


def find_private_keys(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where private keys stand."""
    if b"PRIVATE KEY" not in data:
        return
    done = 0
    for begin in _BEGIN.finditer(data):
        if begin.start() < done:
            continue
        following = data.find(b"-----BEGIN ", begin.end(), begin.end() + LONGEST)
        limit = following if following >= 0 else begin.end() + LONGEST
        end = _END.search(data, begin.end(), limit)
        body = _BODY.match(data, begin.end(), end.start() if end else limit)
        if end and body and body.end() == end.start() and _KEY.search(body[0]):
            done = end.end()
        else:
            lines = _LINES.match(data, begin.end(), limit)
            done = lines.end() if lines else begin.start()
        if done > begin.start():
            yield begin.start(), done
