"""Workers: several processes on a stretch of a pipe behave as one would."""

import asyncio
import itertools
import logging
import math
import os
import subprocess
import sys

import pytest

import transmissions
from transmissions import NodeFailed, workers
from transmissions.errors import has_no_room
from transmissions.worker_process import Process

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
PARTS = '''
"""Steps for workers, and what stands around them."""

import asyncio
import errno
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter

from transmissions import Processor, Source


class Numbers(Source):
    """Count."""

    count: int = 60
    "How far."
    kinds: int = 7
    "How many kinds."

    def produce(self, message):
        for number in range(self.count):
            yield {"id": number, "kind": number % self.kinds, "main": os.getpid()}


class Who(Processor):
    """Say which process it is, and how long it worked."""

    seconds: float = 0.0
    "How long a message takes."

    def process(self, message):
        message["began"] = time.monotonic()
        time.sleep(self.seconds)
        message["pid"], message["ended"] = os.getpid(), time.monotonic()
        return message


class Weird(Processor):
    """Do something else with every tenth message."""

    how: str
    "What it does."

    def process(self, message):
        return getattr(self, f"_{self.how}")(message) if message["id"] % 10 == 5 else message

    def _drop(self, message):
        return None

    def _double(self, message):
        return [message, {**message, "again": True}]

    def _surrogate(self, message):
        return {**message, "text": "\\udce4\\ud83d\\0", "bytes": b"\\xff", "deep": {"set": {1}, "tuple": (1, None)}}

    def _lock(self, message):
        return {**message, "file": threading.Lock()}

    def _counter(self, message):
        return {**message, "counter": Counter("aab")}

    def _nested(self, message):
        value = []
        for _ in range(100_000):
            value = [value]
        return {**message, "nested": value}

    def _big(self, message):
        return {**message, "text": "x" * (64 << 20) if message["id"] == 15 else ""}

    def _fail(self, message):
        raise ValueError(f"id {message['id']}")

    def _odd_error(self, message):
        class Odd(Exception):
            pass

        raise Odd("of a local class")

    def _exit(self, message):
        raise SystemExit(3)

    def _full(self, message):
        raise OSError(errno.ENOSPC, "no space left on device")

    def _later(self, message):
        self.context.log.warning("id %d", message["id"], extra={"id": message["id"]})
        self.context.emit("seen", id=message["id"])
        self.context.skip("odd", id=message["id"])
        self.context.reject({"id": message["id"], "set": {1}}, ValueError("rejected"))
        return message

    def _secret(self, message):
        self.context.scrub(lambda text: text.replace("hunter2", "***"))
        self.context.log.warning("it is hunter2")
        self.context.skip("hunter2 is in it")
        self.context.reject({"word": "hunter2"}, ValueError("hunter2"))
        if message["id"] > 30:
            raise ValueError("hunter2 again")
        return message

    def _halt(self, message):
        self.context.halt("enough")
        return message

    def _show(self, message):
        self.context.show(f"{message['id']}\\n")
        return message

    def _die(self, message):
        if os.getpid() != message["main"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return message

    def _collects(self, message):
        return {**message, "collects": gc.isenabled()}

    def _modules(self, message):
        heavy = {"rdflib", "pyshacl", "pyoxigraph", "jinja2", "ssl", "transmissions.validate"}
        return {**message, "modules": sorted(heavy & sys.modules.keys()), "pid": os.getpid()}

    async def _tls(self, message):
        here, there = socket.socketpair()
        there.sendall(b"no TLS at all")
        try:
            await asyncio.open_connection(sock=here, ssl=True, server_hostname="there")
        except OSError as error:
            there.close()
            return {**message, "said": type(error).__name__}

    def _flaky(self, message):
        if message.setdefault("tries", 0) < 2:
            message["tries"] += 1
            raise ValueError("not yet")
        return message


class Last(Processor):
    """Give a message at the end, and say that it was closed."""

    def process(self, message):
        return message

    def finish(self):
        yield {"id": -1, "pid": os.getpid()}

    async def __aexit__(self, *exc):
        self.context.log.info("closed")


class Unopened(Processor):
    """Cannot be opened but in the main process."""

    async def __aenter__(self):
        if os.getsid(0) == os.getpid() and os.environ["MAIN"] != str(os.getpid()):
            raise OSError(errno.EACCES, "not in here")
        return self

    def process(self, message):
        return message


class Group(Processor):
    """Collect the ids of a group."""

    collapses = True

    def __post_init__(self):
        self._ids = []

    def process(self, message):
        self._ids.append(message["id"])

    def end_group(self, message):
        ids, self._ids = self._ids, []
        return [{**message, "ids": ids}]
'''


@pytest.fixture
def eager(monkeypatch):
    """Have processes started and ready before the first message, whatever the machine has."""
    start = workers.WorkersSegment._start

    async def start_and_wait(self):
        await start(self)
        await self._desk.until(lambda: all(one._is_ready or one._is_gone for one in self._processes))

    monkeypatch.setattr(workers, "PATIENCE", -1.0)
    monkeypatch.setattr(workers, "WORTH", 0.0)
    monkeypatch.setattr(workers.WorkersSegment, "_start", start_and_wait)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    return monkeypatch


@pytest.fixture
def home(tmp_path):
    """Give a home with the steps above."""
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "steps.py").write_text(PARTS)
    return tmp_path


def make(home, pipe, more=""):
    """Write an app with a pipe."""
    app = home / "apps" / "app"
    app.mkdir(parents=True, exist_ok=True)
    (app / "transmissions.ttl").write_text(f"{PREFIX}:app a :EntryTransmission ; :pipe ( {pipe} ) .\n{more}")
    return app


def run(home, pipe, more="", *, listen=(), told=None, **options):
    """Run a pipe to its end; return its final messages, its result, and the events that were listened to."""
    told = [] if told is None else told

    async def main():
        opened = transmissions.open(make(home, pipe, more), output=home / "out", **options)
        for event in listen:
            opened.on(event, lambda name, fields: told.append((name, fields)))
        async with opened:
            messages = [message async for message in opened]
        assert not opened.state.processes
        return messages, opened.result, told

    return asyncio.run(main())


def shared(inner, *, source=":Numbers", processes=2, key="", count=60):
    """Return a pipe whose steps are worked on by several processes."""
    key = f':key "{key}" ;' if key else ""
    return f"[ a {source} ; :count {count} ] [ a :Workers ; :processes {processes} ; {key} :pipe ( {inner} ) ]"


def ids(messages):
    """Return the ids of messages."""
    return [message["id"] for message in messages]


def figures(result, name):
    """Return what was counted at a node."""
    return result.figures["nodes"][f"app/{name}"]


@pytest.mark.usefixtures("eager")
def test_results_keep_their_order(home):
    """Several processes work, and what they give leaves in the order in which it came."""
    messages, result, _ = run(home, shared("[ a :Who ; :seconds 0.005 ]", processes=3))
    assert ids(messages) == list(range(60))
    assert len({message["pid"] for message in messages}) == 3
    assert figures(result, "who")["received"] == figures(result, "who")["sent"] == 60
    assert figures(result, "who")["busy"] > 0.25
    assert figures(result, "who")["latency"]["p50"] > 0.004


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("how", "count"),
    [("drop", 54), ("double", 66), ("surrogate", 60), ("lock", 60), ("counter", 60), ("nested", 60), ("big", 60)],
)
def test_any_result_comes_back(home, how, count):
    """None, lists, odd text, locks, objects and large texts come out as if one process had worked."""
    alone, _, _ = run(home, shared(f'[ a :Weird ; :how "{how}" ]', processes=1))
    messages, result, _ = run(home, shared(f'[ a :Weird ; :how "{how}" ] [ a :Who ]'))
    assert len(messages) == len(alone) == count
    drop = {"pid", "began", "ended", "main", "file", "nested"}
    plain = [[{k: v for k, v in m.items() if k not in drop} for m in some] for some in (messages, alone)]
    assert plain[0] == plain[1]
    assert figures(result, "who")["sent"] == count


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("how", "is_odd"), [("lock", lambda one: "file" in one), ("big", lambda one: one.get("text"))])
def test_what_should_not_travel_is_worked_on_here(home, how, is_odd):
    """A message that only one process can have, or that is very large, is worked on in the run's own, in its turn."""
    messages, result, _ = run(home, f'[ a :Numbers ] [ a :Weird ; :how "{how}" ] {shared("[ a :Who ]").partition("]")[2]}')
    assert ids(messages) == list(range(60))
    assert {message["pid"] for message in messages if is_odd(message)} == {os.getpid()}
    assert len({message["pid"] for message in messages}) == 2
    assert figures(result, "who")["received"] == 60


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("listen", [(), ("output",)])
def test_what_a_step_shows_there_is_shown_once(home, listen, capfd):
    """Text shown in another process goes to whoever listens, or else to standard output."""
    _, _, told = run(home, shared('[ a :Weird ; :how "show" ]'), listen=listen)
    shown = sorted(fields["text"] for _, fields in told) if listen else sorted(capfd.readouterr().out.splitlines(keepends=True))
    assert shown == ["15\n", "25\n", "35\n", "45\n", "5\n", "55\n"]


@pytest.mark.usefixtures("eager")
def test_a_step_may_call_a_transmission_from_there(home):
    """Another process can call a transmission of the app, groups and all."""
    more = ":inner a :Transmission ; :pipe ( [ a :Numbers ; :count 3 ] [ a :Group ] [ a :Who ] ) ."
    messages, _, _ = run(home, shared('[ a :Who ; :seconds 0.002 ] [ a :GOTO ; :gotoTarget "inner" ]'), more)
    assert [message["ids"] for message in messages] == [[0, 1, 2]] * 60
    assert len({message["pid"] for message in messages}) == 2


@pytest.mark.usefixtures("eager")
def test_equal_keys_are_never_worked_on_at_once(home):
    """Messages with an equal key follow each other, whichever process has them."""
    messages, _, _ = run(home, shared("[ a :Who ; :seconds 0.002 ]", key="kind", processes=3))
    assert len({message["pid"] for message in messages}) > 1
    for kind in range(7):
        same = [message for message in messages if message["kind"] == kind]
        assert all(one["ended"] <= other["began"] for one, other in itertools.pairwise(same))


@pytest.mark.usefixtures("eager")
def test_groups_end_behind_their_messages(home):
    """The end of a group passes workers behind all results of its messages."""
    pipe = f"{shared('[ a :Who ]', count=20)} [ a :Group ]"
    messages, _, _ = run(home, pipe, message=[{"name": name} for name in "abcdef"])
    assert [(message["name"], message["ids"]) for message in messages] == [(name, list(range(20))) for name in "abcdef"]


@pytest.mark.usefixtures("eager")
def test_inner_terms_hold(home):
    """Concurrency, buffers, retries and forks work inside."""
    inner = """[ a :Weird ; :how "flaky" ; :retry [ :attempts 2 ; :delay 1 ] ]
        [ a :Who ; :concurrency 4 ; :buffer [ :maxItems 5 ] ]
        [ a :Route ; :branches ( [ :when [ :field "id" ; :less 30 ] ; :pipe ( :low ) ] ) ]
    """
    messages, result, _ = run(home, shared(inner), ':low a :SetField ; :field "low" ; :value true .')
    assert sorted(ids(messages)) == list(range(60))
    assert sum("low" in message for message in messages) == 30
    assert figures(result, "weird")["retried"] == 12


@pytest.mark.usefixtures("eager")
def test_what_a_step_says_is_heard(home, caplog):
    """Events, skips, dead letters and log records of every process arrive once each."""
    log = logging.getLogger("transmissions")
    with caplog.at_level(logging.INFO):
        log.propagate = True
        messages, result, told = run(home, shared('[ a :Weird ; :how "later" ]'), listen=["seen", "skip"])
    odd = list(range(5, 60, 10))
    assert sorted(fields["id"] for event, fields in told if event == "seen") == odd
    assert (len(messages), result.dead, result.skipped, result.exit_code) == (60, 6, 6, 3)
    assert (figures(result, "weird")["dead"], figures(result, "weird")["skipped"]) == (6, 6)
    letters = (home / "out" / "dead-letters.ndjson").read_text().splitlines()
    assert len(letters) == 6
    assert '"where": "' in letters[0]
    assert sorted(record.id for record in caplog.records if record.name == "transmissions.app.weird") == odd


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("pipe", ['[ a :Weird ; :how "secret" ]', '[ a :Who ; :seconds 0.01 ] [ a :Weird ; :how "secret" ]'])
def test_secrets_stay_untold_in_every_process(home, caplog, pipe):
    """What a step keeps out of all that is told is kept out of what other processes tell."""
    logging.getLogger("transmissions").propagate = True
    reasons = []
    with pytest.raises(NodeFailed, match=r"ValueError: \*\*\* again|\*\*\* again") as failed:
        run(home, shared(pipe), told=reasons, listen=["skip", "error"])
    letters = (home / "out" / "dead-letters.ndjson").read_text()
    there = [record.getMessage() for record in caplog.records if record.process != os.getpid()]
    told = f"{letters}{reasons}{there}{failed.value}{failed.value.__cause__!r}"
    assert "***" in letters
    assert "hunter2" not in told


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("policy", "dead", "skipped"), [("skip", 0, 6), ("deadLetter", 6, 0)])
def test_policies_hold(home, policy, dead, skipped):
    """A message that fails in any process is passed over or set aside, as its node says."""
    messages, result, _ = run(home, shared(f'[ a :Weird ; :how "fail" ; :onError "{policy}" ]'))
    assert (len(messages), result.dead, result.skipped) == (54, dead, skipped)
    assert figures(result, "weird")["failed"] == 6


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("how", "text", "code"),
    [
        ("fail", r"ValueError: id \d*5", 1),
        ("odd_error", "Odd: of a local class", 1),
        ("exit", "SystemExit: 3", 1),
        ("full", r"OSError: \[Errno 28\] no space left on device", 74),
    ],
)
def test_a_failure_ends_the_run_as_it_would_here(home, how, text, code):
    """A failure in another process is told with node, place and message, and means the same exit code."""
    with pytest.raises(NodeFailed, match=rf"transmissions.ttl:2:\d+: app/weird: {text}") as failed:
        run(home, shared(f'[ a :Weird ; :how "{how}" ]'))
    assert failed.value.exit_code == code
    assert failed.value.message["id"] % 10 == 5
    assert has_no_room(failed.value.cause) == (code == 74)


@pytest.mark.usefixtures("eager")
def test_a_process_that_cannot_be_set_up_ends_the_run(home):
    """What a step raises while it is set up in another process is the failure of the run."""
    os.environ["MAIN"] = str(os.getpid())
    with pytest.raises(NodeFailed, match=r"app/unopened: PermissionError: .*not in here"):
        run(home, shared("[ a :Unopened ]"))


@pytest.mark.usefixtures("eager")
def test_a_halt_ends_the_run_well(home):
    """A step that halts the run in another process lets what is on its way arrive."""
    messages, result, told = run(home, shared('[ a :Weird ; :how "halt" ]', count=100_000), listen=["halt"])
    assert told[0] == ("halt", {"node": "app/weird", "reason": "enough"})
    assert result.drained
    assert 6 <= len(messages) < 100_000
    assert ids(messages) == list(range(len(messages)))


@pytest.mark.usefixtures("eager")
def test_a_lost_process_costs_nothing(home, caplog):
    """The work of a process that is killed is done again here; one warning says so."""
    logging.getLogger("transmissions").propagate = True
    messages, result, _ = run(home, shared('[ a :Who ; :seconds 0.002 ] [ a :Weird ; :how "die" ]'))
    assert ids(messages) == list(range(60))
    assert figures(result, "who")["received"] == 60
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "app/workers: a process of it is gone; its work is done again here, without it"
    ]


@pytest.mark.usefixtures("eager")
def test_every_process_finishes(home, caplog):
    """At the end the steps of every process give what they have left, and are closed."""
    logging.getLogger("transmissions").propagate = True
    with caplog.at_level(logging.INFO):
        messages, _, _ = run(home, shared("[ a :Who ] [ a :Last ]", processes=3))
    assert ids(messages) == [*range(60), -1, -1, -1]
    assert messages[60]["pid"] == os.getpid()
    assert len({message["pid"] for message in messages[60:]}) == 3
    assert sum(record.getMessage() == "closed" for record in caplog.records) == 3


@pytest.mark.usefixtures("eager")
def test_many_small_messages(home):
    """A hundred thousand messages arrive, in order."""
    messages, result, _ = run(home, shared("[ a :Who ]", count=100_000))
    assert ids(messages) == list(range(100_000))
    assert figures(result, "who")["sent"] == 100_000


@pytest.mark.usefixtures("eager")
def test_taps_show_every_process(home):
    """A tap shows the first messages of a node, whichever process it is in."""
    shown = []

    async def main():
        opened = transmissions.open(make(home, shared("[ a :Who ]")), output=home / "out")
        opened.tap("who", 5, lambda _, message: shown.append(message["id"]))
        async with opened:
            await opened.wait()

    asyncio.run(main())
    assert len(shown) == 5


@pytest.mark.usefixtures("eager")
def test_a_run_that_is_left_leaves_no_process(home):
    """A run that is left early, or takes too long, ends its processes."""

    async def main():
        opened = transmissions.open(make(home, shared("[ a :Who ; :seconds 0.01 ]", count=5000)), output=home / "out")
        async with opened:
            await anext(opened)
            (process,) = opened.state.processes
        return process

    process = asyncio.run(main())
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.usefixtures("eager")
def test_a_process_that_cannot_be_started_is_done_without(home, eager, caplog):
    """Where the system gives no process, all is done here, and a warning says so."""
    logging.getLogger("transmissions").propagate = True

    async def refuse(self, order):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    eager.setattr(Process, "start", refuse)
    messages, _, _ = run(home, shared("[ a :Who ]"))
    assert {message["pid"] for message in messages} == {os.getpid()}
    assert "no process could be started" in caplog.text


@pytest.mark.usefixtures("eager")
def test_a_process_imports_little(home):
    """Parsers, validators and templates, and TLS unless a step wants it, stay out of other processes."""
    messages, _, _ = run(home, shared('[ a :Who ; :seconds 0.002 ] [ a :Weird ; :how "modules" ]'))
    there = [message["modules"] for message in messages if "modules" in message and message["pid"] != os.getpid()]
    assert there
    assert not any(there)


@pytest.mark.usefixtures("eager")
def test_a_step_speaks_tls_in_every_process(home):
    """It is not imported until then, but it is there."""
    messages, _, _ = run(home, shared('[ a :Who ; :seconds 0.002 ] [ a :Weird ; :how "tls" ]'))
    there = [message["said"] for message in messages if "said" in message and message["pid"] != os.getpid()]
    assert there
    assert {*there} == {"SSLError"}


@pytest.mark.usefixtures("eager")
def test_every_process_looks_for_garbage(home):
    """What is not looked for while a process imports is looked for once it works."""
    messages, _, _ = run(home, shared('[ a :Who ; :seconds 0.002 ] [ a :Weird ; :how "collects" ]'))
    there = [message["collects"] for message in messages if "collects" in message and message["pid"] != os.getpid()]
    assert there
    assert all(there)


def test_who_has_no_workers_imports_nothing_for_them():
    """The engine of a run without workers leaves their modules alone."""
    code = "import sys, transmissions.engine; print([name for name in sys.modules if 'worker' in name])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_small_runs_start_no_process(home, monkeypatch):
    """A run that is over soon, is one process, or has one processor never starts another."""
    started = []
    monkeypatch.setattr(Process, "start", lambda self, order: started.append(self))
    run(home, shared("[ a :Who ]"))
    monkeypatch.setattr(workers, "PATIENCE", -1.0)
    run(home, shared("[ a :Who ]", processes=1))
    run(home, shared("[ a :Who ]"), settings={"workers.processes": 1})
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    run(home, shared("[ a :Who ]"))
    assert started == []


@pytest.mark.parametrize(("room", "count"), [(99, 1), (100, 0)])
def test_much_input_starts_processes_at_once(home, monkeypatch, room, count):
    """Where the arguments name files and folders with much in them, other processes are started before there is work."""
    started = []

    async def start(self, order):
        started.append(self)
        raise OSError(11, "that will do")

    (home / "file").write_bytes(bytes(60))
    (home / "folder").mkdir()
    (home / "folder" / "other").write_bytes(bytes(40))
    monkeypatch.setattr(Process, "start", start)
    monkeypatch.setattr(workers, "PATIENCE", math.inf)
    monkeypatch.setattr(workers, "MUCH", room)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    more = ':app :argument [ :name "input" ; :kind :Path ; :field "input" ; :many true ] .'
    run(home, shared("[ a :Who ]"), more, arguments=[str(home / name) for name in ("file", "folder")])
    assert len(started) == count


def test_a_called_transmission_is_worked_on_here(home, eager):
    """Workers in a transmission that is called for one message are as if they were not there."""
    started = []
    eager.setattr(Process, "start", lambda self, order: started.append(self))
    more = ":inner a :Transmission ; :pipe ( [ a :Workers ; :pipe ( [ a :Who ] ) ] ) ."
    messages, _, _ = run(home, '[ a :Numbers ] [ a :GOTO ; :gotoTarget "inner" ]', more)
    assert ids(messages) == list(range(60))
    assert started == []
