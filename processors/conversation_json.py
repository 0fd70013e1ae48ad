"""Conversations as JSON lines: for programs, for training, for retrieval."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal

from transmissions import Processor

from .conversation import conversation_of, title_of
from .places import page_of
from .records import encode_pieces, note_replaced, one_line
from .turns import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transmissions import Message

    from .conversation import Conversation

Form = Literal["model", "messages", "sharegpt", "chunks"]
_ROLES: Final = {"human": "user"}
_SPEAKERS: Final = {"human": "human", "user": "human", "assistant": "gpt", "system": "system"}


class ConversationJSONLines(Processor):
    """Give each conversation a line of JSON.

    Takes `conversation`, `key` and `place`, and adds the line to `records`, for RecordCollector. Every line begins with `key`,
    `provider` and `id`, is valid UTF-8 and is the same in every run.

    ```turtle
    :jsonl a :ConversationJSONLines ; :form "messages" .
    ```

    `model` is everything there is, as `configs/chat-model.schema.json` says. The other forms hold what was said on the way a
    conversation went: without ways it left, thoughts, calls and citation marks, and an artifact as it is behind the turn that
    made or changed it. `messages` has `role` (`user`, `assistant`, `system`) and `content`, `sharegpt` has `from` and `value`;
    what one says in a row is one message, and what tools or others say is left out. `chunks` gives a line for each prompt with
    its answers, for retrieval; an artifact is in one of them, as it is in the end.
    """

    file: str = "conversations.jsonl"
    "The file: below the run's output folder."
    form: Form = "model"
    "What a line holds."

    def process(self, message: Message) -> Message:
        """Add the lines of the message's `conversation`."""
        conversation = conversation_of(message)
        if conversation is None:
            return message
        provider, identifier = conversation["provider"], conversation["id"]
        key = one_line(message.get("key") or f"{provider}:{identifier}")
        head = {"key": key, "provider": provider, "id": identifier}
        if self.form == "model":
            texts = _model(head, conversation, _Paths(message))
        elif self.form == "chunks":
            texts = _chunks(head, conversation, page_of(message))
        else:
            texts = _training(head, conversation, self.form)
        is_large = conversation["messages"].__class__ is not list
        content, replaced = encode_pieces(texts, is_large)
        if content:
            message["records"] = {**message.get("records", {}), self.file: content}
        else:  # An earlier version may have had a line, or this one in another form.
            message["no_records"] = {**message.get("no_records", {}), self.file: _dump({"key": key})[:-1].encode()}
        note_replaced(message, "in JSON", replaced)
        return message


class _Paths:
    """Which file of the page's a piece of content becomes.

    It is known as the object it is or, where messages are made anew each time, by its bytes.
    """

    def __init__(self, message: Message) -> None:
        self._of_objects: dict[int, str] = {}
        self._of_bytes: dict[bytes, str] = {}
        for path, content in message.get("files", ()):
            held = content[0] if isinstance(content, list) and len(content) == 1 else content
            self._of_objects[id(held)] = path
            if isinstance(held, bytes):
                self._of_bytes[held] = path

    def of(self, blob: Any) -> str | None:
        """Return the path of a piece of content, if it becomes a file."""
        return self._of_objects.get(id(blob)) or (self._of_bytes.get(blob) if isinstance(blob, bytes) else None)


def _model(head: dict[str, str], conversation: Conversation, paths: _Paths) -> Iterator[str]:
    """Yield the line of a whole conversation, message by message."""

    def describe(blob: Any) -> dict[str, Any]:
        return {"name": getattr(blob, "name", ""), "size": len(blob), "path": paths.of(blob)}

    rest = {name: value for name, value in conversation.items() if name not in {"provider", "id", "messages"}}
    yield _dump({**head, **rest}, describe)[:-1] + ', "messages": ['
    between = ""
    for message in conversation["messages"]:
        yield between + _dump(message, describe)
        between = ", "
    yield "]}\n"


def _dump(value: Any, describe: Callable[[Any], Any] | None = None) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=describe)
    except ValueError:  # Python reads NaN and Infinity from an archive, which JSON does not know.
        plain = json.loads(json.dumps(value, default=describe), parse_constant=lambda _: None)
        return json.dumps(plain, ensure_ascii=False)


def _training(head: dict[str, str], conversation: Conversation, form: Form) -> Iterator[str]:
    """Yield the line of what was said; none where nothing was."""
    said = list(turns(conversation, roles=_SPEAKERS))
    if not said:
        return
    if form == "messages":
        listed = [{"role": _ROLES.get(role, role), "content": text} for role, text, _ in said]
        yield _line({**head, "messages": listed})
    else:
        listed = [{"from": _SPEAKERS[role], "value": text} for role, text, _ in said]
        yield _line({**head, "conversations": listed})


def _chunks(head: dict[str, str], conversation: Conversation, page: str) -> Iterator[str]:
    """Yield a line for each prompt with what answers it."""
    about = {**head, "title": title_of(conversation), "url": conversation["url"], "page": page}
    chunk: dict[str, Any] = {}
    number = 0
    for role, text, messages in turns(conversation, at_end=True):
        is_prompt = role in ("human", "user")
        if chunk and is_prompt:
            yield _line(chunk)
        if not chunk or is_prompt:
            number += 1
            chunk = {**about, "chunk": number, "date": messages[0]["created"], "messages": [], "prompt": "", "answer": ""}
        name = "prompt" if is_prompt else "answer"
        chunk[name] = f"{chunk[name]}\n\n{text}" if chunk[name] else text
        chunk["messages"] += [message["id"] for message in messages]
    if chunk:
        yield _line(chunk)


def _line(value: dict[str, Any]) -> str:
    return _dump(value) + "\n"
