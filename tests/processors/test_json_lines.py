"""JSONLinesReader and JSONLinesWriter."""

import asyncio
import errno
import os
import re
from pathlib import Path

import pytest

from transmissions import OutputError, RunError
from transmissions.processors.json_lines import JSONLinesReader, JSONLinesWriter


def test_every_line_is_a_message(bench):
    """Objects are messages as they are, other values go into a copy of the incoming one."""
    (bench.data / "in.ndjson").write_text('{"a": 1}\n\n 5\r\n["b"]')
    items = bench.through(JSONLinesReader(source_file="in.ndjson"), {"m": 1})
    assert items == [{"a": 1}, {"m": 1, "content": 5}, {"m": 1, "content": ["b"]}]


def test_values_may_go_into_a_field(bench):
    """With `targetField` the incoming message is kept around each value."""
    (bench.data / "in.ndjson").write_text('{"a": 1}\n')
    assert bench.through(JSONLinesReader(source_file="in.ndjson", target_field="r.v"), {"m": 1}) == [
        {"m": 1, "r": {"v": {"a": 1}}}
    ]


def test_a_bad_line_is_set_aside_with_its_place_and_reading_goes_on(bench):
    """Broken JSON, wrong bytes, absurd nesting and over-long lines become dead letters."""
    lines = [b'{"a": 1}', b'{"a": ', b"\xff\xfe", b"[" * 90_000, b'"' + b"x" * 100_000 + b'"', b'{"a": 2}']
    (bench.data / "in.ndjson").write_bytes(b"\n".join(lines))
    items = bench.through(JSONLinesReader(source_file="in.ndjson", max_line=95_000), {})
    assert items == [{"a": 1}, {"a": 2}]
    assert [(fields["line"], fields["offset"]) for _, _, fields in bench.rejected] == [(2, 9), (3, 16), (4, 19), (5, 90_020)]
    for (_, told, _), words in zip(
        bench.rejected,
        ["in.ndjson:2:7: not", "in.ndjson:3:1: not", "too deeply", "longer than 95000 bytes"],
        strict=True,
    ):
        assert words in told


def test_utf_16_is_not_taken_apart(bench):
    """Where a line feed is no end of a line, nothing is read, and why is told."""
    (bench.data / "in.ndjson").write_text('{"a": 1}\n{"a": 2}\n', encoding="utf-16")
    with pytest.raises(RunError, match=r"in\.ndjson:1: it begins as UTF-16 does"):
        bench.through(JSONLinesReader(source_file="in.ndjson"), {})


def test_messages_are_written_as_lines(bench):
    """Each message is one line, half a character pair is escaped, and messages go on."""
    messages = [{"a": "é\n"}, {"b": "\ud83d"}]
    assert bench.through(JSONLinesWriter(destination_file="sub/out.ndjson"), *messages) == messages
    assert (bench.output / "sub/out.ndjson").read_bytes() == '{"a": "é\\n"}\n{"b": "\\ud83d"}\n'.encode()
    assert [path.name for path in (bench.output / "sub").iterdir()] == ["out.ndjson"]


def test_a_field_may_be_written_and_lines_may_be_added(bench):
    """`contentField` picks a field, `append` keeps what is there."""
    for number in (1, 2):
        bench.through(JSONLinesWriter(content_field="x.n", append=True), {"x": {"n": number}})
    assert (bench.output / "output.ndjson").read_text() == "1\n2\n"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "the number nan at 'a.b[1]'"),
        (1 << 20_000, "a number of 20001 bits at 'a.b[1]'"),
        ({(1,): 2}, "a tuple as the name of a field at 'a.b[1]'"),
    ],
    ids=["NaN", "a long number", "a key"],
)
def test_what_json_cannot_hold_is_named_with_its_place(bench, value, words):
    """A file that other programs read holds nothing that only Python takes for JSON, and no message is half written."""
    with pytest.raises(RunError, match=f"^JSON has no words for {re.escape(words)}$"):
        bench.through(JSONLinesWriter(), {"a": {"b": [0, value]}})


def test_a_loop_is_no_json(bench):
    """An object inside itself is told of, too, and so is one that is nested too deeply."""
    loop = {}
    loop["a"] = [loop]
    with pytest.raises(RunError, match="inside itself"):
        bench.through(JSONLinesWriter(), loop)
    for _ in range(20_000):
        loop = {"a": loop}
    with pytest.raises(RunError, match="too deeply"):
        bench.through(JSONLinesWriter(), loop)


def test_no_message_makes_an_empty_file(bench):
    """Whoever reads the file afterwards finds one."""
    assert bench.through(JSONLinesWriter()) == []
    assert (bench.output / "output.ndjson").read_bytes() == b""


def test_a_failed_run_leaves_the_old_file(bench):
    """Without a good end nothing appears under the name, and nothing temporary stays."""
    bench.output.mkdir()
    (bench.output / "output.ndjson").write_text("old")

    async def fail():
        async with bench.attach(JSONLinesWriter()) as writer:
            writer.process({"a": 1})
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(fail())
    assert [(path.name, path.read_text()) for path in bench.output.iterdir()] == [("output.ndjson", "old")]


def test_an_output_that_cannot_be_written_is_named(bench):
    """A folder in the place of a folder's file is an output error."""
    bench.output.write_text("a file")
    with pytest.raises(OutputError, match=r"cannot write .*output\.ndjson': (file exists|not a directory)"):
        bench.through(JSONLinesWriter())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_an_output_error(bench):
    """ENOSPC while lines are written is told with the name of the file."""
    bench.output.mkdir()
    (bench.output / "output.ndjson").symlink_to("/dev/full")
    writer = bench.attach(JSONLinesWriter(append=True))
    writer.context.folders = writer.context.folders._replace(roots=("/dev",))
    with pytest.raises(OutputError, match=f"cannot write .*: {os.strerror(errno.ENOSPC).lower()}"):
        asyncio.run(_write(writer))


async def _write(writer):
    async with writer:
        for _ in range(20):
            writer.process({"a": "x" * 10_000})
        writer.finish()


def test_a_half_line_of_an_earlier_run_is_ended(bench):
    """What a full disk or a killed run left of a line never spoils the first line that is added."""
    path = bench.output / "output.ndjson"
    bench.output.mkdir()
    path.write_bytes(b'{"a": 1}\n{"a"')
    bench.through(JSONLinesWriter(append=True), {"a": 2})
    assert path.read_bytes() == b'{"a": 1}\n{"a"\n{"a": 2}\n'
