"""The words a conversation is found by."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain
from typing import TYPE_CHECKING, Final

from .spoken import searched, searched_beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Conversation

_WORD: Final = re.compile(r"[^\W_]+")
_WITHOUT_SPACES: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""Scripts that put no spaces between words: any two characters in a row are a word."""
_LONGEST: Final = 40
_DATA: Final = re.compile(r"base64,\S+")
_PLAIN: Final = {code: ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)}
_BLOCK: Final = 1 << 20
_MOST: Final = 200_000
"""Distinct words of one conversation: what has more of them holds data, and would fill memory with it."""


def words_of(conversation: Conversation, title: str) -> str:
    """Return the distinct words of a conversation in small letters, in order, one to a line."""
    words: set[str] = set()
    tokens: set[str] = set()
    for text in chain([title], _texts_of(conversation)):
        if len(words) + len(tokens) > _MOST:
            break
        # Split in blocks, so that a text of many megabytes does not become as many small ones at once.
        for start in range(0, len(text), _BLOCK):
            block = text[start : start + _BLOCK]
            if "base64," in block:
                block = _DATA.sub(" ", block)
            if block.isascii():
                words.update(block.translate(_PLAIN).split())
            else:
                tokens.update(block.split())
    words |= split_words(tokens)
    return "\n".join(sorted(word for word in words if 1 < len(word) <= _LONGEST))


def split_words(tokens: set[str]) -> set[str]:
    """Return the words in texts without spaces."""
    words = set(_WORD.findall(unicodedata.normalize("NFC", " ".join(tokens).lower())))
    for word in [word for word in words if not word.isascii() and _WITHOUT_SPACES.search(word)]:
        words.remove(word)
        words.update(_pairs(word))
    return words


def _pairs(word: str) -> Iterator[str]:
    for run in _WITHOUT_SPACES.findall(word):
        yield from (run[at : at + 2] for at in range(len(run) - 1))
    yield from _WITHOUT_SPACES.sub(" ", word).split()


def _texts_of(conversation: Conversation) -> Iterator[str]:
    yield from searched_beside(conversation)
    for message in conversation["messages"]:
        yield from searched(message, thoughts=True, calls=False)
