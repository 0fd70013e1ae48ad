"""Where a command writes and we read: pipes, terminals, or sockets that keep the order of both outputs.

Two pipes cannot tell which of two writes came first. Two datagram sockets with one receiver can: each write is a datagram
that carries its sender, and they arrive in order (measured: 1,000 of 1,000 alternations; pipes: 55 of 1,000). What that
costs, and why it is asked for by name: one write of more than a limit, 200 KiB on many systems, fails, `/dev/stdout` cannot
be opened again, and Node.js writes nothing.

Where the system has no such sockets, or no terminals, pipes take their place, and the log says so.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import socket
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from .config import StreamSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import ExecutionContext

_LOG: Final = logging.getLogger("transmissions.streaming")
_ROOM: Final = 1 << 20
"""Bytes of one write that are asked of the system where order is kept."""


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

    def __init__(self, receiver: socket.socket, senders: dict[object, StreamSource], largest: int) -> None:
        self.descriptor = receiver.fileno()
        self._receiver = receiver
        self._senders = senders
        self._buffer = memoryview(bytearray(largest))
        receiver.setblocking(False)

    def read(self, size: int) -> tuple[StreamSource, bytes]:  # a write is read whole
        """Return one write. Whoever else finds the socket and writes to it is not heard.

        Raises:
            BlockingIOError: there is nothing yet.

        """
        while True:
            try:
                length, sender = self._receiver.recvfrom_into(self._buffer)
            except BlockingIOError:
                if any(map(_is_open, self._senders)):
                    raise
                return StreamSource.STDOUT, b""
            if length and sender in self._senders:
                return self._senders[sender], bytes(self._buffer[:length])

    def close(self) -> None:
        """Read no more."""
        self._receiver.close()


def _is_open(name: object) -> bool:
    """Whether anybody holds the socket of a name: no end comes from one, but nobody can connect to one that is gone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        return probe.connect_ex(name) != errno.ECONNREFUSED  # type: ignore[arg-type]


class Outlets(NamedTuple):
    """What we read, and what the command gets as its outputs."""

    ours: list[Readable]
    stdout: int
    stderr: int
    theirs: list[int]
    """What this process closes once the command has it."""


def open_outlets(context: ExecutionContext) -> Outlets:
    """Open what a command writes to.

    Raises:
        OSError: this process has too many files open.

    """
    with contextlib.ExitStack() as undo:
        outlets = _opened(context, undo)
        undo.pop_all()
        return outlets


def _opened(context: ExecutionContext, undo: contextlib.ExitStack) -> Outlets:
    if context.order == "exact" and not context.suppress_stderr:
        with contextlib.suppress(OSError):
            return _ordered()
        _LOG.warning("this system cannot keep the order of both outputs; they are read apart")
    way = _terminal if context.pty else _pipe
    reading, stdout = way(undo)
    ours: list[Readable] = [Outlet(reading, StreamSource.STDOUT)]
    if context.suppress_stderr:
        nothing = os.open(os.devnull, os.O_WRONLY)
        return Outlets(ours, stdout, nothing, [stdout, nothing])
    if context.order == "merged":
        return Outlets(ours, stdout, stdout, [stdout])
    reading, stderr = way(undo)
    return Outlets([*ours, Outlet(reading, StreamSource.STDERR)], stdout, stderr, [stdout, stderr])


def _pipe(undo: contextlib.ExitStack, opened: Callable[[], tuple[int, int]] = os.pipe) -> tuple[int, int]:
    ends = opened()
    for end in ends:
        undo.callback(os.close, end)
    return ends


def widen(descriptor: int, size: int) -> bool:
    """Make a pipe hold more; return whether it does. What is no pipe holds what it holds."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, size) >= size
    except (AttributeError, OSError):  # another system, or more than it grants one user
        return False


def _terminal(undo: contextlib.ExitStack) -> tuple[int, int]:
    import termios

    try:
        reading, writing = _pipe(undo, os.openpty)
    except OSError as error:
        _LOG.warning("there is no terminal to be had (%s); the command writes to a pipe", error)
        return _pipe(undo)
    mode = termios.tcgetattr(writing)
    mode[1] &= ~termios.OPOST  # lines end as the command ended them, not with \r\n
    termios.tcsetattr(writing, termios.TCSANOW, mode)
    return reading, writing


def _ordered() -> Outlets:
    with contextlib.ExitStack() as undo:
        receiver, out, err = (undo.enter_context(_named_socket()) for _ in range(3))
        for sender in (out, err):
            sender.connect(receiver.getsockname())
            with contextlib.suppress(OSError):
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        senders: dict[object, StreamSource] = {out.getsockname(): StreamSource.STDOUT, err.getsockname(): StreamSource.STDERR}
        outlet = OrderedOutlet(receiver, senders, out.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
        undo.pop_all()
        ends = [out.detach(), err.detach()]
        return Outlets([outlet], ends[0], ends[1], ends)


def _named_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        made.bind("")  # Linux chooses a name that is no file
    except OSError:
        made.close()
        raise
    return made


def hint(code: int, output: bytes) -> dict[str, str]:
    """Say why a command may have failed that wrote more at once than sockets take."""
    if code == 0 or os.strerror(errno.EMSGSIZE).encode() not in output:
        return {}
    hint = "the command wrote more at once than can be kept in order; take the order 'source' for it"
    _LOG.warning("%s", hint)
    return {"hint": hint}
