"""Which links of a page a crawl follows, and what makes two URLs one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .egress import take_apart
from .fetch_errors import Refused
from .frontier_queue import Found, key_of
from .globs import compile_globs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .crawl_request import CrawlOptions
    from .egress import Place
    from .frontier_queue import Row

_LONGEST: Final = 2048
"""Characters of a link that is followed, at most."""
_DEEPEST: Final = 32
"""Segments of a path, at most: paths that grow without end are made by relative links gone wrong."""
_REPEATED: Final = 4
"""How often a segment may stand in a path."""
_OF_READERS: Final = re.compile(
    r"(?:utm_[^=&]*|gclid|fbclid|mc_[ce]id|msclkid|phpsessid|jsessionid|aspsessionid[^=&]*|cftoken)=?[^&]*(?:&|$)",
    re.IGNORECASE,
)
"""Parameters that say where a reader came from or who that is, not what is read."""
_SESSION: Final = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_CODED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical(place: Place) -> str:
    """Return the text by which URLs are compared: without fragment, default port, and parameters of readers."""
    path, _, query = _CODED.sub(_decoded, place.path).partition("?")
    if query:
        query = "".join(one for one in re.split(r"(?<=&)", query) if not _OF_READERS.fullmatch(one)).removesuffix("&")
    path = _SESSION.sub("", path)
    return f"{place.origin}{path}?{query}" if query else f"{place.origin}{path}"


def _decoded(code: re.Match[str]) -> str:
    """Write a letter that needs no code as it is, and any other code in capitals."""
    letter = chr(int(code[0][1:], 16))
    return letter if letter in _PLAIN else code[0].upper()


def host_of(place: Place) -> str:
    """Return the host of a URL, with the port where it is not the usual one: what politeness is about."""
    return place.origin.partition("://")[2]


class Scope:
    """Judges the links of one crawl."""

    def __init__(self, options: CrawlOptions) -> None:
        self._scope = options.scope
        self._includes = compile_globs(options.include, by_name=False, dotfiles=True) if options.include else None
        self._excludes = compile_globs(options.exclude, by_name=False, dotfiles=True)

    def select(self, links: Iterable[object], page: Row, seed: str) -> Iterator[Found]:
        """Yield the links of a page that are followed; `seed` is the URL, asked for, that it was reached from."""
        try:
            root = _place(seed)
        except Refused:
            return
        for link in links:
            place = self._judged(link, root) if isinstance(link, str) else None  # whoever reads pages says what links are
            if place:
                yield Found(key_of(canonical(place)), place.url, host_of(place), page.depth + 1, page.seed)

    def _judged(self, link: str, root: Place) -> Place | None:
        if len(link) > _LONGEST:
            return None
        try:
            place = take_apart(link)
        except Refused:
            return None
        return place if self._is_inside(place, root) and self._is_wanted(place.path.partition("?")[0]) else None

    def _is_inside(self, place: Place, root: Place) -> bool:
        if self._scope == "any":
            return True
        if self._scope == "domain":
            domain = root.host.removeprefix("www.")
            return place.host == domain or place.host.endswith(f".{domain}")
        is_home = (place.host == root.host and place.port == root.port) or _is_upgrade(place, root)
        folder = root.path.partition("?")[0].rpartition("/")[0] + "/"
        return is_home and (self._scope == "host" or place.path.startswith(folder))

    def _is_wanted(self, path: str) -> bool:
        segments = path.split("/")
        if len(segments) > _DEEPEST or any(segments.count(one) > _REPEATED for one in {*segments} - {""}):
            return False
        return (self._includes is None or self._includes(path)) and not self._excludes(path)


def _is_upgrade(place: Place, root: Place) -> bool:
    """Whether two URLs are of one host by http and https, on their usual ports."""
    return place.host == root.host and {(place.scheme, place.port), (root.scheme, root.port)} == {("http", 80), ("https", 443)}


@lru_cache(maxsize=256)
def _place(url: str) -> Place:
    return take_apart(url)
