"""Requests to servers, whole: HttpClient and HttpGet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlencode

from transmissions import Protected, RunError, set_field

from .access import need
from .egress import take_apart
from .fetch import Request
from .fetch_errors import FetchError
from .fetching import _FetchingByURL, check_status
from .media_types import read_as_typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .fetch import Reply

ReadAs = Literal["auto", "json", "text", "bytes"]

_FORM: Final = "application/x-www-form-urlencoded"


class HttpClient(_FetchingByURL):
    """Send an HTTP request for each message, and write the whole reply into it.

    The URL is the setting `url`, or else stands in the message at `urlField`. The body is the text of `body`, or what is at
    `bodyField`: text and bytes go as they are, anything else as JSON, or as a form with `:bodyAs "form"`.

    Writes to `targetField` an object of `status`, `statusText`, `contentType`, `headers` (names in lower case), `url` (where
    the reply came from after redirects) and `data`: parsed if it is JSON, text if it is text, else bytes. A status of 400 or
    more is a reply like any other, unless `onStatus` says otherwise. Where there is no reply, it is an error, which the
    node's `:onError` and `:retry` deal with, or a sentence in `errorField`. Redirects are followed one by one, each checked
    like a URL of its own, and headers that may hold keys stay with the server they were meant for.

    ```turtle
    :ask a :HttpClient ;
        :url "https://api.example.org/items" ; :method "POST" ; :bodyField "item" ; :targetField "reply" ;
        :headers "Accept: application/json" ;
        :onStatus "fail" ; :retry [ :attempts 3 ] .
    ```
    """

    method: Annotated[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], Protected()] = "GET"
    "What is asked for."
    body: str = ""
    "The body of every request."
    body_field: str = ""
    "Dotted path of the body, instead."
    body_as: Literal["auto", "json", "form"] = "auto"
    "How the value at `bodyField` is written; `auto` takes JSON for whatever is neither text nor bytes."
    read_as: ReadAs = "auto"
    "What `data` is to be; `auto` goes by the content type of the reply."
    on_status: Literal["keep", "fail"] = "keep"
    "Whether a status of 400 or more is a reply or an error."
    target_field: str = "http"
    "Dotted path the reply is written to."
    error_field: str = ""
    "Dotted path for the sentence that says why there is no reply; the message then goes on. An error if empty."

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, what would be sent."""
        yield f"sends {self.method} to {self.url or f'the URL in `{self.url_field}` of a message'}"

    async def process(self, message: Message) -> Message:
        """Send the request a message stands for."""
        url, trusted = self._address(message)
        try:
            reply = await self._door.fetch(self._request(url, message), trusted=trusted)
            if self.on_status == "fail":
                check_status(reply)
            set_field(message, self.target_field, as_record(reply, self.read_as))
        except FetchError as error:
            if not self.error_field:
                raise
            set_field(message, self.error_field, str(error))
        return message

    def _request(self, url: str, message: Message) -> Request:
        body, kind = encode_body(need(message, self.body_field), self.body_as) if self.body_field else (self.body.encode(), "")
        headers = {"Content-Type": kind} if kind else {}
        return Request(url, self.method, merged(headers, self._public, self._secret), body or None)


class HttpGet(_FetchingByURL):
    """Fetch the text of a URL into a field of each message.

    Reads the URL at `urlField` unless `url` is set, and writes the text to `targetField`; its charset is that of the reply's
    headers, else UTF-8. A status of 400 or more is an error. For anything else than that, use HttpClient.

    ```turtle
    :page a :HttpGet ; :urlField "link.url" ; :targetField "page" .
    ```
    """

    target_field: str = "content"
    "Dotted path the text is written to."

    async def process(self, message: Message) -> Message:
        """Fetch."""
        url, trusted = self._address(message)
        reply = await self._door.fetch(Request(url, headers=merged(self._public, self._secret)), trusted=trusted)
        check_status(reply)
        set_field(message, self.target_field, reply.text())
        return message


def merged(*several: dict[str, str]) -> dict[str, str]:
    """Return headers in one, of which the later ones win; letter case makes no difference to a name."""
    return {name.lower(): value for headers in several for name, value in headers.items()}


def encode_body(value: Any, form: Literal["auto", "json", "form"]) -> tuple[bytes, str]:
    """Return a value as the body of a request, and the content type if the value's kind says it.

    Raises:
        RunError: a form of something that has no fields.

    """
    if form == "form":
        if not isinstance(value, dict):
            raise RunError(f"a form is made of an object with a text for each field, not of a {type(value).__name__}")
        return urlencode(value, doseq=True).encode(), _FORM
    if form == "auto" and isinstance(value, bytes):
        return value, ""
    if form == "auto" and isinstance(value, str):
        return value.encode(), "text/plain; charset=utf-8"
    return json.dumps(value, ensure_ascii=False).encode(), "application/json"


def as_record(reply: Reply, read_as: ReadAs = "auto") -> Message:
    """Return a reply as an object for a message."""
    return {
        "status": reply.status,
        "statusText": reply.reason,
        "contentType": reply.content_type,
        "headers": reply.headers,
        "data": _data(reply, read_as),
        "url": reply.url,
    }


def _data(reply: Reply, read_as: ReadAs) -> Any:
    if read_as == "auto":
        return read_as_typed(reply.headers.get("content-type", ""), reply.body, take_apart(reply.url).shown)
    if read_as == "json":
        return reply.json()
    return reply.text() if read_as == "text" else reply.body
