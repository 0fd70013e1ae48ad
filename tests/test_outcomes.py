"""What processors must not do, and sooner or later do: each time the node is named, and nothing is lost without a trace."""

import asyncio
from collections import UserDict

import pytest
from engine_parts import Close, Collect, Count, Pass, ids, work

from transmissions import NodeFailed, Processor, Source
from transmissions.testing import through

STRANGE = ["text", 5, None]


class PanicException(BaseException):
    """What a library written in Rust raises where its own code panics: no `Exception`."""


class Raising(Processor):
    error: type = SystemExit

    def process(self, message):
        raise self.error


class AsyncRaising(Raising):
    async def process(self, message):
        raise self.error


class ThreadRaising(Raising):
    placement = "thread"


class RaisingSource(Source):
    error: type = SystemExit

    def produce(self, message):
        yield {"id": 0}
        raise self.error


class AsyncRaisingSource(RaisingSource):
    async def produce(self, message):
        yield {"id": 0}
        raise self.error


class RaisingRun(Raising):
    async def run(self, reader, writer):
        raise self.error


class RaisingSetup(Pass):
    error: type = SystemExit

    async def __aenter__(self):
        raise self.error


class RaisingTeardown(Pass):
    error: type = SystemExit

    async def __aexit__(self, *exc):
        raise self.error


class Broken(Source):
    """Fail on the way, where the message says so."""

    def produce(self, message):
        yield from ({"items": item} for item in message["items"])
        if message["fails"]:
            raise ValueError("torn")


KINDS = [Raising, AsyncRaising, ThreadRaising, RaisingSource, AsyncRaisingSource, RaisingRun, RaisingSetup, RaisingTeardown]


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, PanicException])
@pytest.mark.parametrize("kind", KINDS)
def test_neither_exits_nor_stray_cancellations_end_a_run_well(tmp_path, kind, error):
    """`sys.exit`, a panic, or a cancellation from a processor's own doings, is a failure of its node as any other is."""
    with pytest.raises(NodeFailed, match=f"test/{kind.__name__}: {error.__name__}"):
        work(tmp_path, [kind(error=error)], [{"id": 1}])


@pytest.mark.parametrize("error", [asyncio.CancelledError, PanicException])
@pytest.mark.parametrize("kind", [Raising, AsyncRaising, ThreadRaising])
def test_a_stray_cancellation_or_a_panic_follows_the_policy(tmp_path, kind, error):
    """It is about one message, so the policy of the node holds, with several workers too."""
    found, run = work(tmp_path, [Count(), kind(error=error)], on_error="deadLetter", concurrency=2)
    assert found == []
    assert run.result.dead == 10


@pytest.mark.parametrize("kind", [AsyncRaising, RaisingRun, RaisingSource])
def test_an_interrupt_is_nobodys_failure(tmp_path, kind):
    """Whoever presses Ctrl-C where nothing heeds signals means the whole program, whatever a step does at the moment."""
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path, [kind(error=KeyboardInterrupt)], [{"id": 1}], on_error="skip")


@pytest.mark.parametrize("given", STRANGE)
@pytest.mark.parametrize("how", ["list", "generator", "source", "asynchronous source", "writer"])
def test_what_is_no_message_is_a_fault_of_who_gave_it(given, how):
    """Something else than a dict never goes on, and the error names the step that gave it, not the one behind."""

    class Giver(Processor):
        def process(self, message):
            return [given] if how == "list" else (one for one in [given])

    class GiverSource(Source):
        def produce(self, message):
            return iter([given])

    class AsyncGiver(Source):
        async def produce(self, message):
            yield given

    class WritingGiver(Pass):
        async def run(self, reader, writer):
            await writer.write(given)

    giver = {"source": GiverSource, "asynchronous source": AsyncGiver, "writer": WritingGiver}.get(how, Giver)
    with pytest.raises(
        NodeFailed, match=rf"test/{giver.__name__}: TypeError: a processor gave (None|an? {type(given).__name__})"
    ):
        through([giver(), Pass()], [{}])


def test_messages_in_front_of_what_is_none_go_on(tmp_path):
    """A generator that gives something strange on its way has failed there; what came before is not lost."""

    class Odd(Source):
        def produce(self, message):
            yield from [{"id": 1}, {"id": 2}, None, {"id": 3}]

    found, run = work(tmp_path, [Odd()], on_error="skip")
    assert ids(found) == [1, 2]
    assert run.result.skipped == 1


@pytest.mark.parametrize("policy", ["skip", "deadLetter"])
def test_the_message_of_a_broken_group_does_not_go_on(tmp_path, policy):
    """A source that fails on the way ends its group, so that the next begins anew; the message it was made from has failed."""
    messages = [{"items": [1, 2], "fails": True}, {"items": [3], "fails": False}, {"items": [], "fails": True}]
    found, run = work(tmp_path, [Broken(), Collect(), Close()], messages, on_error=policy)
    assert [message["items"] for message in found] == [[3]]
    assert run.result.dead + run.result.skipped == 2


def test_a_generator_that_cannot_be_closed_is_a_fault_of_its_source(tmp_path):
    """What a source raises when it is ended early names the source."""

    class Stubborn(Source):
        def produce(self, message):
            try:
                while True:
                    yield {"id": 0}
            finally:
                raise ValueError("not now")

    class Halting(Pass):
        def process(self, message):
            self.context.halt("enough")
            return message

    with pytest.raises(NodeFailed, match="test/Stubborn: ValueError: not now"):
        work(tmp_path, [Stubborn(), Halting()])


@pytest.mark.parametrize("how", ["plain", "asynchronous"])
def test_one_bad_message_does_not_spoil_its_batch(tmp_path, how):
    """Where a whole batch fails, its messages are tried alone, and the policy deals with those that fail again."""

    class Whole(Processor):
        def process_batch(self, messages):
            return [{"id": 100 // message["id"]} for message in messages]

    class AsyncWhole(Whole):
        async def process_batch(self, messages):
            return super().process_batch(messages)

    step = Whole() if how == "plain" else AsyncWhole()
    found, run = work(tmp_path, [step], [{"id": number} for number in (1, 0, 2, 0, 4)], on_error="deadLetter")
    assert ids(found) == [100, 50, 25]
    assert run.result.dead == 2


def test_a_batch_must_be_of_messages(tmp_path):
    """A `process_batch` that gives one None for each message is a fault of its node."""

    class Nones(Processor):
        def process_batch(self, messages):
            return [None] * len(messages)

    with pytest.raises(NodeFailed, match="test/Nones: TypeError: a processor gave None"):
        work(tmp_path, [Count(), Nones()])


class Wholesale(Source):
    given: object = None

    def produce(self, message):
        return self.given


@pytest.mark.parametrize(("given", "named"), [({"id": 1}, "a dict"), (5, "an int"), ("text", "a str")])
def test_a_source_gives_messages_to_go_through(tmp_path, given, named):
    """What is none, or would fall apart into what is none, is a fault of the source."""
    with pytest.raises(NodeFailed, match=f"test/Wholesale: TypeError: a processor gave {named} where messages belong"):
        work(tmp_path, [Wholesale(given=given)])


class Mapped(Processor):
    def process(self, message):
        return UserDict(message)


class Grouped(Processor):
    async def process(self, message):
        raise ExceptionGroup("unhandled", [ValueError("one"), ExceptionGroup("more", [KeyError("two")])])


@pytest.mark.parametrize(
    ("kind", "told"), [(Mapped, "gave an UserDict where"), (Grouped, "ValueError: one; ExceptionGroup: KeyError")]
)
def test_what_was_given_or_raised_is_told_by_what_it_is(tmp_path, kind, told):
    """No mapping is taken apart into its keys, and a group of errors tells each."""
    with pytest.raises(NodeFailed, match=told):
        work(tmp_path, [Count(count=1), kind()])
