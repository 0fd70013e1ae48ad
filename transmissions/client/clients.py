"""A client of one server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

from .errors import StreamError
from .handlers import Handlers
from .options import PROTOCOLS, Options
from .stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import aiohttp

    from .events import Summary
    from .transports import Asked, Http, WebSocket


class StreamClient:
    """Begins runs at a server, follows them, and does things to them. Further arguments are fields of `Options`."""

    def __init__(self, base_url: str = "http://localhost:8080", **options: Any) -> None:
        self.base_url = _checked(base_url)
        self.options = Options(**options)
        if self.options.protocol not in PROTOCOLS:
            raise ValueError(f"there is no protocol '{self.options.protocol}'; there are {', '.join(PROTOCOLS)}")
        self.handlers = Handlers()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def register_handler(self, event: str, handler: Callable[[Any], object]) -> None:
        """Have a function called with each event of a name; `*` is any other, `alert` what there is to worry about."""
        self.handlers.register(event, handler)

    def stream(self, app: str, message: Mapping[str, Any] | None = None, *, session_id: str = "", key: str = "") -> Stream:
        """Begin a run of an app when the first event is read. Whoever asks with the same key means the same run."""
        return self.stream_at(f"/apps/{quote(app, safe='')}", message, session_id=session_id, key=key)

    def stream_at(self, path: str, message: Mapping[str, Any] | None = None, *, session_id: str = "", key: str = "") -> Stream:
        """Begin a run at an endpoint: what has `/stream`, `/sse` and `/ws` below it."""
        name = uuid.uuid4().hex

        def transport() -> Http | WebSocket:
            from .transports import Asked

            return self._transport(path, Asked(message or {}, name, session_id or f"session-{name}", key or name))

        return Stream(transport, self.options, self.handlers, self.control)

    def crawl(
        self,
        urls: Iterable[str],
        options: Mapping[str, Any] | None = None,
        *,
        path: str = "/crawl",
        session_id: str = "",
        key: str = "",
    ) -> Stream:
        """Fetch pages: for each URL there is one `Result`, with its `page`, or one `Failure`, as soon as that is known."""
        message = {"urls": list(urls), "options": dict(options or {})}
        return self.stream_at(path, message, session_id=session_id, key=key)

    def deep_search(
        self,
        query: str,
        options: Mapping[str, Any] | None = None,
        *,
        path: str = "/deepsearch",
        session_id: str = "",
        key: str = "",
    ) -> Stream:
        """Search the web, and fetch what is found: `SearchResults`, a `SearchResult` for each page, and a `SearchSummary`.

        Options are `limit`, `include_content`, and those of the crawl in `crawl_options`.
        """
        return self.stream_at(path, {**(options or {}), "query": query}, session_id=session_id, key=key)

    def follow(self, request_id: str, since: int = 0) -> Stream:
        """Follow a run that was begun before, from behind the event of a number. Not over a WebSocket."""

        def transport() -> Http | WebSocket:
            from .transports import Asked

            http = self._transport("", Asked({}, request_id, "", ""), is_begun=True)
            http.has_begun = True
            return http

        return Stream(transport, self.options, self.handlers, self.control, since)

    async def run(self, app: str, message: Mapping[str, Any] | None = None) -> Summary | None:
        """Run an app to its end, calling the handlers, and return the summary."""
        async with self.stream(app, message) as stream:
            return await stream.run()

    async def control(self, request_id: str, action: str) -> dict[str, Any]:
        """Pause, resume or cancel a run, and return its state."""
        return await self._ask("POST", f"/runs/{quote(request_id, safe='')}/{action}")

    async def status(self, request_id: str) -> dict[str, Any]:
        """Return the state of a run."""
        return await self._ask("GET", f"/runs/{quote(request_id, safe='')}")

    async def runs(self) -> list[dict[str, Any]]:
        """Return the states of this client's runs."""
        return await self._list("runs")

    async def apps(self) -> list[dict[str, Any]]:
        """Return the apps that are served, each with `name` and `about`."""
        return await self._list("apps")

    async def _list(self, name: str) -> list[dict[str, Any]]:
        listed = (await self._ask("GET", f"/{name}")).get(name)
        if not isinstance(listed, list):
            raise StreamError(f"the server answered with no list of {name}")
        return listed

    async def _ask(self, method: str, path: str) -> dict[str, Any]:
        from .answers import ask

        return await ask(self._connections(), method, self.base_url + path, self.options)

    def _transport(self, path: str, asked: Asked, *, is_begun: bool = False) -> Http | WebSocket:
        from .transports import Endpoint, Http, WebSocket

        kind = WebSocket if self.options.protocol == "websocket" and not is_begun else Http
        return kind(self._connections(), Endpoint(self.base_url, path), asked, self.options)

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            from transmissions.extras import require

            require("client", "a client of streams")
            from .transports import new_session

            self._session = new_session(self.options)
        return self._session


def _checked(base_url: str) -> str:
    """Return where a server is, without a slash at the end.

    Raises:
        ValueError: it is no URL of one.

    """
    parts = urlsplit(base_url)
    if "@" in parts.netloc:
        raise ValueError(f"the URL of '{parts.hostname}' has a name and a password in it: a server is told who asks by `token`")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(f"'{base_url}' is no URL of a server: it begins with http:// or https://")
    if parts.query or parts.fragment:
        raise ValueError(f"'{base_url}' is no URL of a server: it ends with its path")
    return base_url.rstrip("/")
