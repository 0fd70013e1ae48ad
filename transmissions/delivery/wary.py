"""A WebSocket whose client may mean harm: what it does not put up with, and is not left to the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

if TYPE_CHECKING:
    from websockets.frames import Frame

_PONGS: Final = 1 << 20
"""Bytes that may wait for a client that asks for pongs."""
_PIECES: Final = 4096
"""Pieces of a message: each takes memory, though it be empty."""


class WarySocket(WebSocketsSansIOProtocol):
    """Ends a connection whose client takes no answers, or sends what is no message."""

    __slots__ = ()

    def handle_ping(self) -> None:
        """Answer, unless the answers to others wait."""
        if self.transport.get_write_buffer_size() > _PONGS:
            self.transport.abort()
        elif not self.transport.is_closing():
            super().handle_ping()

    def handle_cont(self, event: Frame) -> None:
        """Take a piece of a message."""
        if len(self.frames) < _PIECES:
            super().handle_cont(event)
        elif not self.close_sent:
            self._end(CloseCode.MESSAGE_TOO_BIG, f"a message in more than {_PIECES} pieces")

    def send_receive_event_to_app(self) -> None:
        """Take a message that is whole. Of one that is no text the library would log a fault of the server."""
        self.frames = [b"".join(self.frames)]
        if self.close_sent or self.curr_msg_data_type != "text" or _is_text(self.frames[0]):
            super().send_receive_event_to_app()
        else:
            self._end(CloseCode.INVALID_DATA, "this is not UTF-8")

    def _end(self, code: CloseCode, reason: str) -> None:
        self.conn.fail(code, reason)
        self.handle_parser_exception()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
