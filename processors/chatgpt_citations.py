"""What ChatGPT puts into its texts where a source is named: taken out, with the sources as citations."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .conversation import as_dict, as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

_START, _END, _BETWEEN = "\ue200", "\ue201", "\ue202"
_MARK: Final = re.compile(
    f"{_START}[^{_START}{_END}]*{_END}|{_START}\\w*(?:{_BETWEEN}(?:turn\\w*)?)*|[{_END}{_BETWEEN}]|【[^【】\n]{{0,60}}†[^【】\n]{{0,200}}】"
)
_READABLE: Final = frozenset(("entity", "url", "link_title", "navlist", "video", "products", "product_entity", "genui"))
"""Kinds of marks that hold words a reader should see."""


class Reference(NamedTuple):
    """What the metadata of a message says of one place in its text."""

    start: int
    end: int
    matched: str
    """The text there, if it is told."""
    instead: str
    """What to show there."""
    links: list[tuple[str, str]]
    """Addresses and titles."""


class Cleaned(NamedTuple):
    """A text without marks."""

    text: str
    citations: list[dict[str, Any]]
    unmatched: int
    """Marks whose source the archive does not tell."""


class _Edit(NamedTuple):
    start: int
    end: int
    instead: str
    links: list[tuple[str, str]]


def has_marks(text: Any) -> bool:
    """Whether there may be marks in a text."""
    return text.__class__ is str and any(mark in text for mark in (_START, _END, _BETWEEN, "†"))


def clean(text: str, metadata: dict[str, Any]) -> Cleaned:
    """Take the marks out of a text. Each citation stands where its mark stood; one without a mark stands behind its words."""
    spans = [match.span() for match in _MARK.finditer(text)] if has_marks(text) else []
    references = list(_references(metadata))
    if not spans and not references:
        return Cleaned(text, [], 0)
    chosen, rest = _choose(text, spans, references)
    edits = [
        _Edit(start, end, _instead(text[start:end], reference), reference.links if reference else [])
        for (start, end), reference in zip(spans, chosen, strict=True)
    ]
    unmatched = sum(not edit.links and not edit.instead for edit in edits)
    cited = {url for edit in edits for url, _ in edit.links}
    edits += [edit for reference in rest for edit in _without_mark(text, reference, cited)]
    return Cleaned(*_carry_out(text, sorted(edits, key=lambda edit: edit.start)), unmatched)


def _references(metadata: dict[str, Any]) -> Iterable[Reference]:
    for item in as_list(metadata.get("content_references")):
        if item.__class__ is dict:
            start, end = _place(item, "start_idx", "end_idx")
            instead = as_text(item.get("name")) or as_text(item.get("alt"))
            yield Reference(start, end, as_text(item.get("matched_text")), instead, list(_links(item)))
    for item in as_list(metadata.get("citations")):
        if item.__class__ is dict:
            start, end = _place(item, "start_ix", "end_ix")
            told = item.get("metadata")
            yield Reference(start, end, "", "", list(_links(told if told.__class__ is dict else item)))


def _place(item: dict[str, Any], first: str, last: str) -> tuple[int, int]:
    start, end = item.get(first), item.get(last)
    return (start, end) if isinstance(start, int) and isinstance(end, int) and 0 <= start <= end else (-1, -1)


def _links(item: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield each source a reference names, once."""
    seen = set()
    waiting: list[Any] = [item]
    for entry in waiting:  # it grows meanwhile
        if entry.__class__ is not dict:
            continue
        url = as_text(entry.get("content_url") or entry.get("url"))
        title = as_text(entry.get("title") or entry.get("name") if url else entry.get("title"))
        is_file = entry.get("type") == "file" and not url
        link = (url, as_text(entry.get("name")) or title) if is_file else (url, title)
        if (url or is_file) and link not in seen:
            seen.add(link)
            yield link
        for key in ("items", "sources", "supporting_websites", "images", "image_result"):
            waiting += as_list(entry.get(key))


def _choose(
    text: str, spans: list[tuple[int, int]], references: list[Reference]
) -> tuple[list[Reference | None], list[Reference]]:
    """Return the reference of each mark, and those that are left."""
    by_place = {(reference.start, reference.end): reference for reference in reversed(references)}
    by_text = {reference.matched: reference for reference in reversed(references) if reference.matched}
    chosen = [by_place.get(span) or by_text.get(text[slice(*span)]) for span in spans]
    used = {id(reference) for reference in chosen}
    rest = [reference for reference in references if id(reference) not in used]
    lone = [place for place, reference in enumerate(chosen) if reference is None]
    if rest and len(rest) == len(lone) and not any(reference.matched for reference in rest):
        # Their places were counted in another way: they come in the order of the marks.
        for place, reference in zip(lone, rest, strict=True):
            chosen[place] = reference
        rest = []
    return chosen, rest


def _instead(mark: str, reference: Reference | None) -> str:
    """Return the words to put in the place of a mark."""
    kind, *pieces = mark.strip(_START + _END).split(_BETWEEN)
    if kind in _READABLE and pieces:
        return _words(pieces[0])
    return reference.instead if reference and not reference.links else ""


def _words(piece: str) -> str:
    """Return the words in a mark: `Paris` in `["city","Paris"]`, the second of each pair in `{"selections":[…]}`."""
    if not piece.startswith(("[", "{")):
        return "" if piece.startswith("turn") else piece
    try:
        value = json.loads(piece)
    except (ValueError, RecursionError):
        return piece
    told = as_dict(value)
    pairs = as_list(told.get("selections")) or [value]
    words = [word for pair in pairs if pair.__class__ is list for word in pair[1:2]]
    words += [as_dict(inner).get("content") for inner in told.values()]
    return ", ".join(word for word in words if word.__class__ is str)


def _without_mark(text: str, reference: Reference, cited: set[str]) -> Iterable[_Edit]:
    """Yield what a reference adds that no mark speaks of: the sources that are neither cited nor told in the text."""
    links = [link for link in reference.links if link[0] not in cited and not (link[0] and link[0] in text)]
    if links:
        cited.update(url for url, _ in links)
        place = reference.end if 0 <= reference.end <= len(text) else len(text)
        yield _Edit(place, place, "", links)


def _carry_out(text: str, edits: list[_Edit]) -> tuple[str, list[dict[str, Any]]]:
    parts: list[str] = []
    citations = []
    at = length = 0
    for edit in edits:
        kept = text[at : max(edit.start, at)] + edit.instead
        parts.append(kept)
        length += len(kept)
        at = max(edit.end, at)
        citations += [{"end": length, "url": url, "title": title} for url, title in edit.links]
    parts.append(text[at:])
    return "".join(parts), citations
