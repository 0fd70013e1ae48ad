"""SPARQL made from templates: each value is written as the place it stands in demands, so that none can end it.

    SELECT * { <{{ page }}> dcterms:title "{{ title }}" ; :size {{ size }} }

Between `<` and `>` a value is an IRI, between quotes it is text, and elsewhere only a number, a truth, a `?variable` or a
prefixed name may stand; the filters `uri`, `literal` and `string` write whole terms for such places.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .template_text import Template, Undefined, dump

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from transmissions import Message, Processor

_OPEN, _CLOSE = "\ue000", "\ue001"
"""Around the number of a value while the template is rendered: private characters, taken out of the values themselves."""
_MARK: Final = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_TOKEN: Final = re.compile(
    r"(?P<iri><[^<>\"{}|^`\\\x00-\x20]*>)"
    r"|(?P<text>\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r"|\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*')"
    r"|(?P<comment>\#[^\r\n]*)"
    r"|(?P<name>[?$]\w+|[\w-]*:(?:[\w.:%-]|\\[_~.!$&'()*+,;=/?#@%-])*)"
    r"|(?P<word>\w+)"
    rf"|(?P<mark>{_OPEN}\d+{_CLOSE})"
    r"|(?P<other>.)",
    re.DOTALL,
)
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_OTHER: Final = {'"': "'", "'": '"'}
"""The quotation mark that stands as it is between two of the other kind: rdflib takes no escape of it there."""
_BARE: Final = re.compile(r"[?$]\w+|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[^\W\d_][\w-]*:[\w-]*|true|false")
_OF_HTML: Final = ("e", "escape", "forceescape", "urlize", "xmlattr")
"""Filters of Jinja that write HTML; here they write the value, which is then written as its place demands."""
_NOT_IN_IRI: Final = re.compile(r"[\x00-\x20<>\"{}|^`\\]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_FETCHES: Final = re.compile("service|load", re.IGNORECASE)
_TWOFOLD: Final = re.compile(r"<(?![A-Za-z][A-Za-z0-9+.-]*://)[^>]*['#]")
"""What an IRI must not look like where it matters: `?a<5#>` may be one, or a comparison with a comment behind it."""
_CODE: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U(000[0-9A-Fa-f]{5}|0010[0-9A-Fa-f]{4})")


class Reference(str):
    """Text that is an IRI, so that where nothing stands around it, it is written in brackets."""

    __slots__ = ()


class Term(str):
    """A whole term of SPARQL, which a filter has written; it can stand only where nothing is around it."""

    __slots__ = ()


class QueryTemplate(Template):
    """A template of a query or an update, or of Turtle, which has the same places; `filters` replace those of the same name."""

    def __init__(
        self,
        processor: Processor,
        *,
        file: str = "",
        text: str = "",
        undefined: Undefined = "empty",
        filters: Mapping[str, Any] | None = None,
        either: str = ":templateFilename or :template",
    ) -> None:
        import jinja2

        self._values: list[str] = []
        # Jinja's own escaping is for HTML, and would print what it escaped as SPARQL.
        ours = {"uri": uri, "literal": literal, "string": string, **dict.fromkeys(_OF_HTML, str), "tojson": dump}
        known = {**ours, **(filters or {})}

        @jinja2.pass_context  # else Jinja would print constants when it compiles
        def keep(_: object, value: Any) -> Any:
            return self._keep(value)

        super().__init__(processor, file=file, text=text, undefined=undefined, filters=known, finalize=keep, either=either)

    def render(self, data: Message) -> str:
        """Return the query.

        Raises:
            RunError: a value cannot stand where the template puts it.

        """
        self._values.clear()
        text = super().render(data)
        return "".join(self._settled(found) for found in _TOKEN.finditer(text)) if self._values else text

    def _keep(self, value: Any) -> Any:
        """Keep a value that is printed, and print a mark in its place; what is SPARQL already is printed as it is."""
        from markupsafe import Markup

        if isinstance(value, Markup):
            return value
        text = value if isinstance(value, str) else "" if value is None else str(value)  # which lets Undefined have its say
        self._values.append(text.lower() if isinstance(value, bool) else text)
        return Markup(f"{_OPEN}{len(self._values) - 1}{_CLOSE}")  # noqa: S704 - a number between two marks

    def _settled(self, found: re.Match[str]) -> str:
        kind, text = found.lastgroup, found[0]
        if _OPEN not in text:
            return text
        quoted = partial(_in_text, spared=_OTHER.get(text[0], ""))
        writers: dict[str, Callable[[str], str]] = {"iri": _in_iri, "text": quoted, "comment": _in_comment}
        write = writers.get(str(kind), _bare)
        written = _MARK.sub(lambda mark: write(self._values[int(mark[1])]), text)
        if kind == "iri" and _MARK.match(text, 1):
            _absolute(written[1:-1])
        return written


def _whole(term: str) -> RunError:
    return RunError(f"{term!r:.80} is a whole term: take away what stands around it, or the filter that writes it")


def _in_iri(text: str) -> str:
    if isinstance(text, Term):
        raise _whole(text)
    return _NOT_IN_IRI.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text.strip())


def _absolute(iri: str) -> str:
    if _SCHEME.match(iri) is None:
        raise RunError(f"<{iri}> is no absolute IRI")
    return iri


def _in_text(text: str, spared: str = "") -> str:
    if isinstance(text, Term):
        raise _whole(text)
    written = "".join(one if one == spared else _ESCAPES.get(one, one) for one in text)
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", written)


def _in_comment(text: str) -> str:
    return _in_text(str(text))  # of a whole term, too


def _bare(text: str) -> str:
    if isinstance(text, Term):
        return text
    if isinstance(text, Reference):
        return f"<{_absolute(_in_iri(text))}>"
    if _BARE.fullmatch(text) is None and text:
        shown = text if len(text) <= (most := 40) else text[:most] + "…"
        raise RunError(
            f"{shown!r} would stand bare in the query; put quotes or < > around it, or use the filter uri, literal or string"
        )
    return text


def uri(value: Any) -> Any:
    """Write a value as an IRI in its brackets (a filter).

    Raises:
        ValueError: it is no absolute IRI.

    """
    text = _in_iri(str(value))
    if _SCHEME.match(text) is None:
        raise ValueError(f"'{text}' is no absolute IRI")
    return Term(f"<{text}>")


def string(value: Any, lang: str = "") -> Any:
    """Write a value as a text in quotes, with a language if one is given (a filter)."""
    return literal(str(value), lang=lang)


def literal(value: Any, datatype: str = "", lang: str = "") -> Any:
    """Write a value as a literal: numbers and truths as such, all else as text (a filter).

    Raises:
        ValueError: a language is none.

    """
    if lang and re.fullmatch(r"[A-Za-z]+(?:-[A-Za-z0-9]+)*", lang) is None:
        raise ValueError(f"'{lang}' is no language")
    if not datatype and not lang and isinstance(value, bool | int | float | Decimal) and math.isfinite(value):
        return str(value).lower()
    ending = f"@{lang}" if lang else f"^^{uri(datatype)}" if datatype else ""
    written = _in_text(str(value), _OTHER['"'])
    return Term(f'"{written}"{ending}')


def refuse_network(query: str) -> str:
    """Return a query for an embedded store as it is.

    Raises:
        RunError: it would have the store itself fetch from the network, past the one door for that.

    """
    plain = _CODE.sub(lambda found: chr(int(found[1] or found[2], 16)), query)  # which some do before they read anything
    for text in dict.fromkeys((query, plain)) if _FETCHES.search(plain) else ():
        for found in _TOKEN.finditer(text):
            if found.lastgroup == "word" and _FETCHES.fullmatch(found[0]):
                raise RunError(f"{found[0]} is not for an embedded store: it would fetch from the network by itself")
            if found.lastgroup == "iri" and _TWOFOLD.match(found[0]):
                raise RunError(f"{found[0]} can be read in two ways, and SERVICE or LOAD may be in one; write a whole IRI")
    return query
