"""Rows C34 to C38, C122 and C123: when lines come, from where, and in which order.

C34 is not timed: that a line is seen while the command runs shows in that the command waits for an answer to it.
C37 is tested in the exact mode; without it order is kept within an output only, which is C36.
"""

import asyncio
import os

import pytest
from commands import Trace, command, sh, shell, streaming

from transmissions.streaming import StreamSource, outlets

ALTERNATING = "i=0; while [ $i -lt 500 ]; do echo $i; echo $i >&2; i=$((i+1)); done"
BIG = "import os\nfor _ in range(3): os.write(1, b'x' * {0}); os.write(2, b'y' * 10)"


@pytest.mark.parametrize("how", [{}, {"pty": True}, {"order": "exact"}, {"order": "merged"}])
def test_c34_lines_are_seen_while_the_command_runs(tmp_path, how):
    """A command that goes on only when its first line was seen comes to its end."""
    answer = tmp_path / "answer"
    trace = Trace()
    seen = [trace, lambda line, source: answer.touch()]
    sh(f"echo one; while ! [ -e {answer} ]; do sleep 0.01; done; echo two", *seen, **how)
    assert trace.lines == ["one", "two"]


def test_c35_sources_are_told_apart():
    """Lines know which output they were written to."""
    trace = Trace()
    sh("echo out; echo err >&2", trace)
    assert set(zip(trace.lines, trace.sources, strict=True)) == {("out", StreamSource.STDOUT), ("err", StreamSource.STDERR)}


def test_c36_order_within_an_output():
    """100,000 lines come in their order."""
    trace = Trace()
    sh("seq 100000", trace)
    assert trace.lines == [str(number) for number in range(1, 100_001)]


def test_c37_exact_order_across_outputs():
    """Asked for, a thousand alternations come in the order of writing, with their sources."""
    trace = Trace()
    result = sh(ALTERNATING, trace, order="exact")
    assert trace.lines == [str(number) for number in range(500) for _ in range(2)]
    assert trace.sources == list(StreamSource) * 500
    assert result.stdout == result.stderr


def test_exact_order_waits_for_what_is_left_behind():
    """In the exact order, too, output of what runs on for a moment is read, and a command's own end is the end."""
    trace = Trace()
    sh("(sleep 0.3; echo late) & echo soon", trace, order="exact", drain=20)
    assert trace.lines == ["soon", "late"]


def test_large_writes_keep_the_exact_order():
    """Writes as large as the system takes arrive whole."""
    room = outlets.open_outlets.__globals__["_ordered"]()
    limit = len(room.ours[0]._buffer) // 2
    for descriptor in (*room.theirs, room.ours[0].descriptor):
        os.close(descriptor)
    room.ours[0]._receiver.detach()
    trace = Trace()
    result = asyncio.run(
        command(
            "python3", "-c", BIG.format(limit - 1000), streaming_config=streaming(trace, max_line_bytes=None), order="exact"
        )
    )
    assert result.returncode == 0
    assert result.totals == {"stdout": (limit - 1000) * 3, "stderr": 30}


def test_a_write_too_large_for_the_exact_order_is_explained(caplog):
    """A command that fails as it wrote too much at once is told of in words."""
    result = asyncio.run(command("python3", "-c", BIG.format(50_000_000), order="exact"))
    assert result.returncode == 1
    assert "order 'source'" in result.metadata["hint"]
    assert "order 'source'" in caplog.text


def test_c38_merged_order_is_exact():
    """With one pipe for both, lines are in the order of writing, all of them standard output."""
    trace = Trace()
    result = sh(ALTERNATING, trace, order="merged")
    assert trace.lines == [str(number) for number in range(500) for _ in range(2)]
    assert (set(trace.sources), result.stderr) == ({StreamSource.STDOUT}, "")


def test_c122_a_million_lines_are_a_million():
    """None of a million lines is lost or told twice."""
    counts = [0, 0]

    def count(line, source):
        counts[0] += 1
        counts[1] += int(line)

    sh("seq 1000000", count, capture="none")
    assert counts == [1_000_000, 500_000_500_000]


def test_c123_both_outputs_may_be_huge():
    """80 MB on each output at once are read without either waiting for the other."""
    result = sh("seq -f %079.0f 1000000 & seq -f %079.0f 1000000 >&2; wait", lambda line, source: None, capture="none")
    assert result.totals == {"stdout": 80_000_000, "stderr": 80_000_000}
    assert (result.readers[0].handled, result.dropped) == (2_000_000, 0)


def test_a_terminal_makes_commands_flush():
    """With a terminal a command's buffered lines come at once, and their ends are as written."""
    trace = Trace()
    result = asyncio.run(shell("[ -t 1 ] && echo terminal", trace, pty=True))
    assert (trace.lines, result.stdout) == (["terminal"], "terminal\n")
