"""Decide where each conversation goes, and which of them need not be converted again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, Self

from transmissions import Processor, RunError, UsageError

from .arrivals import OLDER, Arrival, Arrivals, is_older
from .conversation import conversation_of, leave_out, title_of
from .ledger import NAME, Ledger
from .names import UniqueNames
from .places import EXTENSION, SHORT, Templates, fields_of, hex_id, html_path
from .unread import UnreadList

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from transmissions import Message

    from .conversation import Conversation
    from .ledger import Known

_LARGEST: Final = 16 << 20
_OF_WHOLE: Final = (
    *("index.md", "index.html", "index.jsonl", "statistics.md", "statistics.json", "search", "report.json"),
    *("archive.db", "archive.nt", "conversations.jsonl", "redaction-review.ndjson", "dead-letters.ndjson"),
)
"""What is made of all conversations together, unless it is called otherwise."""
_MARKER: Final = ".transmissions"
"""What every run puts into its output folder before anything else."""
_OF_YEAR: Final = re.compile(r"index-(?:\d{4}|undated)\.md")


class ConversationPlaces(Processor):
    """Give every conversation its place in the output folder.

    Takes `conversation`, `digest` and `source`; adds `key`, `place` (where its page and its files go), `known` (what the last
    run wrote for it) and `facts` (what the page's head and the index say). A conversation that came before in the same run, or
    a newer version of which is there already, goes on without `conversation`: the report counts it.

    ```turtle
    :places a :ConversationPlaces ; :pageName "{year}/{date} {title} ~{id}" .
    ```

    Names are the same in every run; one that was given stays with its conversation until its title changes, and goes to no
    other in that run. A page that would have the name of a file about the whole, as `index.md`, has another: `index_.md`.
    """

    stateful = True

    page_name: str = "{provider}/{year}/{month}/{date} {title} ~{id}"
    "The path of a page. Fields: provider, year, month, day, date, title, id (last 8 digits), fullId, project, kind, kinds."
    asset_name: str = "{provider}/{year}/{month}/{kind}/{id} {name}"
    "The path of a file that belongs to a conversation. Further fields: kind (artifacts, attachments), name."
    other_name: str = "{provider}/{kinds}/{title} ~{id}"
    "The path of a page that is no chat; kinds is `projects`, `memories`, … Its files go into a folder beside it."
    projects: str | None = None
    "A JSON file that says which project a conversation belongs to, by its id or title: exports do not tell."
    state: str = NAME
    "The ledger's file: below the run's output folder."

    def __post_init__(self) -> None:
        """Fail early where a template is wrong."""
        try:
            self._templates = Templates(self.page_name, self.asset_name, self.other_name).check()
        except (ValueError, IndexError) as error:
            raise UsageError(f"a template of ConversationPlaces is wrong: {error}") from error

    async def __aenter__(self) -> Self:
        self._of_project = _read_projects(self.context.input_path(self.projects)) if self.projects else {}
        self._is_clear = _is_clear(self.context.output_path("."))
        self._ledger = Ledger(self.context.output_path(self.state))
        self._arrivals = Arrivals()
        self._pages, self._ids, self._folders = (UniqueNames(many=True) for _ in range(3))
        self._of_whole = names_of_whole(node.settings for node in self.context.plan.nodes())
        types = {node.type.rpartition("/")[2] for node in self.context.plan.nodes()}
        self._only_html = "ConversationHTML" in types and "ConversationMarkdown" not in types
        self._is_first = True
        for page, short, folder in self._ledger.names():
            self._is_first = False
            self._pages.take(page)
            self._ids.take(short)
            self._folders.take(folder)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._ledger.close()

    def process(self, message: Message) -> Message:
        """Give the message's `conversation` a place, or drop it as one that is there already."""
        conversation = conversation_of(message, may_be_unread=True)
        if conversation is None:
            return message
        digest = message.pop("digest", "")
        identity = conversation["id"] or digest
        source = message.get("source") or {}
        file = f"{source.get('archive', '')}/{source.get('file', '')}"
        time = conversation["updated"] or conversation["created"]
        arrival = Arrival(f"{conversation['provider']}:{identity}", time, digest, file)
        is_chat = (conversation.get("kind") or "chat") == "chat"
        arrival, outcome = self._arrivals.judge(arrival, is_chat=is_chat)
        before = None if self._is_first else self._ledger.known(arrival.key)
        if not outcome and before and is_older(arrival.updated, before.updated):
            outcome = "skipped: older than what is there"
        if not outcome and before and (time or not is_chat) and _has_lost(arrival, before):
            outcome = OLDER
            self._arrivals.note(arrival)
        if outcome:
            leave_out(message, outcome)
            return message
        self._place(message, conversation, arrival, before)
        return message

    def _place(self, message: Message, conversation: Conversation, arrival: Arrival, before: Known | None) -> None:
        title = title_of(conversation)
        project = self._of_project.get(conversation["id"]) or self._of_project.get(title) or ""
        full = hex_id(arrival.key.partition(":")[2], conversation["title"], conversation["created"])
        earlier: Any = arrival if arrival.page else before
        short = earlier.short if earlier else self._ids.take(full[-SHORT:], full)
        fields = fields_of(conversation, full, short, project)
        wanted = aside(self._templates.fill_page(conversation, fields, title) + EXTENSION, self._of_whole)
        if earlier and earlier.wanted == wanted:
            page = earlier.page
        else:
            if earlier:
                self._pages.give_up(earlier.page, arrival.key)
            page = self._pages.take(wanted, f"{wanted.removesuffix(EXTENSION)} ~{short}{EXTENSION}", owner=arrival.key)
        folder = earlier.folder if earlier else self._folders.take(full[:4], full[:SHORT], full)
        self._arrivals.note(Arrival(*arrival[:4], wanted, page, short, folder))
        message["key"] = arrival.key
        message["place"] = {
            "page": page,
            "wanted": wanted,
            "assets": self._templates.fill_assets(fields, title, page),
            "folder": folder,
            "id": short,
            "was": earlier.page if earlier else "",
            "again": bool(arrival.page),
            "clear": self._is_clear and not arrival.page,
            "updated": arrival.updated,
            "digest": arrival.digest,
        }
        message["known"] = before.files if before else {}
        message["facts"] = facts_of(conversation, title, html_path(page) if self._only_html else page, project)


def _has_lost(arrival: Arrival, before: Known) -> bool:
    """Whether of two that are equally old this one lost in the last run: else each run would write both."""
    beaten = before.digest.split(" ")[1:]
    return arrival.digest.partition(" ")[0] in beaten and not is_older(before.updated, arrival.updated)


def _is_clear(folder: Path) -> bool:
    """Whether there is nothing in a folder yet but what a run begins with."""
    try:
        return all(path.name == _MARKER for path in folder.iterdir())
    except FileNotFoundError:
        return True


def names_of_whole(settings: Iterable[dict[str, Any]]) -> frozenset[str]:
    """Return the names no page may have, in small letters: those of files about the whole, and of pages made from them."""
    files = {*_OF_WHOLE, *(node["file"].lower() for node in settings if isinstance(node.get("file"), str))}
    return frozenset(files | {file.removesuffix(".html") + EXTENSION for file in files if file.endswith(".html")})


def aside(wanted: str, names: frozenset[str]) -> str:
    """Return a page's path, with another name where it or its outermost folder has one of these."""
    for name in (wanted, wanted.partition("/")[0]):
        small = name.lower()
        if small in names or _OF_YEAR.fullmatch(small):
            at = name.rindex(".") if "." in name else len(name)
            return f"{name[:at]}_{name[at:]}{wanted[len(name) :]}"
    return wanted


def facts_of(conversation: Conversation, title: str, page: str, project: str) -> dict[str, Any]:
    """Return what a page's head and the index say of a conversation, as plain data."""
    messages = conversation["messages"]
    models = dict.fromkeys([conversation["model"]] if conversation["model"] else ())
    if messages.__class__ is not UnreadList:  # Shape.takes_unread: those name none.
        models |= dict.fromkeys(model for message in messages if (model := message.get("model")))
    return {
        "title": title,
        "provider": conversation["provider"],
        "conversation_id": conversation["id"],
        "kind": conversation.get("kind") or "chat",
        "source_url": conversation["url"],
        "created": conversation["created"],
        "updated": conversation["updated"],
        "models": list(models),
        "messages": len(messages),
        "tokens": conversation.get("tokens"),
        "page": page,
        "project": project,
        "tags": list(conversation.get("tags") or ()),
    }


def _read_projects(path: Any) -> dict[str, str]:
    try:
        if path.stat().st_size > _LARGEST:
            raise RunError(f"'{path}' is larger than {_LARGEST >> 20} MiB")
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"the projects in '{path}' cannot be read: {error}") from error
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given.values()):
        raise RunError(f"'{path}' must be a JSON object of conversation ids or titles to project names")
    return given
