"""Rows C80 to C95: buffers that are full, what is counted, and what is kept."""

import asyncio
import subprocess
import sys

import pytest
from commands import Stalled, Trace, command, is_gone, sh, shell, streaming

from transmissions.errors import BufferOverflow
from transmissions.streaming import BufferConfig, CommandOverflow, CommandTimeout, StreamProcessor

MEMORY = """
import asyncio, re
from pathlib import Path
from transmissions.streaming import *
def peak():  # of this process; what the system counts for it otherwise begins with its parent's
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
async def main():
    buffer, readers = BufferConfig(max_lines=10), (lambda line, source: None,)
    config = StreamingConfig(enabled=True, mode="streaming", processors=readers, buffer_config=buffer)
    await CommandRunner().run("seq", ["1000"], capture="tail", streaming_config=config)
    before = peak()
    result = await CommandRunner().run("seq", ["-f", "%0399.0f", "200000"], capture="tail", streaming_config=config)
    assert result.totals["stdout"] == 80_000_000 and result.readers[0].offered == 200_000
    print(peak() - before)
asyncio.run(main())
"""


class Opener(StreamProcessor):
    """Opens the gate of a stalled reader shortly after a line came: what finds no room has overflowed by then."""

    def __init__(self, stalled, line):
        self.stalled, self.line = stalled, line

    def process_line(self, line, source):
        if line == self.line:
            asyncio.get_running_loop().call_later(0.1, self.stalled.gate.set)


def stalled_run(last=5, **buffer):
    """Stream the numbers from 0 to `last` to a reader that holds the first until the last was offered."""
    stalled = Stalled()
    opener = Opener(stalled, str(last))
    opener.buffer = BufferConfig(max_lines=None)
    result = sh(f"seq 0 {last}", streaming_config=streaming(opener, stalled, **buffer))
    report = result.readers[1]
    assert report.offered == last + 1 == report.handled + report.failed + report.dropped
    assert len(stalled.lines) == report.handled
    assert stalled.ends == [("complete", 0)]
    return stalled.lines, result


def test_c80_drop_oldest_keeps_the_newest():
    """The newest lines wait, in order, behind the one in hand."""
    assert stalled_run(max_lines=3)[0] == ["0", "3", "4", "5"]


def test_c81_drop_newest_keeps_the_first():
    """The first lines wait, and those that come later are dropped."""
    assert stalled_run(max_lines=3, overflow_strategy="DropNewest")[0] == ["0", "1", "2", "3"]


def test_c82_block_makes_the_command_wait(tmp_path):
    """While a reader is stalled the command cannot write on; then nothing is lost."""
    stalled, done = Stalled(), tmp_path / "done"

    async def watched():
        config = streaming(stalled, max_lines=10, overflow_strategy="Block", block_timeout=None)
        run = asyncio.create_task(shell(f"seq 200000; touch {done}", streaming_config=config))
        await stalled.holds.wait()
        await asyncio.sleep(0.3)
        waited = not done.exists()
        stalled.gate.set()
        return waited, await run

    waited, result = asyncio.run(watched())
    assert (waited, done.exists(), result.readers[0].handled, result.dropped) == (True, True, 200_000, 0)
    assert stalled.lines == [str(number) for number in range(1, 200_001)]


def test_c83_block_ends_once_after_its_timeout(caplog):
    """A reader that blocks for too long is detached, told once, and reported; the run and the others go on."""
    trace = Trace()

    class Slow(Trace):
        async def process_line(self, line, source):
            super().process_line(line, source)
            await asyncio.sleep(0.5)

    slow = Slow()
    config = streaming(slow, trace, max_lines=2, overflow_strategy="Block", block_timeout=0.1)
    result = sh("seq 1000", streaming_config=config)
    assert (result.success, len(trace.lines), slow.lines, slow.ends) == (True, 1000, ["1"], [("error", "BufferTimeout")])
    assert (result.readers[0].offered, result.readers[0].dropped) == (1000, 999)
    assert "left its buffer of 2 lines full for 0.1 s" in result.readers[0].error
    assert len([one for one in caplog.records if one.levelname == "WARNING"]) == 1


def test_c84_block_without_a_timeout_can_be_cancelled():
    """A run that waits for room without a limit can be cancelled."""
    stalled = Stalled()

    async def cancelled():
        config = streaming(stalled, max_lines=1, overflow_strategy="Block", block_timeout=None)
        run = asyncio.create_task(shell("seq 1000", streaming_config=config, grace=0.1))
        await stalled.holds.wait()
        await asyncio.sleep(0.1)
        assert not run.done()
        run.cancel()
        await run

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_c85_fail_ends_run_and_command():
    """An overflow ends the command and names reader and size; what came is kept and adds up, and others get their lines."""
    stalled, trace = Stalled(), Trace()
    trace.buffer = BufferConfig(max_lines=None)
    config = streaming(stalled, trace, max_lines=3, overflow_strategy="Fail")
    with pytest.raises(BufferOverflow, match="buffer of Stalled is full: 3 lines") as caught:
        sh("echo $$; seq 1000; exec sleep 60", streaming_config=config, grace=0.2)
    assert isinstance(caught.value, CommandOverflow)
    result = caught.value.result
    assert is_gone(result.stdout.split()[0])
    assert [one.offered == one.handled + one.failed + one.dropped for one in result.readers] == [True, True]
    assert result.readers[1].handled == len(trace.lines) == len(result.stdout.split())
    assert stalled.ends == trace.ends == [("error", "CommandOverflow")]


def test_c86_drops_are_counted():
    """Each reader's drops and their sum are in the result."""
    result = stalled_run(last=9, max_lines=3)[1]
    assert [one.dropped for one in result.readers] == [0, 6]
    assert result.dropped == 6


def test_c87_an_overflow_is_told_once(caplog):
    """One warning and one event tell of many drops in a row."""
    result = stalled_run(last=500, max_lines=3)[1]
    assert [one.message for one in caplog.records] == ["the buffer of Stalled is full (3 lines); the oldest are dropped"]
    assert [one["reader"] for one in result.events if one["type"] == "overflow"] == ["Stalled"]


def test_c88_each_reader_may_have_a_buffer_of_its_own():
    """One reader drops, another blocks, each as it says."""
    dropping, blocking = Stalled(), Trace()
    dropping.buffer = BufferConfig(max_lines=2, overflow_strategy="DropNewest")
    opener = Opener(dropping, "100")
    sh("seq 100", streaming_config=streaming(dropping, blocking, opener, max_lines=1, overflow_strategy="Block"))
    assert (dropping.lines, len(blocking.lines)) == (["1", "2", "3"], 100)


def test_c89_no_limit_is_no_limit():
    """Without `max_lines` any number of lines waits."""
    lines, result = stalled_run(last=100_000, max_lines=None)
    assert (len(lines), result.dropped) == (100_001, 0)


@pytest.mark.parametrize(("limit", "dropped"), [(5, 0), (4, 1), (1, 4)])
def test_c90_a_buffer_that_is_just_full_drops_nothing(limit, dropped):
    """As many lines as allowed may wait, and the next overflows."""
    assert stalled_run(max_lines=limit)[1].dropped == dropped


def test_c91_lines_that_wait_come_before_the_end():
    """`on_complete` waits for all lines of a slow reader."""
    lines, _ = stalled_run(last=50)
    assert len(lines) == 51


def test_c92_what_waits_at_a_timeout_is_handed_on():
    """After a time-out waiting lines are handed on for no longer than `grace`, and the rest counts as dropped."""
    stalled, trace = Stalled(), Trace()
    with pytest.raises(CommandTimeout) as caught:
        sh("seq 100; sleep 60", stalled, trace, timeout=0.3, grace=0.1)
    assert [(one.offered, one.handled, one.dropped) for one in caught.value.result.readers] == [(100, 0, 100), (100, 100, 0)]
    assert len(trace.lines) == 100


def test_lines_in_hand_at_a_timeout_are_not_interrupted():
    """A line in hand at a time-out is finished within `grace`, and those behind it follow."""

    class Slow(Trace):
        async def process_line(self, line, source):
            await asyncio.sleep(0.1)
            super().process_line(line, source)

    slow = Slow()
    with pytest.raises(CommandTimeout) as caught:
        sh("seq 8; sleep 60", slow, timeout=0.35, grace=30)
    assert slow.lines == [str(number) for number in range(1, 9)]
    assert caught.value.result.dropped == 0


def test_c93_failing_lines_do_not_take_others_with_them():
    """Of lines that waited each is tried, though all fail."""
    stalled = Stalled()

    async def fail(line, source):
        await Stalled.process_line(stalled, line, source)
        raise ValueError(line)

    opener = Opener(stalled, "3")
    result = sh("seq 0 3", fail, opener)
    assert (stalled.lines, result.readers[0].failed, result.dropped) == (["0", "1", "2", "3"], 4, 0)


def test_c94_memory_is_bounded():
    """80 MB of output take less than 10 MB of memory where 10 lines wait and a tail is kept."""
    more = subprocess.run([sys.executable, "-c", MEMORY], check=True, capture_output=True, text=True, timeout=100).stdout
    assert int(more) < 10_240


@pytest.mark.parametrize(
    ("capture", "kept", "truncated"), [("all", "1\n2\n3\n", False), ("tail", "\n3\n", True), ("none", "", True)]
)
def test_c95_all_the_tail_or_nothing_is_kept(capture, kept, truncated):
    """What is kept of an output is chosen, and its size is told in any case."""
    result = asyncio.run(command("seq", "3", capture=capture, capture_limit=3))
    assert (result.stdout, result.truncated, result.totals["stdout"]) == (kept, truncated, 6)


def test_tiny_lines_take_linear_time():
    """A reader that waits for each line gets 100,000 empty ones; taking them out of a batch one by one is not quadratic."""
    counted = []

    async def count(line, source):
        counted.append(line)

    result = asyncio.run(command("sh", "-c", "yes '' | head -100000", streaming_config=streaming(count, max_lines=3)))
    assert (len(counted), result.dropped) == (100_000, 0)
