"""Answers of servers as they came, in WARC (ISO 28500), which archives of the web are made of."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from typing import IO, TYPE_CHECKING, Final

from transmissions import __version__

from .crawl_log import _PageLog, key_in
from .crawl_page import is_good

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transmissions import Message

_KEY: Final = "X-Transmissions-Key"
_SAID: Final = re.compile(rb"X-Transmissions-Key: ([0-9a-f]{32})\r\n")
_PIECE: Final = 1 << 16
_HEAD: Final = 4096
"""Bytes of a record in which its key stands."""


class WARCWriter(_PageLog):
    """Add the answer of each page's server to a WARC file, compressed record by record.

    It stands right behind PageFetch, where a page still has its `body`. A record has the final URL, the time of the fetch,
    the status and the headers of the answer, and the body decoded from its content-encoding. What a cache gave has no
    answer, and no record: ask with `cache_mode` `write_only` for whole archives. A crawl that goes on adds to its file.

    ```turtle
    :warc a :WARCWriter ; :destinationFile "pages.warc.gz" .
    ```
    """

    def takes(self, message: Message) -> bool:
        """Whether a page has an answer."""
        is_fetched = super().takes(message) and "body" in message and "rendered" not in message
        return is_fetched and is_good(message, "status", "final_url", "headers", "fetched_at")

    def head(self) -> bytes:
        """Return the record that says what made the file."""
        from warcio.warcwriter import WARCWriter as Records  # type: ignore[import-untyped]

        buffer = BytesIO()
        records = Records(buffer, gzip=True, warc_version="WARC/1.1")
        info = {"software": f"transmissions/{__version__}", "format": "WARC File Format 1.1"}
        records.write_record(records.create_warcinfo_record("pages", info))
        return buffer.getvalue()

    def encode(self, page: Message) -> bytes:
        """Return the record of an answer."""
        from warcio.statusandheaders import StatusAndHeaders  # type: ignore[import-untyped]
        from warcio.warcwriter import WARCWriter as Records

        buffer = BytesIO()
        records = Records(buffer, gzip=True, warc_version="WARC/1.1")
        told = page["headers"].items()
        headers = [(name, _sound(value)) for name, value in told if name not in {"transfer-encoding", "content-length"}]
        headers.append(("content-length", str(len(page["body"]))))
        about = {"WARC-Date": _sound(page["fetched_at"]), _KEY: key_in(page).hex()}
        status = StatusAndHeaders(str(page["status"]), headers, protocol="HTTP/1.1")
        record = records.create_warc_record(
            _sound(page["final_url"]),
            "response",
            payload=BytesIO(page["body"]),
            length=len(page["body"]),
            http_headers=status,
            warc_headers_dict=about,
        )
        records.write_record(record)
        return buffer.getvalue()

    def known(self, path: Path) -> tuple[set[bytes], int]:
        """Return the keys of the whole records of a file, and where they end."""
        keys, end = set[bytes](), 0
        with path.open("rb") as file:
            for head, length in _members(file):
                found = _SAID.search(head)
                if found:
                    keys.add(bytes.fromhex(found[1].decode()))
                end += length
        return keys, end


def _sound(text: object) -> str:
    """Return text that a header can hold."""
    return " ".join(str(text).encode("utf-8", "replace").decode().split())


def _members(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the beginning of each record that is compressed whole, and how many bytes it takes in the file."""
    data = b""
    while True:
        work, head, length = zlib.decompressobj(31), b"", 0
        while not work.eof:
            data = data or file.read(_PIECE)
            if not data:
                return
            plain = work.decompress(data)
            head = head or plain[:_HEAD]
            length += len(data) - len(work.unused_data)
            data = work.unused_data
        yield head, length
