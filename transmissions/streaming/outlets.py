"""Where a command writes and we read: pipes, terminals, or sockets that keep the order of both outputs.

Two pipes cannot tell which of two writes came first. Two datagram sockets with one receiver can: each write is a datagram
that carries its sender, and they arrive in order (measured: 1,000 of 1,000 alternations; pipes: 55 of 1,000). What that
costs, and why it is asked for by name: one write of more than about 200 KiB fails, `/dev/stdout` cannot be opened again,
Node.js writes nothing, and the end is the command's exit, not the end of a pipe.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from .config import StreamSource

if TYPE_CHECKING:
    from .config import ExecutionContext

_LARGEST_DATAGRAM: Final = 1 << 18


class Readable(Protocol):
    """What a pump reads: a descriptor to wait for, and what came by it."""

    @property
    def descriptor(self) -> int:
        """Readable when something has come."""
        ...

    def read(self, size: int) -> tuple[StreamSource, bytes]:
        """Return some of what is there; no bytes at the end.

        Raises:
            BlockingIOError: there is nothing yet.

        """
        ...

    def close(self) -> None:
        """Read no more."""
        ...


class Outlet:
    """One descriptor we read from."""

    def __init__(self, descriptor: int, source: StreamSource) -> None:
        self.descriptor = descriptor
        self._source = source
        os.set_blocking(descriptor, False)

    def read(self, size: int) -> tuple[StreamSource, bytes]:
        """Return some of what is there; no bytes at the end.

        Raises:
            BlockingIOError: there is nothing yet.

        """
        try:
            return self._source, os.read(self.descriptor, size)
        except OSError as error:
            if error.errno == errno.EIO:  # how Linux says that nobody holds a terminal open any more
                return self._source, b""
            raise

    def close(self) -> None:
        """Read no more."""
        os.close(self.descriptor)


class OrderedOutlet:
    """One socket that both outputs come from, in the order they were written."""

    def __init__(self, receiver: socket.socket, senders: dict[object, StreamSource]) -> None:
        self.descriptor = receiver.fileno()
        self._receiver = receiver
        self._senders = senders
        receiver.setblocking(False)

    def read(self, size: int) -> tuple[StreamSource, bytes]:
        """Return one write. Whoever else finds the socket and writes to it is not heard.

        Raises:
            BlockingIOError: there is nothing yet.

        """
        while True:
            data, sender = self._receiver.recvfrom(_LARGEST_DATAGRAM)
            if data and sender in self._senders:
                return self._senders[sender], data

    def close(self) -> None:
        """Read no more."""
        self._receiver.close()


class Outlets(NamedTuple):
    """What we read, and what the command gets as its outputs."""

    ours: list[Readable]
    stdout: int
    stderr: int
    theirs: list[int]
    """What this process closes once the command has it."""


def open_outlets(context: ExecutionContext) -> Outlets:
    """Open what a command writes to."""
    if context.order == "exact":
        return _ordered()
    nothing = [os.open(os.devnull, os.O_WRONLY)] if context.suppress_stderr else []
    opened = _terminal if context.pty else os.pipe
    reading, stdout = opened()
    ours: list[Readable] = [Outlet(reading, StreamSource.STDOUT)]
    if nothing or context.order == "merged":
        return Outlets(ours, stdout, nothing[0] if nothing else stdout, [stdout, *nothing])
    reading, stderr = opened()
    return Outlets([*ours, Outlet(reading, StreamSource.STDERR)], stdout, stderr, [stdout, stderr])


def _terminal() -> tuple[int, int]:
    import termios

    reading, writing = os.openpty()
    mode = termios.tcgetattr(writing)
    mode[1] &= ~termios.OPOST  # lines end as the command ended them, not with \r\n
    termios.tcsetattr(writing, termios.TCSANOW, mode)
    return reading, writing


def _ordered() -> Outlets:
    receiver = _named_socket()
    senders: dict[object, StreamSource] = {}
    ends: list[int] = []
    for source in StreamSource:
        sender = _named_socket()
        sender.connect(receiver.getsockname())
        with contextlib.suppress(OSError):
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        senders[sender.getsockname()] = source
        ends.append(sender.detach())
    return Outlets([OrderedOutlet(receiver, senders)], ends[0], ends[1], ends)


def _named_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind("")  # Linux chooses a name that is no file
    return made
