"""`trans serve` against a bare starlette endpoint under uvicorn that sends the same events, in one run: pace, delay, memory.

For NDJSON, Server-Sent Events and WebSocket, each with 1 and 100 clients: events a second where nothing waits; the delay of
events made at a steady pace (P95), and from the request to the first byte of the answer (P95); memory for each connection; and
what the server computed for each event. That is the steadiest of the figures: the clients are one process beside the server,
which takes a processor of its own, and where the two share a core slows it down.

The events are divided among the clients, but a run has 200. With 1,000 clients these are short runs, a fifth to a third of
which is to open them; `--least 1000` shows the pace of those that last.

    python benchmarks/server.py [--clients 1,100,1000] [--events 100000] [--rounds 2] [--protocols ndjson,sse,websocket]
    python benchmarks/server.py --rate 100000 --clients 1000       the same where all of them come at once (PF-09)
    python benchmarks/server.py --stalled 1000     clients that never read: memory, when they are closed, and what others notice
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

APP = """@prefix : <http://purl.org/stuff/transmissions/> .
:made a :EntryTransmission ; :pipe ( [ a :Made ] ) .
"""
STEPS = '''
import asyncio
import time
from transmissions import Processor


class Made(Processor):
    """Make `count` messages of `size` bytes and the time, `pause` seconds apart."""

    async def run(self, reader, writer):
        async for message in reader:
            for number in range(message["count"]):
                if message["pause"]:
                    await asyncio.sleep(message["pause"])
                await writer.write({"number": number, "made": time.time(), "text": "x" * message["size"]})
'''
MARKS = {"ndjson": b'{"event": "result"', "sse": b"event: result", "websocket": b'"message_type": "result"'}
PATHS = {"ndjson": "/apps/made/stream", "sse": "/apps/made/sse", "websocket": "/apps/made/ws"}


FEW = 10
"""Clients that have their events more often: of twenty delays the P95 is the longest."""


class Claim(NamedTuple):
    """What the reference claims of a protocol: at least, at most in ms, and clients at once with KiB for each."""

    pace: float
    delay: float
    first: float
    clients: int
    each: float


CLAIMS = {
    "ndjson": Claim(1000, 15, 500, 1000, 65),
    "sse": Claim(800, 25, 500, 500, 32),
    "websocket": Claim(1200, 8, 200, 800, 48),
}


def bare_application():
    """Return the endpoints anybody would write."""
    from starlette.applications import Starlette
    from starlette.responses import StreamingResponse
    from starlette.routing import Route, WebSocketRoute

    async def events(message):
        for number in range(message["count"]):
            if message["pause"]:
                await asyncio.sleep(message["pause"])
            made = {"number": number, "made": time.time(), "text": "x" * message["size"]}
            progress = {"completed": number + 1, "total": None, "success_rate": 1.0}
            event = {"event": "result", "seq": number + 2, "index": number, "result": made, "progress": progress}
            yield json.dumps({**event, "timestamp": "2026-01-01T00:00:00.000Z"}, ensure_ascii=False)

    async def ndjson(request):
        message = await request.json()
        return StreamingResponse((text + "\n" async for text in events(message)), media_type="application/x-ndjson")

    async def sse(request):
        message = await request.json()
        frames = (f"event: result\nid: 1\ndata: {text}\n\n" async for text in events(message))
        return StreamingResponse(frames, media_type="text/event-stream")

    async def socket(websocket):
        await websocket.accept()
        message = await websocket.receive_json()
        async for text in events(message["data"]):
            await websocket.send_text(f'{{"message_type": "result", "data": {text}}}')
        await websocket.close()

    posts = [Route(PATHS["ndjson"], ndjson, methods=["POST"]), Route(PATHS["sse"], sse, methods=["POST"])]
    return Starlette(routes=[*posts, WebSocketRoute(PATHS["websocket"], socket)])


def serve_bare(port):
    """Serve them."""
    import uvicorn

    uvicorn.run(bare_application(), port=port, log_level="error", access_log=False)


@contextlib.contextmanager
def ours(folder):
    """Start `trans serve`; give its process and port."""
    for name, text in {"apps/made/transmissions.ttl": APP, "processors/made.py": STEPS}.items():
        Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, name).write_text(text)
    words = ["serve", "made", "--no-token", "--port", "0", "--concurrent", "5000", "--timeout", "300"]
    with started([sys.executable, "-P", "-m", "transmissions", *words], folder) as process:
        port = int(re.search(r":(\d+);", process.stderr.readline())[1])
        # Somebody has to read what it logs of a thousand runs: it would wait for that.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield process, port


@contextlib.contextmanager
def bare(folder):
    """Start the other; give its process and port."""
    port = 18000 + os.getpid() % 10000
    with started([sys.executable, "-P", __file__, "--bare", str(port)], folder) as process:
        for _ in range(100):
            time.sleep(0.1)
            with contextlib.suppress(OSError):
                asyncio.run(request(port, "ndjson", {"count": 1, "pause": 0, "size": 1}, Seen()))
                break
        yield process, port


@contextlib.contextmanager
def started(command, folder):
    """Run a process while the block lasts."""
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Seen:
    """What one client saw."""

    def __init__(self):
        self.events = 0
        self.first = None
        self.delays = []


def opening(protocol, message):
    """Return what a client sends, to the last byte."""
    if protocol == "websocket":
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        head = f"GET {PATHS[protocol]} HTTP/1.1\r\nHost: 127.0.0.1\r\n{upgrade}Sec-WebSocket-Key: {key}\r\n\r\n"
        text = json.dumps({"action": "run", "data": message}).encode()
        return head.encode(), b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text
    body = json.dumps(message).encode()
    headers = f"Host: 127.0.0.1\r\nAccept: text/event-stream\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    return f"POST {PATHS[protocol]} HTTP/1.1\r\n{headers}\r\n".encode() + body, b""


async def request(port, protocol, message, seen):
    """Run the app once, and read what comes."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 18)
    first, second = opening(protocol, message)
    writer.write(first)
    if second:
        await reader.readuntil(b"\r\n\r\n")
        seen.first = time.perf_counter() - began
        writer.write(second)
    rest, mark = b"", MARKS[protocol]
    while data := await reader.read(1 << 16):
        if seen.first is None:
            seen.first = time.perf_counter() - began
        data = rest + data
        seen.events += data.count(mark)
        if message["pause"]:
            now = time.time()
            seen.delays += [now - float(made) for made in re.findall(rb'"made": ([0-9.]+),', data)]
        rest = data[1 - len(mark) :]
        if seen.events >= message["count"]:
            break
    writer.close()


async def all_at_once(port, protocol, clients, message, rate=1000):
    """Have clients ask at a rate; return what they saw and how long it took."""
    seen = [Seen() for _ in range(clients)]
    tasks, began = [], time.perf_counter()
    for one in seen:
        tasks.append(asyncio.create_task(request(port, protocol, message, one)))
        await asyncio.sleep(1 / rate if clients > 1 else 0)
    await asyncio.gather(*tasks)
    return seen, time.perf_counter() - began


def memory(process):
    """Return the resident memory of a process in bytes."""
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def computed(process):
    """Return the seconds a process has computed."""
    return sum(map(int, Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13])) / os.sysconf(
        "SC_CLK_TCK"
    )


def share(values, part):
    """Return the value that a part of them is below."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


class Figures(NamedTuple):
    """What one round showed: events a second, P95 of delay and first byte in ms, KiB each, clients that had all, µs each."""

    pace: float
    delay: float
    first: float
    each: float
    whole: int
    computed: float


async def measured(process, port, protocol, clients, options):
    """Measure one round."""
    events, rate = options.events, options.rate
    quick = {"count": max(options.least, events // clients), "pause": 0, "size": 100}
    await all_at_once(port, protocol, min(clients, 10), {**quick, "count": 200})
    before = memory(process)
    lasting = max(5, clients / rate + 5)  # All of them are there at once, whenever the first came.
    pause = 0.25 if clients > FEW else 0.05
    message = {"count": int(lasting / pause), "pause": pause, "size": 100}
    steady = asyncio.create_task(all_at_once(port, protocol, clients, message, rate))
    await asyncio.sleep(clients / rate + 3)
    each = (memory(process) - before) / clients / 1024
    slow, _ = await steady
    spent = computed(process)
    seen, seconds = await all_at_once(port, protocol, clients, quick)
    spent = (computed(process) - spent) / sum(one.events for one in seen) * 1e6
    delays = [delay for one in slow for delay in one.delays]
    firsts = [one.first for one in slow]
    pace = sum(one.events for one in seen) / seconds
    whole = sum(one.events >= message["count"] for one in slow)
    return Figures(pace, share(delays, 0.95) * 1000, share(firsts, 0.95) * 1000, each, whole, spent)


def best(rounds):
    """Return the best of each; of memory the first, as a process keeps what it had."""
    pace, delay, first = max(one.pace for one in rounds), min(one.delay for one in rounds), min(one.first for one in rounds)
    spent = min(one.computed for one in rounds)
    return Figures(pace, delay, first, rounds[0].each, min(one.whole for one in rounds), spent)


def claimed(protocol, clients, rate, found):
    """Print what was found beside what the reference claims, row by row, in its own order."""
    claim = CLAIMS[protocol]
    first_byte = "PF-09" if rate > 10 * clients else "PF-02" if protocol == "websocket" else "PF-01"
    rows = [
        (first_byte, f"first byte P95 {found.first:.1f} ms", claim.first, found.first),
        ({"ndjson": "PF-03", "sse": "PF-04", "websocket": "PF-05"}[protocol], f"{found.pace:.0f} events/s", claim.pace, None),
        ("PF-06", f"P95 {found.delay:.2f} ms", claim.delay, found.delay),
        *(
            [("PF-07", f"{found.whole} of {clients} clients at once to their end", claim.clients, None)]
            if clients >= 500
            else []
        ),
        ("PF-08", f"{found.each:.1f} KiB each", claim.each, found.each),
        ("LC-13", f"{1000 / found.pace:.3f} ms for an event, all told", 1, 1000 / found.pace),
    ]
    for name, told, least_or_most, most in rows:
        print(f"  {name}  {told}; claimed: {'at most' if most is not None else 'at least'} {least_or_most:g}", flush=True)


def compare(options, folder):
    """Print a line for each protocol and number of clients: the best of rounds by turns, as nothing here is ever alone."""
    print(
        "protocol   clients   events/s (bare)    ratio   P95 ms (bare)   first byte ms (bare)"
        "   KiB each (bare)   µs each (bare)"
    )
    for protocol in options.protocols.split(","):
        for clients in map(int, options.clients.split(",")):
            rounds = [[], []]
            with bare(folder) as base, ours(folder) as other:
                for turn in range(2 * options.rounds):
                    process, port = (base, other)[turn % 2]
                    rounds[turn % 2].append(asyncio.run(measured(process, port, protocol, clients, options)))
            (pace, delay, first, each, _, spent), (our_pace, our_delay, our_first, our_each, _, our_spent) = map(best, rounds)
            print(
                f"{protocol:10} {clients:7} {our_pace:8.0f} ({pace:8.0f}) {our_pace / pace:6.2f} "
                f"{our_delay:7.2f} ({delay:5.2f}) {our_first:15.1f} ({first:5.1f}) {our_each:15.1f} ({each:5.1f}) "
                f"{our_spent:10.1f} ({spent:5.1f})",
                flush=True,
            )
            claimed(protocol, clients, options.rate, best(rounds[1]))


async def stall(port, protocol, sockets):
    """Ask for very many events and read none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    writer.transport.pause_reading()
    first, second = opening(protocol, {"count": 9000, "pause": 0.005, "size": 4000})
    writer.write(first)
    if second:
        writer.transport.resume_reading()
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()
        writer.write(second)
    sockets.append((reader, writer))


def open_to(process, port):
    """Return how many connections a server has."""
    lines = Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01" for line in lines)


async def stalled(process, port, clients, seconds):
    """Print what becomes of clients that never read, and of one in ten that do."""
    base, sockets, highest = memory(process), [], 0
    protocols = [("ndjson", "sse", "websocket")[number % 3] for number in range(clients)]
    await asyncio.gather(*(stall(port, protocol, sockets) for protocol in protocols))
    began = time.perf_counter()
    steady = {"count": int(seconds / 0.25), "pause": 0.25, "size": 100}
    reading = asyncio.create_task(all_at_once(port, "ndjson", 20, steady))
    closed = None
    while time.perf_counter() - began < seconds:
        await asyncio.sleep(0.5)
        highest = max(highest, memory(process) - base)
        if closed is None and open_to(process, port) <= 20:
            closed = time.perf_counter() - began
    seen, _ = await reading
    delays = [delay for one in seen for delay in one.delays]
    when = "never" if closed is None else f"{closed:.1f} s after the last came"
    others = f"others' P99 {share(delays, 0.99) * 1000:.0f} ms"
    print(f"{clients} that never read: {highest / 2**20:.0f} MiB more at most; all closed {when}; {others}")


def main():
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", default="1,100")
    parser.add_argument("--events", type=int, default=100000)
    parser.add_argument("--least", type=int, default=200, help="events of a run at least")
    parser.add_argument("--protocols", default="ndjson,sse,websocket")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=100, help="clients that come in a second")
    parser.add_argument("--stalled", type=int)
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--bare", type=int)
    options = parser.parse_args()
    if options.bare:
        serve_bare(options.bare)
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        if options.stalled:
            with ours(folder) as (process, port):
                asyncio.run(stalled(process, port, options.stalled, options.seconds))
        else:
            compare(options, folder)


if __name__ == "__main__":
    main()
