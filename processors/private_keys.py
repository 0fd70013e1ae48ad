"""Private keys in armour (PEM, PGP), whole ones and those that are cut off; in JSON, in code, indented or quoted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = rb"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1"
_BEGIN: Final = re.compile(rb"-----BEGIN (?:%s)-----|---- BEGIN SSH2 [A-Z ]{0,20}PRIVATE KEY ----" % _NAME)
_END: Final = re.compile(rb"-----END (?:%s)-----|---- END SSH2 [A-Z ]{0,20}PRIVATE KEY ----" % _NAME)
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
_NEAR: Final = 4096
_PUTTY: Final = re.compile(
    rb"""Private-Lines:[ ]?[0-9]{1,4}
         ( (?:(?:\s|\\+[nrt]|[>\#*|]){1,16}[A-Za-z0-9+/=]{16,})+ (?:(?:\s|\\+[nrt]){1,4}[A-Za-z0-9+/=]{1,63}(?=\s|\\|$))? )""",
    re.VERBOSE,
)
_OF_JWK: Final = re.compile(
    rb"""\\{0,3}["'](?:d|p|q|dp|dq|qi|k)\\{0,3}["']\s{0,4}:\s{0,4}\\{0,3}["']([A-Za-z0-9_-]{16,2048})"""
)
"""The secret parts of a JSON Web Key."""
LONGEST: Final = 24 << 10
"""Bytes a secret may have: a private key of 16,384 bits has 13,000."""


def find_private_keys(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where private keys stand."""
    yield from _unarmoured(data)
    if b"PRIVATE KEY" not in data and b"Static key" not in data:
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


def _unarmoured(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the private parts of PuTTY's files and of JSON Web Keys stand."""
    if b"Private-Lines" in data:
        yield from (found.span(1) for found in _PUTTY.finditer(data))
    place = data.find(b"kty")
    while place >= 0:
        start, end = max(0, place - _NEAR), place + _NEAR
        while (another := data.rfind(b"kty", place + 1, end)) >= 0:  # A set of keys is looked through as a whole.
            place, end = another, another + _NEAR
        yield from (found.span(1) for found in _OF_JWK.finditer(data, start, end))
        place = data.find(b"kty", end)
