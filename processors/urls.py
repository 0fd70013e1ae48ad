"""Web addresses in one form: URLNormalizer."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from transmissions import Processor, RunError, set_field

from .access import need_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from transmissions import Message

_PORTS: Final = {"http": 80, "https": 443}
_ESCAPED: Final = re.compile("%([0-9A-Fa-f]{2})")
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class URLNormalizer(Processor):
    """Write a web address in the one form of those that mean the same.

    Scheme and host become small letters, the scheme's own port, dots in the path and needless escapes go, and so does the part
    behind `#`, which names a place in a page. Reads `inputField`, writes `outputField`. Only `http` and `https` are taken.

    ```turtle
    :url a :URLNormalizer ; :inputField "link" ; :removeParameters "utm_*", "fbclid" .
    ```
    """

    input_field: str = "url"
    "Dotted path of the address."
    output_field: str = ""
    "Dotted path the result is written to; where the address was if empty."
    remove_trailing_slash: bool = False
    "Whether a slash at the end of the path goes; most servers, not all, give the same page without it."
    remove_fragment: bool = True
    "Whether the part behind `#` goes."
    remove_parameters: tuple[str, ...] = ()
    "Names of query parameters that go; `*` stands for any letters."

    def process(self, message: Message) -> Message:
        """Normalise the address."""
        url = need_text(message, self.input_field).strip()
        try:
            parts = split(url)
        except ValueError as error:
            raise RunError(f"the field '{self.input_field}' is not a web address: {error}") from error
        path = parts.path.rstrip("/") or "/" if self.remove_trailing_slash else parts.path
        fragment = "" if self.remove_fragment else parts.fragment
        query = _without(parts.query, self.remove_parameters)
        set_field(
            message, self.output_field or self.input_field, parts._replace(path=path, query=query, fragment=fragment).geturl()
        )
        return message


def split(url: str) -> SplitResult:
    """Return the parts of a web address in their normal form.

    Raises:
        ValueError: it is none; the text never holds the address itself, in which there may be a password.

    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        raise ValueError("its host or port cannot be read") from None
    if scheme not in _PORTS or not host:
        raise ValueError("it has no host" if scheme in _PORTS else f"its scheme is '{scheme}', not http or https")
    place = f"[{host}]" if ":" in host else host.rstrip(".")
    user = parts.netloc.rpartition("@")[0]
    netloc = f"{user}@{place}" if user else place
    if port not in (None, _PORTS[scheme]):
        netloc += f":{port}"
    return SplitResult(scheme, netloc, _path(parts.path), _unescaped(parts.query), _unescaped(parts.fragment))


def _path(path: str) -> str:
    clean = _unescaped(path)
    if "/." not in clean:
        return clean or "/"
    # Doubled slashes mean something in an address, and are nothing to a file system.
    marked = clean.replace("//", "/\0/")
    ending = "/" if marked.endswith(("/", "/.", "/..")) else ""
    plain = posixpath.normpath(marked).replace("\0/", "/").replace("\0", "")
    return plain if plain.endswith("/") else plain + ending


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_unescape, text)


def _unescape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _PLAIN else found[0].upper()


def _without(query: str, names: Collection[str]) -> str:
    if not names:
        return query
    kept = (part for part in query.split("&") if not any(fnmatch.fnmatchcase(part.partition("=")[0], name) for name in names))
    return "&".join(kept)
