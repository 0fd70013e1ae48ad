"""Requests from the network as messages: HttpServer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transmissions import Pattern, Protected, Range, RunError, Secret, Source, Unit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from transmissions import Message

    from .http_inbox import Rules


class HttpServer(Source):
    """Listen for HTTP requests, and send a message for each; serve files besides.

    Every message is a copy of the incoming one with `http`, an object of `method`, `path` (below `basePath`), `query` (texts
    by name, a list where a name comes twice), `headers` (names in lower case) and `body`: parsed if it is JSON, an object of
    texts if it is a form, text if it is text, else bytes. A request is answered 202 when its message is on its way, and 503
    when that takes longer than `timeout`, when too many are waiting, or when the run is being ended. A GET for a file below
    `staticPath` is answered with that file instead, and makes no message.

    It listens until the run is ended, on this machine only unless `host` says otherwise. Pages of other origins are refused
    unless `cors` names them, and so are clients that call this server by a foreign name, and those without `token` if
    there is one.

    ```turtle
    :inbox a :HttpServer ; :port 4000 ; :basePath "/hooks" ; :staticPath "public" .
    ```
    """

    extra = "server"

    port: Annotated[int, Range(ge=0, le=65535), Protected()] = 4000
    "The port; 0 takes a free one, which the log and the event `listening` tell."
    host: Annotated[str, Protected()] = "127.0.0.1"
    "The address it listens at, or a name for it; `0.0.0.0` lets other machines in."
    names: Annotated[tuple[str, ...], Protected()] = ()
    "Names clients may call this server by, besides `localhost`, `host` and addresses."
    base_path: Annotated[str, Pattern("/.*")] = "/"
    "The path below which requests are taken; others are answered 404."
    static_path: Annotated[str, Protected()] = ""
    "A folder, found as an input file is, whose files are served below `basePath`; names that begin with a dot are not."
    cors: Annotated[tuple[str, ...], Protected()] = ()
    "Origins whose pages may send requests, as `https://example.org`, or `*` for any."
    token: Annotated[Secret | None, Protected()] = None
    'What clients have to send as `Authorization: Bearer …`: `[ :env "NAME" ]`.'
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 30_000
    "How long a client may take to send its request, and a message to get on its way."
    max_request_size: Annotated[int, Range(ge=0), Unit("bytes")] = 2**20
    "How large the body of a request may be."

    async def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield a message for each request."""
        from .http_inbox import Inbox
        from .http_listener import listening

        inbox = Inbox(self._rules())
        async with listening(inbox, self.host, self.port) as url:
            self.context.log.info("listening at %s", url)
            self.context.emit("listening", url=url)
            while arrived := await inbox.next():
                yield {**message, "http": arrived.record}

    def _rules(self) -> Rules:
        from .http_inbox import Rules

        root = self._root() if self.static_path else None
        token = self.token.reveal() if self.token else ""
        names = {"localhost", self.host.lower(), *map(str.lower, self.names)}
        base = self.base_path.rstrip("/")
        return Rules(base, root, frozenset(names), frozenset(self.cors), token, self.timeout / 1000, self.max_request_size)

    def _root(self) -> Path:
        root: Path = self.context.input_path(self.static_path)
        if not root.is_dir():
            raise RunError(f"no folder '{self.static_path}' to serve files from: it would be {root}")
        return root.resolve()
