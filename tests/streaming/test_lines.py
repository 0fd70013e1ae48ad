"""Rows C20 to C33: what a line is.

C32 and C33 compare no times: that a long line takes a time linear in its bytes shows in that the test ends, as a quadratic
cutter needs minutes for it; `benchmarks/command.py` measures it.
"""

import asyncio
import random
import sys

import pytest
from commands import Trace, command, lines_of, sh, streaming

from transmissions.streaming import Script, StreamSource
from transmissions.streaming.lines import LineSplitter

LONG = "import sys; sys.stdout.write('x' * {})"


def python(program, **buffer):
    """Return the lines of a Python program."""
    trace = Trace()
    asyncio.run(command(sys.executable, "-c", program, streaming_config=streaming(trace, **buffer)))
    return trace.lines


def cut(data, pieces, limit=None):
    """Return the lines of some bytes that come in pieces."""
    splitter = LineSplitter(StreamSource.STDOUT, limit, "utf-8", "replace")
    found = [splitter.feed(piece, 0.0) for piece in pieces(data)] + [splitter.finish(0.0)]
    return [text for lines in found if lines for text in lines.texts]


def test_c20_lines_come_in_order_without_their_ends():
    """Lines come in order, without what ends them."""
    assert lines_of("echo a; echo b; echo c") == ["a", "b", "c"]


def test_c21_a_last_line_needs_no_end():
    """What stands behind the last line feed is a line."""
    assert lines_of(r"printf 'a\nb'") == ["a", "b"]


def test_c22_a_return_before_a_line_feed_goes_with_it():
    """CR LF ends a line; a CR alone, or at the end of everything, stays."""
    assert lines_of(r"printf 'a\r\nb\r\n\r\n10\r20\r30\nc\r\r\nx\r'") == ["a", "b", "", "10\r20\r30", "c\r", "x\r"]


def test_c23_only_a_line_feed_ends_a_line():
    """No other character that Python takes for a line's end is one."""
    text = "a\x0bb\x0cc\x1cd\x85e\u2028f\rg"
    assert python(f"import sys; sys.stdout.buffer.write({text!r}.encode() + b'\\n')") == [text]


def test_c24_empty_lines_are_lines():
    """Empty lines are delivered."""
    assert lines_of(r"printf '\n\na\n\n'") == ["", "", "a", ""]


def test_c25_no_output_is_no_line():
    """A command that writes nothing completes once, without a line."""
    trace = Trace()
    sh("true", trace)
    assert (trace.lines, trace.ends) == ([], [("complete", 0)])


def test_c26_a_line_may_come_in_two_writes():
    """A line written in two parts is one."""
    assert lines_of("printf one; sleep 0.2; echo ' line'") == ["one line"]


def test_c27_a_character_may_come_in_two_writes():
    """The bytes of one character written apart are that character."""
    assert lines_of(r"printf '\303'; sleep 0.2; printf '\251\n'") == ["é"]


@pytest.mark.parametrize(
    ("errors", "bad"), [("replace", "\ufffd"), ("surrogateescape", "\udcff"), ("backslashreplace", "\\xff")]
)
def test_c28_bad_bytes_end_nothing(errors, bad):
    """Bytes that are no text are replaced as was asked, and no line is lost."""
    assert lines_of(r"printf 'ok1\n\377\nok2\n'", errors=errors) == ["ok1", bad, "ok2"]


def test_a_codec_that_eats_line_feeds_loses_no_line():
    """A broken character before a line feed costs no line, even in encodings that take both for one."""
    assert len(lines_of(r"printf 'a\n\2010\nb\n'", encoding="gb18030")) == 3


def test_c29_bad_bytes_do_not_end_the_command():
    """A command that goes on after bad bytes is read to its end."""
    trace = Trace()
    assert sh(r"printf '\377\n'; exec seq 100000", trace).returncode == 0
    assert trace.lines[-1] == "100000"


def test_c30_control_characters_pass():
    """NUL, escape sequences and byte order marks are left alone."""
    assert lines_of(r"printf '\357\273\277a\0b\033[31mred\033[0m\n'") == ["\ufeffa\0b\x1b[31mred\x1b[0m"]


def test_c31_a_line_that_is_too_long_is_cut():
    """A line over the limit says at its end how much was cut; the next line and what is captured are whole."""
    trace = Trace()
    config = streaming(trace, max_line_bytes=8192, line_buffer_size=100)
    result = asyncio.run(
        command(sys.executable, "-c", LONG.format(1_000_000) + "; print(); print('next')", streaming_config=config)
    )
    assert trace.lines == ["x" * 8192 + "…[991808 bytes cut]", "next"]
    assert len(result.stdout) == 1_000_006


def test_c31_the_buffer_size_is_what_is_read_first():
    """`line_buffer_size` is what the first read asks for."""
    asked = []

    class Listening(Script):
        def __call__(self, words, context):
            played = super().__call__(words, context)
            read = played.read
            played.read = lambda size: (asked.append(size), read(size))[1]
            return played

    asyncio.run(
        command("any", launch=Listening([(0, "stdout", "x\n")]), streaming_config=streaming(Trace(), line_buffer_size=77))
    )
    assert asked[0] == 77


def test_c32_one_long_line_takes_linear_time():
    """A line of 50 MB arrives whole."""
    assert [len(line) for line in python(LONG.format(50_000_000), max_line_bytes=None)] == [50_000_000]


def test_c33_lines_over_64_kib_need_no_setting():
    """A line of 100 KB is delivered whole by default."""
    assert python(LONG.format(100_000)) == ["x" * 100_000]


@pytest.mark.parametrize("limit", [None, 1, 4, 7])
def test_reads_of_any_size_give_the_same_lines(limit):
    """However bytes are cut into reads, lines are the same, those that are too long included."""
    pick = random.Random(limit)
    for _ in range(300):
        data = bytes(pick.choices(b"ab\r\n", k=pick.randrange(30)))
        whole = cut(data, lambda data: [data] if data else [], limit)
        at = sorted(pick.choices(range(len(data) + 1), k=4))
        parts = [data[begin:end] for begin, end in zip([0, *at], [*at, len(data)], strict=True)]
        assert cut(data, lambda _, parts=parts: [part for part in parts if part], limit) == whole
        if limit is None:
            texts = [text.removesuffix("\r") for text in data.decode().split("\n")]
            assert whole == texts[:-1] + ([data.decode().split("\n")[-1]] if texts[-1] or data[-1:] == b"\r" else [])


def test_parts_of_lines_know_their_numbers():
    """A part of lines has its own texts and numbers, and so has a part of that."""
    lines = LineSplitter(StreamSource.STDOUT, None, "utf-8", "replace").feed(b"a\nb\nc\nd\n", 0.0)
    part = lines.part(1).part(1, 9)
    assert (part.texts, part.text, part.count, list(part.numbered())) == (["c", "d"], "c\nd", 2, [(3, "c"), (4, "d")])
