"""Paths and names made from the fields of a message: PathOps, FilenameMapper."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Annotated

from transmissions import Dynamic, Pattern, Processor, Record, RunError, UsageError, as_text, set_field

from .access import need, need_text

if TYPE_CHECKING:
    from transmissions import Message


class PathPart(Record):
    """A piece of a path: a text, or a field that holds it."""

    string: str = ""
    "The text itself."
    field: str = ""
    "Dotted path of a field with the text or number."

    def __post_init__(self) -> None:
        """Refuse a piece that is both, or neither."""
        if bool(self.string) == bool(self.field):
            raise UsageError("a value of PathOps has either :string or :field")


class PathOps(Processor):
    """Join texts and fields, one behind the other or as a path.

    Writes the text to `targetField`. As a path the pieces are joined by slashes, and `.`, `..` and doubled slashes in it are
    resolved; empty pieces are left out. Whether the path may be read or written is for those to say that do.

    ```turtle
    :name a :PathOps ; :asPath true ; :targetField "filepath" ;
        :values ( [ :string "public" ] [ :field "section" ] [ :field "slug" ] ) .
    ```
    """

    values: tuple[PathPart, ...]
    "The pieces, in this order."
    as_path: bool = False
    "Whether the pieces are joined as a path."
    target_field: str = "concat"
    "Dotted path the text is written to."

    def process(self, message: Message) -> Message:
        """Join the pieces."""
        pieces = [part.string or as_text(need(message, part.field)) for part in self.values]
        set_field(message, self.target_field, _as_path(pieces) if self.as_path else "".join(pieces))
        return message


def _as_path(pieces: list[str]) -> str:
    path = posixpath.normpath("/".join(piece for piece in pieces if piece))
    return path[1:] if path.startswith("//") else path


class FilenameMapper(Processor):
    """Give a file name the ending of the format its content is turned into.

    Reads `filepath`, and `format` if the message has it, else the setting. The ending of the name is replaced by `infix`, a
    dot and the format: `maps/a.md` becomes `maps/a.mm.html`. Writes `filepath`.

    ```turtle
    :name a :FilenameMapper ; :format "svg" .
    ```
    """

    format: Annotated[str, Dynamic(), Pattern("[A-Za-z0-9]+")] = "html"
    "The format: letters and digits."
    infix: str = ".mm"
    "What stands before the ending."

    def process(self, message: Message) -> Message:
        """Change the name."""
        ending = self.dynamic(message, "format")
        if not isinstance(ending, str) or not re.fullmatch("[A-Za-z0-9]+", ending):
            raise RunError(f"the field 'format' is not a format such as html or svg: {as_text(ending)[:80]!r}")
        stem, _ = posixpath.splitext(need_text(message, "filepath"))
        message["filepath"] = f"{stem}{self.infix}.{ending}"
        return message
