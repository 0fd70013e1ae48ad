"""The text of a page: PageExtract."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from transmissions import Processor, Range, Unit

from .crawl_page import PageFault, attempt_page, is_open, mark
from .page_quality import quality_of
from .page_reading import Asked
from .page_workers import Limits, page_workers

if TYPE_CHECKING:
    from transmissions import Message


class PageExtract(Processor):
    """Read the text of a page: its article, or all of it, as Markdown and as plain text.

    Reads `body` with `content_type`, `charset`, `headers` and `final_url`. Writes `document`: `url`, `title`, `markdown`,
    `text`, `word_count`, `reading_time` (minutes), `extracted_at`, `content_hash` (`sha256:` of the text), and where the page
    says them `language`, `description`, `author`, `published` and `canonical`. Beside it `extraction_method` (`trafilatura`,
    `full`, `text`, `pdf`), `links` (absolute, of http and https, without fragments, each once, 10,000 at most), `measures`
    for PageScore, and `note`, a sentence, where there is no article or little to read: no text without rendering, a login.
    What a page asks robots for in `<meta>` or `X-Robots-Tag`, all of them or the one that PageFetch is, counts: `nofollow`
    leaves it without `links`, `noindex` is told. A page of more than 30,000 elements is read whole: finding its article
    could take minutes. `body` is removed.
    HTML, PDF, plain text, Markdown, JSON and XML can be read; anything else is the fault `PARSE_TYPE`.

    Pages are read in processes beside this one, which all runs share that have the same limits. One that takes too long, or
    too much memory, or makes its reader crash, costs nothing but its page, which gets the fault `LIMIT_TIME`,
    `LIMIT_MEMORY` or `PARSE_FAILED`. Of the environment the processes see only what Python needs.

    Where pages are rendered, one PageExtract stands in front of PageRender with `probe`: it reads only what the gate calls
    `probes_first`, and sets `render_wanted` if what came of it is poor. The one behind PageRender reads all others.

    ```turtle
    :probe a :PageExtract ; :probe true ; :poor 0.4 .
    :extract a :PageExtract ; :extraction "article" ; :timeLimit 10000 .
    ```
    """

    extra = "crawl"
    one_by_one: ClassVar[bool] = True

    extraction: Literal["article", "full"] = "article"
    "What is read of HTML if `options.extraction` of a page does not say it: its main text, or all that it shows."
    workers: Annotated[int, Range(ge=0)] = 0
    "How many processes read pages at most; 0 for as many as there are CPUs."
    time_limit: Annotated[int, Range(ge=1), Unit("ms")] = 10_000
    "How long one page may take."
    memory_limit: Annotated[int, Range(ge=16 << 20), Unit("bytes")] = 512 << 20
    "How much memory one page may take."
    keep_workers: Annotated[int, Range(ge=0), Unit("ms")] = 0
    "How long the processes are kept after the last run that uses them: a server need not start them for each request."
    follow_all: bool = False
    "Whether `links` holds those, too, that a page asks not to follow (`rel=nofollow`, `nofollow` for robots)."
    noindex: Literal["keep", "refuse"] = "keep"
    "What becomes of a page that asks robots not to keep it: it is told with `noindex`, or has the fault `POLICY_ROBOTS`."
    probe: bool = False
    "Whether only pages that are `probes_first` are read, so that poor ones can be rendered."
    poor: Annotated[float, Range(ge=0, le=1)] = 0.4
    "The quality below which what came of a page in front of PageRender is poor."
    keep_body: bool = False
    "Whether `body` is left in the page."

    async def __aenter__(self) -> Self:
        """Start the first process while the first page is still on its way."""
        self._stack = AsyncExitStack()
        limits = Limits(self.workers or _cpus(), self.time_limit / 1000, self.memory_limit, self.keep_workers / 1000)
        self._workers = await self._stack.enter_async_context(page_workers(limits))
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End the processes, unless others use them."""
        await self._stack.aclose()

    async def process(self, message: Message) -> Message:
        """Read a page."""
        return await attempt_page(message, self._read(message)) if self._has_to(message) else message

    def _has_to(self, page: Message) -> bool:
        if not is_open(page) or "body" not in page:
            return False
        if self.probe:
            return page.get("gate_decision") == "probes_first" and "document" not in page
        return "document" not in page or bool(page.get("render_wanted"))

    async def _read(self, page: Message) -> Message:
        if "document" not in page or page.get("rendered"):
            found = await self._workers.read(self._asked(page))
            if self.noindex == "refuse" and "noindex" in found:
                raise PageFault("POLICY_ROBOTS", "it asks robots not to keep it (noindex)")
            page |= found
            for stage in ("parse", "extract", "clean"):
                mark(page, stage)
        page.pop("render_wanted", None)
        if self.probe and quality_of(page["measures"]) < self.poor:
            page["render_wanted"] = True
        elif not self.keep_body:
            del page["body"]
        return page

    def _asked(self, page: Message) -> Asked:
        return Asked(
            page.get("final_url") or page["url"],
            page["body"],
            page.get("content_type") or "",
            page.get("charset") or "",
            (page.get("options") or {}).get("extraction") or self.extraction,
            (page.get("headers") or {}).get("x-robots-tag", ""),
            page.get("agent") or "",
            self.follow_all,
            bool(page.get("rendered")),
        )


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
