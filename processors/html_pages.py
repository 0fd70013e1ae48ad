"""Render conversations of the common model as HTML."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Final, Literal

from transmissions import Processor

from .access import need
from .account import account_of
from .conversation import conversation_of
from .flavour_html import HTMLPage
from .html_prose import Prose, external
from .html_style import link_to, open_page
from .layouts import ConversationLayout
from .page import Style
from .places import Place, html_path
from .words import words_of

if TYPE_CHECKING:
    from transmissions import Message

Shown = Literal["keep", "fold", "drop"]

_TOLD: Final = {
    "provider": "From",
    "created": "Begun",
    "updated": "Changed",
    "models": "Models",
    "project": "Project",
    "tags": "Tags",
}


class ConversationHTML(Processor):
    """Render a conversation as an HTML page that holds all it needs: no scripts, no requests, light and dark.

    Takes `conversation`, `place` and `facts`; adds to `files` a page beside the Markdown page, with the same name and
    `.html`, and whatever lies beside it and is not there already. `words` says by which words a search finds the page.
    Nothing that somebody wrote in a conversation can become live HTML; formulas are left as text.

    ```turtle
    :html a :ConversationHTML .
    ```

    Needs the extra `html`.
    """

    index: str = "index.html"
    "The page of HTMLIndex, which every page links to; empty for no link."
    thinking: Shown = "fold"
    "The assistant's thoughts: in the open, folded, or left out."
    tools: Shown = "fold"
    "Tool calls and their results."
    artifacts: Literal["keep", "fold", "link", "end", "drop"] = "fold"
    "Artifacts on the page, `end`: as they stand at last, below all messages."
    attachments: Shown = "fold"
    "Attachments and files on the page."
    injected: Shown = "fold"
    "Words the app put in front of the user's."
    events: Shown = "fold"
    "What happened rather than was said."
    unknown: Shown = "fold"
    "Blocks of a kind nobody knows, as JSON."
    citations: Literal["keep", "drop"] = "keep"
    "Citations, as footnotes."
    summary: Literal["keep", "drop"] = "keep"
    "The conversation's summary, below its title."
    human: str = "Human"
    "What the person is called in headings."
    assistant: str | None = None
    "What the assistant is called in headings; if not given, what its provider calls it."

    def __post_init__(self) -> None:
        """Work out the style, and fail early where the library is missing."""
        chosen = {name: getattr(self, name, None) for name in Style._fields}
        style = Style(**{name: value for name, value in chosen.items() if value is not None})
        self._prose = Prose()
        self._layout = ConversationLayout(style, HTMLPage(self._prose), partial(_head, self._prose, self.index))

    def process(self, message: Message) -> Message:
        """Add the page of the message's `conversation`."""
        conversation = conversation_of(message)
        if conversation is None:
            return message
        before = message.get("files", ())
        written = {path for path, _ in before}
        facts = need(message, "facts")
        files, page, told = self._layout.render(conversation, Place.of(need(message, "place")), facts, written)
        message["files"] = [*before, *files]
        message["facts"] = {**told, **{name: value for name, value in facts.items() if value is not None}}
        message["words"] = {name: facts.get(name) for name in ("page", "title", "created", "kind")}
        message["words"]["words"] = words_of(conversation, facts["title"])
        message.setdefault("account", account_of(conversation, page.tally))
        return message


def _head(prose: Prose, index: str, facts: dict[str, Any]) -> str:
    """Return the head of a page: its title, and what is known of the conversation."""
    page = html_path(facts["page"])
    parts = [open_page(facts["title"])]
    if index:
        parts.append(f'<nav><a href="{escape(link_to(index, page))}">All conversations</a></nav>')
    parts += (f'<h1 dir="auto">{escape(" ".join(facts["title"].split()))}</h1>', _told(facts))
    if facts["summary"].strip():
        parts.append(f'<blockquote dir="auto">{prose.render(facts["summary"], 2)}</blockquote>')
    return "\n".join(parts)


def _told(facts: dict[str, Any]) -> str:
    rows = [(word, _shown(facts.get(name))) for name, word in _TOLD.items()]
    url = facts["source_url"]
    rows.append(("Source", external(url, escape(url)) if url else ""))
    return "<dl>{}</dl>".format("".join(f"<dt>{word}</dt><dd>{shown}</dd>" for word, shown in rows if shown))


def _shown(value: Any) -> str:
    return escape(", ".join(value) if isinstance(value, (list, tuple)) else str(value or ""))
