"""The pages of a crawl as files: Markdown, one for each page, and JSON lines, one file for all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import unquote

from transmissions import Processor, Protected, as_json, write_whole

from .crawl_log import _PageLog, key_in, whole_lines
from .crawl_page import is_good
from .crawl_report import result_of
from .egress import take_apart
from .frontier_queue import key_of
from .names import safe_name

if TYPE_CHECKING:
    from pathlib import Path

    from transmissions import Message

_SAID: Final = ("title", "author", "published", "language", "description", "canonical", "content_hash")
"""What of a document stands in the front matter."""
_SEGMENT: Final = 100
"""Bytes of a segment of a path."""
_DEEPEST: Final = 8


def place_of(url: str) -> str:
    """Return the path of a page's file, without its suffix: the same for the same URL always, and another for every other.

    It reads like the URL as far as file systems allow; where it had to be changed, a digest tells it from others.
    """
    place = take_apart(url)
    path, _, query = place.path.partition("?")
    plain = unquote(path).removeprefix("/")
    wanted = f"{plain}index" if not plain or plain.endswith("/") else plain
    text = "/".join(safe_name(one, _SEGMENT, "_") for one in wanted.split("/")[:_DEEPEST])
    host = place.origin.partition("://")[2].replace(":", "_").strip("[]")
    is_same = not query and text == wanted == wanted.lower() and not plain.endswith("index")
    return f"{host}/{text}" if is_same else f"{host}/{text}-{key_of(place.url).hex()[:8]}"


class PageMarkdown(Processor):
    """Write each page into a file of its own, as Markdown under a head that says where it is from.

    The file is `HOST/PATH.md` in `folder`; it has YAML in front, with `url`, `final_url`, `fetched_at`, `status`,
    `quality_score` and what the document says of itself. The same URL has the same file always, so a page that is fetched
    again takes its own place. Its path is written to the page, as `file`. Pages that have failed pass.

    ```turtle
    :markdown a :PageMarkdown ; :folder "pages" .
    ```
    """

    extra = "crawl"

    folder: Annotated[str, Protected()] = "pages"
    "Folder of the output folder that files are in."

    def process(self, message: Message) -> Message:
        """Write a page."""
        if is_good(message, "document"):
            name = f"{place_of(message['url'])}.md"
            path = self.context.output_path(f"{self.folder}/{name}" if self.folder else name)
            write_whole(path, _markdown(message).encode("utf-8", "replace"))
            message["file"] = name
        return message


def _markdown(page: Message) -> str:
    document: dict[str, Any] = page["document"]
    head = {name: page.get(name) for name in ("url", "final_url", "fetched_at", "status", "quality_score")}
    head |= {name: document.get(name) for name in _SAID}
    # A scalar of JSON is one of YAML.
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items() if value not in (None, "")]
    matter = "\n".join(lines)
    return f"---\n{matter}\n---\n\n{(document.get('markdown') or '').strip()}\n"


class PageLines(_PageLog):
    """Add each page to a file of JSON lines, as clients of `trans serve crawl` get it.

    A line has the `url`, `index` and `depth` of a page, its `status`, `document`, `quality_score`, `gate_decision` and what is
    known of the fetch. A crawl that was stopped or killed, and goes on, adds to the file what is not there yet; any other
    begins it anew. Pages that have failed pass.

    ```turtle
    :lines a :PageLines ; :destinationFile "pages.ndjson" .
    ```
    """

    def encode(self, page: Message) -> bytes:
        """Return the line of a page."""
        said = result_of(page, 0)
        del said["result"]["processing_time_ms"]
        return as_json({"index": said["index"], **said["result"]}) + b"\n"

    def known(self, path: Path) -> tuple[set[bytes], int]:
        """Return the keys of the whole lines of a file, and where they end."""
        keys, end = set[bytes](), 0
        for line in whole_lines(path):
            keys.add(key_in(json.loads(line)))
            end += len(line)
        return keys, end
