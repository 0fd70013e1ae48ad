"""What a site needs to know of its entries: MakeEntry, PrepareArticle."""

from __future__ import annotations

import mimetypes
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from transmissions import IRI, Processor, RunError, Term, get_field, set_field

from .access import need, need_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

_HEADING: Final = re.compile(r"^(?:(```|~~~)|#{1,6}[ \t](?P<title>[^\n]*))", re.MULTILINE)
_DATED: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?!\d)")
_PUBLISHED: Final = ("published", "created")
_NAMES: Final = ("uri", "article")


class MakeEntry(Processor):
    """Gather what a page of a site is to say of a text besides the text itself.

    Reads the text in `content`, the path of its file (`fullPath`, else `filePath`, else `filepath`), `targetDir` if the message
    has it, and what FileReader knows of the file in `meta`. Writes an object to `contentBlocks`: `title` (the first heading of
    the Markdown, or else the file's name in words), `content`, `slug` (the file's name without its ending), `relative` (its
    folder below `rawDir`), `uri`, `sourcePath`, `mediaType`, `dates` (`created`: the day the name begins with, or else the
    file's; `updated`), and where they are set `graph` and `creator` (`name`, `uri`). Dates are ISO 8601.

    ```turtle
    :entry a :MakeEntry ; :rawDir "content/raw" ; :renderPath "blog" ; :baseURI "http://example.org/" ;
        :creatorName "Alice" ; :creatorURI <http://example.org/alice> .
    ```
    """

    raw_dir: str = ""
    "The folder the texts are in, below the message's `targetDir` or else the working folder."
    render_path: str = ""
    "What stands between base and name in the IRI of an entry."
    base_uri: Annotated[str, Term("baseURI")] = ""
    "What the IRIs of all entries begin with."
    graph: IRI | None = None
    "The graph the entry is for."
    creator_name: str = ""
    "Who wrote it."
    creator_uri: Annotated[IRI | None, Term("creatorURI")] = None
    "The IRI of who wrote it."

    def process(self, message: Message) -> Message:
        """Gather."""
        path = Path(_path_of(message))
        slug, relative, content = re.sub(r"\s+", "-", path.stem), self._relative(message, path), need_text(message, "content")
        message["contentBlocks"] = {
            "uri": "/".join(filter(None, [self.base_uri.rstrip("/"), self.render_path.strip("/"), relative, slug])),
            "sourcePath": str(path),
            "mediaType": get_field(message, "meta.mediaType") or mimetypes.guess_type(path.name)[0] or "text/plain",
            "relative": relative,
            "title": title_of(content) or re.sub(r"[-_\s]+", " ", _DATED.sub("", slug, count=1)).strip() or slug,
            "content": content,
            "slug": slug,
            "dates": dict(_dates(message, slug)),
            **({"graph": self.graph} if self.graph else {}),
            **self._creator(),
        }
        return message

    def _relative(self, message: Message, path: Path) -> str:
        home = Path(message.get("targetDir") or self.context.folders.data, self.raw_dir)
        folder = path.parent
        for top in (home, home.absolute(), Path(self.raw_dir)):
            if folder.is_relative_to(top):
                found = folder.relative_to(top).as_posix()
                return "" if found == "." else found.strip("/")
        return str(message.get("subdir") or "")

    def _creator(self) -> dict[str, Any]:
        known = {"name": self.creator_name, "uri": self.creator_uri}
        return {"creator": {name: value for name, value in known.items() if value}} if any(known.values()) else {}


def _path_of(message: Message) -> str:
    found = next((message[field] for field in ("fullPath", "filePath", "filepath") if message.get(field)), None)
    if isinstance(found, str):
        return found
    raise RunError("the message names no file: it has neither 'fullPath' nor 'filePath' nor 'filepath' as text")


def title_of(text: str) -> str:
    """Return the first heading of a Markdown text that is not in a block of code; empty if there is none."""
    fence = ""
    for found in _HEADING.finditer(text):
        if found[1]:
            fence = found[1] if not fence else "" if fence == found[1] else fence
        elif not fence and (title := _without_end(found["title"].strip())):
            return title
    return ""


def _without_end(title: str) -> str:
    """Leave out the signs a heading may be closed with; `C#` is no such heading."""
    bare = title.rstrip("#")
    return bare.rstrip() if not bare or bare[-1] in " \t" else title


def _dates(message: Message, slug: str) -> Iterator[tuple[str, str]]:
    created = _day(slug) or get_field(message, "meta.created")
    if created:
        yield "created", created
    updated = get_field(message, "meta.modified")
    if updated:
        yield "updated", updated


def _day(name: str) -> str:
    found = _DATED.match(name)
    try:
        return date.fromisoformat(found[1]).isoformat() if found else ""
    except ValueError:
        return ""


class PrepareArticle(Processor):
    """Make the data a page is filled in with from one row of a query's results.

    Reads the row at `sourceField`: an object of values, or of SPARQL's `{"type": …, "value": …}`. Writes an object with the
    value of every variable to `targetField`, over what is there. It gets a `uri` from `article` if the row has none, and
    `published` from `created` or else the message's `appRunStart`.

    ```turtle
    :article a :PrepareArticle ; :sourceField "currentItem" ; :targetField "contentBlocks" .
    ```
    """

    source_field: str = "currentItem"
    "Dotted path of the row."
    target_field: str = "contentBlocks"
    "Dotted path of the object."

    def process(self, message: Message) -> Message:
        """Prepare."""
        row = need(message, self.source_field)
        if not isinstance(row, dict):
            raise RunError(f"the field '{self.source_field}' is not a row of results but a {type(row).__name__}")
        values = {name: term.get("value") if isinstance(term, dict) and "value" in term else term for name, term in row.items()}
        uri = next((values[name] for name in _NAMES if values.get(name)), None)
        published = next((values[name] for name in _PUBLISHED if values.get(name)), message.get("appRunStart"))
        more = {"uri": uri, "published": published}
        known = get_field(message, self.target_field)
        base = known if isinstance(known, dict) else {}
        set_field(message, self.target_field, {**base, **values, **{name: value for name, value in more.items() if value}})
        return message
