"""Commands of a pipe recorded, and played."""

import asyncio
import json

import pytest

from transmissions import RunError, UsageError
from transmissions.processors.command import CommandSource, CommandStep


@pytest.fixture
def made(bench):
    """Return a function that records a script of a shell in the working folder, and gives the recording's name."""
    bench.output = bench.data

    def record(script, name="made.cast.gz"):
        bench.produced(CommandSource(command=("sh", "-c", script), record=name), {})
        return name

    return record


def lines(messages):
    return [(message["line"], message["source"]) for message in messages]


def test_a_recording_takes_the_place_of_a_program(bench, made):
    """A source plays what another has recorded: the same lines from the same outputs, and the same end."""
    name = made("echo a; sleep 0.05; echo b >&2; sleep 0.05; printf c; exit 3")
    message = {}
    played = bench.produced(CommandSource(replay=name, replay_speed=0), message)
    assert lines(played) == [("a", "stdout"), ("b", "stderr"), ("c", "stdout")]
    assert message["command"]["exitCode"] == 3


def test_the_program_is_not_started(bench, made):
    """With a recording to play, the command is only a name."""
    name = made("echo played")
    assert lines(bench.produced(CommandSource(command=("no-such-program",), replay=name), {})) == [("played", "stdout")]


def test_a_step_plays_the_same_for_each_message(bench, made):
    """A step gets the recording for every message; what it would have read counts for nothing."""
    step = CommandStep(command=("ask", "{id}"), replay=made("echo hi"), stdin="text", input="x", target_field="out")
    assert [one["out"] for one in bench.through(step, {"id": 1}, {"id": 2})] == ["hi\n", "hi\n"]


def test_a_source_that_runs_again_goes_on(bench, made):
    """A run replaces the recording that is there; the second message of a run puts its own behind."""
    made("echo old")
    source = CommandSource(command=("echo", "new"), record="made.cast.gz")
    bench.produced(source, {})
    bench.produced(source, {})
    assert lines(bench.produced(CommandSource(replay="made.cast.gz"), {})) == [("new", "stdout")] * 2


def test_a_broken_recording_is_a_failure_at_the_end(bench, made):
    """What is whole is sent, and then the run fails with the place where the recording breaks off."""
    path = bench.data / made("echo a; sleep 0.05; echo b", "made.cast")
    path.write_bytes(path.read_bytes()[:-30])
    seen = []

    async def follow():
        async for given in bench.attach(CommandSource(replay="made.cast")).produce({}):
            seen.extend(given)

    with pytest.raises(RunError, match=r"the recording '.*made\.cast' breaks off at line 3 \(byte \d+\)"):
        asyncio.run(follow())
    assert [one["line"] for one in seen] == ["a"]


def test_listeners_hear_of_the_start(bench, made):
    """Listeners of the run hear that a program has started and, last, how it ended."""
    bench.produced(CommandSource(replay=made("exit 4"), command=("make",)), {})
    told = [(event, fields) for event, fields in bench.events if event.startswith("command")][-2:]
    assert [event for event, _ in told] == ["command-started", "command"]
    assert told[0][1]["command"] == ["make"]
    assert told[1][1]["exitCode"] == 4


def test_listeners_hear_of_dropped_lines(bench, made):
    """A buffer that is full is told while the program runs."""
    name = made("seq 1000")
    bench.produced(CommandSource(replay=name, max_lines=1, overflow="DropOldest"), {})
    assert "oldest are dropped" in next(fields["text"] for event, fields in bench.events if event == "command-overflow")


def test_recording_what_is_played_is_refused():
    """A recording is made or played, not both."""
    with pytest.raises(UsageError, match="take :record or :replay"):
        CommandSource(command=("true",), record="a.cast", replay="b.cast")


@pytest.mark.parametrize("setting", ["record", "replay"])
def test_recordings_stay_in_the_folders_of_the_run(bench, setting):
    """Neither a recording's file nor one that is played lies outside the folders of the run."""
    with pytest.raises(RunError, match="outside the folders"):
        bench.produced(CommandSource(command=("true",), **{setting: "/etc/a.cast"}), {})


def test_a_recording_is_read_without_us(bench, made):
    """The file is asciicast version 2."""
    first, *events = (bench.data / made("echo a", "made.cast")).read_text().splitlines()
    assert json.loads(first)["version"] == 2
    assert [json.loads(event)[1:] for event in events] == [["o", "a\r\n"], ["x", "0"]]
