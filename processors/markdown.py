"""Render conversations of the common model as Markdown."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from transmissions import Processor, Range, UsageError

from .access import need
from .account import account_of
from .conversation import conversation_of
from .flavour_markdown import FLAVOURS
from .head import default_head, load_head, obsidian_head, retrieval_head
from .layouts import ConversationLayout, MessageLayout
from .page import Style
from .places import Place

if TYPE_CHECKING:
    from pathlib import Path

    from transmissions import Message

    from .head import Head

Shown = Literal["keep", "fold", "drop"]

_ANSWERS: Final = {"thinking": "drop", "tools": "drop", "injected": "drop", "events": "drop", "empty": "drop"}
_PRESETS: Final[dict[str, dict[str, Any]]] = {
    "full": {},
    "clean": {**_ANSWERS, "artifacts": "link"},
    "rag": {
        **_ANSWERS,
        "unknown": "drop",
        "artifacts": "end",
        "attachments": "keep",
        "preview": sys.maxsize,
        "summary": "drop",
    },
    "original": {"summary": "drop"},
}
_HEADS: Final = {"commonmark": default_head, "obsidian": obsidian_head, "retrieval": retrieval_head}


class ConversationMarkdown(Processor):
    """Render a conversation as Markdown, with its artifacts and attachments as files beside it.

    Takes `conversation`, `place` and `facts`; adds to `files` the (path, content) of each file, and to `facts` what is known
    once a page is made. `account` says what became of every message and block, for ConversionReport. What one of `preset`
    sets, the settings below it override.

    ```turtle
    :render a :ConversationMarkdown ; :preset "clean" ; :tools "fold" ; :flavour "obsidian" .
    ```

    A message without a conversation, a duplicate for instance, goes on as it is.
    """

    preset: Literal["full", "clean", "rag", "original"] = "full"
    (
        "`full`: everything; `clean`: prompts and answers; `rag`: those as plain text for retrieval, whatever is attached in "
        "full; `original`: a file for each message, as the first converter had it."
    )
    flavour: Literal["commonmark", "obsidian"] = "commonmark"
    "`obsidian`: folds are callouts, files are linked by wikilinks, front matter has aliases and tags."
    latex: Literal["keep", "dollar"] = "keep"
    "`dollar`: formulas stand between dollars, and dollars that are money are escaped; code is left alone."
    thinking: Shown | None = None
    "The assistant's thoughts: in the open, folded, or left out."
    tools: Shown | None = None
    "Tool calls and their results."
    artifacts: Literal["keep", "fold", "link", "end", "drop"] | None = None
    "Artifacts on the page, `end`: as they stand at last, below all messages. Their files are written unless dropped."
    attachments: Shown | None = None
    "Attachments and files on the page; what the archive holds of them is written beside it unless they are dropped."
    injected: Shown | None = None
    "Words the app put in front of the user's."
    events: Shown | None = None
    "What happened rather than was said: a compaction, a changed model."
    unknown: Shown | None = None
    "Blocks of a kind nobody knows, as JSON."
    citations: Literal["keep", "drop"] | None = None
    "Citations, as footnotes."
    summary: Literal["keep", "drop"] | None = None
    "The conversation's summary, below its title."
    human: str = "Human"
    "What the person is called in headings."
    assistant: str | None = None
    "What the assistant is called in headings; if not given, what its provider calls it: Claude, ChatGPT, Gemini."
    heading: str = "{speaker}, {time}"
    "The heading of a message. Fields: speaker, time, date, id."
    preview: Annotated[int, Range(ge=0)] | None = None
    "How many characters of an attachment the page shows: 1000 if not given, all of them in `rag`."
    head_template: str | None = None
    "A jinja2 template for what stands above the first message; `templates/head.md` of the app is the default's."

    def __post_init__(self) -> None:
        """Work out the style, and fail early where the heading's template is wrong."""
        chosen = {name: getattr(self, name, None) for name in Style._fields}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        self._style = Style(**{**_PRESETS[self.preset], **chosen})
        self._flavour = "retrieval" if self.preset == "rag" else self.flavour
        try:
            self._style.heading.format(speaker="", time="", date="", id="")
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            fault = f"the heading of ConversationMarkdown is wrong: {error}"
            raise UsageError(f"{fault}; it may have {{speaker}}, {{time}}, {{date}} and {{id}}") from error
        self._layout = self._lay_out()

    def _lay_out(self, template: Path | None = None) -> ConversationLayout | MessageLayout:
        flavour = FLAVOURS[self._flavour](self.latex)
        if self.preset == "original":
            return MessageLayout(self._style, flavour)
        head: Head = partial(_HEADS[self._flavour], flavour)
        if template:
            head = load_head(template, flavour, is_obsidian=self._flavour == "obsidian")
        return ConversationLayout(self._style, flavour, head)

    async def __aenter__(self) -> Self:
        if self.head_template:
            self._layout = self._lay_out(self.context.input_path(self.head_template))
        return self

    def process(self, message: Message) -> Message:
        """Add the files of the message's `conversation`."""
        conversation = conversation_of(message)
        if conversation is None:
            return message
        files, page, facts = self._layout.render(conversation, Place.of(need(message, "place")), need(message, "facts"))
        # Only now is the message changed: had rendering failed, the dead letter would hold it as it was.
        message["files"] = [*message.get("files", ()), *files]
        message["facts"] = facts
        message.setdefault("account", account_of(conversation, page.tally))
        return message
