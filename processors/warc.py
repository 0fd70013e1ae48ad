"""Answers of servers as they came, in WARC (ISO 28500), which archives of the web are made of."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from transmissions import __version__

from .crawl_log import PageLog, key_in

if TYPE_CHECKING:
    from pathlib import Path

    from transmissions import Message

_KEY: Final = "X-Transmissions-Key"


class WARCWriter(PageLog):
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
        return super().takes(message) and isinstance(message.get("body"), bytes) and "rendered" not in message

    def head(self) -> bytes:
        """Return the record that says what made the file."""
        from warcio.warcwriter import WARCWriter as Records

        buffer = BytesIO()
        records = Records(buffer, gzip=True, warc_version="WARC/1.1")
        info = {"software": f"transmissions/{__version__}", "format": "WARC File Format 1.1"}
        records.write_record(records.create_warcinfo_record("pages", info))
        return buffer.getvalue()

    def encode(self, page: Message) -> bytes:
        """Return the record of an answer."""
        from warcio.statusandheaders import StatusAndHeaders
        from warcio.warcwriter import WARCWriter as Records

        buffer = BytesIO()
        records = Records(buffer, gzip=True, warc_version="WARC/1.1")
        headers = [
            (name, value) for name, value in page["headers"].items() if name not in {"transfer-encoding", "content-length"}
        ]
        headers.append(("content-length", str(len(page["body"]))))
        about = {"WARC-Date": page["fetched_at"], _KEY: key_in(page).hex()}
        status = StatusAndHeaders(str(page["status"]), headers, protocol="HTTP/1.1")
        record = records.create_warc_record(
            page["final_url"], "response", payload=BytesIO(page["body"]), http_headers=status, warc_headers_dict=about
        )
        records.write_record(record)
        return buffer.getvalue()

    def known(self, path: Path) -> tuple[set[bytes], int]:
        """Return the keys of the whole records of a file, and where they end."""
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed

        keys, end = set[bytes](), 0
        with path.open("rb") as file:
            records = ArchiveIterator(file)
            try:
                for record in records:
                    key = record.rec_headers.get_header(_KEY)
                    record.content_stream().read()
                    if key:
                        keys.add(bytes.fromhex(key))
                    end = records.get_record_offset() + records.get_record_length()
            except (ArchiveLoadFailed, EOFError, OSError, ValueError):
                pass  # half a record is what a killed crawl leaves
        return keys, end
