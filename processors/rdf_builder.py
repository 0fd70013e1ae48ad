"""RDF from templates and from plain objects: RDFBuilder, TurtleFormatter."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote, urljoin

from transmissions import Processor, Protected, RunError, Term, as_text, set_field

from .access import need
from .graph_text import Syntax, parse, quads_of, syntax_of, write_graph
from .sparql_text import QueryTemplate, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyoxigraph

    from transmissions import Message

_NAMESPACE: Final = "http://purl.org/stuff/transmissions/"
_DEEPEST: Final = 64


class RDFBuilder(Processor):
    """Write RDF by a Jinja template, and make sure that it is RDF.

    The template is filled in with the members of the object at `dataField`, or with the whole message. Values cannot break out
    of their place, as with SPARQLSelect. It can call `uri(text)` (an IRI, below `baseURI` if relative), `hash(text)` (8 digits
    of its MD5), `escape(text)` (the text itself, for old templates: escaping is done anyway), `now()` and `isoDate(value)` (a
    time as ISO 8601, from such text or from seconds since 1970), also as filters. Writes the text to `outputField`, once it
    has been parsed; a fault is an error with its place in the text.

    ```turtle
    :build a :RDFBuilder ; :baseURI <http://example.org/> ; :dataField "entry" ;
        :template "<{{ uri(slug) }}> a <https://schema.org/Article> ; <https://schema.org/name> '{{ title }}' ." .
    ```
    """

    template_filename: str = ""
    "File with the template."
    template: Annotated[str, Protected()] = ""
    "The template itself, instead."
    data_field: str = ""
    "Dotted path of the object whose members the template can name; the whole message if empty."
    output_field: str = "rdf"
    "Dotted path the text is written to."
    base_uri: Annotated[str, Term("baseURI")] = ""
    "The IRI that relative ones are below."
    format: Syntax = "trig"
    "The syntax of the text; Turtle is a part of TriG."

    def __post_init__(self) -> None:
        """Compile a template that stands in the config at once."""
        helpers = {"uri": self._uri, "hash": _hash, "escape": str, "isoDate": _iso_date}
        self._helpers = {**helpers, "now": lambda: datetime.now(UTC).isoformat()}
        self._template = QueryTemplate(self, file=self.template_filename, text=self.template, filters=helpers)

    def process(self, message: Message) -> Message:
        """Write the RDF."""
        data = need(message, self.data_field) if self.data_field else message
        if not isinstance(data, dict):
            raise RunError(f"the field '{self.data_field}' is not an object but a {type(data).__name__}")
        text = self._template.render({**data, "baseURI": self.base_uri, **self._helpers})
        source = f"what {self.template_filename or 'the template'} gives"
        for _ in quads_of(parse(text, syntax_of(self.format), source, self.base_uri), source):
            pass
        set_field(message, self.output_field, text)
        return message

    def _uri(self, text: object) -> Reference:
        return Reference(urljoin(self.base_uri, quote(str(text), safe=":/?#@!$&'()*+,;=%[]~")) if self.base_uri else str(text))


def _hash(text: object) -> str:
    return hashlib.md5(str(text).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:8]


def _iso_date(value: object) -> str:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).isoformat()
    return datetime.fromisoformat(str(value)).isoformat()


class TurtleFormatter(Processor):
    """Write a plain object as Turtle.

    Reads the object at `inputField`. Its subject is its `uri`, or its `uuid` or `id` below `baseURI`, or a hash of it there.
    Each member is a property in the namespace `vocabulary`; text, numbers and truths are literals, a list is several values,
    an object in it is a blank node with its members, and null says nothing. Writes the text to `targetField`, and a file name
    made of the last part of the subject to `targetFile`.

    ```turtle
    :turtle a :TurtleFormatter ; :inputField "currentItem" ; :baseURI <http://example.org/items/> .
    ```
    """

    input_field: str = "currentItem"
    "Dotted path of the object."
    base_uri: Annotated[str, Term("baseURI")] = "http://example.org/"
    "What subjects are below."
    vocabulary: str = _NAMESPACE
    "The namespace of the properties."
    target_field: str = "content"
    "Dotted path the text is written to."

    def process(self, message: Message) -> Message:
        """Write the object."""
        import pyoxigraph

        item = need(message, self.input_field)
        if not isinstance(item, dict):
            raise RunError(f"the field '{self.input_field}' is not an object but a {type(item).__name__}")
        try:
            subject = pyoxigraph.NamedNode(self._subject(item))
            text = write_graph(self._said(subject, item, _Counter()), {"": self.vocabulary}, "turtle")
        except (ValueError, OverflowError) as error:
            raise RunError(f"the field '{self.input_field}' cannot be written as Turtle: {error}") from error
        set_field(message, self.target_field, text)
        name = re.sub(r"[^\w.-]+", "-", re.split(r"[/#:]", subject.value.rstrip("/#"))[-1]).strip(".-")
        message["targetFile"] = f"{name or _hash(subject.value)}.ttl"
        return message

    def _subject(self, item: dict[str, Any]) -> str:
        if isinstance(item.get("uri"), str):
            return str(item["uri"])
        name = next((item[key] for key in ("uuid", "id") if isinstance(item.get(key), str | int)), None)
        if name is None:
            name = hashlib.sha256(json.dumps(item, sort_keys=True, default=str).encode()).hexdigest()[:16]
        return self.base_uri + quote(str(name), safe="")

    def _said(self, subject: Any, item: dict[str, Any], blanks: _Counter, depth: int = 0) -> Iterator[pyoxigraph.Quad]:
        import pyoxigraph

        if depth > _DEEPEST:
            raise ValueError(f"it is more than {_DEEPEST} objects deep")
        for key, value in item.items():
            verb = pyoxigraph.NamedNode(self.vocabulary + quote(str(key), safe=""))
            for one in value if isinstance(value, list | tuple) else [value]:
                if isinstance(one, dict):
                    node = pyoxigraph.BlankNode(blanks.next())
                    yield pyoxigraph.Quad(subject, verb, node)
                    yield from self._said(node, one, blanks, depth + 1)
                elif one is not None:
                    yield pyoxigraph.Quad(subject, verb, pyoxigraph.Literal(_plain(one)))


class _Counter:
    def __init__(self) -> None:
        self.count = 0

    def next(self) -> str:
        """Return the next label."""
        self.count += 1
        return f"b{self.count}"


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", as_text(value))
