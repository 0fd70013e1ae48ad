"""How much there is to read on a page: words counted, and a score from length, structure and density."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS_A_MINUTE: Final = 240
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
_WITHOUT_SPACES: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts that put no spaces between words: two characters count as a word, about what one is read as quickly as."""
_PARAGRAPH: Final = re.compile(r"^(?![#>|`~]|[-*+] |\d+\. )[^\n]{60,}", re.MULTILINE)
_HEADING: Final = re.compile(r"^#{1,6} ", re.MULTILINE)
_ORDER: Final = re.compile(r"^(?:[ \t]*+(?:[-*+]|\d+\.) |```|\|)", re.MULTILINE)
_LINK: Final = re.compile(r"(?<!!)\[([^\[\]\n]*+)\]\([^\[)\n]*+\)")
"""Ends where another may begin, so that each character is looked at once."""
_ENOUGH: Final = 600
"""Words from which on a page is as long as it need be."""
_DENSE: Final = 0.25
"""The part of a page's characters that is text, from which on it is dense."""


def count_words(text: str) -> int:
    """Return how many words a text has."""
    if text.isascii():
        return len(_WORD.findall(text))
    rest, characters = _WITHOUT_SPACES.subn(" ", text)
    return len(_WORD.findall(rest)) + (characters + 1) // 2


def minutes_to_read(words: int) -> int:
    """Return how many minutes the reading takes: at least one, if there is anything."""
    return max(1, round(words / _WORDS_A_MINUTE)) if words else 0


def measures_of(markdown: str, words: int, size: int, facts: Mapping[str, Any]) -> dict[str, float]:
    """Return what a page is judged by; `size` is how many characters the whole page has.

    `words`, `paragraphs`, `headings`, `ordered` (lines of lists, code and tables), `density` (text to page), `linked` (text in
    links to all text), `facts` (how many of title, description, author and date are known).
    """
    linked = sum(len(found[1]) for found in _LINK.finditer(markdown))
    return {
        "words": words,
        "paragraphs": len(_PARAGRAPH.findall(markdown)),
        "headings": len(_HEADING.findall(markdown)),
        "ordered": len(_ORDER.findall(markdown)),
        "density": round(min(1.0, len(markdown) / max(1, size)), 4),
        "linked": round(linked / max(1, len(markdown)), 4),
        "facts": sum(bool(facts.get(name)) for name in ("title", "description", "author", "published")),
    }


def quality_of(measures: Mapping[str, float]) -> float:
    """Return how good a page is to read, from 0 to 1, to two places.

    Up to 0.5 for its length (600 words or more; half of that at 24), 0.25 for structure (5 paragraphs, 3 headings, a list,
    code or a table), 0.15 for density (a quarter of the page is text), 0.1 for what it says about itself; up to 0.3 less if
    it is mostly links. Nothing to read is 0.
    """
    if not measures["words"]:
        return 0.0
    length = min(1.0, math.log1p(measures["words"]) / math.log1p(_ENOUGH))
    structure = (
        0.5 * min(1.0, measures["paragraphs"] / 5) + 0.3 * min(1.0, measures["headings"] / 3) + 0.2 * (measures["ordered"] > 0)
    )
    density = min(1.0, measures["density"] / _DENSE)
    links = max(0.0, measures["linked"] - 0.3) / 0.7
    score = 0.5 * length + 0.25 * structure + 0.15 * density + 0.1 * measures["facts"] / 4 - 0.3 * links
    return round(min(1.0, max(0.0, score)), 2)
