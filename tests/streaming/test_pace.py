"""Where plain methods of readers are called, and with how many lines at once."""

import asyncio
import itertools
import resource
import threading
import time
from types import SimpleNamespace

from commands import command, streaming

from transmissions.streaming import BatchProcessor, Script, StreamProcessor, pace

MANY = Script([(0, "stdout", "".join(f"{number}\n" for number in range(64)))] * 20)


class Where(StreamProcessor):
    """Remembers the threads it is called in, after doing something with each line."""

    def __init__(self, work=lambda line: None):
        self.work, self.threads = work, []

    def process_line(self, line, source):
        self.threads.append(threading.get_ident())
        self.work(line)


class Computing(BatchProcessor):
    """Computes for half a millisecond at each line."""

    def __init__(self):
        self.sizes, self.threads = [], set()

    def process_batch(self, lines):
        self.sizes.append(lines.count)
        self.threads.add(threading.get_ident())
        end = time.thread_time() + 0.0005 * lines.count
        while time.thread_time() < end:
            pass


def read(reader):
    """Let a reader read many lines."""
    return asyncio.run(command("any", launch=MANY, streaming_config=streaming(reader, max_lines=None)))


def test_a_quick_reader_stays_in_the_loop_of_a_busy_machine(monkeypatch):
    """A reader whose calls seem long as others ran meanwhile is not given a thread: it would lose lines there."""
    clock = itertools.count()
    monkeypatch.setattr(pace.time, "perf_counter", lambda: float(next(clock)))
    where = Where()
    read(where)
    assert set(where.threads) == {threading.get_ident()}


def test_a_reader_that_waits_gets_a_thread():
    """A reader that sleeps is called in a thread after the first time."""
    where = Where(lambda line: time.sleep(0.02) if line == "0" else None)
    read(where)
    assert where.threads[0] == threading.get_ident() != where.threads[1]
    assert len(where.threads) == 64 * 20


def test_a_reader_that_computes_gets_fewer_lines(monkeypatch):
    """A reader that computes for long at many lines gets fewer at once, so that others have their turn, and no thread."""
    used = resource.getrusage

    def without_waits(who):
        # Where memory is short, a page that has to be fetched is a wait in the middle of computing.
        return SimpleNamespace(ru_utime=used(who).ru_utime, ru_stime=used(who).ru_stime, ru_nvcsw=0)

    monkeypatch.setattr(pace.resource, "getrusage", without_waits)
    computing = Computing()
    result = read(computing)
    assert computing.sizes[0] == 64
    assert max(computing.sizes[5:]) <= 16
    assert computing.threads == {threading.get_ident()}
    assert result.readers[0].handled == 64 * 20
