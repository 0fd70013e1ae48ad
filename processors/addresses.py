"""E-mail addresses, and names and passwords in URLs: what has to do with an `@`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOMAIN: Final = re.compile(rb"[A-Za-z0-9\x80-\xff][A-Za-z0-9\x80-\xff-]{0,62}(?:\.[A-Za-z0-9\x80-\xff-]{1,63}){1,8}")
_TOP: Final = re.compile(rb"[A-Za-z\x80-\xff]{2,24}|xn--[a-z0-9-]{1,59}")
_VERSION: Final = re.compile(rb"v?[0-9]")
_BEGIN_OF_TOP: Final = re.compile(rb"[A-Za-z]{2,24}")
_LOCAL: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-") | frozenset(range(128, 256))
_LONGEST_LOCAL: Final = 64
_CODE_OWNERS: Final = (b"self", b"this", b"cls")
_NO_TOP_LEVEL: Final = frozenset(
    b"png jpg jpeg gif svg webp css js mjs cjs ts tsx jsx json html htm xml tgz gz whl jar yaml yml toml lock txt pdf exe dll "
    b"service socket timer target mount".split()
)
"""What stands behind a dot in the name of a file or a unit: `icon@2x.png`, `getty@tty1.service`."""
_COMMON: Final = frozenset(
    b"com org net edu gov io dev ai app de uk fr nl ch at it es pl eu us ca jp cn in br ru info me co".split()
)

_AUTHORITY: Final = re.compile(rb"""://([^\s/?#"'<>@:\[]*:[^\s/?#"'<>]+)@(?=[A-Za-z0-9\[_])""")
_TEMPLATE: Final = re.compile(rb"[^:]*:(?:[${<%].*|\*+|\.+|)", re.DOTALL)
_LONGEST_AUTHORITY: Final = 300
_SIGNS: Final = (b"%40", b"&#64;", b"&#x40;", b"&commat;", b"\\u0040")
"""What stands for the `@` of an address in URLs, HTML and JSON."""


def find_addresses(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield the e-mail addresses, and the names and passwords in URLs."""
    done = 0
    place = data.find(b"@")
    while place >= 0:
        scheme = data.rfind(b"://", max(done, place - _LONGEST_AUTHORITY), place)
        login = _AUTHORITY.match(data, scheme, place + _LONGEST_AUTHORITY) if scheme >= 0 else None
        if login and not _TEMPLATE.fullmatch(login[1]):
            yield *login.span(1), "url"
            done = login.end()
        elif domain := _DOMAIN.match(data, place + 1):
            start, end = _local_part(data, place, done), _end_of(domain)
            if start < place < end and data[start:place] != b"git":
                yield start, end, "email"
                done = end
        place = data.find(b"@", max(done, place + 1))
    for sign in _SIGNS:
        yield from _quoted(data, sign)


def _quoted(data: bytes, sign: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield the e-mail addresses whose sign is written as in URLs, in HTML or in JSON."""
    place = data.find(sign)
    while place >= 0:
        domain = _DOMAIN.match(data, place + len(sign))
        start, end = _local_part(data, place, 0), _end_of(domain) if domain else 0
        if start < place < end:
            yield start, end, "email"
        place = data.find(sign, max(end, place + len(sign)))


def _local_part(data: bytes, place: int, floor: int) -> int:
    """Return where the part in front of the `@` begins."""
    start = place
    lowest = max(floor, place - _LONGEST_LOCAL)
    while start > lowest and data[start - 1] in _LOCAL:
        start -= 1
    if data[start - 1 : start] == b"\\" and data[start : start + 1] in (b"n", b"r", b"t", b"b", b"f", b"u"):
        start += 5 if data[start : start + 1] == b"u" else 1
    while start < place and data[start] in b".%+-":
        start += 1
    return start


def _end_of(domain: re.Match[bytes]) -> int:
    """Return where the domain of an address ends; 0 if it is a matrix product, a version, the name of a file or a unit.

    More may be joined to it: `me@example.org.txt`, `me@example.org-copy`.
    """
    first, *labels = domain[0].split(b".")
    if first in _CODE_OWNERS:
        return 0
    end = domain.end()
    if labels[1:] and labels[-1].lower() in _NO_TOP_LEVEL and not _VERSION.match(first):
        end -= len(labels.pop()) + 1
    goes_on = domain.string[end : end + 1] in (b"_", b"(", b"[")
    if _TOP.fullmatch(labels[-1]) and labels[-1].lower() not in _NO_TOP_LEVEL and not goes_on:
        return end
    for label in reversed(labels):
        begin = _BEGIN_OF_TOP.match(label)
        if begin and begin[0].lower() in _COMMON and label[begin.end() : begin.end() + 1] in (b"", b"-"):
            return end - len(label) + begin.end()
        end -= len(label) + 1
    return 0
