import asyncio
import errno
import os

import pytest

from transmissions import OutputError, RunError, UsageError
from transmissions.processors import collector
from transmissions.processors.collector import RecordCollector
from transmissions.processors.spool import Spool

NT = "a.nt"


def record(key, text):
    return {"key": key, "records": {NT: f'# {key}\n<x:{key}> <x:p> "{text}" .\n'.encode()}}


def collect(bench, *messages, **settings):
    """Collect records and return the file."""
    bench.through(RecordCollector(**settings), *messages)
    return (bench.output / NT).read_text()


def test_records_stand_in_order_of_arrival(bench):
    """The file holds each record as it came; `records` ends there and everything else goes on."""
    given = [record("b", 1), {"report": 1}, record("a", 2)]
    assert bench.through(RecordCollector(), *given) == [{"key": "b"}, {"report": 1}, {"key": "a"}]
    assert (bench.output / NT).read_text() == '# b\n<x:b> <x:p> "1" .\n# a\n<x:a> <x:p> "2" .\n'
    assert [path.name for path in bench.output.iterdir()] == [NT]


def test_a_later_run_brings_the_file_up_to_date(bench):
    """What came is new, what did not come is carried over behind it."""
    collect(bench, record("a", 1), record("b", 1), record("c", 1))
    assert collect(bench, record("d", 2), record("b", 2)).split("\n")[::2] == ["# d", "# b", "# a", "# c", ""]


def test_a_record_there_is_none_of_any_more_is_left_out(bench):
    """It is taken from what earlier runs wrote and from what came before in this one; of nothing there is no file."""

    def nothing():
        return {"no_records": {NT: b"# b"}}

    assert bench.through(RecordCollector(), nothing()) == [{}]
    assert list(bench.output.iterdir()) == []
    collect(bench, record("a", 1), record("b", 1))
    assert collect(bench, nothing()).split("\n")[::2] == ["# a", ""]
    assert collect(bench, record("b", 1), nothing(), record("c", 1)).split("\n")[::2] == ["# c", "# a", ""]


def test_an_unchanged_file_is_left_alone(bench):
    """When every record is as it was, the file keeps its time."""
    given = [record("a", 1), record("b", 2)]
    collect(bench, *given)
    os.utime(bench.output / NT, (1, 1))
    collect(bench, *given)
    assert (bench.output / NT).stat().st_mtime == 1
    collect(bench, record("b", 3))
    assert (bench.output / NT).stat().st_mtime > 1


@pytest.mark.parametrize("again", [[0, 1, 0], [0, 0], [0, 0, 1, 0, 1]])
def test_the_latest_record_of_a_key_counts(bench, again):
    """A key that comes again in one run has one record: the last one."""
    given = [record("ab"[which], number) for number, which in enumerate(again)]
    latest = {message["key"]: message["records"][NT].decode() for message in given}
    text = collect(bench, *given)
    assert sorted(text.splitlines()) == sorted("".join(latest.values()).splitlines())


def test_lines_with_one_key_are_one_record(bench):
    """JSON lines are found by their first field; several of one key come and go together."""

    def lines(key, *values):
        return {"records": {NT: "".join(f'{{"key": "{key}", "n": {value}}}\n' for value in values).encode()}}

    collect(bench, lines("a", 1, 2, 3), lines('b\\"', 4, 5))
    assert collect(bench, lines("a", 6)) == '{"key": "a", "n": 6}\n{"key": "b\\"", "n": 4}\n{"key": "b\\"", "n": 5}\n'


def test_a_record_in_pieces_is_written_whole(bench):
    """Large records lie in a temporary file; a missing line end is added."""
    spool = Spool()
    content = [b"# a\n", spool.put(b"x" * (3 << 20)), b"tail"]
    collect(bench, {"records": {NT: content}})
    assert (bench.output / NT).stat().st_size == 4 + (3 << 20) + 5
    assert len(collect(bench, record("b", 1))) == 4 + (3 << 20) + 5 + len(record("b", 1)["records"][NT])


@pytest.mark.parametrize("content", ["somebody's notes\n", "# a\n<x:a> <x:p"])
def test_a_file_that_is_not_ours_is_not_lost(bench, content):
    """A file of something else, or one that is cut off, is an error and stays as it is."""
    bench.output.mkdir()
    (bench.output / NT).write_text(content)
    with pytest.raises(RunError, match="move it away"):
        collect(bench, record("a", 1))
    assert (bench.output / NT).read_text() == content


def test_a_record_needs_a_key(bench):
    """A record that no later run could find again is refused."""
    with pytest.raises(RunError, match="which is no key"):
        collect(bench, {"records": {NT: b"<x:a> <x:p> 1 .\n"}})


def test_keys_may_look_otherwise(bench):
    """With a pattern of one's own any file of records can be kept up to date; a wrong pattern is told of at once."""
    settings = {"key_pattern": r"\d+,"}
    collect(bench, {"records": {NT: b"1,x\n"}}, {"records": {NT: b"2,x\n"}}, **settings)
    assert collect(bench, {"records": {NT: b"2,y\n"}}, **settings) == "2,y\n1,x\n"
    with pytest.raises(UsageError, match="keyPattern"):
        RecordCollector(key_pattern="(")


def test_a_failed_run_leaves_the_file_as_it_was(bench):
    """Without an end of the stream nothing changes, and nothing is left beside the file."""
    before = collect(bench, record("a", 1))

    async def fail():
        async with bench.attach(RecordCollector()) as processor:
            processor.process(record("a", 2))

    asyncio.run(fail())
    assert (bench.output / NT).read_text() == before
    assert [path.name for path in bench.output.iterdir()] == [NT]


def test_what_a_killed_run_left_does_no_harm(bench):
    """A half-written file beside is replaced, a link in its place is not followed."""
    bench.output.mkdir()
    (bench.output / f".{NT}.part").symlink_to(bench.app / "elsewhere")
    assert collect(bench, record("a", 1)).startswith("# a\n")
    assert not (bench.app / "elsewhere").exists()


class Full:
    """A file on a full disk."""

    def write(self, _data):
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        pass


def test_a_full_disk_is_told_and_nothing_lost(bench):
    """When there is no room the run ends with the code for that; the old file is intact."""
    before = collect(bench, record("a", 1))
    processor = RecordCollector()

    async def fill():
        async with bench.attach(processor):
            processor._file(NT)._out.close()
            processor._file(NT)._out = Full()
            processor.process(record("b", 2))

    with pytest.raises(OutputError, match="no space left"):
        asyncio.run(fill())
    assert (bench.output / NT).read_text() == before


def test_records_cannot_lead_out_of_the_output_folder(bench):
    """A file name that leaves the folders of the run is refused."""
    with pytest.raises(RunError, match="outside the folders"):
        bench.through(RecordCollector(), {"records": {"../../x.nt": b"# a\n"}})


def test_memory_does_not_grow_with_a_line(bench, monkeypatch):
    """A line longer than a block is carried over in pieces."""
    monkeypatch.setattr(collector, "_BLOCK", 64)
    line = '{"key": "a", "text": "' + "# b {" * 100 + '"}\n'
    collect(bench, {"records": {NT: line.encode()}})
    assert collect(bench, {"records": {NT: b'{"key": "b"}\n'}}) == '{"key": "b"}\n' + line
