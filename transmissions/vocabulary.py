"""The words of `configs/vocabulary.ttl`, for people: what the engine itself means by a term."""

from __future__ import annotations

import re

from .homes import bundled


def comments() -> dict[str, str]:
    """Return what the vocabulary says about each of its terms.

    The file is ours, a paragraph for each term, so that two patterns read it in a hundredth of the time a parser takes.
    """
    text = (bundled().folder / "configs" / "vocabulary.ttl").read_text(encoding="utf-8")
    terms = (re.match(r':(\w+) a .*?rdfs:comment "([^"]*)"', paragraph, re.DOTALL) for paragraph in text.split("\n\n"))
    return {term[1]: term[2] for term in terms if term}
