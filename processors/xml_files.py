"""XML files: XMLReader and XMLWriter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal
from xml.sax.saxutils import escape, quoteattr

from transmissions import RunError, UsageError, as_text

from .file_ends import _FileSink, _FileSource
from .lines import Bytes  # noqa: TC001 - a setting's type
from .xml_elements import Mapping, read_elements, read_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

_NAME: Final = re.compile(r"[A-Za-z_\u00c0-\ufffd][\w.\-\u00b7]*(?::[A-Za-z_\u00c0-\ufffd][\w.\-\u00b7]*)?")
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class XMLReader(_FileSource):
    """Send one message for each element of a kind in an XML file of any size.

    Reads the file that FileReader would read, and never holds more than one of those elements. `element` is a name, the end of
    a path (`channel/item`) or a whole path (`/rss/channel/item`), and `*` stands for any name. An element becomes an object:

    * its attributes are fields that begin with `@`, its own text is `#text`;
    * an element in it is a field of its name: text if it has neither attributes nor elements in it (empty text if it is
      empty), else an object; one that comes again makes a list.

    The object is the message, or in `targetField` of a copy of the incoming one. A document type (DTD) is refused, and with it
    entities other than XML's own five; elements may be nested 200 deep. A fault in the XML ends the reading, with its line
    and column; what was whole before it has been sent. The elements form a group.

    ```turtle
    :entries a :XMLReader ; :sourceFile "feed.xml" ; :element "/feed/entry" ; :lists "link", "category" .
    ```
    """

    element: str
    "Path of the elements to take."
    names: Literal["prefix", "local", "expanded"] = "prefix"
    "How names in a namespace are written: `dc:title` as in the file, `title`, or `{http://purl.org/dc/terms/}title`."
    lists: tuple[str, ...] = ()
    "Names of elements that make a list even where there is one only."
    trim: bool = True
    "Whether space around text is left out."
    line_field: str = ""
    "Field that takes the line an element begins at; none if empty."
    max_element: Bytes = 16777216
    "How long an element may be."

    def __post_init__(self) -> None:
        """Refuse a wrong path before anything runs."""
        path, is_absolute = read_path(self.element)
        self._mapping = Mapping(path, is_absolute, self.names, frozenset(self.lists), self.trim, self.max_element)

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each element."""
        rest = self.rest_of(message)
        with self.opened(message) as (file, name):
            for record, line in read_elements(file, self._mapping, name):
                if self.line_field:
                    record[self.line_field] = line
                yield self.shaped(record, rest)


class XMLWriter(_FileSink):
    """Write every message as one element of an XML file, and let it go on.

    The reverse of XMLReader: fields that begin with `@` are attributes, `#text` is the element's own text, other fields are
    elements in it, and a list is one after the other. null is an empty element. The file is in UTF-8, and appears under its
    name only when the stream has ended well. A field whose name XML does not allow, or text it cannot hold, is an error.

    ```turtle
    :out a :XMLWriter ; :destinationFile "people.xml" ; :root "people" ; :element "person" .
    ```
    """

    destination_file: str = "output.xml"
    root: str = "records"
    "Name of the element around all others."
    element: str = "record"
    "Name of each message's element."
    namespace: str = ""
    "Namespace of the elements, declared on the root; none if empty."

    def __post_init__(self) -> None:
        """Refuse wrong names before anything runs."""
        for name in (self.root, self.element):
            if not _NAME.fullmatch(name):
                raise UsageError(f"'{name}' is no name of an XML element")

    def begin(self) -> None:
        """Open the root."""
        declared = f" xmlns={quoteattr(self.namespace)}" if self.namespace else ""
        self.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{self.root}{declared}>\n'.encode())

    def process(self, message: Message) -> Message:
        """Write one element."""
        parts: list[str] = []
        _write(parts, self.element, self.record_of(message), self.element)
        self.write("".join([*parts, "\n"]).encode())
        return message

    def end(self) -> None:
        """Close the root."""
        self.write(f"</{self.root}>\n".encode())


def _write(parts: list[str], name: str, value: Any, path: str) -> None:
    """Add an element to `parts`."""
    if not isinstance(value, dict):
        text = "" if value is None else _checked(as_text(value), path)
        parts.append(f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>")
        return
    parts.append(f"<{name}")
    parts += [_attribute(key, inner, path) for key, inner in value.items() if key[:1] == "@"]
    own = value.get("#text")
    parts.append(f">{'' if own is None else escape(_checked(as_text(own), path))}")
    for key, inner in value.items():
        if key[:1] != "@" and key != "#text":
            for item in inner if isinstance(inner, list | tuple) else (inner,):
                _write(parts, _name(key, path), item, f"{path}.{key}")
    parts.append(f"</{name}>")


def _attribute(key: str, value: Any, path: str) -> str:
    text = "" if value is None else _checked(as_text(value), f"{path}.{key}")
    return f" {_name(key[1:], path)}={quoteattr(text)}"


def _name(key: str, path: str) -> str:
    if not _NAME.fullmatch(key):
        raise RunError(f"'{key}' in '{path}' is no name of an XML element; rename the field first")
    return key


def _checked(text: str, path: str) -> str:
    if found := _FORBIDDEN.search(text):
        raise RunError(f"the text of '{path}' has U+{ord(found[0]):04X} at {found.start()}, which XML cannot hold")
    return text
