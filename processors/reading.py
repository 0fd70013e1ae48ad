"""Read one file of an archive as its shape says: JSON elements, a session of lines, a page; and read a broken piece again."""

from __future__ import annotations

import codecs
import io
from hashlib import sha1
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .json_slices import Element
from .json_stream import Broken, read_elements
from .session_lines import LONGEST, read_session
from .shapes import BY_NAME

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from .blobs import Blob
    from .inputs import Archive
    from .shape import Shape

_LARGEST_PAGE: Final = LONGEST


def read_part(blob: Blob, shape: Shape, large: int, *, unread: bool = False) -> Iterator[Element | Broken]:
    """Yield the elements of a file, and what is broken in it; objects of more than `large` bytes are taken apart.

    With `unread` what a converter can take so is left unread.

    Raises:
        RunError: it cannot be read, or not to its end.

    """
    layout = shape.layout._replace(large=large, leaves_unread=unread and shape.takes_unread)
    if shape.html:
        yield from _read_page(blob, layout.start)
    elif layout.gathers:
        yield from read_session(blob.open, blob.name, layout)
    else:
        with blob.open() as stream:
            yield from read_elements(stream, layout)


def _read_page(blob: Blob, start: re.Pattern[str] | None) -> Iterator[Element]:
    """Yield the pieces of a page, each from where `start` matches to the next such place; the page itself without one."""
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    text, offset = "", 0
    for block in chain(blob.blocks(), (b"",)):
        text += decode(block, not block)
        if len(text) > _LARGEST_PAGE:
            raise RunError(f"'{blob.name}' is a page with more than {_LARGEST_PAGE} characters in one piece")
        places = [match.start() for match in start.finditer(text)] if start else []
        ends = [*places[1:], *([] if block else [len(text)])]
        begins = places if places or block else [0]
        offset += _size_of(text[: begins[0]]) if begins else 0
        for begin, end in zip(begins, ends, strict=False):
            piece = text[begin:end]
            yield Element(piece, offset, _size_of(piece), sha1(_bytes_of(piece), usedforsecurity=False).hexdigest())
            offset += _size_of(piece)
        text = text[begins[-1] :] if begins else text


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _size_of(text: str) -> int:
    return len(_bytes_of(text))


def read_again(letter: dict[str, Any], archive: Archive | None, large: int) -> Iterator[tuple[Shape, Element | Broken]]:
    """Yield what is in the piece of input that a dead letter of ArchiveReader holds.

    The piece is the letter's own text, which may have been mended; where it was cut, the archive's. A broken line of a session
    makes sense with all others only, so the session is read again: it comes once that line is whole.

    Raises:
        RunError: the letter is of no known shape, or its archive is needed and no longer there.

    """
    shape = BY_NAME.get(str(letter.get("shape")))
    if shape is None:
        raise RunError(f"the dead letter is of no known shape: '{letter.get('shape')}'")
    offset = letter.get("offset")
    start = offset if isinstance(offset, int) else 0
    if shape.layout.gathers:
        blob = _blob_of(letter, archive)
        for item in _whole_session(list(read_part(blob, shape, large)), start):
            yield shape, item
        return
    stream = io.BytesIO(_piece(letter, archive, start, large))
    for item in read_elements(stream, shape.layout._replace(large=large, wrapper="")):
        yield shape, item._replace(offset=item.offset + start)


def _whole_session(items: list[Element | Broken], offset: int) -> list[Element | Broken]:
    still: list[Element | Broken] = [item for item in items if isinstance(item, Broken) and item.offset == offset]
    return still or [item for item in items if isinstance(item, Element)]


def _piece(letter: dict[str, Any], archive: Archive | None, start: int, large: int) -> bytes:
    size, text = letter.get("bytes"), letter.get("message")
    is_cut = isinstance(size, int) and size > large
    if isinstance(text, str) and not (is_cut and archive):
        return text.encode("utf-8", "surrogateescape" if _escapes(text) else "surrogatepass")
    with _blob_of(letter, archive).open() as stream:
        stream.seek(start) if stream.seekable() else stream.read(start)
        return stream.read(size if isinstance(size, int) else -1)


def _escapes(text: str) -> bool:
    return not any("\ud800" <= mark < "\udc80" or "\udcff" < mark <= "\udfff" for mark in text)


def _blob_of(letter: dict[str, Any], archive: Archive | None) -> Blob:
    name = letter.get("file")
    for part in archive.parts if archive else ():
        if part.blob.name == name:
            return part.blob
    raise RunError(f"'{name}' is no longer in '{letter.get('archive')}'")
