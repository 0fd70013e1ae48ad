"""Debian's Chromium, driven by its own protocol: enough to open a page, type, and look at what became of it."""

import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

PATH = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(PATH is None, reason="there is no Chromium here")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-port=0",
)


class Page:
    """One tab."""

    def __init__(self, socket):
        self.told = []
        """What the page said of faults: exceptions, and what its policy refused."""
        self._socket = socket
        self._numbers = itertools.count(1)
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **arguments):
        """Have something done, and return the answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": arguments}))
        while (message := json.loads(self._socket.recv(timeout=30))).get("id") != number:
            self._hear(message)
        assert "error" not in message, message
        return message["result"]

    def _hear(self, message):
        if message["method"] == "Runtime.exceptionThrown":
            self.told.append(message["params"]["exceptionDetails"])
        if message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.told.append(message["params"]["entry"])

    def open(self, url):
        """Go to a page, and wait until it is loaded."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression):
        """Return what an expression gives; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression, seconds=20):
        """Wait until an expression is true, and return what it gives."""
        end = time.monotonic() + seconds
        while not (found := self.value(expression)):
            assert time.monotonic() < end, f"{expression} did not come to be: {self.value('document.body.innerText')}"
            time.sleep(0.02)
        return found

    def type(self, text):
        """Type into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key, code, **more):
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)


@contextlib.contextmanager
def chromium():
    """Give a tab of a browser while the block lasts."""
    from websockets.sync.client import connect

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [PATH, *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_tab(Path(folder, "DevToolsActivePort"), browser), max_size=None, proxy=None) as socket:
                yield Page(socket)
        finally:
            browser.terminate()
            browser.wait(20)


def _tab(place, browser):
    end = time.monotonic() + 60
    while not (place.exists() and place.read_text().count("\n")):
        assert browser.poll() is None, "Chromium ended"
        assert time.monotonic() < end, "Chromium did not begin"
        time.sleep(0.05)
    with urllib.request.urlopen(f"http://127.0.0.1:{place.read_text().split()[0]}/json/list") as answer:
        return next(one["webSocketDebuggerUrl"] for one in json.load(answer) if one["type"] == "page")
