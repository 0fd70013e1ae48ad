"""asyncio without `ssl`, until somebody uses it."""

import subprocess
import sys

TALK = """
import sys
from transmissions.late_tls import import_asyncio
import_asyncio()
print([name for name in ("ssl", "_ssl", "asyncio.sslproto") if name in sys.modules])
import asyncio

async def answer(reader, writer):
    writer.write(b"no TLS at all")
    writer.close()

async def talk():
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            await asyncio.open_connection("127.0.0.1", port, ssl=True)
        except OSError as error:
            print(type(error).__module__, type(error).__name__)

asyncio.run(talk())
"""


def said_by(program):
    """Return what a program prints in a Python of its own."""
    return subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True).stdout.splitlines()


def test_tls_comes_once_it_is_used():
    """Asyncio is imported without `ssl`, and speaks TLS all the same, even where nobody else imported that."""
    assert said_by(TALK) == ["[]", "ssl SSLError"]


def test_who_imports_ssl_gets_the_module_itself():
    """What stands for it belongs to asyncio alone, and where asyncio was there before, nothing is changed."""
    check = "print(type(ssl).__name__, sys.modules['ssl'] is ssl, asyncio.base_events.ssl.SSLContext is ssl.SSLContext)"
    late = "from transmissions.late_tls import import_asyncio as late"
    assert said_by(f"import sys; {late}; late(); import asyncio, ssl; {check}") == ["module True True"]
    assert said_by(f"import sys, asyncio, ssl; {late}; late(); {check}") == ["module True True"]
