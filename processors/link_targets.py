"""Addresses that markup links to: made absolute, and only such as a reader could follow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_BLANK: Final = re.compile(r"[\x00-\x20]*[\t\n\r][\x00-\x20]*|^[\x00-\x20]+|[\x00-\x20]+$")
"""What browsers take out of an address; a space inside stays, and is escaped."""
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_FOLLOWED: Final = frozenset(["http", "https", "mailto", "tel", "ftp", "ftps", "sftp", "xmpp", "gemini", "news", "urn", "doi"])


def absolute(address: Any, base: str = "") -> str:
    """Return an address, absolute if `base` is; nothing for one that no reader could follow, such as a script."""
    if not isinstance(address, str):
        return ""
    clean = _BLANK.sub("", address).replace(" ", "%20")
    scheme = _SCHEME.match(clean)
    if scheme and scheme[1].lower() not in _FOLLOWED:
        return ""
    try:
        return urlsplit(clean).geturl() and clean if scheme else urljoin(base, clean)
    except ValueError:  # a host in brackets that is no address
        return ""


def is_web(address: str) -> bool:
    """Whether an address is an absolute one of the web."""
    return address[:8].lower().startswith(("http://", "https://"))


def base_of(tree: LexborHTMLParser, base: str) -> str:
    """Return what the addresses of a page are relative to: its `<base>`, else its own address."""
    declared = tree.css_first("base[href]")
    return absolute(declared.attributes.get("href"), base) if declared else base
