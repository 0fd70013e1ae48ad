"""Configs and endpoints in RDF: DatasetReader, ConfigMap, RDFConfig, EndpointsGenerator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

from transmissions import IRI, Dynamic, Processor, Protected, Range, Record, RunError, Unit, get_field, set_field, write_whole

from .access import need
from .graph_text import parse, quads_of, read_graph, syntax_of, write_graph
from .sparql_rows import plain_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyoxigraph

    from transmissions import Message

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DEEPEST: Final = 32


class DatasetReader(Processor):
    """Read a whole RDF file into a field of the message.

    The file's syntax is known by its suffix. Writes it to `targetField` as a graph, which in messages is text of TriG:
    ConfigMap, RDFConfig, SPARQLQuery and SHACLValidate read it. For a file that is too large to hold use RDFParse.

    ```turtle
    :data a :DatasetReader ; :datasetFile "config.ttl" .
    ```
    """

    placement = "thread"

    dataset_file: Annotated[str, Dynamic()] = "data/dataset.ttl"
    "The file; a message's own `datasetFile` wins."
    base: str = ""
    "The IRI that relative ones belong to; the file's own if empty."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 64 * 2**20
    "How large the file may be."
    target_field: str = "dataset"
    "Dotted path the graph is written to."

    def process(self, message: Message) -> Message:
        """Read the file."""
        name = str(self.dynamic(message, "dataset_file"))
        path = self.context.input_path(name)
        if not path.is_file():
            raise RunError(f"no file '{name}' with a dataset; looked for {path}")
        size = path.stat().st_size
        if size > self.max_bytes:
            raise RunError(f"{path} has {size} bytes; :maxBytes is {self.max_bytes}, and RDFParse reads a file in parts")
        parser = parse(path.read_bytes(), syntax_of(path.suffix), str(path), self.base or path.resolve().as_uri())
        quads = list(quads_of(parser, str(path)))
        set_field(message, self.target_field, write_graph(quads, parser.prefixes))
        return message


class ConfigPattern(Record):
    """What is looked for in a dataset."""

    name: str
    "The member of `configMap` that what is found becomes."
    type: IRI = IRI("")
    "The class of the subjects."
    subject: IRI = IRI("")
    "The subject itself."
    property: IRI = IRI("")
    "The property whose values are taken; the whole subject, as an object, if empty."


class ConfigMap(Processor):
    """Make a plain object of an RDF config.

    Reads the graph at `datasetField` and writes to `configMap` an object with a member for each subject that has an IRI: by the
    last part of that IRI its properties, by the last part of theirs. A value is text, a number, a truth, a list (of several
    values, or of an RDF list) or an object (of a blank node); an IRI is text. Where two IRIs end alike, both are written out.

    ```turtle
    :config a :ConfigMap .
    ```
    """

    dataset_field: str = "dataset"
    "Dotted path of the graph."
    target_field: str = "configMap"
    "Dotted path the object is written to."

    def process(self, message: Message) -> Message:
        """Make the object."""
        graph = _Subjects(read_graph(message, self.dataset_field))
        named = [subject for subject in graph.said if subject[:1] != "_"]
        set_field(message, self.target_field, {name: graph.whole(subject) for name, subject in _short(named).items()})
        return message


class RDFConfig(Processor):
    """Look up in an RDF config what patterns ask for.

    Reads the graph at `datasetField`, and patterns from the setting and from the message's field `configPatterns` (a list of
    objects with the same members). Writes to `configMap` an object with a member for each pattern: what is found, a list if
    there is more than one, null if there is nothing. Values are as ConfigMap has them.

    ```turtle
    :config a :RDFConfig ;
        :patterns [ :name "feeds" ; :type <http://example.org/Feed> ; :property <http://example.org/url> ] .
    ```
    """

    patterns: tuple[ConfigPattern, ...] = ()
    "What is looked for."
    dataset_field: str = "dataset"
    "Dotted path of the graph."
    target_field: str = "configMap"
    "Dotted path the object is written to."

    def process(self, message: Message) -> Message:
        """Look up."""
        graph = _Subjects(read_graph(message, self.dataset_field))
        found = {pattern.name: list(graph.matching(pattern)) for pattern in [*self.patterns, *self._told(message)]}
        plain = {name: values[0] if len(values) == 1 else values or None for name, values in found.items()}
        set_field(message, self.target_field, plain)
        return message

    def _told(self, message: Message) -> list[ConfigPattern]:
        if get_field(message, "configPatterns") is None:
            return []
        given = need(message, "configPatterns")
        try:
            return [ConfigPattern(**{name: IRI(value) for name, value in one.items()}) for one in given]
        except (TypeError, AttributeError) as error:
            raise RunError(f"the field 'configPatterns' is no list of patterns: {error}") from error


class _Subjects:
    """A graph by its subjects; terms as SPARQL's JSON writes them."""

    def __init__(self, quads: Iterable[pyoxigraph.Quad]) -> None:
        self.said: dict[str, dict[str, list[Any]]] = {}
        for quad in quads:
            said = self.said.setdefault(_key(quad.subject), {}).setdefault(quad.predicate.value, [])
            if quad.object not in said:
                said.append(quad.object)

    def matching(self, pattern: ConfigPattern) -> Iterator[Any]:
        """Yield what a pattern finds."""
        for subject, said in self.said.items():
            if pattern.subject and subject != pattern.subject:
                continue
            if pattern.type and pattern.type not in map(_key, said.get(f"{_RDF}type", ())):
                continue
            if pattern.property:
                yield from (self._plain(value, 0) for value in said.get(pattern.property, ()))
            else:
                yield self.whole(subject)

    def whole(self, subject: str, depth: int = 0) -> dict[str, Any]:
        """Return what is said of a subject, by the short names of its properties."""
        if depth > _DEEPEST:
            raise RunError(f"the dataset has blank nodes more than {_DEEPEST} deep in each other, or in a circle")
        said = self.said[subject]
        found = {name: [self._plain(value, depth) for value in said[verb]] for name, verb in _short(said).items()}
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

    def _plain(self, term: Any, depth: int) -> Any:
        key = _key(term)
        if key == f"{_RDF}nil":
            return []
        if key[:2] == "_:" and f"{_RDF}first" in self.said.get(key, ()):
            return [self._plain(item, depth + 1) for item in self._items(key)]
        if key[:2] == "_:" and key in self.said:
            return self.whole(key, depth + 1)
        kind = getattr(term, "datatype", None)
        return plain_value({"value": key, "datatype": kind.value if kind else ""})

    def _items(self, key: str) -> Iterator[Any]:
        seen: set[str] = set()
        while key in self.said and key not in seen:
            seen.add(key)
            yield from self.said[key].get(f"{_RDF}first", [])[:1]
            key = next(map(_key, self.said[key].get(f"{_RDF}rest", ())), "")


def _key(term: Any) -> str:
    value = str(getattr(term, "value", term))
    return f"_:{value}" if type(term).__name__ == "BlankNode" else value


def _short(iris: Iterable[str]) -> dict[str, str]:
    """Return IRIs by their last part, or whole where two end alike."""
    names = {iri: iri.rstrip("/#").replace("#", "/").rpartition("/")[2] or iri for iri in iris}
    taken = list(names.values())
    return {iri if taken.count(name) > 1 else name: iri for iri, name in names.items()}


class EndpointsGenerator(Processor):
    """Write the file of endpoints that SPARQLSelect and SPARQLUpdate read, for a dataset of a server such as Fuseki.

    No password is ever written: the file names the environment variables that user and password are in. The message goes on
    unchanged.

    ```turtle
    :endpoints a :EndpointsGenerator ; :dataset "news" ; :server "https://sparql.example.org" .
    ```
    """

    dataset: str = "test"
    "Name of the dataset."
    server: Annotated[str, Protected()] = "http://localhost:3030"
    "URL of the server; its dataset answers at `/query` and `/update` below its name."
    user_env: str = "SPARQL_USER"
    "The variable that has the user's name."
    password_env: str = "SPARQL_PASSWORD"  # noqa: S105 - the name of a variable
    "The variable that has the password."
    destination_file: str = "endpoints.json"
    "The file, in the output folder."

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, which file would be written."""
        yield f"writes {self.context.output_path(self.destination_file)}"

    def process(self, message: Message) -> Message:
        """Write the file."""
        credentials = {"userEnv": self.user_env, "passwordEnv": self.password_env}
        entries = [
            {
                "name": f"{self.dataset} {kind}",
                "type": kind,
                "url": f"{self.server.rstrip('/')}/{self.dataset}/{kind}",
                "credentials": credentials,
            }
            for kind in ("query", "update")
        ]
        path = self.context.output_path(self.destination_file)
        write_whole(path, (json.dumps(entries, indent=2, ensure_ascii=False) + "\n").encode())
        return message
