"""Secrets in text: what they look like, and where they stand.

Everything works on bytes (UTF-8, or ASCII with JSON's escapes in it), so that one set of rules holds for the texts of a
conversation and for finished files. A text is searched, at the speed of memory, for stretches of 16 letters and digits, which
every key has, for `@`, and for a few words that stand before a password, in a private key or in the path of a home. Only where
these are found do expressions work, each from a fixed place and with a bound, so that no input takes more than linear time.

Not seen: what is cut in two by a line break, markup or an invisible character; what is packed (base64, ZIP, UTF-16); a password
that stands in running text and looks like a word; an address written as "name at example dot org".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .addresses import find_addresses
from .credentials import find_credentials
from .home_paths import find_homes
from .logins import find_logins
from .private_keys import find_private_keys
from .service_keys import KEY, joined_key

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

SHORT: Final = 5
"""So few bytes cannot be a secret; `a@b.de` can."""


class Span(NamedTuple):
    """A secret: its bytes, and what it is."""

    start: int
    end: int
    kind: str


_FORM: Final = (
    rb"""(?:
      (?P<anthropic> sk-ant-[A-Za-z0-9_-]{16,} )
    | (?P<openai> sk-(?!lf-)[A-Za-z0-9_-]{20,} )
    | (?P<aws> A(?:[KSB]I|CC)A[A-Z0-9]{16} (?![A-Za-z0-9]) )
    | (?P<github> gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} )
    | (?P<gitlab> gl(?:pat|rt|dt|ptt|cbt|ft|soat|oas|agent)-[A-Za-z0-9_-]{16,} )
    | (?P<slack> (?:xox[a-z]|xapp)-[A-Za-z0-9-]{11,} )
    | (?P<stripe> [sr]k_(?:live|test)_[A-Za-z0-9]{10,} )
    | (?P<google> AIza[A-Za-z0-9_-]{30,} )
    | (?P<huggingface> hf_[A-Za-z0-9]{20,} )
    | (?P<npm> npm_[A-Za-z0-9]{30,} )
    | (?P<pypi> pypi-[A-Za-z0-9_-]{16,} )
    | (?P<jwt> eyJ[A-Za-z0-9_-]{10,} )
    | (?P<credential> """
    + KEY
    + rb""" )
    )"""
)
_WORD: Final = re.compile(_FORM, re.VERBOSE)
_PART: Final = re.compile(rb"(?<=[_-])(?=[sAgxrhneptwdGcflvjPNCSH])" + _FORM, re.VERBOSE)
"""A key behind a part of a name: `old-ghp_…`."""
_JWT_REST: Final = re.compile(rb"\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]{2,}(?:(?:\.[A-Za-z0-9_-]{10,}){2})?)?")
_MASKED: Final = re.compile(rb"[^-_]+[-_](?:[a-z0-9]{1,8}[-_])?[xX0._-]+")
"""A key somebody made unreadable: `ghp_xxxxxxxx`."""
_AWS_SECRET: Final = re.compile(
    rb"(?<![A-Za-z0-9/+=])(?=[^\s]{0,39}[0-9])(?=[^\s]{0,39}[a-z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
_NEAR: Final = 256
_SIGNS: Final = (b":", b"=", b">", b"--", b"|", b" is ", "\uff1a".encode())
"""One of them stands between a word and the credential it tells."""
_BEARER: Final = re.compile(rb"bearer\s{1,3}$", re.IGNORECASE)
_BEARER_VALUE: Final = re.compile(rb"[A-Za-z0-9._~+/=-]+")

_RUNS: Final = bytes(65 if code < 128 and (chr(code).isalnum() or code in b"_-") else 32 for code in range(256))  # noqa: PLR2004
_RUN: Final = b"A" * 16


def find_secrets(data: bytes, kinds: Container[str]) -> list[Span]:
    """Return the secrets of these kinds, in order; none overlaps another."""
    if len(data) <= SHORT:
        return []
    spans = list(_find_tokens(data))
    spans += [Span(start, end, "privateKey") for start, end in find_private_keys(data)]
    spans += [Span(*found) for found in find_addresses(data)]
    low = data.lower()
    spans += [Span(start, end, "home") for start, end in find_homes(data, low)]
    if any(sign in low for sign in _SIGNS):
        spans += [Span(*found) for found in find_credentials(data, low)]
    spans += [Span(start, end, "credential") for start, end in find_logins(data, low)]
    return apart([span for span in spans if span.kind in kinds]) if spans else spans


def apart(spans: list[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one, by the name of the first that was found."""
    apart: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if apart and span.start < apart[-1].end:
            apart[-1] = apart[-1]._replace(end=max(apart[-1].end, span.end))
        else:
            apart.append(span)
    return apart


def _find_tokens(data: bytes) -> list[Span]:
    spans: list[Span] = []
    classes = data.translate(_RUNS)
    start = classes.find(_RUN)
    while start >= 0:
        end = classes.find(b" ", start + len(_RUN))
        end = end if end >= 0 else len(data)
        found = _WORD.match(data, start)
        before = data[start - 1 : start]
        if not found and before in (b"\\", b"%"):  # JSON writes a line break as a letter behind a backslash, a URL as %0A
            found = _WORD.match(data, start + 1 + (before == b"%") + 4 * (data[start : start + 1] == b"u"))
        if found:
            spans += _tokens_of(data, found)
        if (not found or found.end() < end) and (b"_" in data[start:end] or b"-" in data[start:end]):
            spans += [span for part in _PART.finditer(data, start, end) for span in _tokens_of(data, part)]
        joined = joined_key(data, start) if not found and before and before in b".:/~$" else None
        if joined:
            spans.append(Span(*joined, "credential"))
        if before == b" " and _BEARER.search(data[max(0, start - 10) : start]):
            spans += _bearer(data, start)
        # The parts of a token are not looked at once more.
        start = classes.find(_RUN, max(end, spans[-1].end) if spans else end)
    return spans


def _tokens_of(data: bytes, found: re.Match[bytes]) -> Iterator[Span]:
    """Yield the key that was found, if it is one, and the secret that belongs to it."""
    kind = str(found.lastgroup)
    if kind == "jwt":
        rest = _JWT_REST.match(data, found.end())
        if rest:
            yield Span(found.start(), rest.end(), kind)
    elif _is_key(kind, found[0]):
        yield Span(found.start(), found.end(), kind)
    if kind == "aws":
        near = _AWS_SECRET.search(data, found.end(), found.end() + _NEAR)
        if near:
            yield Span(near.start(), near.end(), kind)


def _bearer(data: bytes, start: int) -> Iterator[Span]:
    value = _BEARER_VALUE.match(data, start)
    if value and _has_digit(value[0]):
        yield Span(start, value.end(), "credential")


def _is_key(kind: str, word: bytes) -> bool:
    """Whether a word that begins like a key is one, and no name: `sk-container__label`, `pypi-attestation-models`."""
    if _MASKED.fullmatch(word):
        return False
    if kind == "openai":
        parts = word.replace(b"_", b"-").split(b"-")
        return any(len(part) >= 16 and _has_digit(part) for part in parts) or (len(parts) > 2 and _is_mixed(word))  # noqa: PLR2004
    if kind == "gitlab":
        return _has_digit(word) and (_is_mixed(word) or len(word.rpartition(b"-")[2]) >= 20)  # noqa: PLR2004
    return _is_mixed(word) if kind == "pypi" else kind not in ("slack", "credential") or _has_digit(word)


def _is_mixed(word: bytes) -> bool:
    return _has_digit(word) and word.lower() != word


def _has_digit(word: bytes) -> bool:
    return any(48 <= code <= 57 for code in word)  # noqa: PLR2004 - the digits of ASCII
