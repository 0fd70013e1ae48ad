"""Answers of a model's API that were logged as they came, piece by piece: put together, then converted as any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .api_logs import APIConversations
from .conversation import as_dict, as_list, as_text
from .plain_blocks import filled, parsed
from .plain_turns import items_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .conversation import Conversation
    from .shape import About

_PIECES: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_BLOCKS: Final = frozenset(["content_block_start", "content_block_delta", "message_delta"])
_HEAD: Final = ("id", "model", "created", "created_at", "role", "usage", "instructions")
_WHOLE: Final = ("usage", "citations", "search_results")
"""What the pieces of an answer say of the whole."""
_FILLED: Final = ("choices", "content", "output", "candidates", "error")
"""Where an answer that has begun holds something."""
_ENDS: Final = frozenset(["response.completed", "response.incomplete", "response.failed"])


class APIStreams:
    """Turns the lines of a stream into a conversation for each answer; events that say nothing of one are left out."""

    def __init__(self) -> None:
        """Begin."""
        self._one = APIConversations()

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the first answer's conversation, with those of the others in its `also`."""
        gathered = _Answers()
        gathered.take(items_of(element, "items", "stream of an API"))
        found = [self._one.convert(answer, about) for answer in gathered.whole()]
        if not found:
            raise RunError("not a stream of an API: it has no answer")
        skipped = {"event": {"skipped: says nothing of an answer": gathered.passed}} if gathered.passed else {}
        return {**found[0], "skipped": skipped, "also": found[1:]}


class _Answers:
    """The answers of a stream as far as they have come, in the order they began."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, Any]] = {}
        self._last: dict[str, Any] = {}
        self._begun = 0
        self._open_ended = False
        self.passed = 0
        """How many events said nothing of an answer: signs of life, ends of what is whole."""

    def take(self, items: Iterable[Any]) -> None:
        for item in items:
            event = as_dict(item)
            self.passed += not self._take(event, as_text(event.get("type")))

    def _take(self, event: dict[str, Any], kind: str) -> bool:
        """Take an event, and return whether it says anything of an answer."""
        failed = kind == "error" or filled(event.get("error"))
        if failed:
            self._open({"id": event.get("id")}, {})["error"] = event.get("error") or event
        if "choices" in event:
            self._take_choices(event)
        elif "candidates" in event:
            self._take_candidates(event)
        elif "done" in event:
            self._take_message(event)
        elif kind == "message_start":
            self._open(as_dict(event.get("message")), {"role": "assistant", "content": []})
        elif kind.startswith("response."):
            return self._take_item(kind, event)
        else:
            return self._take_block(kind, event) or failed
        return True

    def whole(self) -> list[dict[str, Any]]:
        """Return the answers; what a tool was given is JSON once all of it is there."""
        for answer in self._answers.values():
            for block in as_list(answer.get("content")):
                given = as_dict(block).pop("partial_json", "")
                if given:
                    block["input"] = parsed(given)
            if answer.get("pieces") and not answer.get("output"):
                answer["output"] = [
                    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": answer["pieces"]}]}
                ]
        return [answer for answer in self._answers.values() if any(map(answer.get, _FILLED))]

    def _open(self, told: dict[str, Any], empty: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of this id, a new one if there is none; without an id, the last."""
        key = as_text(told.get("id"))
        if key or not self._answers:
            known = {name: told[name] for name in _HEAD if name in told}
            self._last = self._answers.setdefault(key, known | empty)
        return self._last

    def _take_choices(self, event: dict[str, Any]) -> None:
        answer = self._open(event, {"choices": []})
        answer |= {key: event[key] for key in _WHOLE if filled(event.get(key))}
        for choice in map(as_dict, as_list(event["choices"])):
            delta = as_dict(choice.get("delta"))
            message = _at(answer.setdefault("choices", []), choice.get("index"), {"message": {"role": "assistant"}})["message"]
            for key in ("content", "reasoning_content", "reasoning", "refusal"):
                _add(message, key, delta.get(key))
            if delta.get("images"):
                message["images"] = [*as_list(message.get("images")), *as_list(delta["images"])]
            for call in map(as_dict, as_list(delta.get("tool_calls"))):
                _add_call(message, call)

    def _take_candidates(self, event: dict[str, Any]) -> None:
        """Take a piece of Gemini's."""
        told = {"id": event.get("responseId"), "model": event.get("modelVersion")}
        answer = self._open(told, {"candidates": []})
        for candidate in map(as_dict, as_list(event["candidates"])):
            begun = {"content": {"role": "model", "parts": []}}
            parts = _at(answer.setdefault("candidates", []), candidate.get("index", 0), begun)["content"]["parts"]
            for part in as_list(as_dict(candidate.get("content")).get("parts")):
                _add_part(parts, part)

    def _take_message(self, event: dict[str, Any]) -> None:
        """Take a piece of Ollama's: they have no ids, the last one says that it is the last."""
        if not self._open_ended:
            self._begun += 1
        self._open_ended = event.get("done") is not True
        message = {"role": "assistant"}
        told = {"id": f"answer-{self._begun}", "model": event.get("model"), "created_at": event.get("created_at")}
        answer = self._open(told, {"choices": [{"message": message}]})
        message = _at(answer.setdefault("choices", []), 0, {"message": message})["message"]
        piece = as_dict(event.get("message")) or {"content": event.get("response"), "thinking": event.get("thinking")}
        _add(message, "reasoning", piece.get("thinking"))
        _add(message, "content", piece.get("content"))
        message.setdefault("tool_calls", []).extend(as_list(piece.get("tool_calls")))

    def _take_block(self, kind: str, event: dict[str, Any]) -> bool:
        if kind not in _BLOCKS:
            return False
        answer = self._open({}, {"role": "assistant", "content": []})
        content = answer.setdefault("content", [])
        if kind == "content_block_start":
            _at(content, event.get("index"), {}).update(as_dict(event.get("content_block")))
        elif kind == "content_block_delta":
            return _add_delta(content, event.get("index"), as_dict(event.get("delta")))
        else:
            answer["usage"] = {**as_dict(answer.get("usage")), **as_dict(event.get("usage"))}
        return True

    def _take_item(self, kind: str, event: dict[str, Any]) -> bool:
        told = as_dict(event.get("response"))
        if kind in _ENDS and told.get("output").__class__ is list:
            self._open(told, {})["output"] = told["output"]
            self._last |= {key: told[key] for key in ("usage", "error") if filled(told.get(key))}
        elif kind == "response.created":
            self._open(told, {"output": []})
        elif kind == "response.output_item.done":
            self._open({}, {"output": []}).setdefault("output", []).append(event.get("item"))
        elif kind == "response.output_text.delta":
            # Only what breaks off needs them: whole items say the same.
            _add(self._open({}, {"output": []}), "pieces", event.get("delta"))
        else:
            return False
        return True


def _at(items: list[dict[str, Any]], index: Any, new: dict[str, Any]) -> dict[str, Any]:
    """Return the item of a number; a new one at the end where there is none yet."""
    if index.__class__ is int and 0 <= index < len(items):
        return items[index]
    items.append(new)
    return new


def _add_delta(content: list[dict[str, Any]], index: Any, delta: dict[str, Any]) -> bool:
    """Add a piece to a block of Anthropic's, and return whether it says anything."""
    cited = as_dict(delta.get("citation"))
    piece = _PIECES.get(as_text(delta.get("type")), "")
    if cited:
        block = _at(content, index, {"type": "text"})
        block["citations"] = [*as_list(block.get("citations")), cited]
    else:
        _add(_at(content, index, {"type": piece}), piece, delta.get(piece))
    return bool(cited or piece)


def _add_part(parts: list[Any], part: Any) -> None:
    """Add a part of Gemini's; a text goes on with the one before, if both or neither are thoughts."""
    before, told = as_dict(parts[-1]) if parts else {}, as_dict(part)
    if before and {*before, *told} <= {"text", "thought"} and before.get("thought") == told.get("thought"):
        _add(before, "text", told.get("text"))
    else:
        parts.append({**told} if told else part)


def _add(target: dict[str, Any], key: str, piece: Any) -> None:
    if key and piece.__class__ is str:
        target[key] = as_text(target.get(key)) + piece


def _add_call(message: dict[str, Any], piece: dict[str, Any]) -> None:
    told = as_dict(piece.get("function"))
    call = _at(message.setdefault("tool_calls", []), piece.get("index"), {"id": piece.get("id"), "function": {}})
    for key in ("name", "arguments"):
        _add(call["function"], key, told.get(key))
