"""Parts for tests of the delivery: a log on its own, a run of fixed messages, and a real server on the loopback."""

import asyncio
import contextlib
import http.client
import json
import threading
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware

from transmissions import engine, serving
from transmissions.api_guard import Guard
from transmissions.api_headers import with_headers
from transmissions.api_rate import limited
from transmissions.api_runs import Served
from transmissions.delivery import cors
from transmissions.delivery.buffer import BufferLimits, DynamicBuffer
from transmissions.delivery.connection import Pace
from transmissions.delivery.eventlog import EventLog
from transmissions.delivery.hub import Caps
from transmissions.delivery.live import LiveRun
from transmissions.delivery.pressure import Pressure
from transmissions.delivery.replies import refused
from transmissions.delivery.server import StreamServer
from transmissions.delivery.spool import Kept
from transmissions.delivery.terms import Terms
from transmissions.homes import find_app
from transmissions.prepare import prepare

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
APPS = {
    "numbers": ":numbers a :EntryTransmission ; :pipe ( [ a :Numbers ] ) .",
    "dead": ':dead a :EntryTransmission ; :pipe ( [ a :Numbers ] :odd ) . :odd a :OnlyEven ; :onError "deadLetter" .',
    "skips": ':skips a :EntryTransmission ; :pipe ( [ a :Numbers ] :odd ) . :odd a :OnlyEven ; :onError "skip" .',
    "stops": ":stops a :EntryTransmission ; :pipe ( [ a :Numbers ] [ a :OnlyEven ] ) .",
    "gated": ":gated a :EntryTransmission ; :pipe ( [ a :Numbers ] [ a :Gate ] ) .",
    "shown": ':shown a :EntryTransmission ; :pipe ( [ a :Numbers ] [ a :ShowMessage ; :alert "" ] ) .',
}
STEPS = '''
import asyncio
from transmissions import Processor


class Numbers(Processor):
    """Make `count` messages from `n` 0 on, `wait` seconds apart, each with `fields`, and filled up to `size` bytes."""

    async def run(self, reader, writer):
        async for message in reader:
            for number in range(message.get("count", 3)):
                if message.get("wait"):
                    await asyncio.sleep(message["wait"])
                await writer.write({"n": number, "fill": "x" * message.get("size", 0), **message.get("fields", {})})


class OnlyEven(Processor):
    """Fail for odd numbers."""

    secret: str = "hunter2-hunter2"
    "Not to be told."

    def process(self, message):
        if message["n"] % 2:
            raise ValueError(f"{message['n']} is odd, in {self.context.folders.output}")
        return message


class Gate(Processor):
    """Tell the `decision` of each message."""

    def process(self, message):
        self.context.emit("gate", decision=message["decision"])
        return message
'''


def make_home(folder, monkeypatch):
    """Make a home with the apps above, and work in it."""
    for name, pipe in APPS.items():
        (folder / "apps" / name).mkdir(parents=True)
        (folder / "apps" / name / "transmissions.ttl").write_text(PREFIX + pipe)
    (folder / "processors").mkdir()
    (folder / "processors" / "steps.py").write_text(STEPS)
    monkeypatch.chdir(folder)


def log(**options):
    """Return a log of its own; `limits` and `kept` are arguments of its parts."""
    limits, kept = options.pop("limits", {}), options.pop("kept", {})
    return EventLog(DynamicBuffer(BufferLimits(**limits)), Pressure(), Kept(**kept), **options)


def served(*names, settings=()):
    """Return apps as they are served, with settings as on a command line."""
    # Those of the home by their folders: the library may have one of the same name.
    apps = [find_app(f"./apps/{name}" if Path("apps", name).is_dir() else name) for name in names]
    return [
        Served(app.name, app, prepare(app, overrides=settings).plan, None, Path.cwd() / f"{app.name}-output") for app in apps
    ]


def live(name, message, around=None, clean=str, **terms):
    """Return a run of an app that is not begun yet."""
    [one] = served(name)
    limits = BufferLimits(**terms.pop("limits", {}))
    names = {"request_id": "r", "session_id": "s", "stream_type": name}

    def open_run():
        return engine.open(one.plan, message=message, output=one.output)

    return LiveRun(names, open_run, Terms(limits, **terms), around, clean)


def decoded(body):
    """Return the events of NDJSON."""
    return [json.loads(line) for line in body.splitlines()]


class Running:
    """A server on the loopback, with ways to ask it."""

    def __init__(self, streams, server, listener):
        self.streams = streams
        self.server = server
        self.address = listener.getsockname()[:2]
        self.url = serving.url_of(listener)

    @contextlib.contextmanager
    def asked(self, method, path, message=None, **headers):
        """Give the answer to a request; it is read by whoever asks."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        body = message if isinstance(message, bytes) else json.dumps(message or {}) if method == "POST" else None
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            yield connection.getresponse()

    def ask(self, method, path, message=None, **headers):
        """Return status, headers and the whole body of an answer."""
        with self.asked(method, path, message, **headers) as reply:
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()

    def events(self, app, message=None, **headers):
        """Return the events of a run over NDJSON."""
        return decoded(self.ask("POST", f"/apps/{app}/stream", message, **headers)[2])


@contextlib.contextmanager
def running(*names, pace=Pace(), caps=Caps(), token=None, terms=None, origins=(), per_address=None, **more):  # noqa: B008 - immutable
    """Serve apps in a thread while the block lasts.

    Further: `limit` is one of the rate, `sockets` of WebSockets, `buffer` of events; `headers` are in all answers.
    """
    apps = served(*names, settings=more.get("settings", ()))
    streams = StreamServer(apps, pace=pace, caps=caps, timeout=30, terms=terms, buffer=more.get("buffer"))
    guard = Guard(streams.application(), token=token, origins=origins, admits=streams.admits, refuse=refused)
    app = with_headers(limited(guard, more.get("limit"), refused), more.get("headers", ()))
    app = CORSMiddleware(app, allow_origins=origins, **cors.RULES) if origins else app
    server = serving.Server(
        app,
        concurrent=2000,
        timeout=1,
        kill=streams.kill,
        sockets=more.get("sockets") or serving.SocketLimits(),
        drain=streams.drain,
        per_address=per_address,
        patience=0.2,
    )
    listener = serving.listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.until_asked_to_stop, args=(listener,), daemon=True)
    thread.start()
    try:
        yield Running(streams, server, listener)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def timed(work, seconds=20):
    """Run a coroutine, which must not take for ever."""
    return asyncio.run(asyncio.wait_for(work, seconds))
