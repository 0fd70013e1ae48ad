"""What happens to one page in a browser: it is opened with a profile of its own, let run, read, and closed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from .crawl_page import PageFault
from .egress import fault_of, take_apart
from .fetch_errors import Refused
from .rendering import Crashed, Rendered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, Page, Request, Response, Route

    from .browser_pool import Running
    from .guarded_proxy import Visitor
    from .rendering import Given, Rules

_OK: Final = range(200, 300)
_CLOSING: Final = 5.0
"""Seconds in which a profile has to be gone; a browser that takes longer is replaced."""
_TRIES: Final = 3
"""How often a page is read that leads to another one meanwhile."""
_WEB: Final = ("http://", "https://")
_READ: Final = """(most => {
    const getter = (kind, name) => Object.getOwnPropertyDescriptor(kind.prototype, name).get
    const inside = getter(Node, 'childNodes'), shadow = getter(Element, 'shadowRoot')
    const inert = new DOMParser().parseFromString('', 'text/html')
    const shown = node => {
        const slotted = node instanceof HTMLSlotElement ? node.assignedNodes() : []
        return slotted.length ? slotted : inside.call(node instanceof Element && shadow.call(node) || node)
    }
    const flat = node => {
        const copy = inert.importNode(node, false)
        for (const child of shown(node)) Node.prototype.appendChild.call(copy, flat(child))
        return copy
    }
    let page = getter(Document, 'documentElement').call(document)
    try {
        const all = page ? [...Element.prototype.querySelectorAll.call(page, '*')] : []
        if (all.some(one => shadow.call(one))) page = flat(page)
    } catch (error) {
        if (!(error instanceof RangeError)) throw error
    }
    const type = getter(Document, 'doctype').call(document) ? '<!DOCTYPE html>' : ''
    const html = type + (page ? getter(Element, 'outerHTML').call(page) : '')
    return html.length > most ? null : html
})(%d)"""
"""Writes the document as it is shown: with what is in open shadow roots, and in slots what was put there. Elements of a page
may be named like any property, so these are asked for by their getters; one that is nested too deep is written without."""


async def render(page: Given, running: Running, rules: Rules) -> Rendered:
    """Render a page that was fetched.

    Raises:
        Crashed: the browser is gone.
        PageFault: the page could not be rendered.

    """
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(rules.seconds), _profile(running, rules) as (context, visitor):
            return await _Tab(page, await context.new_page(), visitor, rules).result()
    except TimeoutError:
        raise PageFault("RENDER_TIMEOUT", f"the page was not rendered within {rules.seconds:g} seconds") from None
    except Error as error:
        said = f"the page could not be rendered: {error.message.splitlines()[0]}"
        raise (PageFault if running.is_alive else Crashed)("RENDER_FAILED", said) from error


@asynccontextmanager
async def _profile(running: Running, rules: Rules) -> AsyncIterator[tuple[BrowserContext, Visitor]]:
    """Give a page a profile of its own, which is gone with it, and its way through the proxy."""
    major = running.browser.version.partition(".")[0]
    engine = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"
    with running.proxy.visit(rules.allowed, rules.max_traffic) as visitor:
        context = await running.browser.new_context(
            proxy={"server": running.proxy.url, "username": visitor.name, "password": visitor.word},
            user_agent=f"{engine} {rules.introduction}",
            accept_downloads=False,
            service_workers="block",
            permissions=[],
        )
        try:
            yield context, visitor
        finally:
            await _close_profile(context, running)


async def _close_profile(context: BrowserContext, running: Running) -> None:
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(_CLOSING):
            await context.close()
    except (Error, TimeoutError):
        running.is_sick = True


class _Tab:
    """A page in a browser."""

    def __init__(self, page: Given, tab: Page, visitor: Visitor, rules: Rules) -> None:
        self._page = page
        self._tab = tab
        self._visitor = visitor
        self._rules = rules
        self._asked = page.url
        """Where the page went last."""
        self._status = 0
        self._is_given = False
        self._has_crashed = False

    async def result(self) -> Rendered:
        """Return what became of the page."""
        work = asyncio.create_task(self._work())
        self._tab.on("crash", lambda _: self._crash(work))
        try:
            return await work
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if self._has_crashed and not (own and own.cancelling()):
                raise PageFault("RENDER_FAILED", "the page crashed in the browser, or took too much memory") from None
            raise

    def _crash(self, work: asyncio.Task[Rendered]) -> None:
        self._has_crashed = True
        work.cancel()

    async def _work(self) -> Rendered:
        from playwright.async_api import Error

        self._tab.on("request", self._note_request)
        self._tab.on("response", self._note_response)
        self._tab.on("popup", _close)
        await self._tab.context.route("**/*", self._route)
        with suppress(Error):  # a page that leads to another one at once has been interrupted
            await self._tab.goto(self._page.url, wait_until="domcontentloaded", timeout=0)
        html = await self._html()
        body = html.encode(errors="replace")
        if len(body) > self._rules.max_bytes:
            raise self._too_large()
        return Rendered(body, self._tab.url)

    def _too_large(self) -> PageFault:
        return PageFault("LIMIT_BYTES", f"the rendered page is larger than {self._rules.max_bytes} bytes")

    async def _html(self) -> str:
        from playwright.async_api import Error

        for is_last in (*[False] * (_TRIES - 1), True):
            await self._settle()
            self._check()
            try:
                html = await self._read()
            except Error:
                if is_last:
                    raise
            else:
                self._check()
                return html
        raise AssertionError

    async def _settle(self) -> None:
        from playwright.async_api import TimeoutError as TooLong

        with suppress(TooLong):
            await self._tab.wait_for_load_state("domcontentloaded", timeout=0)
            if self._rules.patience:
                await self._tab.wait_for_load_state(self._rules.wait_until, timeout=self._rules.patience * 1000)

    async def _read(self) -> str:
        """Return the document, read from a world of its own: what scripts have made of their own world is not trusted."""
        session = await self._tab.context.new_cdp_session(self._tab)
        frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        world = await session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "reading"})
        context = world["executionContextId"]
        asked = {"expression": _READ % self._rules.max_bytes, "contextId": context, "returnByValue": True}
        found = (await session.send("Runtime.evaluate", asked))["result"].get("value")
        if not isinstance(found, str):
            raise self._too_large()
        return found

    def _check(self) -> None:
        """Say no to where a script has led."""
        if self._tab.url.startswith(_WEB) and self._status in _OK:
            return
        try:
            place = take_apart(self._asked)
        except Refused as refusal:
            raise PageFault("POLICY_EGRESS", f"the page leads to what is refused: {refusal}") from None
        if fault := fault_of(place, self._rules.allowed) or self._visitor.refused.get((place.host, place.port)):
            raise PageFault("POLICY_EGRESS", f"the page leads to what is refused: {place.shown}: {fault}")
        raise PageFault("RENDER_FAILED", f"the page leads to {place.shown}, where there is none (status {self._status})")

    async def _route(self, route: Route) -> None:
        from playwright.async_api import Error

        request = route.request
        with suppress(Error):  # the page has gone
            if not self._is_given and self._is_main(request):
                self._is_given = True
                await route.fulfill(headers=self._page.headers, body=self._page.body)
            elif request.resource_type in self._rules.block or not request.url.startswith(_WEB):
                await route.abort()
            else:
                await route.continue_()

    def _is_main(self, request: Request) -> bool:
        from playwright.async_api import Error

        with suppress(Error):  # a window that is just being opened
            return request.is_navigation_request() and request.frame == self._tab.main_frame
        return False

    def _note_request(self, request: Request) -> None:
        if self._is_main(request):
            self._asked = request.url

    def _note_response(self, response: Response) -> None:
        if self._is_main(response.request):
            self._status = response.status


async def _close(tab: Page) -> None:
    from playwright.async_api import Error

    with suppress(Error):
        await tab.close()
