"""Addresses that markup links to: made absolute, and only such as a reader could follow."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_BLANK: Final = re.compile(r"[\x00-\x20]*[\t\n\r][\x00-\x20]*|^[\x00-\x20]+|[\x00-\x20]+$")
"""What browsers take out of an address; a space inside stays, and is escaped."""
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SEGMENT: Final = r"[A-Za-z0-9_~%!$&'()*+,=@-][A-Za-z0-9_~%!$&'()*+,=@.-]*+"
_PLAIN: Final = re.compile(
    r"https?://[A-Za-z0-9.:@_-]++(?:[/?#][!-~]*+)?"
    rf"|(/?)(?:(?<=/)|(?={_SEGMENT}))(?:{_SEGMENT}/)*+(?:{_SEGMENT})?+(?:\?[!\"$-~]++)?(?:#[!-~]++)?"
)
"""Addresses that stay as they are, and those that only need something put before them: nearly all there are."""
_FOLLOWED: Final = frozenset(["http", "https", "mailto", "tel", "ftp", "ftps", "sftp", "xmpp", "gemini", "news", "urn", "doi"])


def absolute(address: Any, base: str = "") -> str:
    """Return an address, absolute if `base` is; nothing for one that no reader could follow, such as a script."""
    if not isinstance(address, str):
        return ""
    try:
        plain = _PLAIN.fullmatch(address)
        if plain:
            return address if plain[1] is None else f"{_before(base, plain[1])}{address}"
        return _joined(base, _BLANK.sub("", address).replace(" ", "%20"))
    except ValueError:  # a host in brackets that is no address
        return ""


def _joined(base: str, clean: str) -> str:
    scheme = _SCHEME.match(clean)
    if scheme and scheme[1].lower() not in _FOLLOWED:
        return ""
    return urlsplit(clean).geturl() and clean if scheme else urljoin(base, clean)


@lru_cache(maxsize=16)
def _before(base: str, slash: str) -> str:
    """Return what stands before all plain addresses of a page: pages have thousands, and joining one takes long."""
    return urljoin(base, f"{slash}x").removesuffix(f"{slash}x")


def is_web(address: str) -> bool:
    """Whether an address is an absolute one of the web."""
    return address[:8].lower().startswith(("http://", "https://"))


def base_of(tree: LexborHTMLParser, base: str) -> str:
    """Return what the addresses of a page are relative to: its `<base>`, else its own address."""
    declared = tree.css_first("base[href]")
    return absolute(declared.attributes.get("href"), base) if declared else base
