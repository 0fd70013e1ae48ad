"""Microdata of a page: items with their types and properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .html_tree import children, text_of
from .link_targets import absolute

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_ADDRESSES: Final = ("href", "src", "data", "content", "datetime", "value")
_LINKS: Final = frozenset(["href", "src", "data"])
_LONGEST: Final = 4000


def items_of(body: LexborNode, base: str) -> list[dict[str, Any]]:
    """Return the items of a page that are no properties of others: `{"type", "id", "properties": {name: [value, …]}}`."""
    found: list[dict[str, Any]] = []
    _gather(body, base, found, {})
    return found


def _gather(holder: LexborNode, base: str, items: list[dict[str, Any]], properties: dict[str, list[Any]]) -> None:
    for node in children(holder):
        if not node.is_element_node:
            continue
        attributes = node.attributes
        names = (attributes.get("itemprop") or "").split()
        inner = properties
        value: Any = None
        if "itemscope" in attributes:
            inner = {}
            value = {
                **{name[4:]: attributes[name] for name in ("itemtype", "itemid") if attributes.get(name)},
                "properties": inner,
            }
            if not names:
                items.append(value)
        elif names:
            value = _value(node, base)
        for name in names:
            properties.setdefault(name, []).append(value)
        _gather(node, base, items, inner)


def _value(node: LexborNode, base: str) -> str:
    attributes = node.attributes
    for name in _ADDRESSES:
        if attributes.get(name):
            return absolute(attributes[name], base) if name in _LINKS else str(attributes[name])
    return text_of(node)[:_LONGEST]
