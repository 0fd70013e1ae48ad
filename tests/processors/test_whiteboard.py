"""CaptureAll, WhiteboardToMessage, and Accumulate's label."""

import pytest

from transmissions import NodeFailed, RunError
from transmissions.processors.flow import Accumulate, ForEach, Unfork
from transmissions.processors.structure import SetField
from transmissions.processors.whiteboard import CaptureAll, WhiteboardToMessage
from transmissions.spec import describe_class
from transmissions.testing import through


def test_what_one_step_leaves_another_finds():
    """A group's messages and its collection are on the whiteboard when the group's own message comes by."""
    collect = Accumulate(label="items", accumulator_type="array")
    steps = [ForEach(), CaptureAll(label="seen"), SetField(field="later", value=(1,)), collect, Unfork(), WhiteboardToMessage()]
    (message,) = through(steps, [{"forEach": ["a", "b"]}])
    assert message["whiteboard"]["items"] == ["a", "b"]
    assert message["whiteboard"]["seen"] == [{"currentItem": "a", "eachCounter": 0}, {"currentItem": "b", "eachCounter": 1}]


def test_a_message_keeps_what_was_on_the_whiteboard_when_it_came():
    """What is captured afterwards is not in it, and each run begins with nothing."""
    for _ in range(2):
        first, second = through([CaptureAll(), WhiteboardToMessage(target_field="a.b")], [{"n": 1}, {"n": 2}])
        assert first["a"]["b"] == {"captured": [{"n": 1}]}
        assert second["a"]["b"] == {"captured": [{"n": 1}, {"n": 2}]}


def test_a_list_is_bounded(bench):
    """One message more than the limit is an error that names the list."""
    with pytest.raises(NodeFailed, match="'captured' holds 2 messages already, which is its :limit"):
        through(CaptureAll(limit=2), [{}] * 3)
    bench.whiteboard["captured"] = "text"
    with pytest.raises(RunError, match="not a list but a str; choose another :label"):
        bench.through(CaptureAll(), {})


def test_labels_choose(bench):
    """Only what is named is looked at, and it must be there."""
    bench.whiteboard.update(seen=[1], other=2)
    assert bench.through(WhiteboardToMessage(labels=("seen",)), {}) == [{"whiteboard": {"seen": [1]}}]
    with pytest.raises(RunError, match="no 'sene' on the whiteboard; did you mean 'seen'"):
        bench.through(WhiteboardToMessage(labels=("sene",)), {})


@pytest.mark.parametrize("cls", [Accumulate, CaptureAll, WhiteboardToMessage])
def test_the_whiteboard_is_for_one_process(cls):
    """What uses it cannot be divided among processes, each of which would have a board of its own."""
    assert describe_class(cls, "transmissions.processors").undivided
