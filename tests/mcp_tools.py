"""A server of the Model Context Protocol for tests: on standard input and output, or behind HTTP with `--http`."""

import os
import subprocess
import sys
from typing import Any

import anyio
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

SERVER = MCPServer("tools for tests")


@SERVER.tool(structured_output=False)
def echo(text: str, times: int = 1) -> str:
    """Say it again."""
    return text * times


@SERVER.tool()
def count(text: str) -> dict[str, Any]:
    """Count letters."""
    return {"letters": len(text)}


@SERVER.tool(structured_output=False)
def picture() -> list[Any]:
    """Draw."""
    return ["a dot", Image(data=b"\x89PNG", format="png")]


@SERVER.tool(structured_output=False)
def fail() -> str:
    """Fail."""
    raise ToolError("out of order")


@SERVER.tool(structured_output=False)
async def wait() -> str:
    """Take too long."""
    await anyio.sleep(60)
    return ""


@SERVER.tool(structured_output=False)
def die() -> str:
    """Be gone."""
    sys.stderr.write("goodbye\n")
    os._exit(3)


@SERVER.tool(structured_output=False)
def variable(name: str, ctx: Context) -> str:
    """Tell a variable of the environment, or a header of the request."""
    request = ctx.request_context.request
    return str(request.headers.get(name) if request else os.environ.get(name))


@SERVER.tool(structured_output=False)
def offspring() -> str:
    """Start a process that outlives everything unless it is ended."""
    started = subprocess.Popen(
        ["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return f"{os.getpid()} {started.pid}"


@SERVER.resource("notes://today", mime_type="text/plain")
def today() -> str:
    """Tell what is on today."""
    return "Nothing."


@SERVER.resource("notes://dot", mime_type="image/png")
def dot() -> bytes:
    """Give a dot."""
    return b"\x89PNG"


@SERVER.prompt()
def greet(name: str) -> str:
    """Greet somebody."""
    return f"Say hello to {name}."


def main() -> None:
    if sys.argv[1:] != ["--http"]:
        SERVER.run("stdio")
        return
    import socket

    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(SERVER.streamable_http_app(), log_level="error")).run([listener])


if __name__ == "__main__":
    main()
