"""The common model: what every provider's conversation is turned into, and every target is made from.

Plain dicts, so that any processor of a pipe can look at them or change them. Keys marked (?) may be missing.

Conversation
    `provider` (`claude`), `id`, `title` (may be empty), `created` and `updated` (ISO 8601 text), `url`, `summary`, `model`,
    `leaf` (id of the message the conversation ends with, if known), `messages` (a list, or for a conversation too large for
    memory something that can be gone through again and again) and `counts` (what the archive held, by kind: the other side
    of the account that the report draws up). Both may be unread: they look like a list and an object, and are made of the
    archive's text when somebody looks into them; messages that are unread name no model.
    `kind` (?): `chat` if missing, or `project`, `memory`, `account`, `artifact`: what is kept beside the chats.
    `sections` (?): texts that are no messages, `title` and `text`. `attachments` (?): files of the whole, as in a message.
    `links` (?): other conversations, `relation` (`sub-agent of`, `continues`), `id`, `title`. `tags` (?): words.
    `tokens` (?): `input` and `output`, as the provider counted them.
    `skipped` (?): what the converter left out on purpose, by kind and reason (`skipped: empty`), how often: balances `counts`.
    `also` (?): conversations that stood in the same element; the importer takes them out and makes a message of each.
    `left_out` (?): why there is nothing in it to convert (`skipped: …`); the importer goes on without it.
Message
    `id`, `role` (`human`, `assistant`, `system`, `tool`, or the provider's own word), `created`, `parent` (id; empty at a root;
    absent where the archive knows no branches), `blocks`, `attachments` (`name`, `type`, `text`; (?) `content`: a Blob, where
    the archive holds more than text) and `files` (`name`, `id`; (?) `content`: a Blob; without it the archive only names it).
    `name` (?): who spoke, where the role does not say; `model` (?); `tokens` (?).
Block
    `kind` and, by kind:

    ============  =========================================================================================
    `text`        `text`, `citations` (`end`: characters from the start, `url`, `title`; (?) `quote`: the words)
    `thinking`    `text`, `summaries`
    `tool`        `name`, `input`, `result` (None, or see below), and `artifact` where the call makes or edits one; (?) `id`,
                  `description` (what the program says that it does)
    `artifact`    `artifact`: one that stands in the text itself
    `injected`    `text`, `source`: words the provider put in front of the user's
    `event`       `title`, `text`: something that happened rather than was said: a compaction, a changed model
    `file`        `name`, `id`, `type`; (?) `content`: a Blob, as an image in the archive; (?) `description`, words about it
    `unknown`     `type`, `data`
    ============  =========================================================================================
Result
    `parts` (each a dict with `text`, or with `title`, `url` and `text`, or any JSON value) and `failed`.
Artifact
    `command` (`create`, `rewrite`, `update`, `view`), `key` (what later edits name), `title`, `type`, `language`, `content`,
    `old`, `new`, and `path` where it is a file; (?) `citations`: the pages it rests on, as in a text.
Counts
    `messages`, `attachments`, `files` and `blocks` (number of blocks by their type in the archive).

`sources` of a block lists the types it had in the archive, so that each is accounted for: a tool call holds two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .access import need, need_text
from .unread import UnreadDict, UnreadList

if TYPE_CHECKING:
    from transmissions import Message

Conversation = dict[str, Any]
ChatMessage = dict[str, Any]
Block = dict[str, Any]

TITLE_LENGTH: Final = 60
UNTITLED: Final = "Untitled"
_TEXTS: Final = ("provider", "id", "title", "created", "updated", "url", "summary", "model", "leaf")
_PARTS: Final = (*_TEXTS, "counts", "messages")
_USUAL: Final = [*[str] * len(_TEXTS), dict, list]
"""The types of these, but where a conversation is too large for memory."""
_UNREAD: Final = [*[str] * len(_TEXTS), UnreadDict, UnreadList]
_NUMBER: Final = re.compile(r"\d{1,19}(?:\.\d{1,9})?", re.ASCII)
_UTC: Final = re.compile(r"(?:Z|\+00:00)\Z")
_MILLISECONDS: Final = 95_617_584_000
"""The year 5000 in seconds: what is later is told in milliseconds, or in smaller parts."""


def conversation_of(message: Message, *, may_be_unread: bool = False) -> Conversation | None:
    """Return the conversation in a message, if there is one; what of it is unread is read, unless that may stay so.

    Raises:
        RunError: something else is in its place, or a part that every conversation has is missing or of another type.

    """
    conversation: Any = message.get("conversation")
    if conversation is None:
        return None
    if not isinstance(conversation, dict):
        raise RunError(f"the field 'conversation' is not an object but a {type(conversation).__name__}")
    # Many processors ask: that all is as usual is seen without a loop.
    types = [*map(type, map(conversation.get, _PARTS))]
    if types not in (_USUAL, _UNREAD):
        _check_parts(message, conversation)
    if types != _USUAL and not may_be_unread:
        _read_parts(conversation)
    return conversation


def _read_parts(conversation: Conversation) -> None:
    for name in ("counts", "messages"):
        part = conversation[name]
        if part.__class__ in (UnreadDict, UnreadList):
            conversation[name] = part.read()


def _check_parts(message: Message, conversation: Conversation) -> None:
    for name in _TEXTS:
        if conversation.get(name).__class__ is not str:
            need_text(message, f"conversation.{name}")
    if not isinstance(need(message, "conversation.counts"), dict | UnreadDict):
        raise RunError("the field 'conversation.counts' is not an object of numbers by kind")
    if not isinstance(need(message, "conversation.messages"), Iterable):
        raise RunError("the field 'conversation.messages' is not a list")


def leave_out(message: Message, outcome: str) -> None:
    """Take the conversation out of its message, and account for everything in it by that: `skipped: duplicate`."""
    counts = dict(message["conversation"]["counts"])  # First: what cannot be read stays whole for its dead letter.
    del message["conversation"]
    message["account"] = {"found": counts, "became": {"conversation": {outcome: 1}}}


def as_text(value: Any) -> str:
    """Return text as it is, nothing as empty text, and any other JSON value as JSON."""
    if value.__class__ is str:
        text: str = value  # `str(…)` of what is one already takes as long as all else here.
        return text
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, nothing as an empty one, and any other value as the only item."""
    if value.__class__ is list:
        return list(value)
    return [] if value is None else [value]


def as_dict(value: Any) -> dict[str, Any]:
    """Return an object as it is, and an empty one for any other value."""
    return value if value.__class__ is dict else {}


def type_of(value: Any) -> str:
    """Return the `type` of a JSON object; `untyped` where it has none, or is no object."""
    kind = as_dict(value).get("type")
    return "untyped" if kind is None else as_text(kind)


def instant(value: Any) -> str:
    """Return a time as ISO 8601 text; empty if it is none.

    Text is taken as it is, but for a time of another zone, which is told in UTC. Numbers are seconds since 1970, or
    thousandths, millionths or billionths of seconds where those would be beyond the year 5000; so are numbers in text, and
    what MongoDB writes as `{"$date": …}`.
    """
    if value.__class__ is str:
        if value.endswith("Z"):
            return value
        number = float(value) if _NUMBER.fullmatch(value) else None
        if number is not None:
            return _from_seconds(number)
        return value if _UTC.search(value) else _in_utc(value)
    if value.__class__ is dict:
        return instant(next(iter(value.values()), None)) if set(value) & {"$date", "$numberLong"} else ""
    return _from_seconds(value) if value.__class__ in (int, float) else ""


def _in_utc(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        return text if moment.tzinfo is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return text


def _from_seconds(seconds: float) -> str:
    if not 0 < seconds < 1e9 * _MILLISECONDS:
        return ""
    while seconds >= _MILLISECONDS:
        seconds /= 1000
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(seconds, 6))
    return moment.isoformat(timespec="auto").replace("+00:00", "Z")


def title_of(conversation: Conversation) -> str:
    """Return the title: the given one, or the first words a person wrote."""
    title = " ".join(conversation["title"].split())
    return title or _first_words(conversation) or UNTITLED


def _first_words(conversation: Conversation) -> str:
    for message in conversation["messages"]:
        for block in message["blocks"]:
            if message["role"] == "human" and block["kind"] == "text" and not block["text"].isspace() and block["text"]:
                return _shorten(" ".join(block["text"][:400].split()))
    return ""


def _shorten(text: str) -> str:
    if len(text) <= TITLE_LENGTH:
        return text
    return text[:TITLE_LENGTH].rsplit(" ", 1)[0] + "…"
