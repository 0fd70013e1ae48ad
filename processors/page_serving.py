"""The program of a process that reads pages; `page_workers` starts it with the number of its socket and a memory limit.

A request and an answer are each a length and plain data. Its standard input is a pipe that nobody writes to: when its other
end is gone, so is whoever it worked for, and the system ends the process at once, whatever it is doing.
"""

from __future__ import annotations

import fcntl
import logging
import marshal
import os
import select
import signal
import socket
import sys
from struct import Struct
from typing import Any, Final

from .crawl_page import PageFault
from .page_reading import Asked, read_page

LENGTH: Final = Struct("!Q")
READY: Final = "ready"
_PIECE: Final = 1 << 18
_BROKEN: Final = (ArithmeticError, AttributeError, LookupError, RuntimeError, SyntaxError, TypeError, ValueError)
"""What libraries raise that meet a page they did not expect. Anything else ends the process, and costs the page as well."""


def main() -> None:
    """Answer until the socket ends."""
    descriptor, memory = map(int, sys.argv[1:])
    _end_when_alone()
    logging.disable(logging.CRITICAL)  # What the extractor says of each odd page is in the answer, where it matters.
    connection = socket.socket(fileno=descriptor)
    # The first page takes a third of a second, most of it imports, which no real one is to lose of its time. If a library
    # does not work, each page will say so.
    answer(Asked("", b"<p>a page</p>", "text/html"))
    _limit(memory)
    _send(connection, READY)
    while (request := _receive(connection)) is not None:
        _send(connection, answer(Asked(*request)))


def answer(asked: Asked) -> dict[str, Any]:
    """Return what is read of a page, or `fault`: its code, its sentence and its context."""
    try:
        return read_page(asked)
    except PageFault as fault:
        return {"fault": (fault.code, str(fault), fault.context)}
    except MemoryError:
        return {"fault": ("LIMIT_MEMORY", "reading it took more memory than a page may have (:memoryLimit)", {})}
    except (ImportError, OSError) as error:
        return {"fault": ("PARSE_FAILED", f"a library that reads pages does not work here: {_named(error)}", {})}
    except _BROKEN as error:
        return {"fault": ("PARSE_FAILED", f"it could not be read: {_named(error)}", {})}


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _end_when_alone() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # The system sends SIGIO when the pipe is closed, and that ends the process. A thread could not act while C code is at work.
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(0, 0)
    if poll.poll(0):  # It was closed before that.
        os._exit(1)


def _limit(memory: int) -> None:
    """Let the process take that many bytes more than it has now."""
    import resource

    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - one line, before every first page
            size = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # Only Linux tells and keeps to it.
        return
    resource.setrlimit(resource.RLIMIT_AS, (size + memory, size + memory))


def _send(connection: socket.socket, value: Any) -> None:
    data = marshal.dumps(value)
    connection.sendall(LENGTH.pack(len(data)) + data)


def _receive(connection: socket.socket) -> Any:
    head = _take(connection, LENGTH.size)
    return None if head is None else marshal.loads(_take(connection, LENGTH.unpack(head)[0]) or b"N")  # noqa: S302 - from our own side


def _take(connection: socket.socket, size: int) -> bytearray | None:
    data = bytearray(size)
    at = 0
    while at < size:
        got = connection.recv_into(memoryview(data)[at:], min(_PIECE, size - at))
        if not got:
            return None
        at += got
    return data


if __name__ == "__main__":
    main()
