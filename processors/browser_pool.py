"""One Chromium for all runs of this process: started when a page needs it, replaced when it is gone, ended after its last user.

Its driver and it hold pipes to this process, and end when those are closed, however this process ends. Its profile is a
folder of its own, which goes with it.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import sys
from contextlib import AsyncExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions import RunError

from .shared import lent

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Browser, Playwright

    from .guarded_proxy import GuardedProxy

_NAMES: Final = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
_STARTING: Final = 60.0
"""Seconds in which the browser has to be there; one is usual."""
_LOOKING: Final = 0.25
"""Seconds between two looks at how much memory pages take."""
_ENDING: Final = 10.0
"""Seconds it is given to end by itself."""
_ABSENT: Final = 30.0
"""Seconds after which one that was not there is looked for again."""
_GIVEN: Final = ("PATH", "HOME", "TMPDIR", "LANG", "LC_", "TZ", "LD_", "FONTCONFIG_", "XDG_")
"""What of the environment the browser gets. Keys are none of its business."""
_ARGUMENTS: Final = (
    # All goes through the proxy, what is for the loopback too, and whatever should get past it finds no names.
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--dns-prefetch-disable",
    "--no-pings",
    # It asks for nothing by itself: what its driver does not switch off already.
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--safebrowsing-disable-auto-update",
    "--deny-permission-prompts",
    "--disable-speech-api",
    "--js-flags=--max-old-space-size=512",
)
_NOT_WANTED: Final = ("--disable-popup-blocking", "--disable-ipc-flooding-protection")
"""What its driver would switch off, and protects from hostile pages."""


class NoBrowser(RunError):
    """There is nothing to render pages with; the sentence says what to install."""


class Running:
    """A browser that runs, and its only way out."""

    def __init__(self, browser: Browser, proxy: GuardedProxy, rest: AsyncExitStack) -> None:
        self.browser = browser
        self.proxy = proxy
        self.is_sick = False
        """Whether it did not do as it was told, so that it is replaced."""
        self._rest = rest

    @property
    def is_alive(self) -> bool:
        """Whether pages can be opened in it."""
        return self.browser.is_connected() and not self.is_sick

    async def end(self) -> None:
        """End it. What does not end by itself is killed by its driver."""
        from playwright.async_api import Error

        async with self._rest:
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(_ENDING):
                    await self.browser.close()


class Wanted(NamedTuple):
    """What browser is wanted; those who want the same share it."""

    executable: str
    """The path of the program, or empty for the one that is found."""
    max_memory: int
    """Bytes a page may take."""
    kept: float = 0.0
    """Seconds for which it stays when nobody uses it."""


class SharedBrowser:
    """A browser for all who want the same."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._changing = asyncio.Lock()
        self._running: Running | None = None
        self._why_none = ""
        self._none_until = 0.0

    async def running(self) -> Running:
        """Return the browser; it is started if it is not there, or is no more.

        Raises:
            NoBrowser: there is none, or it does not start.

        """
        async with self._changing:
            if self._running is None or not self._running.is_alive:
                await self._end()
                self._running = await self._start()
            return self._running

    async def _start(self) -> Running:
        clock = asyncio.get_running_loop().time
        if clock() < self._none_until:  # what is not there for one page is not looked for again for the next
            raise NoBrowser(self._why_none)
        try:
            return await _start(self._wanted)
        except NoBrowser as none:
            self._why_none, self._none_until = str(none), clock() + _ABSENT
            raise

    async def end(self) -> None:
        """End the browser, if it runs."""
        async with self._changing:
            await self._end()

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running.end()


async def _start(wanted: Wanted) -> Running:
    try:
        playwright = await asyncio.to_thread(import_module, "playwright.async_api")  # half a second
    except ImportError:
        library = _command("pip", "install", "playwright")
        raise NoBrowser(f"rendering needs a library; install it: {library}; and, if it is not there, {_chromium()}") from None
    from .guarded_proxy import GuardedProxy

    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(GuardedProxy())
        starting = playwright.async_playwright()
        beginning: asyncio.Future[Playwright] = asyncio.ensure_future(starting.start())
        stack.push_async_callback(_see_off, starting, beginning)
        driver = await asyncio.shield(beginning)  # cut short, it would leave a process that nobody knows
        try:
            browser = await driver.chromium.launch(
                executable_path=_found(wanted.executable, driver.chromium.executable_path),
                args=[*_ARGUMENTS],
                ignore_default_args=[*_NOT_WANTED],
                proxy={"server": proxy.url},
                env={name: value for name, value in os.environ.items() if name.startswith(_GIVEN)},
                chromium_sandbox=os.geteuid() != 0,  # root cannot have the sandbox: Chromium would not start
                handle_sigint=False,  # when this process is told to stop, pages are finished first
                timeout=_STARTING * 1000,
            )
        except playwright.Error as error:
            raise NoBrowser(f"the browser does not start: {_said(error.message)}") from error
        watching = asyncio.create_task(_watch(browser, wanted.max_memory))
        stack.callback(watching.cancel)
        return Running(browser, proxy, stack.pop_all())


async def _see_off(started: Any, beginning: asyncio.Future[Playwright]) -> None:
    """Have the driver end, and wait for it: when the loop ends, whoever of the library would do so has been cancelled."""
    await asyncio.wait([beginning])
    if not beginning.cancelled() and not beginning.exception():
        await beginning.result().stop()
    process: Process | None = getattr(getattr(getattr(started, "_client", None), "_transport", None), "_proc", None)
    if process and process.returncode is None and process.stdin:
        process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _ENDING)


async def _watch(browser: Browser, most: int) -> None:
    """End each page that takes too much memory. Chromium bounds what scripts hold, but not the document."""
    from playwright.async_api import Error

    with suppress(Error):  # the browser has gone
        session = await browser.new_browser_cdp_session()
        while True:
            await asyncio.sleep(_LOOKING)
            processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
            pages = [process["id"] for process in processes if process["type"] == "renderer"]
            for pid in filter(lambda pid: _memory(pid) > most, pages):
                _kill(pid)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has just ended
        os.kill(pid, signal.SIGKILL)


def _memory(pid: int) -> int:
    """Return how many bytes a process takes; 0 where nobody can tell."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGESIZE")


def _said(message: str) -> str:
    """Return what matters of many lines: the first, and the last that the browser itself wrote."""
    first, *lines = message.splitlines()
    return "; ".join([first, *[line.partition("[err] ")[2] for line in lines if "[err] " in line][-1:]])


def _found(executable: str, own: str) -> str:
    """Return the path of a browser; `own` is where that of the library would be."""
    if executable:
        if not shutil.which(executable):
            raise NoBrowser(f"there is no browser '{executable}', which the setting browser names")
        return executable
    found = next(filter(None, map(shutil.which, (*_NAMES, own))), None)
    if not found:
        raise NoBrowser(f"rendering needs {_chromium()}")
    return found


def _chromium() -> str:
    """Return the name of the browser, and how to install it."""
    return f"Chromium; install it: apt install chromium, or {_command('playwright', 'install', 'chromium')}"


def _command(*words: str) -> str:
    """Return what to type to run a module of this Python."""
    return shlex.join([sys.executable, "-m", *words])


def shared_browser(wanted: Wanted) -> AbstractAsyncContextManager[SharedBrowser]:
    """Be one of those who use a browser."""
    return lent((SharedBrowser, wanted), lambda: SharedBrowser(wanted), SharedBrowser.end, kept=wanted.kept)
