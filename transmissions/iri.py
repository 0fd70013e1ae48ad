"""Relative IRIs made absolute, as RFC 3986, section 5.2, says (`urllib.parse.urljoin` does it for known schemes only)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_PARTS: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)


class _Parts(NamedTuple):
    scheme: str | None
    authority: str | None
    path: str
    query: str | None
    fragment: str | None


def resolve(base: str, reference: str) -> str:
    """Return the absolute IRI that `reference` means in a document at `base`."""
    target = _split(reference)
    if target.scheme is not None:
        return reference
    origin = _split(base)
    if target.authority is not None:
        target = target._replace(path=_without_dots(target.path))
    elif not target.path:
        target = target._replace(path=origin.path, query=origin.query if target.query is None else target.query)
    else:
        target = target._replace(path=_without_dots(_merged(origin, target.path)))
    authority = origin.authority if target.authority is None else target.authority
    return _join(target._replace(scheme=origin.scheme, authority=authority))


def _split(iri: str) -> _Parts:
    match = _PARTS.fullmatch(iri)
    assert match is not None, "every text has the five parts of an IRI"
    return _Parts(match[1], match[2], match[3], match[4], match[5])


def _merged(origin: _Parts, path: str) -> str:
    if path.startswith("/"):
        return path
    if origin.authority is not None and not origin.path:
        return f"/{path}"
    return origin.path[: origin.path.rfind("/") + 1] + path


def _without_dots(path: str) -> str:
    kept: list[str] = []
    steps = path.split("/")
    for step in steps:
        if step not in {".", ".."}:
            kept.append(step)
        elif step == ".." and kept not in ([], [""]):
            kept.pop()
    if steps[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept)


def _join(parts: _Parts) -> str:
    scheme = f"{parts.scheme}:" if parts.scheme is not None else ""
    authority = f"//{parts.authority}" if parts.authority is not None else ""
    query = f"?{parts.query}" if parts.query is not None else ""
    fragment = f"#{parts.fragment}" if parts.fragment is not None else ""
    return f"{scheme}{authority}{parts.path}{query}{fragment}"
