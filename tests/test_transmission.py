"""A transmission at work: branches, failure, cancellation, drain, calls."""

import asyncio
import re

import pytest
from engine_parts import AsyncCount, Close, Collect, Count, Endless, Every, Items, Pass, Slow, finish, ids

from transmissions import NodeFailed, Processor, RunError
from transmissions.fork import predicate
from transmissions.plan import BranchPlan, ForkPlan, NodePlan, TransmissionPlan
from transmissions.problem import Where
from transmissions.testing import bench

HERE = Where("transmissions.ttl", 3, 5)


class Mark(Processor):
    by: str

    def process(self, message):
        message["by"] = message.get("by", "") + self.by
        return message


class Calling(Processor):
    target: str = "other"

    async def process(self, message):
        return await self.context.call(self.target, message)


def node(path, depth=0, **fields):
    """Return the plan of a node."""
    return NodePlan(path, "", "", {}, HERE, {}, depth, **fields)


def run_of(folder, pipe, made, messages=({},), others=()):
    """Return a run of a hand-made pipe; `made` holds the processor, or what makes it, for each path."""
    run = bench([], list(messages), folder)
    transmissions = (TransmissionPlan("t", "", True, tuple(pipe), HERE), *others)
    run.plan = run.plan._replace(transmissions=transmissions)
    run.state.__init__(run.plan, run.state.folders, run.state.letters, lambda one: _make(made[one.path]))
    return run


def _make(made):
    return made if isinstance(made, Processor) else made()


def fork(kind, *branches, depth=0):
    """Return the plan of a fork."""
    return ForkPlan("t/fork", kind, tuple(BranchPlan(*branch) for branch in branches), HERE, depth)


def when(field, operator, value):
    """Return a condition."""
    return {"field": field, "operator": operator, "value": value}


def through(folder, pipe, made, messages=({},), others=()):
    """Run a pipe and return its final messages."""
    return asyncio.run(finish(run_of(folder, pipe, made, messages, others)))[0]


def test_fan_out_copies_to_every_branch(tmp_path):
    """Every branch gets each message, and none sees what another does to it."""
    pipe = [node("t/s"), fork("all", (None, (node("t/a", 1),)), (None, (node("t/b", 1),)), (None, ())), node("t/z", 1)]
    made = {"t/s": Count(count=300), "t/a": Mark(by="a"), "t/b": Mark(by="b"), "t/z": Mark(by="z")}
    found = through(tmp_path, pipe, made)
    assert sorted(message["by"] for message in found) == sorted(["az", "bz", "z"] * 300)
    assert sorted(ids(found)) == sorted([*range(300)] * 3)


@pytest.mark.parametrize("rest", [True, False])
def test_route_takes_the_first_branch_that_fits(tmp_path, rest):
    """Each message goes one way; without a way of last resort it goes on unchanged."""
    ways = [(when("id", "less", 3), (node("t/a", 1),)), (when("id", "less", 6), (node("t/b", 1),))]
    ways += [(None, (node("t/c", 1),))] if rest else []
    made = {"t/s": Count(count=9), "t/a": Mark(by="a"), "t/b": Mark(by="b"), "t/c": Mark(by="c")}
    found = through(tmp_path, [node("t/s"), fork("first", *ways)], made)
    last = "c" if rest else ""
    assert {message["id"]: message.get("by", "") for message in found} == dict(enumerate(["a"] * 3 + ["b"] * 3 + [last] * 3))


def test_groups_end_once_behind_branches(tmp_path):
    """Where branches join, the end of a group waits for all of them, however slow one is."""
    branches = [(None, (node("t/slow", 1),)), (None, (node("t/quick", 1),)), (None, ())]
    pipe = [node("t/s"), fork("all", *branches, depth=1), node("t/collect", 1), node("t/close", 1)]

    class Lag(Pass):
        async def process(self, message):
            await asyncio.sleep(0.0005)
            return message

    made = {"t/s": Items(), "t/slow": Lag(), "t/quick": Pass(), "t/collect": Collect(), "t/close": Close()}
    messages = [{"items": list(range(start, start + 4))} for start in range(0, 40, 4)]
    found = through(tmp_path, pipe, made, messages)
    assert [sorted(message["items"]) for message in found] == [sorted(message["items"] * 3) for message in messages]


def test_nested_forks_that_end_together_do_not_block(tmp_path):
    """A fork at the end of a branch, beside an empty one, lets the ends of groups through."""
    inner = ForkPlan("t/inner", "first", (BranchPlan(when("items", "equals", 1), (node("t/a", 1),)),), HERE, 1)
    pipe = [node("t/s"), fork("all", (None, (inner,)), (None, ()), depth=1), node("t/collect", 1), node("t/close", 1)]
    made = {"t/s": Items(), "t/a": Pass(), "t/collect": Collect(), "t/close": Close()}
    found = through(tmp_path, pipe, made, [{"items": [1, 2]}, {"items": []}, {"items": [3]}])
    assert [sorted(message["items"]) for message in found] == [[1, 1, 2, 2], [], [3, 3]]


@pytest.mark.parametrize(
    ("operator", "value", "takes", "leaves"),
    [
        ("equals", 5, 5, 6),
        ("equals", "true", True, False),
        ("notEquals", "x", "y", "x"),
        ("contains", "b", "abc", "xyz"),
        ("contains", 2, [1, 2], [3]),
        ("greater", 5, "6", "5"),
        ("less", 5, 4.5, None),
        ("matches", "^a.c$", "abc", "abcd"),
    ],
)
def test_conditions(operator, value, takes, leaves):
    """Each operator takes what it says, texts and numbers alike."""
    test = predicate(when("f", operator, value))
    assert test({"f": takes})
    assert not test({"f": leaves})


def test_exists_asks_for_the_field_alone():
    """A field that is there, even empty, exists; `exists false` is the reverse."""
    assert predicate(when("f", "exists", True))({"f": None})
    assert predicate(when("f", "exists", False))({})


def test_a_failing_sink_stops_an_endless_source(tmp_path):
    """The run ends with the sink's error, everything is torn down, and no task is left."""
    torn = []

    class Watched(Every):
        async def __aexit__(self, *exc):
            torn.append(exc[0])

    async def main():
        made = {"t/s": Endless(), "t/b": Pass(), "t/z": Watched(fail=1000)}
        run = run_of(tmp_path, [node("t/s"), node("t/b", 1, buffer={}), node("t/z", 1, buffer={})], made, [{}])
        with pytest.raises(NodeFailed, match="t/z: ValueError: id 0"):
            await finish(run)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert torn == [NodeFailed]


def test_cancelling_with_full_buffers_leaves_nothing(tmp_path):
    """A run whose buffers are full is cancelled at once and leaves no task."""

    async def main():
        pipe = [node("t/s"), *(node(f"t/{letter}", 1, buffer={"max_items": 8}) for letter in "abcd")]
        made = {"t/s": Endless(), **{f"t/{letter}": Pass() for letter in "abcd"}}
        async with run_of(tmp_path, pipe, made) as run:
            await anext(run)
            while run.snapshot()["buffers"]["t/d"]["currentItems"] < 8:
                await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.mark.parametrize("source", [Endless(), AsyncCount(count=10**9), AsyncCount(count=10**9, wait=0.001)])
def test_drain_lets_everything_arrive(tmp_path, source):
    """A drained run ends well, and what had left the source has arrived, without gaps."""

    async def main():
        run = run_of(tmp_path, [node("t/s"), node("t/a", 1, buffer={"max_items": 9}), node("t/b", 1)], made)
        found = []
        async with run:
            async for message in run:
                found.append(message)
                if len(found) == 20:
                    run.drain()
        return found, run

    made = {"t/s": source, "t/a": Pass(), "t/b": Slow()}
    found, run = asyncio.run(main())
    assert ids(found) == list(range(run.snapshot()["nodes"]["t/s"]["sent"]))
    assert run.result.drained


def test_a_source_that_waits_for_ever_can_be_drained(tmp_path):
    """An asynchronous source that hangs in a read ends where it waits, and is closed."""
    closed = []

    class Silent(AsyncCount):
        async def produce(self, message):
            try:
                yield {"id": 0}
                await asyncio.Event().wait()
            finally:
                closed.append(True)

    async def main():
        async with run_of(tmp_path, [node("t/s")], {"t/s": Silent()}) as run:
            assert (await anext(run))["id"] == 0
            asyncio.get_running_loop().call_later(0.01, run.drain)
            return await run.wait()

    assert asyncio.run(main()).sent == 1
    assert closed == [True]


def test_halt_drains_from_inside(tmp_path):
    """A processor may end the run; it ends well, and says why."""

    class Stop(Pass):
        def process(self, message):
            if message["id"] == 5:
                self.context.halt("enough")
            return message

    told = []
    run = run_of(tmp_path, [node("t/s"), node("t/x", 1)], {"t/s": Endless(), "t/x": Stop()})
    run.on("halt", lambda event, fields: told.append(fields["reason"]))
    found = asyncio.run(finish(run))[0]
    assert found[-1]["id"] >= 5
    assert told[0] == "enough"


def other(*pipe):
    """Return a transmission to call."""
    return TransmissionPlan("other", "", False, pipe, HERE)


def test_a_call_gives_everything_the_other_makes(tmp_path):
    """Each call gets its own results, in order, from one transmission that stays at work."""

    class Double(Processor):
        def process(self, message):
            return [dict(message), dict(message)]

    made = {"t/s": Count(count=4), "t/c": Calling(), "o/i": Double, "o/m": lambda: Mark(by="o")}
    found = through(tmp_path, [node("t/s"), node("t/c", 1)], made, others=[other(node("o/i"), node("o/m"))])
    assert [(message["id"], message["by"]) for message in found] == [(number, "o") for number in range(4) for _ in range(2)]


def test_two_callers_of_one_transmission_have_buffers_of_their_own(tmp_path):
    """A buffer in a transmission that two nodes call is there twice, and both are counted."""
    made = {"t/s": Count(count=5), "t/a": Calling(), "t/b": Calling(), "o/m": lambda: Mark(by="o")}
    pipe = [node("t/s"), node("t/a", 1), node("t/b", 1)]
    run = run_of(tmp_path, pipe, made, others=[other(node("o/m", buffer={}))])
    found = asyncio.run(finish(run))[0]
    assert [message["by"] for message in found] == ["oo"] * 5
    totals = {name: figures["total"] for name, figures in run.snapshot()["buffers"].items() if name.startswith("o/")}
    assert totals == {"o/m": 5, "o/m-2": 5}


def test_a_failing_call_is_a_failure_of_the_caller(tmp_path):
    """The caller's policy holds for what fails in the call, and the next call works again."""
    made = {"t/s": Count(count=6), "t/c": Calling(), "o/e": lambda: Every(fail=3)}
    pipe = [node("t/s"), node("t/c", 1, on_error="skip")]
    run = run_of(tmp_path, pipe, made, others=[other(node("o/e"))])
    found = asyncio.run(finish(run))[0]
    assert ids(found) == [1, 2, 4, 5]
    assert run.result.skipped == 2


def test_a_failure_in_a_call_is_that_of_its_message(tmp_path):
    """Those that stand in line for the same transmission, with `:concurrency`, do not fail with what ended it."""

    class Late(Every):
        async def process(self, message):
            await asyncio.sleep(0)
            return super().process(message)

    made = {"t/s": Count(count=9), "t/c": Calling, "o/e": lambda: Late(fail=4)}
    pipe = [node("t/s"), node("t/c", 1, on_error="skip", concurrency=4)]
    run = run_of(tmp_path, pipe, made, others=[other(node("o/e"))])
    assert ids(asyncio.run(finish(run))[0]) == [1, 2, 3, 5, 6, 7]
    assert run.result.skipped == 3


def test_calls_that_never_end_are_refused(tmp_path):
    """Recursion stops at its limit with an error that shows the way, its beginning and its end."""
    made = {"t/c": Calling(), "o/c": Calling}
    with pytest.raises(NodeFailed, match="call each other more than 32 deep: t → other → other") as caught:
        through(tmp_path, [node("t/c")], made, others=[other(node("o/c"))])
    assert re.findall("[to]/c|…(?=:)", str(caught.value)) == ["t/c", "o/c", "…", "o/c"]


def test_an_unknown_target_is_named(tmp_path):
    """A call to nowhere offers the nearest name."""
    with pytest.raises(NodeFailed, match="there is no transmission 'othr'; did you mean 'other'"):
        through(tmp_path, [node("t/c")], {"t/c": Calling(target="othr")}, others=[other()])


def test_setup_fails_before_anything_moves(tmp_path):
    """If a processor cannot be set up, those before it are torn down and no message has moved."""
    torn = []

    class Before(Pass):
        async def __aexit__(self, *exc):
            torn.append(True)

    class Closed(Pass):
        async def __aenter__(self):
            raise RunError("no such server")

    run = run_of(tmp_path, [node("t/a"), node("t/b")], {"t/a": Before(), "t/b": Closed()})
    with pytest.raises(NodeFailed, match="t/b: no such server"):
        asyncio.run(finish(run))
    assert torn == [True]
    assert run.snapshot()["nodes"]["t/a"]["received"] == 0


def test_a_failing_teardown_is_a_failure(tmp_path):
    """What cannot be closed has not been written; the run says so, and closes the others."""
    torn = []

    class Unclosed(Pass):
        async def __aexit__(self, *exc):
            raise OSError(28, "No space left on device")

    class First(Pass):
        async def __aexit__(self, *exc):
            torn.append(True)

    with pytest.raises(NodeFailed, match="t/b: ") as caught:
        through(tmp_path, [node("t/a"), node("t/b")], {"t/a": First(), "t/b": Unclosed()})
    assert caught.value.exit_code == 74
    assert torn == [True]


def test_what_a_called_transmission_holds_back_is_not_lost_unseen(tmp_path):
    """What leaves a called pipe only when it ends has no call to go to; it is counted as skipped, with the caller's name."""

    class Last(Processor):
        def process(self, message):
            return None

        def finish(self):
            return [{"id": 0}, {"id": 1}]

    told = []
    run = run_of(
        tmp_path, [node("t/s"), node("t/c", 1)], {"t/s": Count(), "t/c": Calling(), "o/l": Last}, others=[other(node("o/l"))]
    )
    run.on("skip", lambda _, fields: told.append((fields["node"], fields["reason"])))
    asyncio.run(finish(run))
    assert told == [("t/c", "2 messages left 'other' only at its end, when no call waited for them")]
    assert run.result.exit_code == 3
