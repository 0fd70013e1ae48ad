"""Rows C40 to C42 and C48 to C55: processors, several of them, and what they are told.

C40 as a trace across processors is not promised: each takes lines at its own pace. What is promised is tested, that each gets
every line in order, and that nobody waits for the one before.
"""

import asyncio
import time

import pytest
from commands import Stalled, Trace, command, sh, shell, streaming

from transmissions.errors import UsageError
from transmissions.streaming import BatchProcessor, CommandNotFound, CommandTimeout, Script, StreamingConfig, StreamProcessor


def test_c40_every_processor_gets_its_lines_in_order():
    """Each of several processors has all lines in order."""
    traces = [Trace() for _ in range(4)]
    sh("seq 1000", *traces)
    assert [one.lines for one in traces] == [[str(number) for number in range(1, 1001)]] * 4


def test_c41_a_slow_processor_holds_up_no_other():
    """One that has not come past its first line lets the other have all."""
    stalled = Stalled()

    class Fast(Trace):
        def process_line(self, line, source):
            super().process_line(line, source)
            if line == "100":
                stalled.gate.set()

    fast = Fast()
    sh("seq 100", stalled, fast)
    assert len(fast.lines) == len(stalled.lines) == 100


def test_c41_one_that_blocks_its_thread_holds_up_no_other():
    """A plain method that blocks is given a thread, and the loop goes on."""
    seen = []

    def blocking(line, source):
        time.sleep(0.05)
        seen.append(line)

    async def both():
        ticks = 0
        run = asyncio.create_task(shell("seq 8", blocking))
        while not run.done():
            ticks += 1
            await asyncio.sleep(0.01)
        return ticks

    assert asyncio.run(both()) > 5  # of more than 30: the loop was free while it slept
    assert seen == [str(number) for number in range(1, 9)]


def test_c42_every_processor_sees_every_line():
    """Counts of all processors are those of the lines written."""
    result = sh("seq 5000; seq 5000 >&2", *[Trace() for _ in range(3)])
    assert [(one.offered, one.handled, one.dropped, one.failed) for one in result.readers] == [(10_000, 10_000, 0, 0)] * 3


def test_c48_complete_comes_once_and_last():
    """`on_complete` comes once, when the last line of both outputs was handled."""
    ends = []

    class Late(Trace):
        async def process_line(self, line, source):
            await asyncio.sleep(0)
            super().process_line(line, source)

        def on_complete(self, exit_code):
            ends.append(len(self.lines))

    sh("seq 300; seq 300 >&2", Late())
    assert ends == [600]


@pytest.mark.parametrize(("end", "code"), [("exit 3", 3), ("kill -9 $$", None), ("true", 0)])
def test_c49_complete_has_the_exit_code(end, code):
    """`on_complete` gets the exit code, and None after a signal."""
    trace = Trace()
    sh(end, trace)
    assert trace.ends == [("complete", code)]


def test_c50_a_timeout_is_an_error_for_all():
    """After a time-out every processor gets `on_error` and none `on_complete`."""
    traces = [Trace(), Trace()]
    with pytest.raises(CommandTimeout):
        sh("echo a; sleep 60", *traces, timeout=0.3)
    assert [(one.lines, one.ends) for one in traces] == [(["a"], [("error", "CommandTimeout")])] * 2


def test_a_timeout_covers_on_complete_and_on_error():
    """Callbacks that never come back do not keep a run beyond its time and grace."""

    class Never(Trace):
        async def on_complete(self, exit_code):
            await asyncio.Event().wait()

        async def on_error(self, error):
            await asyncio.Event().wait()

    for script in ("true", "sleep 60"):
        with pytest.raises(CommandTimeout):
            sh(script, Never(), timeout=0.3, grace=0.1)


def test_c51_a_command_that_cannot_start_is_an_error_for_all():
    """Processors get `on_error` if the command could not be started."""
    trace = Trace()
    with pytest.raises(CommandNotFound):
        asyncio.run(command("no-such-program", streaming_config=streaming(trace)))
    assert trace.ends == [("error", "CommandNotFound")]


@pytest.mark.parametrize("blocks", [True, False])
def test_c52_no_callback_after_the_run(blocks):
    """When a run has returned nothing is called any more, in a thread neither."""

    class Slow(Trace):
        def process_line(self, line, source):
            super().process_line(line, source)
            time.sleep(0.1 if blocks else 0)

    async def later(trace):
        with pytest.raises(CommandTimeout):
            await shell("while :; do echo a; sleep 0.01; done", trace, timeout=0.4, grace=0.1)
        before = len(trace.lines), len(trace.ends)
        await asyncio.sleep(0.5)
        return before, (len(trace.lines), len(trace.ends))

    before, after = asyncio.run(later(Slow()))
    assert before == after
    assert before[0] > 0


def test_c53_processors_of_many_kinds():
    """Plain and asynchronous methods, functions, batches, and objects of no class of ours are processors."""
    seen = {name: [] for name in ("function", "coroutine", "batch", "async batch", "adopted", "partial")}

    async def coroutine(line, source):
        seen["coroutine"].append(line)

    class Batch(BatchProcessor):
        def process_batch(self, lines):
            seen["batch"] += lines.texts

    class AsyncBatch(BatchProcessor):
        async def process_batch(self, lines):
            seen["async batch"] += lines.texts

    class Adopted:
        async def process_line(self, line, source):
            seen["adopted"].append(line)

    sh("seq 50", lambda line, source: seen["function"].append(line), coroutine, Batch(), AsyncBatch(), Adopted(),
       lambda line, source: coroutine_to(seen["partial"], line))  # fmt: skip
    assert all(lines == [str(number) for number in range(1, 51)] for lines in seen.values())


async def coroutine_to(lines, line):
    """Keep a line."""
    lines.append(line)


def test_c54_a_processor_of_ones_own_is_configured():
    """A class of one's own stands in a configuration; there is no registry, as objects need no ids."""
    trace = Trace()
    asyncio.run(command("any", launch=Script([(0, "stdout", "a\n")]), streaming_config=streaming(trace)))
    assert trace.lines == ["a"]


@pytest.mark.parametrize("unknown", ["JsonLines", Trace, StreamProcessor, None])
def test_c55_what_is_no_processor_is_an_error(unknown):
    """A name, a class or nothing in place of a processor is refused."""
    with pytest.raises(UsageError):
        StreamingConfig(processors=(unknown,))
