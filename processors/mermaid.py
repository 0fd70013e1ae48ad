"""Diagrams from text: MermaidRenderer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from transmissions import Processor, Protected, Range, RunError, Unit, UsageError, set_field

from .fetch import Door, Request
from .fetching import check_library
from .markdown_parser import commonmark
from .markup_text import need_markup

if TYPE_CHECKING:
    from markdown_it.token import Token

    from transmissions import Message

_FENCES: Final = ("```mermaid", "~~~mermaid")
_SHOWN: Final = 200
_NO_QUOTE: Final = re.compile(r"[^>\s]")


class MermaidRenderer(Processor):
    """Draw Mermaid diagrams as SVG, by a Kroki server or by a program of this machine.

    Reads `sourceField`: a diagram, or Markdown with diagrams in code blocks marked `mermaid`. Writes the SVG, or the Markdown
    with each block replaced by its SVG in a line of HTML, to `destinationField`. `server` or `command` says who draws:
    a server gets the diagram as the body of a POST to its `/mermaid/svg`; a program gets it on its standard input and writes
    the SVG to its standard output. What takes longer than `timeout` is ended, with all it started, and is an error, as is a
    diagram that cannot be drawn. Where neither is set, messages go on as they are, and a warning says so.

    ```turtle
    :draw a :MermaidRenderer ; :sourceField "content" ; :server "https://kroki.example.org" .
    :here a :MermaidRenderer ; :command ( "mmdc" "--input" "-" "--output" "-" "--outputFormat" "svg" ) .
    ```
    """

    extra = "html"

    source_field: str = "content"
    "Dotted path of the diagram or the Markdown."
    destination_field: str = "svg"
    "Dotted path the SVG or the Markdown is written to."
    source: Literal["auto", "diagram", "markdown"] = "auto"
    "What the text is; `auto` takes it for Markdown if a code block in it is marked `mermaid`."
    server: Annotated[str, Protected()] = ""
    "The address of a server that speaks as Kroki does; needs the extra `http`."
    command: Annotated[tuple[str, ...], Protected()] = ()
    "The program and its arguments, run as they are and never by a shell."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 30_000
    "How long one diagram may take."
    max_size: Annotated[int, Range(ge=1), Unit("bytes")] = 16 * 2**20
    "How large an SVG may be."

    def __post_init__(self) -> None:
        """Refuse what says two to draw."""
        if self.server and self.command:
            raise UsageError("a MermaidRenderer has either a :server or a :command to draw with, not both")
        if self.server and not self.server.startswith(("http://", "https://")):
            raise UsageError(f"the :server '{self.server}' is no address of the web")
        if self.server:
            check_library("a MermaidRenderer with a :server")
        self._parser = commonmark()
        self._door: Door | None = None

    async def __aenter__(self) -> Self:
        """Open the door, if a server draws."""
        if self.server:
            self._door = await Door(timeout=self.timeout / 1000, max_bytes=self.max_size).__aenter__()
        elif not self.command:
            self.context.log.warning("nothing is drawn: set :server, a Kroki server's address, or :command, such as mmdc's")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close it."""
        if self._door:
            await self._door.__aexit__(*exc)

    async def process(self, message: Message) -> Message:
        """Draw what is there to be drawn, if there is somebody to do it."""
        if not (self.server or self.command):
            return message
        text = need_markup(message, self.source_field)
        is_markdown = self.source == "markdown" or (self.source == "auto" and any(fence in text for fence in _FENCES))
        drawn = await (self._in_markdown(text) if is_markdown else self._draw(text, f"the field '{self.source_field}'"))
        set_field(message, self.destination_field, drawn)
        return message

    async def _in_markdown(self, text: str) -> str:
        lines = text.splitlines(keepends=True)
        blocks = [token for token in self._parser.parse(text) if _is_diagram(token)]
        for token in reversed(blocks):  # what is replaced moves nothing above it
            first, end = token.map or (0, 0)
            svg = await self._draw(token.content, f"the diagram in line {first + 1} of the field '{self.source_field}'")
            begin = lines[first].split(token.markup)[0]
            after = _NO_QUOTE.sub(" ", begin).rstrip()  # an empty line, in a quotation one of it, ends the HTML
            lines[first:end] = [f'{begin}<div class="mermaid">{" ".join(svg.split())}</div>\n', f"{after}\n"]
        return "".join(lines)

    async def _draw(self, diagram: str, what: str) -> str:
        answer = await (self._by_server(diagram, what) if self._door else self._by_command(diagram, what))
        begin, end = answer.find("<svg"), answer.rfind("</svg>")
        if begin < 0 or end < begin:
            raise RunError(f"{what} became no SVG but {answer[:_SHOWN]!r}")
        return answer[begin : end + len("</svg>")]

    async def _by_server(self, diagram: str, what: str) -> str:
        assert self._door is not None
        headers = {"content-type": "text/plain; charset=utf-8", "accept": "image/svg+xml"}
        request = Request(f"{self.server.rstrip('/')}/mermaid/svg", "POST", headers, diagram.encode())
        reply = await self._door.fetch(request, trusted=True)
        if not 200 <= reply.status < 300:  # noqa: PLR2004 - the statuses of success
            raise RunError(f"{what} cannot be drawn, says the server ({reply.status}): {_line(reply.text())}")
        return reply.text()

    async def _by_command(self, diagram: str, what: str) -> str:
        from transmissions.streaming import CommandRunner, CommandTimeout, ExecutionContext

        execution = ExecutionContext(stdin=diagram, timeout=self.timeout / 1000, capture="tail", capture_limit=self.max_size)
        try:
            result = await CommandRunner().run_with_context(self.command[0], list(self.command[1:]), execution)
        except CommandTimeout as error:
            raise RunError(f"{what} could not be drawn in {self.timeout} ms by '{self.command[0]}'") from error
        if not result.success:
            raise RunError(f"{what} cannot be drawn, says '{self.command[0]}': {_line(result.stderr)}")
        if result.truncated:
            raise RunError(f"{what} became more than {self.max_size} bytes of SVG (:maxSize)")
        return result.stdout


def _is_diagram(token: Token) -> bool:
    return token.type == "fence" and token.info.split()[:1] == ["mermaid"]


def _line(text: str) -> str:
    return " ".join(text.split())[:_SHOWN] or "nothing more"
