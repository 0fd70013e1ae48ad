"""Render conversations of the common model as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from transmissions import Processor, Range, UsageError

from .head import default_head, load_head
from .layouts import ConversationLayout, MessageLayout
from .page import Style
from .places import Places

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions import Message

Shown = Literal["keep", "fold", "drop"]

_PRESETS: dict[str, dict[str, str]] = {
    "full": {},
    "clean": {"thinking": "drop", "tools": "drop", "injected": "drop", "artifacts": "link"},
    "original": {"summary": "drop"},
}


class ConversationMarkdown(Processor):
    """Render a conversation as Markdown, with its artifacts and attachments as files beside it.

    Takes `conversation`, gives `files`: (path, content) of each file, for TreeWriter, and `account`: what became of every
    message and block, for ConversionReport. What one of `preset` sets, the settings below it override.

    ```turtle
    :render a :ConversationMarkdown ; :preset "clean" ; :tools "fold" .
    ```

    A conversation that is in the archive twice, alike, is written once.
    """

    preset: Literal["full", "clean", "original"] = "full"
    "`full`: everything; `clean`: prompts and answers; `original`: a file for each message, as the first converter had it."
    page_name: str = "{year}/{month}/{date} {title} ~{id}"
    "The path of a conversation's page. Fields: year, month, day, date, title, id (last 8 digits), fullId, provider."
    asset_name: str = "{year}/{month}/{kind}/{id} {name}"
    "The path of a file that belongs to a conversation. Further fields: kind (artifacts, attachments), name."
    thinking: Shown | None = None
    "Claude's thoughts: in the open, folded, or left out."
    tools: Shown | None = None
    "Tool calls and their results."
    artifacts: Literal["keep", "fold", "link", "drop"] | None = None
    "Artifacts on the page; their files are written unless they are dropped."
    attachments: Shown | None = None
    "Attachments on the page; their files are written unless they are dropped."
    injected: Shown | None = None
    "Words the app put in front of the user's."
    citations: Literal["keep", "drop"] | None = None
    "Citations, as footnotes."
    summary: Literal["keep", "drop"] | None = None
    "The conversation's summary, below its title."
    human: str = "Human"
    "What the person is called in headings."
    assistant: str = "Claude"
    "What the assistant is called in headings."
    heading: str = "{speaker}, {time}"
    "The heading of a message. Fields: speaker, time, date, id."
    preview: Annotated[int, Range(ge=0)] = 1000
    "How many characters of an attachment the page shows."
    head_template: str | None = None
    "A jinja2 template for what stands above the first message; `templates/head.md` of the app is the default's."

    def __post_init__(self) -> None:
        """Work out the style, and fail early where a name in a template is wrong."""
        chosen = {name: getattr(self, name) for name in Style._fields if getattr(self, name) is not None}
        style = Style(**{**_PRESETS[self.preset], **chosen})
        self._seen: set[int] = set()
        self._template: Callable[[dict[str, Any]], str] = default_head
        self._layout: ConversationLayout | MessageLayout
        try:
            style.heading.format(speaker="", time="", date="", id="")
            places = Places(self.page_name, self.asset_name)
            self._layout = MessageLayout(style) if self.preset == "original" else ConversationLayout(style, places, self._head)
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise UsageError(f"a template of ConversationMarkdown is wrong: {error}") from error

    async def __aenter__(self) -> Self:
        if self.head_template:
            self._template = load_head(self.context.input_path(self.head_template))
        return self

    def _head(self, facts: dict[str, Any]) -> str:
        return self._template(facts)

    def process(self, message: Message) -> Message:
        """Replace the message's `conversation` by its `files` and `account`."""
        conversation, digest = message["conversation"], message.get("digest")
        if digest in self._seen:
            files: list[Any] = []
            tally = {("conversation", "skipped: duplicate"): 1}
        else:
            files, page = self._layout.render(conversation)
            tally = page.tally
        if digest is not None:
            self._seen.add(digest)
            del message["digest"]
        # Only now is the message changed: had rendering failed, the dead letter would hold the conversation.
        del message["conversation"]
        message["id"], message["files"] = conversation["id"], files
        message["account"] = {"found": conversation["counts"], "became": _by_kind(tally)}
        return message


def _by_kind(tally: dict[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Return how many of each kind came to each outcome."""
    became: dict[str, dict[str, int]] = {}
    for (kind, outcome), number in tally.items():
        became.setdefault(kind, {})[outcome] = number
    return became
