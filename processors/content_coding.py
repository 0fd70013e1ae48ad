"""Bodies decoded from their content-encoding, piece by piece, with no more memory than a piece."""

from __future__ import annotations

import zlib
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from .codecs_of_bytes import has_zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE: Final = 65536
"""Bytes that are decoded at a time."""

_WINDOW_LOG: Final = 23
"""The window a zstd body may ask for, as a power of two: the 8 MiB of RFC 9659."""


class Decoder(Protocol):
    """Decodes one body."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes decode to, in pieces of at most `PIECE` bytes."""
        ...

    def end(self) -> None:
        """Raise ValueError if the body is not complete."""


class CodingError(ValueError):
    """A body is not in the encoding its headers name."""


@cache
def encodings() -> tuple[str, ...]:
    """Return the encodings there is a decoder for, for `accept-encoding`; what is absent is looked for once."""
    return ("gzip", "deflate", *(["br"] if _brotli() else []), *(["zstd"] if has_zstd() else []))


def decoder_of(header: str) -> Decoder:
    """Return the decoder for a `content-encoding` header.

    Raises:
        CodingError: it names an encoding there is no decoder for, or several.

    """
    name = ", ".join(part for part in (part.strip().lower() for part in header.split(",")) if part not in {"", "identity"})
    if not name:
        return _Plain()
    name = {"x-gzip": "gzip"}.get(name, name)
    if name not in encodings():
        raise CodingError(f"there is no decoder for the content-encoding '{name[:40]}'")
    return _Brotli() if name == "br" else _Coded(name)


def _brotli() -> Any:
    """Return the library of brotli, or None; one that cannot stop in the middle (before 1.2) is as good as none."""
    try:
        library: Any = import_module("brotli")
    except ImportError:
        return None
    return library if hasattr(library.Decompressor, "can_accept_more_data") else None


class _Plain:
    """Passes bytes on as they are."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the bytes."""
        yield data

    def end(self) -> None:
        """Take any end."""


class _Brotli:
    """Decodes brotli, of which a body is one stream: nothing may stand behind it."""

    def __init__(self) -> None:
        library = _brotli()
        self._fault: type[Exception] = library.error
        self._inner = library.Decompressor()
        self._has_begun = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the bytes decode to."""
        self._has_begun = self._has_begun or bool(data)
        found = self._decompress(data)
        while found:  # The library may give half as much again as the limit says.
            yield from (found[at : at + PIECE] for at in range(0, len(found), PIECE))
            found = self._decompress(b"")

    def _decompress(self, data: bytes) -> bytes:
        try:
            found: bytes = self._inner.process(data, output_buffer_limit=PIECE)
        except self._fault as error:
            raise _not("br", error) from error
        return found

    def end(self) -> None:
        """Refuse a stream that is not at its end."""
        if self._has_begun and not self._inner.is_finished():
            raise CodingError("the br body ends early")


class _Coded:
    """Decodes one stream after another: gzip and zstd bodies may be made of several."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._make, self._fault = _codec(name)
        self._inner: Any = None
        self._head = b""
        self._streams = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the bytes decode to."""
        data = self._head + data
        self._head = b""
        while data:
            if self._inner is None:
                if self._is_padding(data):
                    return
                if len(data) < 2:  # noqa: PLR2004 - what tells the two kinds of deflate apart
                    self._head = data
                    return
                self._inner = self._make(data)
                self._streams += 1
            yield from self._run(data)
            data = self._behind()

    def _is_padding(self, data: bytes) -> bool:
        return self._streams > 0 and (self._name == "deflate" or data[0] == 0)

    def _run(self, data: bytes) -> Iterator[bytes]:
        piece = self._decompress(data)
        while piece:
            yield piece
            left = getattr(self._inner, "unconsumed_tail", b"")
            piece = b"" if self._inner.eof or (len(piece) < PIECE and not left) else self._decompress(left)

    def _decompress(self, data: bytes) -> bytes:
        try:
            piece: bytes = self._inner.decompress(data, PIECE)
        except self._fault as error:
            raise _not(self._name, error) from error
        return piece

    def _behind(self) -> bytes:
        if not self._inner.eof:
            return b""
        rest: bytes = self._inner.unused_data
        self._inner = None
        return rest

    def end(self) -> None:
        """Refuse a stream that is not at its end."""
        if self._head or self._inner is not None:
            raise CodingError(f"the {self._name} body ends early")


def _not(name: str, error: Exception) -> CodingError:
    return CodingError(f"the body is not {name}, though its headers say so: {error}")


def _codec(name: str) -> tuple[Callable[[bytes], Any], type[Exception]]:
    if name == "gzip":
        return lambda _: zlib.decompressobj(16 + zlib.MAX_WBITS), zlib.error
    if name == "deflate":
        return _deflate, zlib.error
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

    options = {int(DecompressionParameter.window_log_max): _WINDOW_LOG}
    return lambda _: ZstdDecompressor(options=options), ZstdError


def _deflate(head: bytes) -> Any:
    """Return a decoder for zlib's format, or for the bare one that some servers send under the same name."""
    is_zlib = head[0] & 15 == zlib.DEFLATED and int.from_bytes(head[:2]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
