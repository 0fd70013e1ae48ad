"""Who speaks in one text, told by the marks in front of what each one says: `### Human:`, ChatML, Llama's `[INST]`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .plain_turns import role_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKS: Final = (
    re.compile(r"(?:\A|\n\n?)(Human|Assistant): ?"),
    re.compile(r"### ?(Human|Assistant|User|System):\s*"),
    re.compile(r"### ?(Instruction|Input|Response):\s*"),
    re.compile(r"<\|im_start\|> ?(\w+)[^\n]*\n?"),
)
_SPEAKERS: Final = {"Instruction": "user", "Input": "user", "Response": "assistant"}
_OPENING: Final = re.compile(r"Below is an instruction [^\n]*\n+(?=### ?Instruction:)")
"""What Alpaca's texts begin with."""
_ASKED: Final = re.compile(r"(?:<s>\s*)?\[INST\]")
_SYSTEM: Final = ("<<SYS>>", "<</SYS>>")


def spoken(words: str) -> list[dict[str, str]]:
    """Return what each one says in a transcript, as messages of an API; nothing if a text does not begin with a mark."""
    words = words.lstrip()
    if _ASKED.match(words):
        return list(_asked(words))
    opening = _OPENING.match(words)
    begins = [{"role": "system", "content": opening[0].strip()}] if opening else []
    words = words[opening.end() :] if opening else words
    mark = next((mark for mark in _MARKS if mark.match(words)), None)
    told = mark.split(words)[1:] if mark else []
    turns = zip(told[::2], told[1::2], strict=True)
    return [*begins, *({"role": role_of(_SPEAKERS.get(who, who)), "content": _ended(what)} for who, what in turns)]


def _ended(what: str) -> str:
    """Return what one says without the mark that ends it in ChatML, and without empty lines before the next."""
    return what.rstrip("\n").removesuffix("<|im_end|>").rstrip("\n")


def _asked(words: str) -> Iterator[dict[str, str]]:
    """Yield what is said as Llama and Mistral were trained: `<s>[INST] question [/INST] answer </s>`, and on."""
    for piece in _ASKED.split(words)[1:]:
        question, _, answer = piece.partition("[/INST]")
        start, _, rest = question.partition(_SYSTEM[0])
        told, ends, after = rest.partition(_SYSTEM[1])
        if ends and not start.strip():
            yield {"role": "system", "content": told.strip()}
            question = after
        yield {"role": "human", "content": question.strip()}
        if answer := answer.strip().removesuffix("</s>").strip():
            yield {"role": "assistant", "content": answer}
