"""Files that runs name, sent whole or in ranges; how far each is can be followed as events of its run.

The run of a file's request lasts until the file is sent. Whoever knows its request id can follow it (`GET /runs/{id}/stream`),
and ends the sending with it. The message only names the file: it is looked for in one folder of the app and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import FileResponse, Response

from transmissions.fields import get_field

from .attended import Attended
from .errors import NotFound
from .extensions import cut_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Message as Sent
    from starlette.types import Receive, Scope, Send

    from transmissions.channel import Outlet
    from transmissions.message import Message
    from transmissions.running import Run

    from .connection import Pace
    from .live import LiveRun

_EVERY: Final = 0.25
"""Seconds between two words about how far it is."""


class Transfer:
    """A run that goes on, when its messages are through, until a file is sent. It tells how far that is; see `Run`."""

    def __init__(self, open_run: Callable[[], Run]) -> None:
        self.named: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        """The first message; none if there was none."""
        self.is_stopped = False
        self._open_run = open_run
        self._told: dict[str, Any] = {}
        self._is_over = False
        self._news = asyncio.Event()

    def open(self) -> Any:
        """Open the run, and return this in its place."""
        with self._naming():
            self._run = run = self._open_run()
        self.state, self.timeout, self.on, self.drain = run.state, run.timeout, run.on, run.drain
        return self

    async def into(self, out: Outlet) -> None:
        """Work until the file is sent, and tell `out` how far it is."""
        with self._naming():
            async with self._run:
                async for message in self._run:
                    self._name(message)
        self._name(None)
        while self._told or not (self._is_over or self.is_stopped):
            await self._news.wait()
            self._news.clear()
            told, self._told = self._told, {}
            if told:
                await out.put_many([{"event": "progress", **told}])

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._name(None)
            raise

    def _name(self, message: Message | None) -> None:
        if not self.named.done():
            self.named.set_result(message)

    def stop(self) -> None:
        """Send no more."""
        self.is_stopped = True
        self._news.set()
        self._run.stop()

    def tell(self, **fields: Any) -> None:
        """Say how far it is."""
        self._told = fields
        self._news.set()

    def end(self) -> None:
        """Say that the file is sent, or that nobody takes it any more."""
        self._is_over = True
        self._news.set()


def find(folder: Path, message: Message | None, field: str) -> Path:
    """Return the file that a message names, in a folder.

    Raises:
        NotFound: there is none of that name, or it is elsewhere.

    """
    name = get_field(message or {}, field)
    if not isinstance(name, str) or not name:
        raise NotFound("there is no such file")
    root = folder.resolve()
    with contextlib.suppress(OSError, ValueError):  # No file can have such a name.
        path = Path(root, name).resolve()
        if path.is_relative_to(root) and path.is_file():
            return path
    raise NotFound("there is no such file")


class Download:
    """The answer with a file."""

    def __init__(self, path: Path, live: LiveRun, transfer: Transfer, pace: Pace) -> None:
        self._live = live
        self._transfer = transfer
        self._pace = pace
        self._path = path
        self._is_ended = False
        self._left = self._sent = self._told = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until it is sent or somebody ends it."""
        headers = {"Cache-Control": "no-cache", "X-Request-ID": self._live.name, "X-Content-Type-Options": "nosniff"}
        answer = FileResponse(
            self._path, 200, headers, "application/octet-stream", filename=self._path.name, stat_result=self._path.stat()
        )
        wanted = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
        if wanted and answer.headers["etag"] in wanted.split(", "):
            self._end()
            await Response(status_code=304, headers={**headers, "ETag": answer.headers["etag"]})(scope, receive, send)
            return

        async def watch(message: Sent) -> None:
            async with asyncio.timeout(self._pace.send):
                await self._pass(message, send)

        try:
            async with Attended(scope, receive):
                await answer(scope, receive, watch)
        except (TimeoutError, _Ended):
            cut_off(scope)
        finally:
            self._end()

    def _end(self) -> None:
        self._transfer.end()
        self._live.detach(self)
        if not self._is_ended and self._left:
            self._live.cancel()

    async def _pass(self, message: Sent, send: Send) -> None:
        if self._transfer.is_stopped:
            raise _Ended
        if not self._live.is_attached:
            self._live.attach(self)  # or the run would be ended as one that nobody came for
        if message["type"] == "http.response.start":
            self._left = self._size = int(dict(message["headers"])[b"content-length"])
            await send(message)
        elif not self._is_ended:
            # A file that grows meanwhile is sent as long as it was.
            body = message.get("body", b"")[: int(self._left)]
            self._left -= len(body)
            self._is_ended = not message.get("more_body") or not self._left
            await send({"type": "http.response.body", "body": body, "more_body": not self._is_ended})
            self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        if self._is_ended or now - self._told >= _EVERY:
            self._told = now
            sent = int(self._size - self._left)
            self._transfer.tell(file=self._path.name, bytes_sent=sent, bytes_total=int(self._size))


class _Ended(Exception):
    """Somebody ended the run."""
