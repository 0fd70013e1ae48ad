"""Links and footnotes that a text defines for itself, so that they mean on a page what they meant in the text.

A page holds many texts, and of several definitions of one label the first serves them all.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final
from zlib import crc32

from .code_apart import outside_code

_DEFINITION: Final = re.compile(
    r"\n {0,3}\[(?P<label>[^\[\]\n]{1,100})\]:[ \t]*"
    r"(?:<?(?P<url>(?:[A-Za-z][\w+.-]{0,20}:|[#/.])[^\s<>]{1,2000})>?"
    r"""(?P<title>[ \t]+(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'))?[ \t]*(?=\n|\Z))?"""
)
"""A line that says what a label stands for: an address, or for `^1` the words of a footnote. `[INFO]: started` is none."""
_LINK: Final = re.compile(r"(?<=\])\[([^\[\]\n]{1,100})\]|(?<![\]\\])(\[([^\[\]\n]{1,100})\])(?:\[\])?(?![\[(:])")
_NOTE: Final = re.compile(r"(?<!\\)\[\^([^\[\]\n]{1,100})\]")


def keep_to_itself(text: str) -> str:
    """Return Markdown whose links carry their addresses, and whose footnotes have labels of their own.

    Only labels that the text defines are touched, and nothing in code.
    """
    if "]:" not in text or _DEFINITION.search(f"\n{text}") is None:
        return text
    addresses: dict[str, str] = {}
    notes: set[str] = set()
    outside_code(text, partial(_learn, addresses, notes))
    if notes:
        text = outside_code(text, partial(_rename, notes, own_mark(text)))
    return outside_code(text, partial(_fill_in, addresses)) if addresses else text


def own_mark(text: str) -> str:
    """Return what tells the footnotes of a text from those of others on its page: the same in every run."""
    return f"{crc32(text.encode(errors='replace')):08x}"


def _learn(addresses: dict[str, str], notes: set[str], part: str) -> str:
    for found in _DEFINITION.finditer(part):
        label = _folded(found["label"])
        if label.startswith("^"):
            notes.add(label[1:])
        elif found["url"]:
            addresses.setdefault(label, f"(<{found['url']}>{found['title'] or ''})")
    return part


def _rename(notes: set[str], own: str, part: str) -> str:
    return _NOTE.sub(lambda found: f"[^{found[1]}-{own}]" if _folded(found[1]) in notes else found[0], part)


def _fill_in(addresses: dict[str, str], part: str) -> str:
    def filled(found: re.Match[str]) -> str:
        address = addresses.get(_folded(found[1] or found[3]))
        return found[0] if address is None else f"{found[2] or ''}{address}"

    return _LINK.sub(filled, part)


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()
