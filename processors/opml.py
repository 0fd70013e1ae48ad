"""The feeds in an OPML document, with the folders they lie in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from transmissions import RunError

from .feed_reading import told

if TYPE_CHECKING:
    from .feed_reading import Fields

_DEEPEST: Final = 100
"""Folders in folders; each feed tells all it is in."""


def read_opml(data: bytes, source: str) -> list[Fields]:
    """Return the feeds of an OPML document in UTF-8: `{"url", "title", "htmlUrl", "type", "description", "folders"}`.

    Raises:
        RunError: it is not well-formed, no OPML, or defines entities; the error says where in `source`.

    """
    reader = _Outlines()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    # Without a document type there are no entities but the five of XML itself: none that grow, none from outside.
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code) or str(error)
        raise RunError(f"{source}:{error.lineno}:{error.offset + 1}: not well-formed XML: {reason}") from error
    except _Refused as refused:
        raise RunError(f"{source}:{parser.CurrentLineNumber}:{parser.CurrentColumnNumber + 1}: {refused}") from refused
    return reader.feeds


class _Refused(Exception):
    """What cannot be taken, in words."""


def _refuse(*_: object) -> None:
    raise _Refused("the document declares a document type (DTD), which is refused: it could define entities that grow")


class _Outlines:
    """Takes the elements of a document as they begin and end."""

    def __init__(self) -> None:
        self.feeds: list[Fields] = []
        self._folders: list[str] = []
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take an element: a feed, a folder, or something else."""
        self._depth += 1
        if self._depth == 1 and name.lower() != "opml":
            raise _Refused(f"no OPML: the document begins with <{name[:40]}>")
        if name.lower() != "outline":
            return
        known: dict[str, Any] = {key.lower(): value.strip() for key, value in attributes.items()}
        title = known.get("title") or known.get("text") or ""
        if known.get("xmlurl"):
            self.feeds.append(_feed(known, title, self._folders))
        if len(self._folders) >= _DEEPEST:
            raise _Refused(f"more than {_DEEPEST} outlines lie inside one another")
        self._folders.append("" if known.get("xmlurl") else title)

    def end(self, name: str) -> None:
        """Leave a folder."""
        self._depth -= 1
        if name.lower() == "outline":
            self._folders.pop()


def _feed(known: dict[str, Any], title: str, folders: list[str]) -> Fields:
    return told(
        {
            "url": known["xmlurl"],
            "title": title,
            "htmlUrl": known.get("htmlurl"),
            "type": known.get("type"),
            "description": known.get("description"),
            "folders": [folder for folder in folders if folder],
        }
    )
