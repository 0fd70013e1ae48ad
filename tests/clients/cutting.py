"""A proxy on the loopback that breaks connections: for tests of clients that come back."""

import asyncio
import contextlib
import random
import threading


class Cutter:
    """Passes bytes on to a server; each connection is reset after so many bytes, chosen by chance around `mean`."""

    def __init__(self, address, mean, most, seed):
        self.cuts = 0
        self._address = address
        self._mean = mean
        self._most = most
        self._chance = random.Random(seed)
        self._tasks = set()

    async def accept(self, reader, writer):
        """Pass on what one client and the server say to each other."""
        self._tasks.add(asyncio.current_task())
        there, back = await asyncio.open_connection(*self._address)
        left = self._chance.uniform(0.5, 1.5) * self._mean
        upward = asyncio.create_task(self._pump(reader, back, None))
        try:
            with contextlib.suppress(OSError):
                await self._pump(there, writer, left)
        finally:
            upward.cancel()
            for end in (writer, back):
                end.transport.abort()
            await asyncio.gather(upward, return_exceptions=True)
            self._tasks.discard(asyncio.current_task())

    async def _pump(self, reader, writer, left):
        while data := await reader.read(4096):
            if left is not None and self.cuts < self._most:
                left -= len(data)
                if left < 0:
                    # Some of it still comes through: an event may be cut in two.
                    writer.write(data[: self._chance.randrange(len(data))])
                    await writer.drain()
                    self.cuts += 1
                    return
            writer.write(data)
            await writer.drain()
        writer.write_eof()
        await asyncio.sleep(0.2)

    async def work(self, ready):
        """Listen until told to stop."""
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0, limit=8192)
        ready["address"] = server.sockets[0].getsockname()[:2]
        ready["stop"] = stop = asyncio.Event()
        ready["loop"] = asyncio.get_running_loop()
        ready["event"].set()
        async with server:
            await stop.wait()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.05)  # what was aborted is closed in the next turn


@contextlib.contextmanager
def cutting(server, mean, most, seed=1):
    """Give a proxy in front of a server while the block lasts; `url` is where it is."""
    cutter = Cutter(server.address, mean, most, seed)
    ready = {"event": threading.Event()}
    thread = threading.Thread(target=lambda: asyncio.run(cutter.work(ready)), daemon=True)
    thread.start()
    assert ready["event"].wait(10)
    cutter.url = "http://{}:{}".format(*ready["address"])
    try:
        yield cutter
    finally:
        ready["loop"].call_soon_threadsafe(ready["stop"].set)
        thread.join(10)
