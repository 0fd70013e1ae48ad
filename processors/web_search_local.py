"""Searching what lies in a folder: LocalSearch."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Final

from transmissions import Protected, Range, RunError, Unit

from .front_matter import split_front_matter, title_of
from .web_search import Hit, _WebSearch, distinct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .web_search import SearchRequest

_TABLE: Final = "CREATE VIRTUAL TABLE page USING fts5(url UNINDEXED, title, text)"
_FIND: Final = """
SELECT url, title, snippet(page, 2, '', '', '…', 40) FROM page WHERE page MATCH ? ORDER BY bm25(page, 0.0, 4.0, 1.0) LIMIT ?
"""
_TWINS: Final = 4
"""How many hits are looked at for each that is wanted: some may lead to the same page."""


class LocalSearch(_WebSearch):
    """Search the Markdown files of a folder, such as the pages of a crawl.

    Messages and events are those of SearXNGSearch. A file is a page if it has a `url` in YAML in front; its title is the
    `title` there, else its first heading. What has more of the words of a query, in the title above all, comes first. The
    files are read for each search, and indexed on the disk: that is for some thousand pages. `country` and `locale` are of
    no account.

    ```turtle
    :search a :LocalSearch ; :folder "pages" .
    ```
    """

    extra = "yaml"

    folder: Annotated[str, Protected()]
    "The folder, in that of the app or of the target; what is below it is searched, too."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 4 * 2**20
    "How much of a file is read."

    async def find(self, request: SearchRequest) -> list[Hit]:
        """Search in a thread: files and SQLite make others wait."""
        folder = self.context.input_path(self.folder)
        if not folder.is_dir():
            raise RunError(f"there is no folder '{folder}' to search")
        return await asyncio.to_thread(self._find, folder, request)

    def _find(self, folder: Path, request: SearchRequest) -> list[Hit]:
        words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", request.query))
        if not words:
            return []
        with closing(sqlite3.connect("")) as database:  # in a file that nobody sees, not in memory
            database.execute(_TABLE)
            database.executemany("INSERT INTO page VALUES (?, ?, ?)", self._pages(folder))
            rows = database.execute(_FIND, (words, _TWINS * request.limit)).fetchall()
        return distinct(Hit(url, title, " ".join(text.split())) for url, title, text in rows)

    def _pages(self, folder: Path) -> Iterator[tuple[str, str, str]]:
        for path in sorted(folder.rglob("*.md")):
            try:
                with path.open("rb") as file:
                    fields, text = split_front_matter(file.read(self.max_bytes).decode("utf-8", "replace"), str(path))
            except (OSError, RunError) as error:
                self.context.log.warning("'%s' is not searched: %s", path, error)
                continue
            if isinstance(fields.get("url"), str):
                yield fields["url"], str(fields.get("title") or title_of(text)), text
