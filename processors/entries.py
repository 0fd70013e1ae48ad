"""Entries checked and told apart: RequiredFields, EntryDeduplicator, FeedUrlDeduplicator."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal

from transmissions import Processor, RunError, as_text, get_field, set_field

from .access import need
from .urls import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transmissions import Message

_RESULTS = "queryResults"


class RequiredFields(Processor):
    """Drop messages that lack something: a field that is absent, null or empty text.

    ```turtle
    :complete a :RequiredFields ; :requiredFields "title", "link" .
    ```
    """

    required_fields: tuple[str, ...]
    "Dotted paths of what must be there; one text may name several, with commas between them."
    skip_on_http_error: bool = True
    "Whether a message is dropped that has an `httpError`."
    missing: Literal["drop", "fail"] = "drop"
    "Whether an incomplete message is dropped, or fails, which has it counted and kept as the node's `:onError` says."

    def __post_init__(self) -> None:
        """Take lists apart."""
        self._fields = [name.strip() for names in self.required_fields for name in names.split(",") if name.strip()]

    def process(self, message: Message) -> Message | None:
        """Pass a complete message on."""
        if self.skip_on_http_error and message.get("httpError"):
            return None
        lacking = next((field for field in self._fields if get_field(message, field) in (None, "")), None)
        if lacking is None:
            return message
        if self.missing == "drop":
            return None
        raise RunError(f"the field '{lacking}' is required, and absent or empty")


class _Deduplicator(Processor):
    """Compare messages with the results of a query."""

    skip_duplicates: bool = True
    "Whether a duplicate is dropped; it goes on with `isDuplicate` set to true if not."

    def __post_init__(self) -> None:
        """Know nothing yet."""
        self._indexed: Any = None
        self._index: dict[str, str] = {}

    def _known(self, message: Message, field: str) -> dict[str, str]:
        """Return every value in the results of a query, with the resource it speaks about; messages often share results."""
        results = need(message, field)
        if results is not self._indexed:
            self._indexed, self._index = results, dict(self._values(results, field))
        return self._index

    def _values(self, results: Any, field: str) -> Iterator[tuple[str, str]]:
        for binding in bindings_of(results, field):
            values = list(_texts(binding))
            yield from ((value, values[0]) for value in values)

    def _verdict(self, message: Message, *, is_duplicate: bool) -> Message | None:
        if is_duplicate and self.skip_duplicates:
            return None
        message["isDuplicate"] = is_duplicate
        return message


class EntryDeduplicator(_Deduplicator):
    """Drop entries that a store has already.

    Reads the results of a query in `queryResults`, as SPARQL gives them in JSON or the list of bindings alone, and compares
    every value in them with the entry's guid, link and, if asked to, the MD5 of its content. The first value of a binding
    is taken for the name of the entry. Writes `isDuplicate`, of a duplicate `existingURI` and `matchMethod` (`guid`, `link` or
    `content`), and `entryHash`. An entry with none of these is an error.

    ```turtle
    :new a :EntryDeduplicator ; :guidField "entry.id" ; :linkField "entry.link" ; :checkMethod "link" .
    ```
    """

    guid_field: str = "guid"
    "Dotted path of the identifier."
    link_field: str = "link"
    "Dotted path of the address."
    content_field: str = "content"
    "Dotted path of the content; what is not text is compared as JSON."
    use_content_hash: bool = False
    "Whether the digest of the content is compared too."
    check_method: Literal["any", "guid", "link", "content"] = "any"
    "What is compared."

    def process(self, message: Message) -> Message | None:
        """Look the entry up."""
        known = self._known(message, _RESULTS)
        marks = dict(self._marks(message))
        if not marks:
            raise RunError(
                f"the entry has none of '{self.guid_field}', '{self.link_field}' and '{self.content_field}' to compare"
            )
        if "content" in marks:
            message["entryHash"] = marks["content"]
        method = next((method for method, mark in marks.items() if mark in known), None)
        if method:
            message |= {"existingURI": known[marks[method]], "matchMethod": method}
        return self._verdict(message, is_duplicate=method is not None)

    def _marks(self, message: Message) -> Iterator[tuple[str, str]]:
        for method, field in (("guid", self.guid_field), ("link", self.link_field)):
            value = get_field(message, field)
            if self.check_method in ("any", method) and value not in (None, ""):
                yield method, as_text(value)
        content = get_field(message, self.content_field)
        if content is not None and (self.use_content_hash or self.check_method == "content"):
            text = as_text(content).encode("utf-8", "replace")
            yield "content", hashlib.md5(text, usedforsecurity=False).hexdigest()


class FeedUrlDeduplicator(_Deduplicator):
    """Drop addresses of feeds that are known already.

    Compares the address at `inputField`, or each of a list of them, with every value at `existingField`: results of a query
    as SPARQL gives them in JSON, the list of bindings alone, or a plain list. Addresses that URLNormalizer would write alike
    are the same, whatever slash is at their end. Of a list only what is not known is kept, and the message is a duplicate if
    nothing is. Writes `isDuplicate`.

    ```turtle
    :new a :FeedUrlDeduplicator ; :inputField "feedUrl" .
    ```
    """

    input_field: str = "feedUrl"
    "Dotted path of the address, or of a list of addresses."
    existing_field: str = _RESULTS
    "Dotted path of what is known."

    def process(self, message: Message) -> Message | None:
        """Look the address up."""
        known = self._known(message, self.existing_field)
        given = need(message, self.input_field)
        if not isinstance(given, str | list | tuple):
            raise RunError(f"the field '{self.input_field}' is neither an address nor a list but a {type(given).__name__}")
        if isinstance(given, str):
            return self._verdict(message, is_duplicate=_plain(given) in known)
        fresh = [url for url in given if _plain(as_text(url)) not in known]
        set_field(message, self.input_field, fresh)
        return self._verdict(message, is_duplicate=not fresh)

    def _values(self, results: Any, field: str) -> Iterator[tuple[str, str]]:
        return ((_plain(value), own) for value, own in super()._values(results, field))


def _plain(url: str) -> str:
    try:
        parts = split(url.strip())
    except ValueError:
        return url
    return parts._replace(path=parts.path.rstrip("/"), fragment="").geturl()


def bindings_of(results: Any, field: str) -> Iterable[Any]:
    """Return the bindings of a query: SPARQL's JSON holds them in `results.bindings`, a list is taken for them."""
    bindings = get_field(results, "results.bindings") if isinstance(results, dict) else results
    if isinstance(bindings, list | tuple):
        return bindings
    raise RunError(f"the field '{field}' holds neither the results of a query nor a list but a {type(results).__name__}")


def _texts(binding: Any) -> Iterator[str]:
    terms = binding.values() if isinstance(binding, dict) else [binding]
    for term in terms:
        value = term.get("value") if isinstance(term, dict) else term
        if value is not None:
            yield as_text(value)
