"""Apps as tools of the Model Context Protocol, on standard input and output.

How it behaves. Code that differs from this is a bug.

*A call is a run*, as a request of the HTTP API is one (see `api`): it fills in the arguments the app declares and further
fields of the first message, never a setting, and has an output folder of its own below `APP-output`.

*A result* is an object, as structured content and as JSON in a text: `messages` are the final messages, `output` is text that
was printed, `warnings` has the numbers of dead letters and skipped input. Whatever goes wrong with a run or with its arguments
is a result that says it is an error. Calls run at once; those beyond the limit stand in line.

*The end* is that of standard input: the client has gone, and runs at work are cancelled. At the first signal nothing more is
read, and runs at work may finish; the second ends the process. Nothing else than the protocol gets to standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, cast

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from . import __version__, signals
from .about import first_paragraph
from .api_replies import Refusal, new_id
from .api_runs import AtWork, Limits, Served, answer
from .closed_streams import cannot_read_input
from .near import suggestion
from .supervisor import Raised, attempt_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import anyio

    from .message import Message
    from .plan import Argument

_LOG = logging.getLogger(__name__)
_MESSAGE: Final = "message"
_PIECE: Final = 1 << 16
_HALF: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}")
"""Half a character, as an answer has it; the protocol has no words for it."""
_RESULT: Final = {
    "type": "object",
    "properties": {
        "messages": {"type": "array", "items": {"type": "object"}},
        "output": {"type": "string"},
        "warnings": {"type": "object"},
    },
    "required": ["messages"],
}


class AppTools:
    """The apps that can be called, and the calls at work."""

    def __init__(self, served: Sequence[Served], limits: Limits) -> None:
        self._served = {_tool_name(one.name): one for one in served}
        self._limits = limits
        self._line = asyncio.Semaphore(limits.concurrent)
        self._at_work: AtWork = set()
        self._calls = 0
        self._is_stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def kill(self) -> None:
        """End the processes of all runs at once. May be called from any thread."""
        for run in tuple(self._at_work):
            run.state.kill()

    async def serve(self) -> int:
        """Serve until the client goes or a signal comes, and return the exit code.

        Raises:
            UsageError: standard input is nothing a client could write to.

        """
        _refuse_closed_input()
        loop = asyncio.get_running_loop()
        with signals.watched(lambda: loop.call_soon_threadsafe(self._is_stopping.set), self.kill) as stop:
            server = Server("transmissions", version=__version__, on_list_tools=self._list, on_call_tool=self._call)
            stdin = cast("anyio.AsyncFile[str]", self._lines())
            async with stdio_server(stdin=stdin) as (reading, writing):
                with contextlib.redirect_stdout(sys.stderr):  # What is printed may be written when nothing diverts it any more.
                    await server.run(reading, writing, server.create_initialization_options())
        return stop.exit_code

    async def _lines(self) -> AsyncIterator[str]:
        """Yield what the client writes, until it goes; after a signal wait for the calls at work instead."""
        lines: asyncio.Queue[str | None] = asyncio.Queue(1)
        place = (_taken_input(), lines, asyncio.get_running_loop())
        threading.Thread(target=_read, args=place, name="stdin", daemon=True).start()
        stopping = asyncio.create_task(self._is_stopping.wait())
        while not self._is_stopping.is_set():
            coming = asyncio.create_task(lines.get())
            await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            line = coming.result() if coming.done() else None
            if line is None:
                coming.cancel()
                break
            yield line
        stopping.cancel()
        if self._is_stopping.is_set():
            await self._idle.wait()

    async def _list(self, _: Any, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_tool(name, one) for name, one in self._served.items()])

    async def _call(self, _: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        served = self._served.get(params.name)
        if served is None:
            return _failed(f"there is no tool '{params.name}'{suggestion(params.name, self._served)}")
        request_id = new_id()
        body = await attempt_async(self._run(served, params.arguments or {}, request_id))
        if not isinstance(body, Raised):
            return _succeeded(json.loads(_HALF.sub(rb"\1\\ufffd", body)))
        refusal = body.error if isinstance(body.error, Refusal) else Refusal(500, "a fault of the server; its log says more")
        fault = None if refusal is body.error else body.error
        _LOG.warning("call of %s, %s: %s", served.name, request_id, refusal, exc_info=fault)
        node = refusal.fields.get("node")
        return _failed(f"{node}: {refusal}" if node else str(refusal))

    async def _run(self, served: Served, given: dict[str, Any], request_id: str) -> bytes:
        self._calls += 1
        self._idle.clear()
        try:
            message = _message(served, given)
            async with self._line:
                return await answer(served, message, request_id, self._limits, self._at_work)
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()


def _refuse_closed_input() -> None:
    try:
        os.read(0, 0)
    except OSError as error:
        raise cannot_read_input(error) from error


def _taken_input() -> int:
    """Return a descriptor of standard input, which nothing else can read from any more."""
    taken, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return taken


def _read(descriptor: int, lines: asyncio.Queue[str | None], loop: asyncio.AbstractEventLoop) -> None:
    """Put the lines of standard input into a queue, as it takes them; a thread of its own, as a read cannot be broken off."""
    rest = b""
    with contextlib.suppress(OSError):  # A terminal that is closed is the end, too.
        while data := os.read(descriptor, _PIECE):
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                asyncio.run_coroutine_threadsafe(lines.put(line.decode(errors="replace")), loop).result()
    asyncio.run_coroutine_threadsafe(lines.put(None), loop)


def _tool_name(name: str) -> str:
    """Return the name of an app in the letters the protocol has for names."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:128]


def _tool(name: str, served: Served) -> types.Tool:
    arguments = _offered(served)
    properties: dict[str, Any] = {argument.name: _property(argument) for argument in arguments}
    about = {"type": "object", "description": "Further fields of the first message."}
    return types.Tool(
        name=name,
        description=first_paragraph(served.app) or f"Run the app {served.name}.",
        input_schema={
            "type": "object",
            "properties": {_MESSAGE: about, **properties},
            "required": [argument.name for argument in arguments if argument.required],
            "additionalProperties": False,
        },
        output_schema=_RESULT,
    )


def _offered(served: Served) -> list[Argument]:
    """Return the arguments of an app that a client may give: a command is not one of them."""
    return [argument for argument in served.plan.arguments if argument.kind != "Command"]


def _property(argument: Argument) -> dict[str, Any]:
    kind = {"Path": "A path within the folders of the app.", "URL": "A URL."}.get(argument.kind, "")
    about = " ".join(part for part in (argument.help, kind) if part)
    default = {"default": argument.default} if argument.default is not None else {}
    words = {"type": "array", "items": {"type": "string"}} if argument.together else {"type": "string", **default}
    return {**words, **({"description": about} if about else {})}


def _message(served: Served, given: dict[str, Any]) -> Message:
    """Return the first message for the arguments of a call.

    Raises:
        Refusal: they are not what the app takes.

    """
    fields: dict[str, str] = {argument.name: argument.field for argument in _offered(served)}
    unknown = next((name for name in given if name not in {_MESSAGE, *fields}), None)
    if unknown is not None:
        raise Refusal(400, f"{served.name} takes no argument '{unknown}'{suggestion(unknown, [_MESSAGE, *fields])}")
    for one in (one for one in _offered(served) if one.name in given):
        texts = given[one.name] if one.together else [given[one.name]]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise Refusal(400, f"the argument '{one.name}' must be a {'list of texts' if one.together else 'text'}")
    message = {} if _MESSAGE in fields else given.get(_MESSAGE, {})
    if not isinstance(message, dict):
        raise Refusal(400, f"the argument '{_MESSAGE}' must be an object")
    return {**message, **{field: given[name] for name, field in fields.items() if name in given}}


def _succeeded(reply: dict[str, Any]) -> types.CallToolResult:
    messages: list[Message] = [one for one in (reply["data"], *reply.get("rest", ())) if one is not None]
    result: dict[str, Any] = {"messages": messages, **{name: reply[name] for name in ("output", "warnings") if name in reply}}
    text = types.TextContent(text=json.dumps(result, ensure_ascii=False))
    return types.CallToolResult(content=[text], structured_content=result)


def _failed(sentence: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=sentence)], is_error=True)
