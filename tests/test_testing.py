"""The means to test processors: they find what is wrong, and pass what is right."""

import asyncio

import pytest
from engine_parts import Close, Count, Items, Pass, ids

from transmissions import NodeFailed, Processor, Source
from transmissions.testing import assert_contract, lay_out, through


class Uneven(Pass):
    def process_batch(self, messages):
        return messages[1:]


class Ticks(Source):
    async def produce(self, message):
        while True:
            yield {}
            await asyncio.sleep(0)


class Text(Processor):
    def process(self, message):
        return ["not a message"]


def test_through_returns_what_leaves_the_pipe():
    """Processors run in the real engine, one or several."""
    assert ids(through([Count(count=2), Pass()], [{}])) == [0, 1]
    assert through(Pass(), [{"a": 1}]) == [{"a": 1}]


def test_places_have_names_and_depths_as_in_a_plan():
    """A second processor of a class gets a number, and groups are counted."""
    pipe, _ = lay_out([Items(), Items(), Close(), Pass()])
    assert [(node.path, node.depth) for node in pipe] == [
        ("test/Items", 0),
        ("test/Items-2", 1),
        ("test/Close", 2),
        ("test/Pass", 1),
    ]


def test_the_contract_holds_for_a_decent_processor():
    """A processor that passes messages on is in order."""
    assert_contract(Pass, [{"id": 1}, {"id": 2}])


def test_a_processor_finds_the_files_it_is_given():
    """They lie in the folder of each run, with their folders."""

    class Reads(Pass):
        def process(self, message):
            return {"text": self.context.input_path(message["name"]).read_text()}

    assert_contract(Reads, [{"name": "a/b.txt"}], files={"a/b.txt": "text", "c.bin": b"\0"})
    with pytest.raises(NodeFailed, match=r"c\.txt"):
        assert_contract(Reads, [{"name": "c.txt"}])


def test_a_source_without_an_end_is_drained():
    """Whoever prepares the run ends it, and may have to: one that goes on would be stopped."""
    runs = []

    def end(run):
        runs.append(run)
        run.tap("Ticks", 1, lambda *_: run.drain())

    assert_contract(Ticks, [{}], prepare=end)
    assert [run.result.drained for run in runs] == [False, True, True]


@pytest.mark.parametrize(("wrong", "sentence"), [(Uneven, "process_batch gives"), (Text, "gave a str where a message belongs")])
def test_the_contract_finds_what_is_wrong(wrong, sentence):
    """Batches that differ from single messages, and results that are no messages, are named."""
    with pytest.raises((AssertionError, NodeFailed), match=sentence):
        assert_contract(wrong, [{"id": 1}, {"id": 2}])
