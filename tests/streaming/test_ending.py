"""Rows C100 to C110, C119 and C120: how commands end, and what may not outlive them.

Bounds on times here are generous, and only there to tell an end that came from one that would have come by itself.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import Stalled, Trace, command, is_gone, open_files, sh, shell, streaming

from transmissions.streaming import CommandRunner, CommandTimeout, ExecutionContext

FAMILY = "sleep 60 & echo $$ $!; sleep 60; wait"
PARENT = """
import asyncio
from transmissions.streaming import *
def say(line, source):
    print(line, flush=True)
config = StreamingConfig(enabled=True, mode="streaming", processors=(say,))
asyncio.run(CommandRunner().run("sh", ["-c", "sleep 60 & echo $$ $!; wait"], streaming_config=config))
"""


def all_gone(text, seconds=20):
    """Whether processes are gone, or are so after some time."""
    for _ in range(seconds * 50):
        if all(map(is_gone, text.split())):
            return True
        time.sleep(0.02)
    return False


def after_timeout(script, *readers, **options):
    """Return the result of a run that takes too long."""
    with pytest.raises(CommandTimeout) as caught:
        sh(script, *readers, **{"timeout": 0.4, "grace": 5, **options})
    return caught.value.result


@pytest.mark.parametrize("readers", [(), (lambda line, source: None,)])
def test_c100_c103_a_timeout_ends_the_whole_group(readers):
    """After a time-out nothing that the command started is left, streamed or not."""
    result = after_timeout(FAMILY, *readers)
    assert all(map(is_gone, result.stdout.split()))
    assert len(result.stdout.split()) == 2


def test_c101_a_timeout_keeps_what_was_written():
    """The error of a time-out carries what the command wrote until then, and after it was asked to end."""
    result = after_timeout("trap 'echo bye; exit 1' TERM; echo hi; sleep 60 & wait")
    assert (result.stdout, result.timed_out, result.success, result.code) == ("hi\nbye\n", True, False, 124)


def test_c102_a_timeout_covers_input_and_output():
    """A command that reads nothing of much input, and one that left its output open, take no longer than allowed."""
    after_timeout("sleep 60", stdin="x" * 1_000_000)
    began = time.monotonic()
    after_timeout("sleep 60 & echo hi", drain=50)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("seconds", [0, 0.1])
def test_c104_timeouts_may_be_short(seconds):
    """A time-out may be a part of a second, and nothing at all."""
    assert after_timeout("sleep 60", timeout=seconds).timed_out


def test_c105_a_cancelled_run_ends_the_group():
    """Cancelled, a run ends the group, tells its readers, and is cancelled."""
    trace = Trace()

    async def cancelled():
        run = asyncio.create_task(shell(FAMILY, trace))
        while not trace.lines:
            await asyncio.sleep(0.01)
        run.cancel()
        await run

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert all(map(is_gone, trace.lines[0].split()))
    assert trace.ends == [("error", "CancelledError")]


def test_a_run_cancelled_again_ends_the_group_at_once():
    """Cancelled while it waits for a command that will not end, a run kills it and waits no more."""
    trace = Trace()

    async def cancelled():
        run = asyncio.create_task(shell("trap '' TERM; sleep 60 & echo $$ $!; while :; do wait; done", trace, grace=60))
        while not trace.lines:
            await asyncio.sleep(0.01)
        for _ in range(2):
            run.cancel()
            await asyncio.sleep(0.05)
        assert run.done()
        await run

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert all_gone(trace.lines[0])


def test_c106_what_is_left_behind_holds_up_nothing():
    """A command's end is its end, though something in the background holds its output open."""
    began = time.monotonic()
    result = sh("sleep 60 & echo hi $!", drain=0.2)
    assert result.stdout.startswith("hi")
    assert time.monotonic() - began < 30
    os.kill(int(result.stdout.split()[1]), signal.SIGKILL)


@pytest.mark.parametrize("drain", [0, 0.2])
def test_output_written_before_the_end_is_read(drain):
    """Whatever a command wrote before its end is read, however short the patience."""
    result = sh("sleep 1 & echo hi", lambda line, source: None, drain=drain)
    assert (result.stdout, result.readers[0].handled) == ("hi\n", 1)


def test_output_that_waits_for_a_reader_is_not_given_up():
    """A command that ended long ago is read to its end while a reader keeps the pump waiting."""
    stalled = Stalled()

    async def late():
        options = {"max_lines": 1, "overflow_strategy": "Block", "block_timeout": None}
        run = asyncio.create_task(shell("seq 60000", streaming_config=streaming(stalled, **options), drain=0.01))
        await asyncio.sleep(0.3)
        stalled.gate.set()
        return await run

    result = asyncio.run(late())
    assert (len(stalled.lines), result.totals["stdout"]) == (60_000, 348_894)


def test_c107_who_ignores_term_is_killed():
    """A command that ignores SIGTERM is killed after `grace`."""
    result = after_timeout("trap '' TERM; while :; do sleep 0.05; done", grace=0.2)
    assert (result.signal, result.exit_code) == (signal.SIGKILL, None)


def test_c108_nothing_is_left_of_many_runs():
    """500 runs leave no open file and no dead child."""

    async def many():
        await shell("true", lambda line, source: None)
        before = open_files()
        for number in range(25):
            how = [{}, {"stdin": "x"}, {"order": "exact"}, {"pty": True}, {"suppress_stderr": True}][number % 5]
            await asyncio.gather(*(shell("echo a", lambda line, source: None, **how) for _ in range(20)))
        return before, open_files()

    before, after = asyncio.run(many())
    assert after <= before  # what the first run had open may be closed only now
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert [one for one in children if is_gone(one)] == []


@pytest.mark.parametrize(("number", "grace"), [(signal.SIGINT, 60), (signal.SIGTERM, 60), (signal.SIGKILL, 60)])
def test_c109_the_group_ends_with_its_parent(number, grace):
    """However the parent ends, by Ctrl-C or kill -9, nothing is left a little later."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        processes = parent.stdout.readline()
        parent.send_signal(number)
        parent.wait(grace)
    assert len(processes.split()) == 2
    assert all_gone(processes)


def test_c110_an_output_closed_early_is_not_the_end():
    """A command that closes its output runs on, and its exit code counts."""
    assert sh("exec 1>&- 2>&-; sleep 0.2; exit 3", lambda line, source: None).returncode == 3


def test_c119_codes_signals_and_timeouts_differ():
    """An exit code, a signal and a time-out can be told apart, and each has its number for a shell."""
    results = [sh("exit 3"), sh("kill -9 $$"), after_timeout("sleep 60")]
    assert [(one.exit_code, one.signal, one.timed_out, one.code) for one in results] == [
        (3, None, False, 3),
        (None, 9, False, 137),
        (None, 15, True, 124),
    ]


def test_c120_a_failure_is_a_result():
    """A command that fails is a result, not an exception."""
    result = sh("exit 3")
    assert (result.success, result.returncode) == (False, 3)


def test_leaving_a_stream_ends_the_command():
    """Who leaves the block early does not wait, and the command is gone; a reader that is slow loses nothing."""

    async def left():
        context = ExecutionContext(grace=60)
        async with CommandRunner().stream("sh", ["-c", "echo $$; while :; do echo a; done"], context) as stream:
            return (await anext(stream)).texts[0]

    assert is_gone(asyncio.run(asyncio.wait_for(left(), 50)))


def test_a_stream_that_is_waited_for_with_a_limit_loses_nothing():
    """A line that comes just when its reader gives up waiting is there the next time."""

    async def impatient():
        seen = []
        async with CommandRunner().stream(
            "sh", ["-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.03; done"], ExecutionContext()
        ) as stream:
            while True:
                try:
                    seen += (await asyncio.wait_for(anext(stream), 0.005)).texts
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return seen

    assert asyncio.run(impatient()) == ["1", "2", "3", "4", "5"]


def test_a_slow_reader_of_a_stream_loses_nothing():
    """Lines that are pulled are not dropped unless somebody says so."""

    async def slow():
        count = 0
        async with CommandRunner().stream("seq", ["50000"], ExecutionContext()) as stream:
            async for lines in stream:
                count += lines.count
                await asyncio.sleep(0.001)
            return count, stream.result.dropped

    assert asyncio.run(slow()) == (50_000, 0)


def test_a_stream_that_is_not_entered_is_nothing():
    """A stream that nobody enters starts nothing and warns of nothing."""

    async def unused():
        CommandRunner().stream("true", [], ExecutionContext())

    asyncio.run(unused())
    assert asyncio.run(command("true")).success
