"""OpenAssistant's trees of messages, whole or one message to a line, turned into the common model."""

from __future__ import annotations

from math import inf, isnan
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_list, as_text, instant
from .message_tree import MessageTree
from .plain_blocks import filled, text
from .plain_turns import boxed, chat, identity, items_of, message, tally, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import ChatMessage, Conversation
    from .shape import About

_ROLES: Final = {"prompter": "human"}
_FIELDS: Final = ("text", "role", "replies")
_Node = tuple[str, str, Any]
"""Key of a message, key of the one it replies to, and the message."""


class OpenAssistantTrees:
    """Turns a tree: a prompt with its replies in it, and theirs in them."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that a tree is.

        Raises:
            RunError: it has no prompt.

        """
        told = as_dict(element)
        if told.get("prompt").__class__ is not dict:
            raise RunError("no tree of OpenAssistant: it has no prompt")
        return _conversation(as_text(told.get("message_tree_id")), _nodes_below(told["prompt"]))


class OpenAssistantMessages:
    """Turns messages that lie one after the other, each with the id of its tree and of the one it replies to."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that the first tree is; those of the others stand in its `also`."""
        trees: dict[str, list[Any]] = {}
        for item in items_of(element, "items", "list of OpenAssistant's messages"):
            trees.setdefault(as_text(as_dict(item).get("message_tree_id")), []).append(item)
        if not trees:
            raise RunError("no messages of OpenAssistant: the list is empty")
        found = [_conversation(key, _nodes_in(items)) for key, items in trees.items()]
        return found[0] | {"also": found[1:]}


def _nodes_below(prompt: dict[str, Any]) -> Iterator[_Node]:
    waiting: list[_Node] = [("0", "", prompt)]
    number = 0
    while waiting:
        key, parent, item = waiting.pop()
        yield key, parent, item
        replies = as_list(as_dict(item).get("replies"))
        waiting += [(f"{number + place}", key, reply) for place, reply in enumerate(replies, 1)][::-1]
        number += len(replies)


def _nodes_in(items: list[Any]) -> Iterator[_Node]:
    for place, item in enumerate(items):
        told = as_dict(item)
        yield as_text(told.get("message_id")) or f"node-{place}", as_text(told.get("parent_id")), item


def _conversation(identifier: str, nodes: Iterable[_Node]) -> Conversation:
    tree = MessageTree()
    ranks: dict[str, list[tuple[float, int, str]]] = {}
    for number, (key, parent, item) in enumerate(nodes):
        told = as_dict(item)
        held, time = boxed(item, _FIELDS) if filled(item) else {}, instant(told.get("created_date"))
        tree.add(key, parent, None, held, told.get("message_id"), time)
        ranks.setdefault(parent, []).append((_rank(told), number, key))
    tree.arrange()
    messages = list(tell(_message, tree.turns()))
    counts = tally(len(messages), (source for told in messages for block in told["blocks"] for source in block["sources"]))
    return chat(
        "sharegpt",
        identifier or identity([as_text(told["blocks"]) for told in messages]),
        messages,
        counts,
        created=tree.first_time,
        updated=tree.last_time,
        leaf=tree.leaf(_last_of_best(ranks)),
    )


def _rank(told: dict[str, Any]) -> float:
    """Return the place of a reply among its siblings; behind them all where it has none."""
    rank: Any = told.get("rank")
    return rank if rank.__class__ in (int, float) and not isnan(rank) else inf


def _last_of_best(ranks: dict[str, list[tuple[float, int, str]]]) -> str:
    """Return the key at the end of the way along the replies that were ranked first."""
    key, seen = "", set[str]()
    while key in ranks and key not in seen:
        seen.add(key)
        key = min(ranks[key])[2]
    return key


def _message(item: dict[str, Any]) -> ChatMessage:
    role = as_text(item.get("role")).strip().lower()
    words, model = item.get("text"), as_text(item.get("model_name"))
    return message(
        _ROLES.get(role, role),
        [text(words, "text")] if filled(words) else [],
        created=instant(item.get("created_date")),
        **({"model": model} if model else {}),
    )
