"""Choose the conversations that are converted."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from transmissions import Processor, UsageError

from .arrivals import is_older
from .conversation import conversation_of, leave_out, title_of
from .places import hex_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .conversation import Conversation


class ConversationFilter(Processor):
    """Let only some conversations be converted. All that is set must hold; a conversation that is left out is counted.

    Takes `conversation`. The report names the filter, so that nobody takes a part for the whole.

    ```turtle
    :choose a :ConversationFilter ; :since "2026-01" ; :title "(?i)turtle|shacl" ; :artifacts "with" .
    ```
    """

    since: str | None = None
    "The first day, month or year in UTC, as `2026-03-07`, `2026-03` or `2026`."
    until: str | None = None
    "The last day, month or year; it is in."
    by: Literal["created", "updated"] = "created"
    "Which of its times counts."
    title: str | None = None
    "A regular expression that is found in the title; in that of its page, which a chat without one gets from its first words."
    ids: tuple[str, ...] = ()
    "Ids, or their last digits as they stand in file names."
    providers: tuple[str, ...] = ()
    "Names of providers, `claude` for one."
    model: str | None = None
    "A regular expression that is found in the name of a model."
    kinds: tuple[Literal["chat", "project", "memory", "account", "artifact"], ...] = ()
    "Chats, or what is kept beside them."
    artifacts: Literal["any", "with", "without"] = "any"
    "Whether something was made in it."
    empty: Literal["keep", "drop"] = "keep"
    "What becomes of a chat without messages."

    def __post_init__(self) -> None:
        """Fail early where a pattern or a date is none."""
        try:
            self._title = re.compile(self.title) if self.title else None
            self._model = re.compile(self.model) if self.model else None
        except re.error as error:
            raise UsageError(f"'{error.pattern!s}' is no regular expression: {error}") from error
        for date in filter(None, (self.since, self.until)):
            if not _is_date(date):
                raise UsageError(f"'{date}' is no date; write 2026-03-07, 2026-03 or 2026")
        self._until = (self.until or "").removesuffix("Z")
        if self.since and self._until and is_older(self._until, self.since[: len(self._until)]):
            raise UsageError(f"nothing is since '{self.since}' and until '{self.until}'")
        self._ids = tuple(identifier.replace("-", "") for identifier in self.ids)

    def process(self, message: Message) -> Message:
        """Let the message go on as it is, or without its `conversation`."""
        conversation = conversation_of(message, may_be_unread=True)
        if conversation is None:
            return message
        reason = next(self._against(conversation, message.get("digest", "")), "")
        if reason:
            leave_out(message, f"skipped: filtered by {reason}")
        return message

    def _against(self, conversation: Conversation, digest: str) -> Iterator[str]:
        """Yield the settings that speak against a conversation."""
        kind = conversation.get("kind") or "chat"
        time = conversation[self.by]
        if self.since and (not time or is_older(time, self.since)):
            yield "since"
        # A month or a year is in as a whole.
        if self._until and (not time or is_older(self._until, time[: len(self._until)])):
            yield "until"
        if self._title and not self._title.search(title_of(conversation)):
            yield "title"
        if self._ids and not any(one.endswith(self._ids) for one in _ids_of(conversation, digest)):
            yield "ids"
        if self.providers and conversation["provider"] not in self.providers:
            yield "providers"
        if self._model and not any(map(self._model.search, _models(conversation))):
            yield "model"
        if self.kinds and kind not in self.kinds:
            yield "kinds"
        if self.artifacts != "any" and _makes(conversation) is not (self.artifacts == "with"):
            yield "artifacts"
        if self.empty == "drop" and kind == "chat" and not len(conversation["messages"]):
            yield "empty"


def _is_date(text: str) -> bool:
    """Whether a text is a year, a month, a day, or a moment."""
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d(T[\d:.]+Z?)?)?)?", text):
        return False
    try:
        datetime.fromisoformat(text + "-01-01"[len(text) - 4 :])
    except ValueError:
        return False
    return True


def _ids_of(conversation: Conversation, digest: str) -> tuple[str, str]:
    """Return the id of a conversation, and what its files have of it where it is none of digits."""
    identifier = conversation["id"]
    return identifier.replace("-", ""), hex_id(identifier or digest, conversation["title"], conversation["created"])


def _models(conversation: Conversation) -> Iterator[str]:
    yield conversation["model"] or ""
    yield from (message.get("model") or "" for message in conversation["messages"])


def _makes(conversation: Conversation) -> bool:
    return any("artifact" in block for message in conversation["messages"] for block in message["blocks"])
