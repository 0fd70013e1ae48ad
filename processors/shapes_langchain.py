"""How to tell messages that LangChain and LangGraph wrote down."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from .shape import TOPS, Layout, Shape, with_keys

if TYPE_CHECKING:
    from .shape import Outline


def _holds_messages(outline: Outline, within: str) -> bool:
    return any(_are_messages(outline, f"{top}{within}") for top in TOPS)


def _are_messages(outline: Outline, way: str) -> bool:
    if outline.has(f"{way}.lc", f"{way}.kwargs.content"):
        return True
    kinds = outline.values.get(f"{way}.type", frozenset())
    if kinds.isdisjoint(("human", "ai")) or outline.has(f"{way}.role"):
        return False
    return outline.has(f"{way}.data.content") or outline.has(f"{way}.content", f"{way}.additional_kwargs")


_MESSAGES: Final = "langchain:LangChainMessages"

SHAPES: Final = (
    Shape("langchain", "api", "messages of LangChain", partial(_holds_messages, within=""), _MESSAGES, Layout(gathers=True)),
    Shape(
        "langchain-states",
        "api",
        "messages of LangChain",
        lambda outline: any(_holds_messages(outline, way) for way in (".messages[]", ".values.messages[]")),
        _MESSAGES,
        Layout("", "messages", is_element=lambda value: with_keys("messages")(value) or with_keys("values")(value)),
    ),
)
