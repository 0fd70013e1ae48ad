"""How good a page is to read: PageScore."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from transmissions import Processor

from .crawl_page import is_open
from .page_quality import quality_of

if TYPE_CHECKING:
    from transmissions import Message


class PageScore(Processor):
    """Say how good a page is to read, by what PageExtract has measured of it.

    Reads `measures` and writes `quality_score`, from 0 to 1, and the same in percent as `document.quality_score`. Length
    counts for 0.5 (600 words are enough, 24 are half of that), structure for 0.25 (5 paragraphs, 3 headings, a list, code or a
    table), density for 0.15 (a quarter of the page is text), and what a page says about itself for 0.1 (title, description,
    author, date). A page that is mostly links loses up to 0.3, and one without any words has 0.

    ```turtle
    :score a :PageScore .
    ```
    """

    one_by_one: ClassVar[bool] = True

    def process(self, message: Message) -> Message:
        """Score a page."""
        if is_open(message) and "measures" in message:
            score = quality_of(message["measures"])
            message["quality_score"] = score
            message["document"] = {**message["document"], "quality_score": round(100 * score)}
        return message
