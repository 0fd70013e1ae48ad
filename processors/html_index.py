"""The index of the HTML pages: every conversation by month, and a search that needs no server."""

from __future__ import annotations

import json
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final, Self

from transmissions import Processor

from .access import need_text
from .html_style import link_to, open_page
from .places import html_path
from .search_script import SCRIPT
from .word_store import WordStore, write_changed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transmissions import Message

    from .word_store import Listed

_UNDATED: Final = "Undated"


class HTMLIndex(Processor):
    """Write a page that lists all conversations by month and finds them by their words.

    Takes `key` and the `words` that ConversationHTML made. The search works where the pages are opened as files: its
    index lies in small scripts, of which a page loads those it needs. Pages of earlier runs stay in the index; what has not
    changed is not written again.

    ```turtle
    :htmlIndex a :HTMLIndex .
    ```
    """

    stateful = True

    file: str = "index.html"
    "The index page: below the run's output folder."
    folder: str = "search"
    "The folder of the search's index: below the run's output folder."
    title: str = "Conversations"
    "The index page's title."

    async def __aenter__(self) -> Self:
        self._store = WordStore(self.context.output_path(self.folder))
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._store:
            self._store.close()

    def process(self, message: Message) -> Message:
        """Take a page's words in, and pass the message on without them."""
        words = message.pop("words", None)
        if self._store and words is not None:
            self._store.put(need_text(message, "key"), words, words["words"])
        return message

    def finish(self) -> None:
        """Write the index."""
        if not self._store:
            return
        self._store.write()
        pages = list(self._store.pages())
        write_changed(self.context.output_path(f"{self.folder}/pages.js"), _known(pages, self.file))
        page = _index(pages, self.title, self.file, link_to(self.folder, self.file))
        write_changed(self.context.output_path(self.file), page)


def _known(pages: Iterable[Listed], index: str) -> str:
    """Return what the search tells of pages, by their numbers."""
    told = {str(number): [_link(path, index), title, created[:10]] for number, path, title, created, _ in pages}
    return f'S.take("pages",{json.dumps(told)})\n'


def _link(path: str, index: str) -> str:
    return link_to(html_path(path), index)


def _index(pages: list[Listed], title: str, index: str, search: str) -> str:
    script = f"const SEARCH={json.dumps(search)};{SCRIPT}".replace("</", "<\\/")
    chats = [page for page in reversed(pages) if page[4] in ("", "chat")]
    others = sorted((page for page in pages if page[4] not in ("", "chat")), key=lambda page: (page[4], page[2]))
    parts = [
        open_page(title, script),
        f"<h1>{escape(title)}</h1>",
        '<input id="search" type="search" placeholder="Search" aria-label="Search" autocomplete="off" hidden>',
        '<p id="count" aria-live="polite"></p>\n<ul id="found" class="talks"></ul>\n<div id="all">',
        *(_section(f"{kind.capitalize()}s", group, index) for kind, group in groupby(others, lambda page: page[4])),
        *(_section(month, group, index) for month, group in groupby(chats, lambda page: page[3][:7] or _UNDATED)),
        f"</div>\n</main>\n<script>{script}</script>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _section(heading: str, pages: Iterable[Listed], index: str) -> str:
    items = (
        f'<li><time>{escape(created[:10])}</time><a href="{escape(_link(path, index))}">{escape(title)}</a></li>'
        for _, path, title, created, _ in pages
    )
    return '<h2>{}</h2>\n<ul class="talks">\n{}\n</ul>'.format(escape(heading), "\n".join(items))
