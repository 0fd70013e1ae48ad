"""Rows C43 to C47: processors that fail, and what may not be kept from the run."""

import asyncio
import logging
import subprocess
import sys
import time

import pytest
from commands import Stalled, Trace, sh, shell

from transmissions.streaming import BatchProcessor


class Failing(Trace):
    """Fails at some lines."""

    def __init__(self, at=("2",), fault=ValueError):
        super().__init__()
        self.at, self.fault, self.errors = at, fault, []

    def process_line(self, line, source):
        super().process_line(line, source)
        if line in self.at:
            raise self.fault(line)

    def on_error(self, error):
        self.errors.append((str(error), list(self.lines)))


def test_c43_a_failure_at_a_line_is_that_lines(caplog):
    """A line that a processor fails at is counted and logged once; the others get it, and the run is good."""
    failing, trace = Failing(at=("2", "3")), Trace()
    result = sh("seq 4", failing, trace)
    assert (result.success, trace.lines, failing.lines) == (True, ["1", "2", "3", "4"], ["1", "2", "3", "4"])
    assert (result.readers[0].handled, result.readers[0].failed, result.readers[0].error) == (2, 2, "ValueError: 2")
    assert [one.message for one in caplog.records if one.levelno == logging.WARNING] == ["Failing failed: ValueError: 2"]


def test_c44_a_failure_reaches_its_own_on_error():
    """`on_error` is called at once, before the next line."""
    failing = Failing()
    sh("seq 4", failing)
    assert failing.errors == [("2", ["1", "2"])]
    assert failing.ends == [("complete", 0)]


def test_c45_a_failing_on_complete_stops_nobody():
    """The others get `on_complete`, and the result is whole."""

    class Bad(Trace):
        def on_complete(self, exit_code):
            raise OSError("no")

    trace = Trace()
    result = sh("echo a", Bad(), trace)
    assert (result.stdout, trace.ends, result.readers[0].failed, result.readers[0].error) == (
        "a\n",
        [("complete", 0)],
        0,
        "OSError: no",
    )


@pytest.mark.parametrize("fault", [ZeroDivisionError, StopIteration, RecursionError, asyncio.CancelledError, SystemExit])
def test_c46_whatever_is_raised_is_kept_apart(fault):
    """Any exception of a line is that processor's."""
    failing, trace = Failing(fault=fault), Trace()
    sh("seq 4", failing, trace)
    assert trace.lines == failing.lines == ["1", "2", "3", "4"]


def test_c46_what_is_no_exception_ends_the_run():
    """A processor that raises what is no Exception ends the run and the command, and the others know."""
    trace = Trace()
    with pytest.raises(GeneratorExit):
        sh("seq 4; sleep 60", Failing(fault=GeneratorExit), trace)
    assert trace.ends == [("error", "GeneratorExit")]


def test_c46_a_batch_that_fails_is_that_processors():
    """A failing batch counts as its lines, and stops nobody, in a thread neither."""

    class Bad(BatchProcessor):
        def process_batch(self, lines):
            time.sleep(0.02)
            raise StopIteration

    trace = Trace()
    result = sh("seq 3; sleep 0.05; seq 3; sleep 0.05; seq 3", Bad(), trace)
    assert (result.readers[0].failed, result.readers[0].handled, len(trace.lines)) == (9, 0, 9)


def test_c47_a_cancellation_is_not_swallowed():
    """Cancelled while a processor is at a line, a run is cancelled."""
    stalled = Stalled()

    async def cancelled():
        run = asyncio.create_task(shell("seq 3; sleep 60", stalled, grace=0.1))
        await stalled.holds.wait()
        run.cancel()
        await run

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert stalled.ends == [("error", "CancelledError")]


def test_c47_a_cancellation_of_a_processors_own_is_its_failure():
    """A processor that awaits something cancelled has failed at that line, and gets the next."""

    class Odd(Trace):
        async def process_line(self, line, source):
            self.lines.append(line)
            waiting = asyncio.get_running_loop().create_future()
            waiting.cancel()
            await waiting

    odd = Odd()
    result = sh("seq 3", odd)
    assert (odd.lines, result.readers[0].failed) == (["1", "2", "3"], 3)


def test_c47_an_interrupt_is_not_swallowed():
    """KeyboardInterrupt from a processor ends the program, and the command with it."""
    program = (
        "import asyncio, os\nfrom transmissions.streaming import *\n"
        "def interrupt(line, source):\n    print(line, flush=True)\n    raise KeyboardInterrupt\n"
        "config = StreamingConfig(enabled=True, mode='streaming', processors=(interrupt,))\n"
        "asyncio.run(CommandRunner().run('sh', ['-c', 'echo $$; sleep 60'], streaming_config=config))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert result.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert subprocess.run(
        ["ps", "-p", result.stdout.strip(), "-o", "stat="], capture_output=True, text=True
    ).stdout.strip() in {"", "Z", "Zs"}
