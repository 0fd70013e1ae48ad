"""Rendering pages whose text comes from scripts: PageRender."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from transmissions import Processor, Protected, Range, Unit

from .browser_pool import NoBrowser, Wanted, shared_browser
from .browser_tab import render
from .crawl_network import OnTheWeb
from .crawl_page import PageFault, attempt_page, is_open, mark
from .egress import Allowed
from .hosts import hosts_here
from .rendering import Crashed, Given, Rules

if TYPE_CHECKING:
    from transmissions import Message

    from .rendering import Rendered


_TURNS = "the browser"
"""No host has this name: pages wait for the browser as requests wait for a host."""


class PageRender(OnTheWeb, Processor):
    """Render pages in Chromium, and have what became of them take the place of what came.

    Pages are those of which the gate says `headless`, and those that were read but have too little text (`render_wanted`).
    Writes `body` (the document as HTML in UTF-8, after its scripts have run, with what is in open shadow roots), `charset`,
    `rendered`, and `final_url`, for a script may have led to another page. The page itself is not fetched again: the browser
    gets the body that is there, and only what the page refers to is fetched. That goes through a proxy that refuses what may
    not be fetched, by the rules of all requests; images, media and fonts are not fetched at all. Each page has a profile of
    its own; nothing is downloaded, no window is opened and no permission given. robots.txt is not asked for what belongs to
    a page.

    A page that leads to where nothing may be fetched has the fault `POLICY_EGRESS`, one that does not come to an end
    `RENDER_TIMEOUT`, one that is too large `LIMIT_BYTES`, and any other that cannot be rendered `RENDER_FAILED`. Where there
    is no browser, or not the library `playwright` (extra `headless`), pages go on as they are, and `gate_decision_reason`
    says so; only those of requests that have every page rendered (`options.headless` is `always`) are `RENDER_FAILED`.

    ```turtle
    :render a :PageRender ; :concurrency 64 ; :ordered false ; :tabs 4 ; :waitUntil "networkidle" ; :patience 5000 .
    ```
    """

    extra = "crawl"
    one_by_one: ClassVar[bool] = True

    browser: Annotated[str, Protected()] = ""
    "The program of the browser; if not said, Chromium or Chrome of the system, or that of playwright."
    tabs: Annotated[int, Range(ge=1)] = 2
    "How many pages are rendered at once, by all crawls of this process together."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 30_000
    "How long rendering a page may take, whatever a request asks for."
    wait_until: Literal["domcontentloaded", "load", "networkidle"] = "networkidle"
    "What is waited for: the document, all that belongs to it, or that nothing was asked for during half a second."
    patience: Annotated[int, Range(ge=0), Unit("ms")] = 5_000
    "How long that is waited for once the document is there; then the page is taken as it is."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 10 * 2**20
    "How large the rendered HTML may be."
    max_traffic: Annotated[int, Range(ge=1), Unit("bytes")] = 50 * 2**20
    "How much may be fetched and sent for one page; what goes beyond is cut off."
    max_memory: Annotated[int, Range(ge=128 * 2**20), Unit("bytes")] = 2**30
    "How much memory one page may take in the browser, where the system tells that (Linux)."
    keep_browser: Annotated[int, Range(ge=0), Unit("ms")] = 30_000
    "How long the browser is kept after the last run that uses it: a server need not start it for each request."
    block: tuple[Literal["image", "media", "font", "stylesheet", "websocket", "eventsource", "other"], ...] = (
        "image",
        "media",
        "font",
    )
    "What is not fetched."

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        wanted = Wanted(self.browser, self.max_memory, self.keep_browser / 1000)
        self._browser = await self._stack.enter_async_context(shared_browser(wanted))
        self._hosts = hosts_here()
        self._allowed = Allowed(self.allow)
        self._is_told = False
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End the browser, unless others use it."""
        await self._stack.aclose()

    async def process(self, message: Message) -> Message:
        """Render a page."""
        return await attempt_page(message, self._render(message)) if _has_to(message) else message

    async def _render(self, page: Message) -> Message:
        given, rules = Given.of(page), self._rules(page)
        try:
            async with self._hosts.turn(_TURNS, self.tabs):
                rendered = await self._rendered(given, rules)
        except NoBrowser as none:
            return self._without(page, none)
        page |= rendered._asdict() | {"charset": "utf-8", "rendered": True}
        mark(page, "render")
        return page

    async def _rendered(self, page: Given, rules: Rules) -> Rendered:
        for is_last in (False, True):
            running = await self._browser.running()
            try:
                return await render(page, running, rules)
            except Crashed:
                if is_last:
                    raise
        raise AssertionError

    def _rules(self, page: Message) -> Rules:
        most = self.timeout / 1000
        return Rules(
            seconds=min(page.get("options", {}).get("timeout_seconds", most), most),
            patience=self.patience / 1000,
            wait_until=self.wait_until,
            max_bytes=self.max_bytes,
            max_traffic=self.max_traffic,
            block=self.block,
            allowed=self._allowed,
            introduction=self.introduction,
        )

    def _without(self, page: Message, none: NoBrowser) -> Message:
        """Have a page go on as it is, for there is no browser."""
        if page.get("options", {}).get("headless") == "always":
            raise PageFault("RENDER_FAILED", str(none))
        if not self._is_told:
            self._is_told = True
            self.context.log.warning("pages are not rendered: %s", none)
        page["gate_decision_reason"] = f"{page.get('gate_decision_reason', '')}; it was not rendered: {none}".lstrip("; ")
        return page


def _has_to(page: Message) -> bool:
    if not is_open(page) or "body" not in page or page.get("rendered"):
        return False
    return page.get("gate_decision") == "headless" or bool(page.get("render_wanted"))
