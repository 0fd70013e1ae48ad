"""The names of people in the paths of their homes, as Linux, macOS and Windows write them, and as tools flatten them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(rb"\\{0,2}/([A-Za-z0-9_\x80-\xff][A-Za-z0-9._\x80-\xff-]{0,63})")
_FLAT_NAME: Final = re.compile(rb"-([A-Za-z0-9_\x80-\xff]{1,63})(?=-)")
"""In what a tool makes of a path to name a folder after it: `-home-ada-work`."""
_WINDOWS_NAME: Final = re.compile(
    rb"""\\{1,4}(
          (?:[^\\/:*?"<>|\s,;'`[]{1,32}[ ]){1,3}[^\\/:*?"<>|\s,;'`[]{1,32}(?=\\)
        | [^\\/:*?"<>|\s,;'`[]{1,64}
        )""",
    re.VERBOSE,
)
_INSIDE: Final = re.compile(rb"[A-Za-z0-9_.~-]\Z")
"""In the middle of another path, or of a URL."""
_OUTER: Final = re.compile(
    rb"""(?: \\[bfnrt] | \\u[0-9A-Fa-f]{4} | -[ILB] | wsl\+[A-Za-z0-9._-]{1,32}
           | \\{0,2}/(?:var|usr|export|host|mnt|private|rootfs|srv|Data|Volumes/[^/\r\n]{1,40}) )\Z""",
    re.VERBOSE,
)
_DRIVE: Final = re.compile(
    rb"""(?: \b[A-Za-z]: | /(?:mnt|cygdrive)/[a-z] | (?<![A-Za-z0-9_.])/[a-z]
           | (?<!\w)\\{2,8}[A-Za-z0-9_.$-]{1,63} (?:\\{1,4}[A-Za-z0-9_.$-]{1,63})? ) \\{0,4}\Z""",
    re.VERBOSE,
)
"""A drive, as Windows and what runs beside it write one, or a machine in the network."""
_FLAT_DRIVE: Final = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z]--\Z")
_IN_URL: Final = re.compile(
    rb"""(?: (?<![A-Za-z0-9_.~-]) | (?<=%(?:2f|20|22|3a|3d)) )
         %(?:2f|5c) (?:home|users) %(?:2f|5c) ( (?:[a-z0-9._\x80-\xff-]|%20){1,64} )""",
    re.VERBOSE,
)
_WINDOW: Final = 96
_NEAR: Final = 24
"""Bytes in front of a folder of homes that say what it is in; names of a machine with a share, or of a disk, are longer."""
_FOLDERS: Final = (b"home", b"Users")
_NOBODY: Final = frozenset((b"shared", b"public", b"default", b"all users", b"claude", b"oai", b"sandbox"))
"""Nobody's, or those of the machines that the providers' tools work on."""


def find_homes(data: bytes, low: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the names stand; `low` is the same in small letters."""
    if b"%2fhome" in low or b"%2fusers" in low or b"%5cusers" in low:
        yield from (found.span(1) for found in _IN_URL.finditer(low) if found[1] not in _NOBODY)
    for word, size in ((b"home", 4), (b"users", 5), (b"documents and settings", 22)):
        place = low.find(word, 1)
        while place >= 0:
            before = data[place - 1]
            found = None
            if before in b"/\\-":
                found = _name_behind(data, place, place + size)
            if found and found[1].rstrip(b".").lower() not in _NOBODY:
                yield found.start(1), found.end(1) - (len(found[1]) - len(found[1].rstrip(b".")))
            place = low.find(word, place + size)


def _name_behind(data: bytes, place: int, end: int) -> re.Match[bytes] | None:
    """Return the name behind a folder of homes that stands between `place` and `end`, if it is one."""
    before = data[max(0, place - _WINDOW) : place]
    if not before.endswith(b"\\") and b"/Volumes/" not in before:
        before = before[-_NEAR:]
    if before.endswith(b"-"):
        is_word = before[-2:-1].isalnum() or before[-2:-1] in (b"-", b"_")
        is_word = is_word and not _FLAT_DRIVE.search(before)
        return None if is_word or data[place:end] not in _FOLDERS else _FLAT_NAME.match(data, end)
    if data[end : end + 1] == b"\\" and data[end + 1 : end + 2] != b"/":
        return _WINDOWS_NAME.match(data, end) if _DRIVE.search(before) and before.endswith(b"\\") else None
    outer = before[:-1].rstrip(b"\\") if before.endswith(b"\\/") else before[:-1]
    if _DRIVE.search(outer):
        return _NAME.match(data, end)
    if data[place:end] not in _FOLDERS or not before.endswith(b"/"):
        return None
    return None if _INSIDE.search(outer) and not _OUTER.search(outer) else _NAME.match(data, end)
