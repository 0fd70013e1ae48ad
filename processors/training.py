"""Examples to train a model with, turned into the common model: a question with its answer, or with two to prefer one of.

Told apart by what they have: `instruction` or another word for a question with `output` or another word for an answer;
`chosen` and `rejected`, with a `prompt` or without; what two models said when they were compared. Questions and answers are
texts, messages, or transcripts in one text.
"""

from __future__ import annotations

from itertools import chain, takewhile
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .api_messages import api_messages, kinds_of
from .api_parts import parted
from .conversation import as_dict, as_list, as_text, instant
from .plain_blocks import filled, first
from .plain_turns import chat, data_sections, rest_of, role_of, tally
from .sharegpt import id_of
from .speaker_marks import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import ChatMessage, Conversation
    from .shape import About

_TOLD: Final = ("system", "system_prompt")
_ASKED: Final = ("instruction", "prompt", "question", "input_text", "conversations", "input")
_ABOUT: Final = ("input", "context")
"""What a question in words is about: it stands below it."""
_ANSWERED: Final = (
    ("chosen", "preferred_output", "completion", "output", "response", "answer", "output_text"),
    ("rejected", "non_preferred_output"),
)
"""What answers are called: the one to learn, and the one it was preferred to."""
_PLACED: Final = ("id", "history", "tools", "title", "model", *_TOLD)


class TrainingExamples:
    """Turns an example. An answer that was preferred is the way its conversation went; the other is a branch."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that an example is."""
        given = _unwrapped(_compared(as_dict(element)))
        answered = [key for keys in _ANSWERED for key in [key for key in keys if key in given][:1]]
        if not answered:
            raise RunError("no example to train with: it has no answer")
        asked = _asked(given)
        question = _question([given[key] for key in asked])
        ways = [list(parted(_way(question, _said(given[key], "assistant")))) for key in answered]
        opening = [*_said(first(given, *_TOLD), "system"), *_history(given.get("history"))]
        rest = rest_of(given, {*_PLACED, *asked, *answered})
        if _said(rest.get("messages"), "user") in ways:
            rest.pop("messages", None)  # Some data sets hold the preferred way twice.
        return _conversation(given, opening, ways) | data_sections({"Tools": given.get("tools"), "Details": rest})


def _asked(given: dict[str, Any]) -> list[str]:
    """Return what holds the question of an example: one field and, where that is a text, the texts it is about."""
    asked = [key for key in _ASKED if filled(given.get(key))][:1]
    if not asked or given[asked[0]].__class__ is not str:
        return asked
    return asked + [key for key in _ABOUT if key not in asked and given.get(key).__class__ is str]


def _compared(element: dict[str, Any]) -> dict[str, Any]:
    """Return as an example what two models answered to the same questions, as Chatbot Arena compares them: one may have won."""
    if not {"conversation_a", "conversation_b"} <= element.keys():
        return element
    won, lost = ("b", "a") if element.get("winner") == "model_b" else ("a", "b")
    told = {key: value for key, value in element.items() if key not in ("conversation_a", "conversation_b")}
    ways = {"chosen": element[f"conversation_{won}"], "rejected": element[f"conversation_{lost}"]}
    return {**told, "id": element.get("id") or element.get("question_id"), **ways}


def _unwrapped(element: dict[str, Any]) -> dict[str, Any]:
    """Return an example with its question as `prompt`, where it stands in an object as a request does."""
    request: Any = element.get("input")
    if request.__class__ is not dict:
        return element
    return {**element, "input": None, "prompt": request.get("messages"), "tools": request.get("tools")}


def _question(given: list[Any]) -> list[Any]:
    words = [each for each in given if each != ""]
    return _said("\n\n".join(words) if all(each.__class__ is str for each in words) else words[0], "user")


def _history(turns: Any) -> list[Any]:
    """Return as messages what was said before: pairs of a question and its answer."""
    pairs = (as_list(turn) for turn in as_list(turns))
    return [
        {"role": role, "content": words} for pair in pairs for role, words in zip(("user", "assistant"), pair, strict=False)
    ]


def _said(given: Any, role: str) -> list[Any]:
    """Return messages: those of a list, those of a transcript, or the one that a text is."""
    if given.__class__ is str:
        # A prompt may end with the mark of who is to answer.
        said = [turn for turn in spoken(given) if turn["content"]]
        return said or ([{"role": role, "content": given}] if given else [])
    return [_turn(item, role) for item in as_list(given)]


def _turn(item: Any, role: str) -> Any:
    if item.__class__ is str:
        return {"role": role, "content": item}
    is_share = item.__class__ is dict and "from" in item and "value" in item
    return {"role": role_of(item["from"]), "content": item["value"]} if is_share else item


def _way(question: list[Any], answer: list[Any]) -> list[Any]:
    """Return a whole way: some answers repeat their question."""
    return answer if answer[: len(question)] == question else [*question, *answer]


def _conversation(given: dict[str, Any], opening: list[Any], ways: list[list[Any]]) -> Conversation:
    shared = sum(1 for _ in takewhile(_are_equal, zip(*ways, strict=False))) if len(ways) > 1 else 0
    first_way, *others = ways
    items = [*opening, *first_way, *chain.from_iterable(way[shared:] for way in others)]
    ends = len(opening) + len(first_way)
    return chat(
        "api",
        id_of(as_text(given.get("id")), items),
        list(_messages(items, ends, len(opening) + shared)),
        tally(len(items), chain.from_iterable(map(kinds_of, items))),
        title=as_text(given.get("title")),
        created=instant(first(given, "created_at", "timestamp")),
        model=as_text(given.get("model")),
        leaf=f"{ends - 1}" if others else "",
    )


def _are_equal(items: tuple[Any, ...]) -> bool:
    return all(item == items[0] for item in items)


def _messages(items: list[Any], ends: int, fork: int) -> Iterator[ChatMessage]:
    """Yield messages, each after the one before; the one at `ends` goes on from the one before `fork`."""
    for number, said in enumerate(api_messages(items)):
        before = fork if number == ends else number
        yield said | {"id": f"{number}", "parent": f"{before - 1}" if before else ""}
