"""Two servers behind a balancer that sends what belongs to a session to one of them, as long as there is one."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit
from zlib import crc32

import delivering
import pytest

from transmissions import delivery
from transmissions.client import Backoff, Refused, Reset, Result, StreamClient

TOKEN = "a-token-of-both"
STATIC = Path(delivery.__file__).parent / "static"


class Worker:
    """A server in a process of its own."""

    def __init__(self, folder, name):
        words = [sys.executable, "-P", "-m", "transmissions", "serve", "numbers", "--port", "0", "-o", str(folder / name)]
        environment = {**os.environ, "TRANS_TOKEN": TOKEN}
        self.process = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment)
        said = self.process.stderr.readline()
        self.url = re.search(r"http://\S+(?=;)", said)[0]
        self.address = urlsplit(self.url).hostname, urlsplit(self.url).port

    def kill(self):
        """Lose it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.process.stderr.close()


class Balancer:
    """Passes connections on: by the session in the query or in a header, to the first that takes them."""

    def __init__(self, workers):
        self.workers = workers
        self.url = ""
        self.at_work = set()
        self.went = {}
        """Where sessions went, in order."""

    async def serve(self, ready):
        """Serve until stopped."""
        self.loop, self.stopped = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._pass_on, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            ready.set()
            await self.stopped.wait()
        for task in self.at_work:
            task.cancel()
        await asyncio.wait(self.at_work, timeout=5)
        await asyncio.sleep(0)  # so that what was closed is

    def stop(self):
        """End, from another thread."""
        self.loop.call_soon_threadsafe(self.stopped.set)

    async def _pass_on(self, reader, writer):
        writers = [writer]
        self.at_work.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"[?&]session_id=([^& ]+)", head) or re.search(rb"(?i)x-session-id: (\S+)", head)
            below_reader, below = await self._connect(found[1].decode() if found else "")
            writers.append(below)
            below.write(re.sub(rb"(?i)\r\nconnection: keep-alive", b"", head))
            ways = [asyncio.create_task(self._copy(*way)) for way in ((reader, below), (below_reader, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        for one in writers:
            one.close()

    async def _connect(self, session):
        first = crc32(session.encode()) % len(self.workers)
        for worker in [*self.workers[first:], *self.workers[:first]]:
            with contextlib.suppress(OSError):
                connected = await asyncio.open_connection(*worker.address)
                self.went.setdefault(session, []).append(worker)
                return connected
        raise ConnectionRefusedError

    async def _copy(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    """Give what returns two workers: those that are there, and others for those that were lost."""
    folder, workers = tmp_path_factory.mktemp("balanced"), {}

    def both():
        lost = [name for name in ("one", "two") if name not in workers or workers[name].process.poll() is not None]
        workers.update({name: Worker(folder, name) for name in lost})
        return [workers["one"], workers["two"]]

    with pytest.MonkeyPatch.context() as patch:
        delivering.make_home(folder, patch)
        yield both
    for worker in workers.values():
        if worker.process.poll() is None:
            worker.kill()


@pytest.fixture
def balanced(two_workers):
    """Give a balancer with two workers behind it."""
    balancer, ready = Balancer(two_workers()), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(balancer.serve(ready),), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield balancer
    balancer.stop()
    thread.join(10)


def ask(url, method="GET", token=TOKEN, **headers):
    """Return status and body of an answer."""
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    body = b"{}" if method == "POST" else None
    headers |= {"Content-Type": "application/json"} if body else {}
    asked = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_sc01_what_belongs_to_a_session_meets_at_one_worker(balanced):
    """Whichever made it: a run is begun with the token, and followed without, as a page does."""
    for number in range(8):
        made = ask(f"{balanced.workers[number % 2].url}/sessions", "POST")
        session = re.search(rb'"session_id": ?"([^"]+)"', made[1])[1].decode()
        assert ask(f"{balanced.url}/apps/numbers/sse", "POST", X_Session_ID=session, Accept="*/*")[0] == 202
        status, events = ask(f"{balanced.url}/apps/numbers/sse/stream?session_id={session}", token="")
        assert status == 200
        assert events.count(b"event: result") == 3
    assert all(len(set(went)) == 1 for went in balanced.went.values())
    assert len({went[0] for went in balanced.went.values()}) == 2


def test_sc02_a_session_of_another_token_is_none(balanced):
    """What one of a server without the token made opens nothing."""
    from transmissions.delivery.sessions import Sessions

    stranger = Sessions("another").new("0" * 16)
    assert ask(f"{balanced.url}/apps/numbers/sse/stream?session_id={stranger}", token="")[0] == 401


@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
def test_sc03_a_client_whose_worker_is_lost_is_told_and_begins_anew(balanced, protocol):
    """At the other worker: after the reset it has every result, once and in order."""

    async def follow():
        seen, is_lost = [], False
        async with StreamClient(balanced.url, token=TOKEN, protocol=protocol, backoff=Backoff(base=0.02)) as client:
            stream = client.stream("numbers", {"count": 400, "wait": 0.005}, session_id="mine")
            async for event in stream:
                seen.append(event)
                if not is_lost and len(seen) > 20:
                    is_lost = True
                    await asyncio.to_thread(balanced.went["mine"][0].kill)
        return seen, stream.summary

    seen, summary = delivering.timed(follow(), 60)
    [reset] = [place for place, event in enumerate(seen) if isinstance(event, Reset)]
    results = [event.result["n"] for event in seen[reset:] if isinstance(event, Result)]
    assert results == list(range(400))
    assert summary.status == "complete"


FOLLOW = """
const [client, url, token, protocol] = process.argv.slice(1);
const { StreamClient } = await import(client);
const streams = new StreamClient({ baseUrl: url, token, protocol, baseDelay: 20 });
const stream = streams.stream("numbers", { count: 400, wait: 0.005 });
for await (const { event, result, status } of stream) console.log(JSON.stringify([event, result?.n ?? status]));
"""
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="there is no Node here")
@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
def test_sc03_a_client_in_javascript_whose_worker_is_lost_begins_anew(balanced, protocol):
    """After the reset it has every result, once and in order."""
    flags = [flag for flag in ["--experimental-websocket"] if flag in subprocess.check_output([NODE, "--help"], text=True)]
    command = [NODE, "--no-warnings", *flags, "--input-type=module", "-e", FOLLOW]
    words = [(STATIC / "client.js").as_uri(), balanced.url, TOKEN, protocol]
    with subprocess.Popen([*command, *words], stdout=subprocess.PIPE, text=True) as process:
        seen = [json.loads(process.stdout.readline()) for _ in range(20)]
        [*_, went] = balanced.went.values()
        went[-1].kill()
        seen += map(json.loads, process.stdout)
    [reset] = [place for place, (event, _) in enumerate(seen) if event == "reset"]
    assert [value for event, value in seen[reset:] if event == "result"] == list(range(400))
    assert seen[-1] == ["summary", "complete"]


def test_a_run_of_another_client_that_is_unknown_is_not_begun(balanced):
    """Whoever follows it did not say what it is."""

    async def follow():
        async with StreamClient(balanced.url, token=TOKEN) as client:
            await client.follow("a-run-that-is-lost").run()

    with pytest.raises(Refused, match="404"):
        delivering.timed(follow(), 20)
