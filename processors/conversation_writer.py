"""Write what has changed of a conversation's files, and keep what a user added to its page."""

from __future__ import annotations

import hashlib
import itertools
import os
from typing import TYPE_CHECKING, Any, Final, Self

from .notes import has_line, is_marker, notes_below
from .number_table import NumberTable
from .spool import pieces
from .tree_writer import TreeWriter

if TYPE_CHECKING:
    from transmissions import Message

    from .spool import Content

_LONGEST_LINE: Final = 200


class ConversationWriter(TreeWriter):
    """Write the files of a conversation that are not as they were written last.

    Takes `files` (see TreeWriter), `place` and `known`; gives `written`: a list of `[path, sha1, bytes, changed]`. A file whose
    content is what the last run wrote is left alone, whatever a user has done to it since. A page that has changed is
    written again with what a user wrote below its last line; had the part above been edited by hand too, that page is kept
    beside the new one, as `… (edited)`; so is any other file of a conversation that was edited, a page that has its name and
    was not known, be it somebody else's or one whose ledger is lost, and one that was edited where the new one has no last
    line. Which files of conversations that were there it has changed is kept, 24 bytes for each: should the same conversation
    come again (`again` in its `place`), what lies there counts, not what the last run wrote.

    ```turtle
    :write a :ConversationWriter .
    ```

    `conversation`, `files` and `known` end here: behind it a message is small.
    """

    async def __aenter__(self) -> Self:
        self._changed = NumberTable()
        """By file of a conversation that was there: 1 if this has written it, 0 if it was left alone."""
        return await super().__aenter__()

    def process(self, message: Message) -> Message:
        """Write the message's `files`."""
        if "conversation" not in message:
            return message
        known, place = message.get("known") or {}, message.get("place") or {}
        message["written"] = [self._write(path, content, known, place) for path, content in message.get("files", ())]
        _tell_page(message.get("facts"), [path for path, *_ in message["written"]])
        # Only now: had writing failed, the dead letter would hold them.
        for name in ("conversation", "files", "known"):
            message.pop(name, None)
        return message

    def _write(self, path: str, content: Content, known: dict[str, list[Any]], place: dict[str, Any]) -> list[Any]:
        digest, size = _digest(content)
        changes = not self._is_there(path, content, [digest, size], known, place)
        if changes:
            if path == place.get("page"):
                content = self._with_notes(content, [digest, size], path, place, known)
            elif path in known and self._changed.get(path, bool(place.get("again"))) == 0:
                self._keep_edited(path, (known[path][:2], [digest, size]))
            self._tree.write(path, content)
        if place.get("was"):
            self._changed[path] = changes
        return [path, digest, size, changes]

    def _is_there(
        self, path: str, content: Content, digest: list[Any], known: dict[str, list[Any]], place: dict[str, Any]
    ) -> bool:
        """Whether a file is as it is to be."""
        # If another version came before in this run, another process may have written that.
        if path in known and self._changed.get(path, bool(place.get("again"))) == 0:
            return known[path][:2] == digest and os.path.exists(self._tree.locate(path))  # noqa: PTH110
        if not place.get("was"):
            return False
        marker = _last_line(content)
        there = self._read(path)
        return list(_digest(_apart(there, marker)[0])) == digest

    def _with_notes(
        self, content: Content, digest: list[Any], path: str, place: dict[str, Any], known: dict[str, list[Any]]
    ) -> Content:
        """Return a page with what a user wrote below the old one; one edited above, or none of ours, is set aside."""
        old = place.get("was") or path
        # Only for the first file: one of the conversation's own may have the page's path, as a template is free to say.
        page = b"" if place.pop("clear", False) else self._read(path)
        if not page and old == path:
            return content
        marker = _last_line(content)
        ends = is_marker(marker)
        # Without the ledger nobody can tell an older version from what a user made of it.
        if page and path not in known and not place.get("again") and list(_digest(_apart(page, marker)[0])) != digest:
            self._keep(path, page)
            self.context.log.warning("'%s' was there already; it is kept beside the new page", path)
            page = page if ends and has_line(page, marker) else b""
        page = page or (self._read(old) if old != path else b"")
        if not page:
            return content
        above, below = _apart(page, marker)
        # What a run that was killed has written is as the new page is, and in no ledger.
        if old in known and self._changed.get(old, 0) == 0 and list(_digest(above)) not in (known[old][:2], digest):
            self._keep(path, page)
            where = "above its last line; that" if ends else "and has no last line now; the old"
            self.context.log.warning("'%s' was edited by hand %s page is kept beside the new one", old, where)
        return [*([content] if isinstance(content, bytes) else content), below] if below else content

    def _keep_edited(self, path: str, written: tuple[list[Any], ...]) -> None:
        """Put a file that is neither as it was written nor as it is to be beside the one at `path`."""
        there = self._read(path)
        if there and list(_digest(there)) not in written:
            self._keep(path, there)
            self.context.log.warning("'%s' was edited by hand; that file is kept beside the new one", path)

    def _keep(self, path: str, page: bytes) -> None:
        """Put a page that was edited beside the one at `path`, under a name that is free."""
        base, dot, extension = path.rpartition(".")
        names = (
            f"{base} (edited{number}){dot}{extension}"
            for number in itertools.chain([""], map(" {}".format, itertools.count(2)))
        )
        self._tree.write(next(name for name in names if self._read(name) in (b"", page)), page)

    def _read(self, path: str) -> bytes:
        """Return a page that is there; most often there is none, and asking first costs a tenth of trying to open it."""
        place = self._tree.locate(path)
        if not os.path.isfile(place):  # noqa: PTH113
            return b""
        try:
            with open(place, "rb") as file:  # noqa: PTH123
                return file.read()
        except OSError:
            return b""


def _apart(page: bytes, marker: bytes) -> tuple[bytes, bytes]:
    """Return a page up to its last line, and what stands below; one whose new page has none is all page."""
    return notes_below(page, marker) if is_marker(marker) else (page, b"")


def _tell_page(facts: dict[str, Any] | None, paths: list[str]) -> None:
    """Have the facts name a page that is there: not every target and layout writes the one that was planned."""
    if facts and facts.get("page") not in paths:
        facts["page"] = next((path for path in paths if path.endswith((".md", ".html"))), "")


def _digest(content: Content) -> tuple[str, int]:
    if isinstance(content, bytes):
        return hashlib.sha1(content, usedforsecurity=False).hexdigest(), len(content)
    digest, size = hashlib.sha1(usedforsecurity=False), 0
    for piece in pieces(content):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _last_line(content: Content) -> bytes:
    if isinstance(content, bytes):
        end = content[-_LONGEST_LINE:]
    else:
        end = b"".join(block for block in pieces(content[-1:]))[-_LONGEST_LINE:] if content else b""
    return end.rstrip(b"\n").rpartition(b"\n")[2]
