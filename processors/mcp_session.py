"""A session with a server of the Model Context Protocol, in a task of its own."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from mcp import Client, MCPError, types
from mcp.client.streamable_http import streamable_http_client
from pydantic import ValidationError

from transmissions import RunError, __version__
from transmissions.streaming import CommandError, Dialogue

from .llm_model import beginning
from .mcp_stdio import connected
from .sdk_connections import open_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    import httpx2

    from transmissions.streaming import ExecutionContext


class Session(ABC):
    """A connection to a server, as an async context manager; `where` is the server for people."""

    def __init__(self, where: str, timeout: float) -> None:
        self._where = where
        self._timeout = timeout

    @abstractmethod
    def _transport(self) -> AbstractAsyncContextManager[Any]: ...

    @abstractmethod
    def _complaints(self) -> Iterator[str]:
        """Yield what else is known of a server that is in trouble."""

    async def __aenter__(self) -> Self:
        logging.getLogger("mcp").addHandler(logging.NullHandler())  # What it finds wrong is told as an error.
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        # The library's scopes must be entered and left by one task, which need not be the one that opens this.
        self._task = asyncio.create_task(self._live())
        try:
            waited: set[asyncio.Future[Any]] = {self._task, self._ready}
            await asyncio.wait(waited, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not self._ready.done():
                await self._break_off()
        if not self._ready.done():
            error = None if self._task.cancelled() else self._task.exception()
            raise self._fault(error or TimeoutError("no session began in time")) from error
        self._client = self._ready.result()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._over.set()
        try:
            await asyncio.wait({self._task})
        finally:
            await self._break_off()

    async def ask(self, question: Callable[[Client], Awaitable[Any]]) -> Any:
        """Return what the server answers.

        Raises:
            RunError: it says that something is wrong, or what it answers is.

        """
        try:
            return await question(self._client)
        except (MCPError, ValidationError, RuntimeError) as error:  # the last is what results that break their schema are
            raise self._fault(error) from error

    async def _live(self) -> None:
        about = types.Implementation(name="transmissions", version=__version__)
        async with Client(self._transport(), read_timeout_seconds=self._timeout, client_info=about, cache=None) as client:
            self._ready.set_result(client)
            await self._over.wait()

    async def _break_off(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _fault(self, error: BaseException) -> RunError:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, CommandError):
            return error
        said = beginning(_broken(error) if isinstance(error, ValidationError) else str(error) or type(error).__name__)
        return RunError("; ".join([f"{self._where}: {said[:1].lower()}{said[1:]}", *self._complaints()]))


class ProgramSession(Session):
    """With a program."""

    def __init__(self, command: Sequence[str], context: ExecutionContext, longest: int, timeout: float) -> None:
        super().__init__(f"the server '{command[0]}'", timeout)
        self._dialogue = Dialogue(command, context, longest)
        self._longest = longest
        self._odd = ""
        """The first line that was no message."""

    def _transport(self) -> AbstractAsyncContextManager[Any]:
        return connected(self._dialogue, self._note)

    def _note(self, line: bytes) -> None:
        self._odd = self._odd or beginning(line.decode("utf-8", "replace"))

    def _complaints(self) -> Iterator[str]:
        if self._dialogue.is_broken:
            yield f"it wrote a line of more than {self._longest} bytes"
        if self._odd:
            yield f"it wrote what is no message: {self._odd}"
        for line in self._dialogue.complaints.strip().splitlines()[-1:]:
            yield f"it said: {beginning(line)}"


class WebSession(Session):
    """With a server behind HTTP."""

    def __init__(self, url: str, where: str, headers: Mapping[str, str], longest: int, timeout: float) -> None:
        super().__init__(where, timeout)
        self._url = url
        self._headers = headers
        self._longest = longest
        self._status = ""

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[Any]:
        async with (
            open_client(self._timeout, self._longest, self._headers, trim=False) as client,
            streamable_http_client(self._url, http_client=client, max_sse_event_size=self._longest) as streams,
        ):
            client.event_hooks = {"response": [self._notice]}
            yield streams

    async def _notice(self, response: httpx2.Response) -> None:
        self._status = f"{response.status_code} {response.reason_phrase}" if response.is_error else ""

    def _complaints(self) -> Iterator[str]:
        if self._status:
            yield f"it answered {self._status}"


def _broken(error: ValidationError) -> str:
    """Say where an answer breaks the protocol first: the library would tell of each kind of thing it might have been."""
    first = error.errors(include_url=False)[0]
    return f"its answer is none the protocol knows: {'.'.join(map(str, first['loc']))}: {first['msg'].lower()}"
