"""Tools of other programs: McpClient speaks the Model Context Protocol."""

from __future__ import annotations

import asyncio
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from transmissions import (
    MISSING,
    Processor,
    Protected,
    Range,
    Record,
    RunError,
    Unit,
    UsageError,
    as_text,
    get_field,
    set_field,
    suggestion,
)
from transmissions.streaming import ExecutionContext

from .access import keep_secret, need, need_text
from .command_settings import Variable  # noqa: TC001 - a setting's type
from .egress import take_apart
from .fetching import SecretHeader, check_url
from .fetching import _header as split_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transmissions import Message

    from .mcp_session import Session

_MOST_PAGES: Final = 1000
"""Pages of a list that are asked for: some servers would never come to an end."""


class Argument(Record):
    """An argument of a tool or a prompt: `[ :name "query" ; :field "content" ]`, or with a value of its own."""

    name: str
    "Its name."
    field: str = ""
    "Dotted path of its value; where a message has none, the argument is left out."
    value: Any = None
    "Its value, for every message."


class McpClient(Processor):
    """Call a tool of a server of the Model Context Protocol (MCP) for each message.

    The server is a program, started once with `command` and ended with the run, or stands behind HTTP at `url`. With
    `:action "call"` its `tool` is called with `arguments` and with the object at `argumentsField`, if they are set; both are
    checked against what the server says the tool takes, but for patterns. What it gives goes to `outputField`: what is
    structured, else the text, else a list of parts, in which images and sounds are `data` in base64. A tool's error is an
    error of the message.

    Other actions write a list of what the server has (`list-tools`, `list-resources`, `list-prompts`), a resource's text, or
    the `messages` of a `prompt`. What a server asks of its client (to sample a model, to ask the user) is refused. The
    program gets few variables of the environment (PATH, HOME, …) beside those of `env`.

    ```turtle
    :files a :McpClient ; :command ( "mcp-server-files" "--root" "notes" ) ; :tool "search" ;
        :arguments [ :name "query" ; :field "content" ] , [ :name "limit" ; :value 5 ] ; :outputField "found" .
    :far a :McpClient ; :url "https://tools.example.org/mcp" ; :action "list-tools" ;
        :secretHeaders [ :name "Authorization" ; :prefix "Bearer " ; :value [ :env "TOOLS_TOKEN" ] ] .
    ```
    """

    extra = "mcp"

    command: Annotated[tuple[str, ...], Protected()] = ()
    "The program that is the server, and its arguments, one text each, as a list `( … )`."
    env: Annotated[tuple[Variable, ...], Protected()] = ()
    "Variables of its environment."
    grace: Annotated[int, Range(ge=0), Unit("ms")] = 2000
    "How long the program may take to go when the run is over."
    url: Annotated[str, Protected()] = ""
    "Where the server is, instead. As it is yours, it may be in a private network."
    headers: Annotated[tuple[str, ...], Protected()] = ()
    "Headers of every request, as `Name: value`."
    secret_headers: Annotated[tuple[SecretHeader, ...], Protected()] = ()
    "Headers whose values are secret."
    action: Annotated[
        Literal["call", "list-tools", "list-resources", "list-prompts", "read-resource", "get-prompt"], Protected()
    ] = "call"
    "What is asked of the server."
    tool: Annotated[str, Protected()] = ""
    "The tool that is called."
    prompt: Annotated[str, Protected()] = ""
    "The prompt that is got."
    uri: Annotated[str, Protected()] = ""
    "The resource that is read."
    uri_field: Annotated[str, Protected()] = ""
    "Dotted path of the resource's URI, instead. What it may be is for the server to say."
    arguments: tuple[Argument, ...] = ()
    "Arguments of the tool or the prompt."
    arguments_field: str = ""
    "Dotted path of an object that holds more of them; `arguments` win over it."
    output_field: str = "content"
    "Dotted path the result is written to."
    read_as: Literal["auto", "text", "structured", "whole"] = "auto"
    "What is taken of a tool's result; `whole` is an object of `text`, `structured` and `content`, the parts."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 60_000
    "How long the server may take to begin, and for each answer."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 16 * 2**20
    "How large an answer may be."
    _session: Session
    _check: Callable[[dict[str, Any]], None]

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if bool(self.command) == bool(self.url):
            raise UsageError("McpClient needs either :command or :url")
        if self.url:
            check_url("url", self.url)
        needed = {"call": self.tool, "get-prompt": self.prompt, "read-resource": self.uri or self.uri_field}
        if not needed.get(self.action, "-"):
            term = {"call": ":tool", "get-prompt": ":prompt", "read-resource": ":uri or :uriField"}[self.action]
            raise UsageError(f'McpClient with :action "{self.action}" needs {term}')
        self._headers = dict(map(split_header, self.headers))
        self._headers |= {one.name: one.prefix + one.value.reveal() for one in self.secret_headers}

    async def __aenter__(self) -> Self:
        for secret in (*(one.value for one in self.secret_headers), *(one.secret for one in self.env if one.secret)):
            keep_secret(self.context, secret.reveal())
        session = await asyncio.to_thread(self._open)  # Importing the library takes a second.
        self._session = await session.__aenter__()
        if self.action == "call":
            try:
                await self._find_tool()
            except BaseException:
                await self._session.__aexit__()
                raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.__aexit__(*exc)

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, what would be asked of whom."""
        what = f"calls the tool {self.tool}" if self.action == "call" else f"asks for {self.action}"
        yield f"{what} of {take_apart(self.url).shown if self.url else ' '.join(self.command)}"

    async def process(self, message: Message) -> Message:
        """Ask once."""
        ask = {"call": self._call, "read-resource": self._read, "get-prompt": self._prompt}.get(self.action, self._list)
        set_field(message, self.output_field, await ask(message))
        return message

    def _open(self) -> Session:
        from .mcp_session import ProgramSession, WebSession

        timeout = self.timeout / 1000
        if self.url:
            return WebSession(self.url, take_apart(self.url).shown, self._headers, self.max_bytes, timeout)
        from mcp.client.stdio import get_default_environment

        variables = {one.name: one.secret.reveal() if one.secret else one.value for one in self.env}
        folders = self.context.folders
        context = ExecutionContext(
            env_vars={**get_default_environment(), **variables},
            clear_env=True,
            working_directory=folders.data if folders.data.is_dir() else folders.app,
            stdin="",
            grace=self.grace / 1000,
        )
        return ProgramSession(self.command, context, self.max_bytes, timeout)

    async def _find_tool(self) -> None:
        from .mcp_results import checker_of

        tools = {tool.name: tool for tool in await self._listed("tools")}
        if self.tool not in tools:
            raise RunError(f"the server has no tool '{self.tool}'{suggestion(self.tool, tools)}")
        self._check = checker_of(tools[self.tool])

    async def _listed(self, what: str) -> list[Any]:
        """Return all pages of a list."""
        found: list[Any] = []
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            page = await self._session.ask(methodcaller(f"list_{what}", cursor=cursor))
            found += getattr(page, what)
            cursor = page.next_cursor
            if cursor is None:
                return found
            if cursor in seen:
                raise RunError(f"the server's list of {what} comes back to a page it has been at")
            seen.add(cursor)
        raise RunError(f"the server's list of {what} has more than {_MOST_PAGES} pages")

    def _given(self, message: Message) -> dict[str, Any]:
        given = need(message, self.arguments_field) if self.arguments_field else {}
        if not isinstance(given, dict):
            raise RunError(f"the field '{self.arguments_field}' is not an object of arguments but a {type(given).__name__}")
        own = {one.name: get_field(message, one.field, MISSING) if one.field else one.value for one in self.arguments}
        return {**given, **{name: value for name, value in own.items() if value is not MISSING}}

    async def _call(self, message: Message) -> Any:
        from .mcp_results import read_tool

        given = self._given(message)
        self._check(given)
        result = await self._session.ask(lambda client: client.call_tool(self.tool, given))
        return read_tool(result, self.tool, self.read_as)

    async def _list(self, message: Message) -> Any:
        from .mcp_results import plain_all

        return plain_all(await self._listed(self.action.removeprefix("list-")))

    async def _read(self, message: Message) -> Any:
        from .mcp_results import read_resource

        uri = self.uri or need_text(message, self.uri_field)
        return read_resource(await self._session.ask(lambda client: client.read_resource(uri)))

    async def _prompt(self, message: Message) -> Any:
        from .mcp_results import plain

        given = {name: as_text(value) for name, value in self._given(message).items()}
        return plain(await self._session.ask(lambda client: client.get_prompt(self.prompt, given)))["messages"]
