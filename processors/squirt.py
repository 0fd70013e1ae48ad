"""Bookmarks that are sent in to be read: SquirtReceiver."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Annotated

from transmissions import Protected, get_field

from .access import need_text
from .fetch import Door, FetchError, Request
from .fetching import _Fetching, check_status

if TYPE_CHECKING:
    from transmissions import Message

    from .fetch import Reply


class SquirtReceiver(_Fetching):
    """Fetch the page of a bookmark, and say whether that went well.

    Reads `url` and `title` of the message. Writes `processedUrl` (where the page was in the end), `content` (its text),
    `title` if there was none, and `success`. A page that cannot be fetched is no error, as whoever sent the bookmark waits
    for an answer: `success` is then false, and `error` says why. As the URL comes with the data, it may lead to public
    addresses only.

    ```turtle
    :receive a :SquirtReceiver ; :me "https://example.org/people#me" .
    ```
    """

    me: str = ""
    "Who the bookmarks are from; written to `creator`."
    app_name: str = ""
    "Which app they are for; written to `appName`."
    allow: Annotated[tuple[str, ...], Protected()] = ()
    "Hosts, addresses and networks that bookmarks may lead to as well."

    def _open(self) -> Door:
        return Door(timeout=self.timeout / 1000, max_bytes=self.max_bytes, allow=self.allow)

    async def process(self, message: Message) -> Message:
        """Fetch one bookmark."""
        request = Request(need_text(message, "url"))
        message |= {name: value for name, value in {"creator": self.me, "appName": self.app_name}.items() if value}
        try:
            reply = await self._door.fetch(request, trusted=False)
            check_status(reply)
        except FetchError as error:
            message |= {"success": False, "error": str(error)}
            return message
        title = get_field(message, "title") or _title_of(reply)
        message |= {"processedUrl": reply.url, "title": title, "content": reply.text(), "success": True}
        return message


def _title_of(reply: Reply) -> str:
    found = re.search(r"<title[^>]*>([^<]*)</title", reply.text()[:65536], re.IGNORECASE)
    return " ".join(html.unescape(found[1]).split()) if found else reply.url
