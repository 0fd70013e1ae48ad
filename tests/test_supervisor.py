"""Failure policies: stop, skip, retry, dead letters; no message is lost without a trace."""

import asyncio
import errno
import json

import pytest
from engine_parts import Count, Every, Pass, ids, work

from transmissions import NodeFailed, Processor, RunError, Source
from transmissions.failures import exit_code_of
from transmissions.supervisor import Retry

RETRY = {"attempts": 2, "delay": 0.1, "jitter": 0.0}


class Flaky(Processor):
    times: int = 1

    def __post_init__(self):
        self._failed = {}

    def process(self, message):
        count = self._failed[message["id"]] = self._failed.get(message["id"], 0) + 1
        if count <= self.times:
            raise OSError(errno.ECONNRESET, "reset")
        return message


class FlakyGenerator(Flaky):
    def process(self, message):
        yield super().process(message)


class AsyncFlaky(Flaky):
    async def process(self, message):
        return super().process(message)


class FlakySource(Source):
    def __post_init__(self):
        self._tries = 0

    def produce(self, message):
        self._tries += 1
        if self._tries == 1:
            raise ValueError("first try")
        yield from ({"id": number} for number in range(3))


class HalfSource(Source):
    def produce(self, message):
        yield from ({"id": number} for number in range(3))
        raise ValueError("half way")


def letters(folder):
    """Return the dead letters of a run."""
    return [json.loads(line) for line in (folder / "dead-letters.ndjson").read_text().splitlines()]


def test_in_is_out_and_dropped_and_dead_by_id(tmp_path):
    """With failing and dropped messages, every id is accounted for exactly once."""
    found, run = work(tmp_path, [Count(count=5000), Every(fail=100, drop=7)], on_error="deadLetter")
    dead = [letter["message"]["id"] for letter in letters(tmp_path)]
    counts = run.snapshot()["nodes"]["test/Every"]
    dropped = [number for number in range(5000) if number % 7 == 0 and number % 100]
    assert sorted([*ids(found), *dead, *dropped]) == list(range(5000))
    assert (counts["dead"], counts["dropped"]) == (len(dead), len(dropped)) == (50, len(dropped))
    assert run.result.exit_code == 3


def test_a_dead_letter_says_what_happened(tmp_path):
    """A dead letter holds node, place, error, type and message."""
    work(tmp_path, [Count(count=1), Every(fail=1)], on_error="deadLetter")
    assert letters(tmp_path) == [
        {
            "node": "test/Every",
            "where": "transmissions.ttl:1:1",
            "error": "ValueError: id 0",
            "type": "ValueError",
            "message": {"id": 0},
        }
    ]


def test_skipping_goes_on_and_says_so(tmp_path):
    """With `skip` the others pass, and the run does not end with 0."""
    found, run = work(tmp_path, [Count(count=10), Every(fail=4)], on_error="skip")
    assert ids(found) == [1, 2, 3, 5, 6, 7, 9]
    assert (run.result.skipped, run.result.exit_code) == (3, 3)


@pytest.mark.parametrize("kind", [Flaky, AsyncFlaky, FlakyGenerator])
def test_a_second_attempt_may_succeed(tmp_path, kind):
    """With `retry` a passing fault is no failure, for plain, asynchronous and generating steps."""
    found, run = work(tmp_path, [Count(count=5), kind()], retry=RETRY)
    counts = run.snapshot()["nodes"][f"test/{kind.__name__}"]
    assert ids(found) == list(range(5))
    assert (counts["retried"], counts["failed"]) == (5, 0)


def test_attempts_are_limited_and_then_the_policy_holds(tmp_path):
    """What fails every time fails for good after the last attempt."""
    found, run = work(tmp_path, [Count(count=2), Flaky(times=9)], retry=RETRY, on_error="skip")
    counts = run.snapshot()["nodes"]["test/Flaky"]
    assert (found, counts["retried"], counts["failed"]) == ([], 4, 2)


def test_waits_grow_up_to_the_longest():
    """Each wait is longer than the one before, and none longer than `maxDelay`."""
    retry = Retry(delay=100, backoff=2, max_delay=350, jitter=0)
    assert [retry.wait_before(attempt) for attempt in range(4)] == [0.1, 0.2, 0.35, 0.35]


def test_a_wait_is_as_long_as_a_server_asks_for():
    """If that is longer than it would be, and up to `maxDelay`."""
    retry = Retry(delay=100, max_delay=350, jitter=0)
    assert [retry.wait_before(0, asked) for asked in (0.05, 0.2, 60)] == [0.1, 0.2, 0.35]


def test_a_source_is_tried_again_only_before_its_first_message(tmp_path):
    """A source that gave nothing starts anew; one that broke half way does not repeat itself."""
    assert ids(work(tmp_path, [FlakySource()], retry=RETRY)[0]) == [0, 1, 2]
    found, run = work(tmp_path, [HalfSource()], retry=RETRY, on_error="skip")
    assert (ids(found), run.result.skipped) == ([0, 1, 2], 1)


def test_a_full_disk_has_an_exit_code_of_its_own(tmp_path):
    """An output that cannot be written ends the run with 74."""

    class Full(Processor):
        def process(self, message):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NodeFailed) as caught:
        work(tmp_path, [Full()])
    assert caught.value.exit_code == 74


def test_a_file_that_cannot_be_read_is_no_output_that_cannot_be_written(tmp_path):
    """A processor that reads where the run writes, as apps of users do in their `data/`, fails with 1."""

    class Read(Processor):
        def process(self, message):
            return {"text": (self.context.folders.output / "absent").read_text()}

    with pytest.raises(NodeFailed, match="absent") as caught:
        work(tmp_path, [Read()])
    assert caught.value.exit_code == 1


def test_a_dead_letter_that_cannot_be_written_ends_the_run(tmp_path):
    """Nothing is lost silently: without a place for dead letters the run fails."""
    (tmp_path / "dead-letters.ndjson").mkdir()
    with pytest.raises(Exception, match="cannot write the dead letter of test/Every") as caught:
        work(tmp_path, [Count(count=1), Every(fail=1), Pass()], on_error="deadLetter")
    assert caught.value.exit_code == 74


def test_trying_for_ever_never_runs_out_of_numbers():
    """However often a message was tried, the wait before the next time is the longest one."""
    assert Retry(attempts=10**6, delay=1, backoff=10.0, max_delay=5, jitter=0.0).wait_before(10**5) == pytest.approx(0.005)


class Straying(Source):
    """Cancels the task it is in, as an `asyncio.timeout` does that is open over a `yield`."""

    async def produce(self, message):
        asyncio.current_task().cancel()
        await asyncio.sleep(0)
        yield message


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_task_that_is_cancelled_from_within_is_a_failure(tmp_path, concurrency):
    """Whatever waits for it does not do so for ever."""
    with pytest.raises(RunError, match=r"test/Straying.*: cancelled from within"):
        work(tmp_path, [Straying(), Pass()], concurrency=concurrency)


class Wordless(Exception):
    """Has no words: they depend on what it was not given."""

    def __str__(self):
        return self.detail

    __repr__ = __str__


class Silent(Processor):
    def process(self, message):
        message["it"] = Wordless()
        raise Wordless


@pytest.mark.parametrize("policy", ["skip", "deadLetter"])
def test_an_error_without_words_is_a_failure_like_any_other(tmp_path, policy):
    """An exception whose `__str__` raises is told by its name, and the node's policy holds."""
    _, run = work(tmp_path, [Count(count=1), Silent()], on_error=policy)
    assert run.result.exit_code == 3
    assert policy == "skip" or letters(tmp_path)[0]["error"] == "Wordless: <Wordless that cannot be shown>"


def test_a_run_that_stops_for_an_error_without_words_says_where(tmp_path, capsys):
    """Node and message are told, as far as they can be."""
    with pytest.raises(NodeFailed) as caught:
        work(tmp_path, [Count(count=1), Silent()])
    assert exit_code_of(caught.value, verbose=False) == 1
    assert "test/Silent: Wordless: <Wordless that cannot be shown>" in (told := capsys.readouterr().err)
    assert "message: <dict that cannot be shown>" in told
