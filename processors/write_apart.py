"""A process that writes files for another: what it gets on standard input becomes files, each whole or not at all.

Making thousands of files is mostly waiting for the file system, while the process that renders them is busy: apart, the two
take as long as the slower one. Run as a script, so that it imports next to nothing (9 MiB, 15 ms).

A file comes as a header (lengths of path and content), the path and the content. Nothing is answered unless a file cannot be
written: then one line of JSON, and the process ends. When the input ends it has written all it got; a file whose content is
cut off, because the sender was killed, is not made.
"""

from __future__ import annotations

import os
import struct
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

HEADER: Final = struct.Struct("<IQ")
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MODE: Final = 0o666
"""What the user's umask makes of it."""
_BLOCK: Final = 1 << 20


def write_whole(path: str, pieces: Iterable[bytes]) -> None:
    """Write a file under a temporary name beside it, then rename it; the folder is made where there is none."""
    folder, _, name = path.rpartition("/")
    # Always the same temporary name, so that a run after a killed one leaves nothing behind.
    temporary = f"{folder}/.{name}.part"
    try:
        handle = os.open(temporary, _FLAGS, _MODE)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - a Path for each file costs as much as writing it
        handle = os.open(temporary, _FLAGS, _MODE)
    try:
        for piece in pieces:
            write_all(handle, piece)
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108
        raise
    finally:
        os.close(handle)
    os.replace(temporary, path)  # noqa: PTH105


def write_all(handle: int, data: Any) -> None:
    """Write all of `data`; the system may take it in several goes."""
    done = os.write(handle, data)
    while done < len(data):
        done += os.write(handle, memoryview(data)[done:])


def main(stream: BinaryIO) -> int:
    """Write the files that come on `stream`."""
    while len(header := stream.read(HEADER.size)) == HEADER.size:
        path_length, length = HEADER.unpack(header)
        path = os.fsdecode(stream.read(path_length))
        try:
            write_whole(path, _content(stream, length))
        except EOFError:
            return 1
        except OSError as error:
            import json

            sys.stdout.write(json.dumps({"errno": error.errno, "path": path}))
            return 1
    return 0


def _content(stream: BinaryIO, length: int) -> Iterator[bytes]:
    while length:
        piece = stream.read(min(length, _BLOCK))
        if not piece:
            raise EOFError
        length -= len(piece)
        yield piece


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer))
