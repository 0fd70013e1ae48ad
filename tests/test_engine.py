"""The public way to run an app: open and run, results, events, taps, and what leaving early means."""

import asyncio
import threading

import pytest
from engine_parts import Count, Endless, Every, Pass, finish, ids

import transmissions
from transmissions import NodeFailed, RunError, UsageError
from transmissions.channel import BATCHES, ITEMS
from transmissions.engine import only
from transmissions.errors import RunTimeout
from transmissions.homes import bundled
from transmissions.plan import Argument, NodePlan, Plan, TransmissionPlan
from transmissions.problem import Where
from transmissions.testing import bench

HERE = Where("transmissions.ttl", 1, 1)


def plan(folder, *steps, name="main", **fields):
    """Return a plan of processors of `engine_parts`, given as (class name, settings)."""
    nodes, depth = [], 0
    for kind, settings in steps:
        nodes.append(NodePlan(f"{name}/{kind}", kind, f"engine_parts:{kind}", settings, HERE, {}, depth))
        depth += kind in {"Count", "Endless"}
    return Plan("app", str(folder), (), (TransmissionPlan(name, "", True, tuple(nodes), HERE),), **fields)


def test_run_collects_final_messages(tmp_path):
    """A synchronous run returns the messages that left the last node, and its counts."""
    result = transmissions.run(plan(tmp_path, ("Count", {"count": 3}), ("Pass", {})), output=tmp_path)
    assert ids(result.messages) == [0, 1, 2]
    assert (result.sent, result.exit_code, result.figures["nodes"]["main/Pass"]["sent"]) == (3, 0, 3)


def test_outputs_go_where_the_command_line_puts_them(tmp_path, monkeypatch):
    """Without `output` it is the target, the `data/` of an app of one's own, or a folder named after a bundled app."""
    monkeypatch.chdir(tmp_path)
    mine = plan(tmp_path / "apps" / "mine", ("Pass", {}))
    theirs = mine._replace(app="hello", folder=str(bundled().folder / "apps" / "hello"))
    opened = [transmissions.open(mine, target=tmp_path), transmissions.open(mine), transmissions.open(theirs)]
    folders = [one.state.folders.output.relative_to(tmp_path) for one in opened]
    assert list(map(str, folders)) == [".", "apps/mine/data", "hello-output"]


def test_a_secret_that_is_not_there_is_told_with_the_node_that_needs_it(tmp_path):
    """Without node and place nobody would know which of many steps wants the variable."""
    with pytest.raises(UsageError, match=r"^transmissions.ttl:1:1: main/Locked: the environment variable NO_KEY is not set$"):
        transmissions.run(plan(tmp_path, ("Locked", {"key": {"env": "NO_KEY"}})), output=tmp_path)


def test_run_need_not_collect(tmp_path):
    """With `collect=False` the messages are counted and let go."""
    result = transmissions.run(plan(tmp_path, ("Count", {"count": 3000})), output=tmp_path, collect=False)
    assert (result.messages, result.sent) == ((), 3000)


def test_entries_run_one_after_the_other_with_their_own_messages(tmp_path):
    """Each entry transmission gets its own copy of the first messages."""
    first, second = plan(tmp_path, ("Mark", {}), name="a"), plan(tmp_path, ("Mark", {}), name="b")
    both = first._replace(transmissions=(*first.transmissions, *second.transmissions))
    result = transmissions.run(both, message=[{"n": 1}, {"n": 2}], output=tmp_path)
    assert result.messages == ({"n": 1, "marks": 1}, {"n": 2, "marks": 1}) * 2


def test_one_transmission_can_be_asked_for(tmp_path):
    """A subtask runs alone; an unknown one is an error that lists what there is."""
    both = plan(tmp_path, ("Pass", {}), name="a")
    assert [one.entry for one in only(both, "a").transmissions] == [True]
    with pytest.raises(UsageError, match="app has no transmission 'b'; it has a"):
        only(both, "b")


def test_arguments_fill_the_first_messages(tmp_path):
    """Words become fields; a word wins over the message, the message over a default."""
    given = plan(tmp_path, ("Pass", {}), arguments=(Argument("q", "Text", "q"), Argument("n", "Text", "n", default="5")))
    assert transmissions.run(given, message={"q": "m", "n": 1}, arguments=["w"], output=tmp_path).messages == (
        {"q": "w", "n": 1},
    )
    assert transmissions.run(given, output=tmp_path).messages == ({"n": "5"},)


def test_a_finished_plan_takes_no_settings(tmp_path):
    """Settings belong to the making of a plan."""
    with pytest.raises(UsageError, match="settings cannot be changed"):
        transmissions.open(plan(tmp_path), settings={"a.b": 1})


def test_a_failure_is_raised_by_run(tmp_path):
    """A synchronous run raises what ended it."""
    with pytest.raises(NodeFailed, match="main/Every"):
        transmissions.run(plan(tmp_path, ("Count", {}), ("Every", {"fail": 5})), output=tmp_path)


def test_leaving_early_stops_the_run(tmp_path):
    """A `break` and the end of the block leave no task behind, and no warning."""

    async def main():
        async with bench([Endless(), Pass()], [{}], tmp_path) as run:
            async for message in run:
                if message["id"] == 700:
                    break
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return run.result

    assert asyncio.run(main()).sent >= 700


def test_a_failure_nobody_waited_for_is_raised_at_the_end_of_the_block(tmp_path):
    """Whoever leaves the block before the failing message hears of the failure all the same."""

    async def main():
        async with bench([Count(count=9), Every(fail=1)], [{}], tmp_path) as run:
            await asyncio.wait([run._task])

    with pytest.raises(NodeFailed):
        asyncio.run(main())


def test_an_error_of_the_block_is_not_replaced(tmp_path):
    """What the caller's own code raises comes through."""

    async def main():
        async with bench([Endless()], [{}], tmp_path) as run:
            await anext(run)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(main())


def test_stop_and_drain_may_come_from_any_thread(tmp_path):
    """Another thread can end a run, at once or gently."""
    for how in ("stop", "drain"):

        async def main(how=how):
            async with bench([Endless()], [{}], tmp_path) as run:
                threading.Timer(0.02, getattr(run, how)).start()
                return await run.wait()

        assert asyncio.run(main()).sent > 0


def test_nothing_works_ahead_of_who_takes(tmp_path):
    """A run nobody reads from stands still once its channels are full."""

    async def main():
        async with bench([Endless()], [{}], tmp_path) as run:
            await anext(run)
            await asyncio.sleep(0.02)
            return run.snapshot()["nodes"]["test/Endless"]["sent"]

    assert asyncio.run(main()) <= (BATCHES + 3) * ITEMS


def test_subscribers_hear_events_and_all_of_them_with_a_star(tmp_path):
    """Events reach those who asked for them."""
    heard, everything = [], []
    run = bench([Count(count=9), Every(fail=4)], [{}], tmp_path, on_error="skip")
    run.on("error", lambda event, fields: heard.append(fields["error"]))
    run.on("*", lambda event, fields: everything.append(event))
    asyncio.run(finish(run))
    assert heard == ["ValueError: id 0", "ValueError: id 4", "ValueError: id 8"]
    assert everything == ["error", "skip"] * 3 + ["end"]


def test_buffers_tell_events_with_their_node(tmp_path):
    """Overflow and drop of a declared buffer name the node it stands in front of."""
    told = {}
    run = bench([Count(count=500), Pass()], [{}], tmp_path, buffer={"max_items": 4, "overflow": "DropNewest"})
    run.on("drop", lambda event, fields: told.update(fields))
    asyncio.run(finish(run))
    assert (told["node"], told["buffer"]) == ("test/Pass", "test/Pass")


def test_a_tap_shows_the_first_messages(tmp_path):
    """A tap gets copies of the first messages that leave a node, named by its last name."""
    shown = []
    run = bench([Count(count=9), Pass()], [{}], tmp_path).tap(
        "Count", 3, lambda node, message: shown.append((node, message["id"]))
    )
    asyncio.run(finish(run))
    assert shown == [("test/Count", 0), ("test/Count", 1), ("test/Count", 2)]


def test_a_tap_on_nothing_is_an_error(tmp_path):
    """An unknown node is an error with the nearest name."""
    with pytest.raises(UsageError, match=r"no pipe has a node 'Cont'; did you mean 'Count'\?"):
        bench([Count()], [{}], tmp_path).tap("Cont", 3, print)


def test_a_run_that_takes_too_long_is_stopped(tmp_path):
    """A time limit ends the run with an error of its own kind, and everything is torn down."""
    with pytest.raises(RunTimeout, match=r"the run took longer than 0\.05 s"):
        transmissions.run(plan(tmp_path, ("Endless", {})), output=tmp_path, timeout=0.05, collect=False)


def test_running_where_a_loop_runs_is_refused(tmp_path):
    """The synchronous call says what to use instead, and leaves no coroutine behind."""

    async def main():
        transmissions.run(plan(tmp_path, ("Pass", {})), output=tmp_path)

    with pytest.raises(UsageError, match="use `async with"):
        asyncio.run(main())


def test_a_run_is_entered_once(tmp_path):
    """Taking from a run that has not begun, or beginning it twice, is an error rather than a wait or an empty stream."""

    async def main():
        run = bench([Count()], [{}], tmp_path)
        with pytest.raises(UsageError, match="has not begun"):
            await anext(run)
        await finish(run)
        with pytest.raises(UsageError, match="runs once"):
            await finish(run)

    asyncio.run(main())


@pytest.mark.parametrize("event", ["error", "end"])
def test_a_listener_that_fails_is_named(tmp_path, event):
    """What a callback raises ends the run as an error of the run that says which event it was told."""

    def listen(*_):
        raise ValueError("oops")

    run = bench([Count(), Every(fail=5)], [{}], tmp_path, on_error="skip").on(event, listen)
    with pytest.raises(RunError, match=f"a listener to '{event}' failed: ValueError: oops"):
        asyncio.run(finish(run))


def test_stopping_twice_lets_the_teardown_finish(tmp_path):
    """Whoever stops a run and then leaves it does not interrupt what is being closed."""
    closed = []

    class Lasting(Pass):
        async def __aexit__(self, *exc):
            await asyncio.sleep(0.01)
            closed.append(True)

    async def main():
        async with bench([Endless(), Lasting(), Lasting()], [{}], tmp_path) as run:
            await anext(run)
            run.stop()
            await asyncio.sleep(0.001)
            run.stop()
            await asyncio.sleep(0.001)

    asyncio.run(main())
    assert closed == [True, True]
