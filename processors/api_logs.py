"""Logs of what was asked of a model's API and what it answered, turned into the common model; fine-tuning files too.

Told apart by what they have: `messages`, alone or below `request`, `body` or `params`; `choices` or an Anthropic message,
alone or below `response` or `result`.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .api_messages import SAYING, api_messages, kinds_of
from .api_parts import parted
from .conversation import as_dict, as_list, as_text, instant
from .plain_blocks import filled, first
from .plain_turns import chat, data_sections, identity, tally, unroll
from .spool import SpooledList

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import ChatMessage, Conversation
    from .shape import About

_REQUESTS: Final = ("request", "body", "params", "input", "request_body")
_RESPONSES: Final = ("response", "result", "completion", "response_body", "output")
_ASKED: Final = ("messages", "input", "contents", "prompt")
_PAGES: Final = ("search_results", "citations")
"""Where Perplexity's API tells the pages of an answer."""
_MADE: Final = ("completion_tokens", "output_tokens", "candidatesTokenCount")
_MOMENTS: Final = ("created", "created_at", "timestamp", "time", "date")


class APIConversations:
    """Turns a request, a response, or both together."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that an element holds: what was asked, then what was answered."""
        if element.__class__ is not dict:
            raise RunError("neither a request to an API nor an answer: it is no object")
        request, response = _request_of(element), _response_of(element)
        opening, asked = _asked(request)
        answers = [*_answers(response), *_errors(element.get("error") or response.get("error") or _ended(element))]
        if not (len(asked) or answers):
            raise RunError("neither a request to an API nor an answer: it has no messages")
        identifier = as_text(response.get("id")) or identity(as_text(element.get("custom_id")), opening, asked, answers)
        created = next(filter(None, (instant(first(where, *_MOMENTS)) for where in (response, element, request))), "")
        counts = _count(chain(opening, asked, answers))
        forks = len(as_list(response.get("choices", response.get("candidates")))) > 1
        fork = counts["messages"] - len(answers) if forks else None
        return chat(
            "api",
            identifier,
            unroll(partial(_messages, opening, answers, fork), asked, counts["messages"]),
            counts,
            title=as_text(first(element, "title") or (None if len(asked) else first(element, "custom_id", "key"))),
            created=created,
            updated=created,
            model=as_text(first(response, "model", "modelVersion") or request.get("model")),
            leaf="" if fork is None else f"{fork}",
            **_tokens(first(response, "usage", "usageMetadata")),
            **data_sections(
                {"Tools": first(request, "tools", "functions"), "Metadata": request.get("metadata") or element.get("metadata")}
            ),
        )


class APIMessages:
    """Turns a file that is a list of messages, and nothing else, into one conversation."""

    def __init__(self) -> None:
        """Begin."""
        self._one = APIConversations()

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that all messages of a file are."""
        items = element.get("items") if element.__class__ is dict else None
        return self._one.convert({"messages": items}, about)


def _request_of(element: dict[str, Any]) -> dict[str, Any]:
    for key in _REQUESTS:
        found: Any = element.get(key)
        if found.__class__ is dict and any(key in found for key in _ASKED):
            return dict(found)
    return element


def _response_of(element: dict[str, Any]) -> dict[str, Any]:
    """Return what was answered: the innermost object that holds an answer."""
    if _is_answer(element):
        return element
    found: Any = first(element, *_RESPONSES)
    if found.__class__ is str:
        return {"choices": [{"text": found}]}
    while found.__class__ is dict and not (_is_answer(found) or filled(found.get("error"))):
        found = first(found, "body", "message")
    return found if found.__class__ is dict else {}


def _is_answer(value: dict[str, Any]) -> bool:
    is_message = "content" in value and ("role" in value or value.get("type") == "message")
    return "choices" in value or "candidates" in value or is_message or value.get("output").__class__ is list


def _asked(request: dict[str, Any]) -> tuple[list[Any], list[Any] | SpooledList]:
    """Return what the model was told beforehand, and the messages."""
    found: Any = next((request[key] for key in _ASKED if key in request), None)
    told: Any = first(request, "system", "instructions", "systemInstruction", "system_instruction")
    is_parts = told.__class__ is dict and "parts" in told
    opening = [{**told, "role": "system"} if is_parts else {"role": "system", "content": told}] if filled(told) else []
    if found.__class__ is str:
        found = [{"role": "user", "content": found}]
    return opening, found if isinstance(found, SpooledList) else as_list(found)


def _ended(element: dict[str, Any]) -> Any:
    """Return what a batch tells of a request that it never came to: expired, or canceled."""
    found = as_dict(element.get("result"))
    return found if found.get("type") in ("expired", "canceled") else None


def _errors(error: Any) -> list[Any]:
    return [{"role": "error", "content": [{"type": "error", "error": error}]}] if filled(error) else []


def _answers(response: dict[str, Any]) -> list[Any]:
    if "choices" in response:
        return [_choice(choice, first(response, *_PAGES)) for choice in as_list(response["choices"])]
    if "candidates" in response:
        return list(map(_candidate, as_list(response["candidates"])))
    if "output" in response:
        return as_list(response["output"])
    if response:
        return [{key: response[key] for key in ("role", *SAYING) if key in response}]
    return []


def _candidate(found: Any) -> Any:
    """Return what Gemini answered, with the pages it rests on."""
    if found.__class__ is not dict:
        return found
    content: Any = found.get("content", found)
    told = as_dict(found.get("groundingMetadata"))
    return {**content, "groundingMetadata": told} if told and content.__class__ is dict else content


def _choice(choice: Any, pages: Any) -> Any:
    """Return an answer with the pages that all answers rest on."""
    if choice.__class__ is not dict:
        return choice
    found = first(choice, "message") or {"role": "assistant", "content": choice.get("text")}
    if pages is None or found.__class__ is not dict:
        return found
    return {**found, "annotations": [*as_list(found.get("annotations")), *as_list(pages)]}


def _messages(opening: list[Any], answers: list[Any], fork: int | None, asked: Iterable[Any]) -> Iterator[ChatMessage]:
    """Yield all messages; several choices for an answer, from `fork` on, are as many ways to go on from the last question."""
    for number, said in enumerate(api_messages(parted(chain(opening, asked, answers)))):
        if fork is None:
            yield said
            continue
        before = min(number, fork)
        yield said | {"id": f"{number}", "parent": f"{before - 1}" if before else ""}


def _count(items: Iterable[Any]) -> dict[str, Any]:
    messages, kinds = 0, list[str]()
    for item in parted(items):
        messages += 1
        kinds += kinds_of(item)
    return tally(messages, kinds)


def _tokens(usage: Any) -> dict[str, Any]:
    if usage.__class__ is not dict:
        return {}
    given, made = first(usage, "prompt_tokens", "input_tokens", "promptTokenCount"), first(usage, *_MADE)
    tokens = {"input": given if given.__class__ is int else 0, "output": made if made.__class__ is int else 0}
    return {"tokens": tokens} if any(tokens.values()) else {}
