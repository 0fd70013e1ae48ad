"""Requests passed on to another server: HttpProxy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote, unquote, urlencode

from transmissions import Protected, RunError, Term, UsageError, set_field

from .access import need
from .egress import take_apart
from .fetch import Door, Request
from .fetching import _FetchingWithHeaders, check_url
from .http_client import as_record, encode_body, merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transmissions import Message

_HOP: Final = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip
"""Headers that speak about one connection, and are not for the next."""

_OWN: Final = {"host", "content-length", "accept-encoding", "expect"}
"""Headers that the client says for itself."""


class HttpProxy(_FetchingWithHeaders):
    """Pass the request in each message on to a server, and write its reply into the message.

    Reads at `requestField` an object as HttpServer makes it: `method` (GET if absent), `path`, `query` (text, or an object),
    `headers` and `body` (text, bytes, or anything else as JSON). The path is put behind that of `baseURL`, and cannot lead
    out of it. Writes to `targetField` an object of `status`, `statusText`, `contentType`, `headers`, `url` and `data`, as
    HttpClient does; any status is a reply, and a redirect is one too. Headers that speak of one connection are passed on in
    neither direction. No reply is an error.

    ```turtle
    :pass a :HttpProxy ; :baseURL "http://localhost:8080/api" ; :requestField "http" ; :targetField "reply" .
    ```
    """

    base_url: Annotated[str, Protected(), Term("baseURL")]
    "The server, and the path below which all requests stay."
    request_field: str = "http"
    "Dotted path of the request."
    target_field: str = "reply"
    "Dotted path the reply is written to."

    def __post_init__(self) -> None:
        """Refuse a base that is none."""
        super().__post_init__()
        check_url("baseURL", self.base_url)
        if set("?#") & set(self.base_url):
            raise UsageError(f":baseURL '{take_apart(self.base_url).shown}' has a query, behind which no path can be put")

    def _open(self) -> Door:
        return Door(timeout=self.timeout / 1000, max_bytes=self.max_bytes, redirects=0)

    async def process(self, message: Message) -> Message:
        """Pass a request on."""
        asked = need(message, self.request_field)
        if not isinstance(asked, dict):
            raise RunError(f"the field '{self.request_field}' is not a request but a {type(asked).__name__}")
        reply = await self._door.fetch(self._request(asked), trusted=True)
        set_field(message, self.target_field, as_record(reply._replace(headers=_onward(reply.headers))))
        return message

    def _request(self, asked: Message) -> Request:
        path, query, sent = asked.get("path", ""), asked.get("query", ""), asked.get("headers", {})
        if not isinstance(path, str) or not isinstance(query, str | dict) or not isinstance(sent, dict):
            raise RunError(
                f"the request in '{self.request_field}' needs `path` as text, `query` as text or object, `headers` as object"
            )
        body, kind = encode_body(asked["body"], "auto") if asked.get("body") else (b"", "")
        headers = merged({"Content-Type": kind} if kind else {}, _onward(sent), self._public, self._secret)
        return Request(f"{self._below(path)}{_query(query)}", str(asked.get("method", "GET")), headers, body or None)

    def _below(self, path: str) -> str:
        """Return the URL of a path below the base; what a server could take for `..` is refused, however it is spelled."""
        plain = path
        while plain != (once := unquote(plain)):
            plain = once
        if not plain.isprintable() or any(part in {"..", "."} for part in re.split(r"[/\\;]", plain)):
            raise RunError(f"the path {path[:200]!r} of the request leads out of :baseURL")
        below = quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~-._")
        return f"{self.base_url.rstrip('/')}/{below}" if below else self.base_url


def _query(query: str | dict[str, Any]) -> str:
    text = urlencode(query, doseq=True) if isinstance(query, dict) else query.removeprefix("?")
    return f"?{text.replace('#', '%23')}" if text else ""


def _onward(headers: Mapping[Any, Any]) -> dict[str, str]:
    """Return the headers that are for whoever is at the other end."""
    named = {str(name).lower(): str(value) for name, value in headers.items()}
    listed = {name.strip().lower() for name in named.get("connection", "").split(",")}
    return {name: value for name, value in named.items() if name not in _HOP | _OWN | listed}
