"""Clients that never finish asking, against a live `trans serve` on loopback: when each is cut off, and what others notice.

    python benchmarks/slow_heads.py [--copies 10] [--seconds 45]

The server is to close each within its patience: 10 s for a head and for what nobody asks about, 30 s for a body.
"""

import argparse
import asyncio
import tempfile
import time

from server import MARKS, PATHS, all_at_once, memory, open_to, ours, share

PROTOCOL = next(iter(MARKS))
HEAD = f"POST {PATHS[PROTOCOL]} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
LONG = b"Content-Length: 900\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LIVES = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
UPGRADE = f"GET {PATHS['websocket']} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".encode()
KINDS = {
    "nothing": (b"", b""),
    "one byte": (b"P", b""),
    "half a head": (HEAD, b""),
    "a head, byte by byte": (HEAD + b"A: ", b"a"),
    "a head, line by line": (HEAD, b"A: b\r\n"),
    "empty lines": (b"", b"\r\n"),
    "half an upgrade": (UPGRADE, b""),
    "an upgrade, byte by byte": (UPGRADE + b"A: ", b"a"),
    "no body": (HEAD + LONG, b""),
    "a body, byte by byte": (HEAD + LONG + b"{", b" "),
    "chunks": (CHUNKED + b"1\r\n{\r\n", b"1\r\n \r\n"),
    "the size of a chunk": (CHUNKED, b"0"),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"A: b\r\n"),
    "a body for no app": (HEAD.replace(b"made", b"none") + LONG, b" "),
    "a request, then nothing": (LIVES, b""),
    "a request, then half of one": (LIVES + b"GET ", b"/"),
}


async def drip(writer, piece):
    """Send a piece over and over."""
    while piece:
        await asyncio.sleep(0.5)
        writer.write(piece)


async def attack(port, first, piece, seconds):
    """Return after how many seconds a client is cut off that begins to ask and does not end; None if it is not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    writer.write(first)
    dripping = asyncio.create_task(drip(writer, piece))
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(1 << 16):
                pass
    except TimeoutError:
        return None
    except OSError:
        pass
    finally:
        dripping.cancel()
        writer.close()
    return time.perf_counter() - began


async def attacked(process, port, options):
    """Attack a server in all ways at once; print when each ends, and how others did meanwhile."""
    names = [name for name in KINDS for _ in range(options.copies)]
    before = memory(process)
    attacks = [asyncio.create_task(attack(port, *KINDS[name], options.seconds)) for name in names]
    await asyncio.sleep(1)
    seen, _ = await all_at_once(port, PROTOCOL, 20, {"count": 40, "pause": 0.1, "size": 100}, 20)
    ended = await asyncio.gather(*attacks)
    for kind in KINDS:
        times = [seconds for name, seconds in zip(names, ended, strict=True) if name == kind]
        print(f"{kind:28} {'NEVER' if None in times else f'{min(times):.1f} to {max(times):.1f} s'}")
    delays = [delay for one in seen for delay in one.delays]
    whole, left = sum(one.events >= 40 for one in seen), open_to(process, port)
    print(f"others: {whole} of 20 whole, P95 {share(delays, 0.95) * 1000:.1f} ms", end="; ")
    print(f"{left} connections left, {(memory(process) - before) / 2**20:.0f} MiB more")


def main():
    """Attack a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=10, help="clients of each kind")
    parser.add_argument("--seconds", type=float, default=45)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ours(folder) as (process, port):
        asyncio.run(attacked(process, port, options))


if __name__ == "__main__":
    main()
