"""Commands that are played: from recordings and from scripts."""

import asyncio
import math
import time
from pathlib import Path

import pytest

from transmissions.errors import UsageError
from transmissions.streaming import (
    BufferConfig,
    CommandRunner,
    CommandTimeout,
    ExecutionContext,
    OverflowStrategy,
    Recorder,
    Replay,
    Script,
    StreamingConfig,
    StreamingMode,
)

TALK = [(0.0, "stdout", "a\n"), (0.0, "stderr", "b\n"), (0.0, "stdout", "c\n"), (0.0, "stderr", "d\n")]


def run(launch, **options):
    return asyncio.run(CommandRunner(launch=launch).run("make", **options))


def lines_of(launch, **options):
    """Run, and return `(line, source)` as a processor saw them."""
    seen = []
    config = StreamingConfig(enabled=True, mode=StreamingMode.STREAMING, processors=(lambda *one: seen.append(one),))
    run(launch, streaming_config=config, **options)
    return seen


def test_a_recording_is_the_command_again(tmp_path):
    """A replay gives the outputs and the exit code that were recorded."""
    first = run(Recorder(tmp_path / "a.cast.gz", Script([*TALK, (0.0, "stdout", b"\xff\r\n\0")], returncode=5)))
    second = run(Replay(tmp_path / "a.cast.gz"))
    assert (second.stdout_bytes, second.stderr_bytes, second.exit_code) == (first.stdout_bytes, first.stderr_bytes, 5)


def test_a_signal_is_played(tmp_path):
    """A command that a signal ended ends by it again."""
    run(Recorder(tmp_path / "a.cast", Script(returncode=-11)))
    assert run(Replay(tmp_path / "a.cast")).signal == 11


def test_both_outputs_in_their_order():
    """What is played comes in the order of writing, with its source."""
    assert lines_of(Script(TALK)) == [("a", "stdout"), ("b", "stderr"), ("c", "stdout"), ("d", "stderr")]


def test_outputs_as_the_context_wants_them():
    """Merged and suppressed errors are merged and suppressed in what is played, too."""
    assert run(Script(TALK), order="merged").stdout == "a\nb\nc\nd\n"
    assert run(Script(TALK), suppress_stderr=True).stderr == ""


@pytest.mark.parametrize(
    ("tempo", "least", "most"),
    [({}, 0.6, 9), ({"speed": 3}, 0.2, 0.6), ({"idle_limit": 0.1}, 0.2, 0.6), ({"speed": math.inf}, 0, 0.6)],
)
def test_tempo(tmp_path, tempo, least, most):
    """A recording takes its own time, or a part of it, or next to none."""
    run(Recorder(tmp_path / "a.cast", Script([(0.3, "stdout", "a"), (0.3, "stdout", "b")])))
    began = time.monotonic()
    assert run(Replay(tmp_path / "a.cast", **tempo)).stdout == "ab"
    assert least <= time.monotonic() - began
    assert most > 0.6 or asyncio.run(planned(Replay(tmp_path / "a.cast", **tempo))) < most


async def planned(replay):
    """Return in how many seconds the last event of a replay is due, machine's load apart."""
    played = replay(["x"], ExecutionContext())
    began = played._due
    while not hasattr(played._next, "returncode"):
        played._advance()
    due = played._due - began
    played.forget()
    return due


def test_a_time_out_ends_a_replay():
    """A time-out is a time-out, and keeps what was played."""
    with pytest.raises(CommandTimeout) as caught:
        run(Script([(0.0, "stdout", "a"), (60, "stdout", "b")]), timeout=0.1)
    assert (caught.value.result.stdout, caught.value.result.signal) == ("a", 15)


def test_stdin_is_not_wanted():
    """What is played takes no input, and that is no failure."""
    assert run(Script(TALK), stdin="hello").exit_code == 0


@pytest.mark.parametrize("strategy", [OverflowStrategy.BLOCK, OverflowStrategy.DROP_OLDEST])
def test_a_slow_reader_of_a_replay(strategy):
    """Buffers in front of readers work as with any command."""
    seen = []

    async def slowly(line, _source):
        await asyncio.sleep(0.001)
        seen.append(line)

    buffer = BufferConfig(max_lines=2, overflow_strategy=strategy, block_timeout=None)
    config = StreamingConfig(enabled=True, mode=StreamingMode.STREAMING, buffer_config=buffer, processors=(slowly,))
    result = run(Script([(0.0, "stdout", f"{number}\n") for number in range(100)]), streaming_config=config)
    assert len(seen) + result.dropped == 100
    assert (result.dropped == 0) == (strategy is OverflowStrategy.BLOCK)


def test_a_broken_recording_plays_what_is_whole(tmp_path, caplog):
    """A recording that breaks off plays up to there, then its command ends as if killed; the place is told."""
    path = tmp_path / "a.cast"
    run(Recorder(path, Script(TALK)))
    path.write_bytes(path.read_bytes()[:-30])
    replay = Replay(path)
    result = run(replay)
    assert (result.stdout + result.stderr, result.signal) == ("a\nc\nb\n", 9)
    assert f"'{path}' breaks off at line 5 (byte " in replay.fault
    assert replay.fault in caplog.text


def test_what_was_asked_for():
    """A script knows what it was called with, and can be called again."""
    script = Script(TALK)
    first, second = run(script, env_vars={"A": "1"}), run(script)
    assert first.stdout == second.stdout
    assert [command for command, _ in script.calls] == [("make",), ("make",)]
    assert script.calls[0][1].env_vars == {"A": "1"}


@pytest.mark.parametrize("tempo", [{"speed": 0}, {"speed": -1}, {"speed": math.nan}, {"idle_limit": -1}])
def test_tempo_that_is_none(tempo):
    """A speed of nothing, and a limit below it, are refused."""
    with pytest.raises(UsageError, match=next(iter(tempo))):
        Replay("a.cast", **tempo)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there is no /proc")
def test_nothing_stays_open(tmp_path):
    """A played or recorded command leaves no descriptor open."""
    run(Recorder(tmp_path / "a.cast", Script(TALK)))
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(5):
        run(Recorder(tmp_path / "b.cast.gz", Replay(tmp_path / "a.cast")))
    assert len([*Path("/proc/self/fd").iterdir()]) == before
