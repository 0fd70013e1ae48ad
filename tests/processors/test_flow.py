"""Loops, collections, calls and ends."""

import pytest

from transmissions import RunError
from transmissions.processors.flow import GOTO, NOP, Accumulate, DeadEnd, ForEach, Fork, Halt, Unfork
from transmissions.testing import through


def test_each_item_goes_without_the_list_it_came_from(bench):
    """ForEach copies the message without its list and numbers the items."""
    message = {"order": {"id": 7, "lines": ["a", "b"]}, "x": 1}
    items = bench.through(ForEach(for_each="order.lines"), message)
    assert items == [
        {"order": {"id": 7}, "x": 1, "currentItem": "a", "eachCounter": 0},
        {"order": {"id": 7}, "x": 1, "currentItem": "b", "eachCounter": 1},
    ]
    assert message["order"]["lines"] == ["a", "b"]


def test_a_loop_takes_no_more_than_its_limit(bench):
    """A limit cuts the list."""
    assert [item["currentItem"] for item in bench.through(ForEach(limit=2), {"forEach": [1, 2, 3]})] == [1, 2]


def test_remove_true_takes_the_list_out_of_the_incoming_message_too(bench):
    """With `remove` the message at the end of the group has no list either."""
    message = {"forEach": [1], "a": 1}
    assert bench.through(ForEach(remove="true"), message) == [{"a": 1, "currentItem": 1, "eachCounter": 0}]
    assert message == {"a": 1}


def test_remove_may_name_one_more_field_the_items_go_without(bench):
    """Any other text under `remove` is a field the items lack."""
    assert bench.through(ForEach(remove="a"), {"forEach": [1], "a": 1}) == [{"currentItem": 1, "eachCounter": 0}]


@pytest.mark.parametrize(("message", "fault"), [({}, "no field 'forEach'"), ({"forEach": "abc"}, "not a list but a str")])
def test_a_loop_without_a_list_fails(bench, message, fault):
    """A missing list, or one that is none, is an error and not an empty loop."""
    with pytest.raises(RunError, match=fault):
        bench.through(ForEach(), message)


def test_fork_numbers_its_copies(bench):
    """Fork sends as many copies as it is told."""
    assert bench.through(Fork(forks=3), {"a": 1}) == [{"a": 1, "forkN": number} for number in range(3)]


def test_unfork_puts_the_groups_message_in_the_place_of_the_group(bench):
    """Unfork drops items and lets the message of the group go on."""
    assert bench.through(Unfork(), {"a": 1}) == []
    assert Unfork().end_group({"b": 1}) == [{"b": 1}]


def test_a_collection_is_attached_to_the_groups_message(bench):
    """Accumulate lets items pass, and each group gets its own collection."""
    step = bench.attach(Accumulate(source_field="item.title", target_field="found.titles", accumulator_type="array"))
    message, other = {"found": {"n": 1}}, {}
    assert [step.process({"item": {"title": title}}) for title in "ab"] == [{"item": {"title": "a"}}, {"item": {"title": "b"}}]
    step.process({"no": "title"})
    assert step.end_group(message) is None
    step.end_group(other)
    assert (message, other) == ({"found": {"n": 1, "titles": ["a", "b"]}}, {"found": {"titles": []}})
    assert list(step.finish()) == []


def test_an_object_is_collected_as_a_list(bench):
    """The name the original knew for it stays."""
    step = bench.attach(Accumulate(accumulator_type="object"))
    step.process({"currentItem": {"a": 1}})
    message = {}
    step.end_group(message)
    assert message == {"accumulate": [{"a": 1}]}


def test_a_loop_may_take_its_time():
    """With a delay the items are the same ones."""
    loop = [ForEach(delay=1), Accumulate(), Unfork()]
    assert through(loop, [{"forEach": ["a", "b"]}]) == [{"forEach": ["a", "b"], "accumulate": "ab"}]


def test_outside_any_group_one_message_carries_the_collection(bench):
    """At the end of a stream without groups the collection follows as a message."""
    results = bench.through(Accumulate(source_field="n"), {"n": "a"}, {"n": 2}, {"n": ["b"]})
    assert results[-1] == {"accumulate": 'a2["b"]'}
    assert len(results) == 4


def test_goto_takes_its_target_from_the_message_first(bench):
    """The field `gotoTarget` wins over the setting."""
    step = GOTO(goto_target="here")
    assert bench.through(step, {}, {"gotoTarget": "there"}) == [{"by": "here"}, {"gotoTarget": "there", "by": "there"}]


def test_goto_without_a_target_fails(bench):
    """With neither setting nor field there is nowhere to go."""
    with pytest.raises(RunError, match="no transmission to go to"):
        bench.through(GOTO(), {})


def test_ends_and_passes(bench, caplog):
    """NOP passes, DeadEnd drops, Halt asks for the end of the run."""
    caplog.set_level("INFO")
    assert bench.through(NOP(test="came by"), {"a": 1}) == [{"a": 1}]
    assert caplog.messages == ["came by"]
    assert bench.through(DeadEnd(), {"a": 1}) == []
    assert bench.through(Halt(), {"a": 1}) == []
    assert bench.halted == ["halted by main/it"]
