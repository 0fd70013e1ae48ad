"""LineReader and TextLinesReader."""

import io

import pytest

from transmissions import RunError
from transmissions.processors.lines import Line, LineReader, TextLinesReader, read_lines


def test_a_text_becomes_a_list_of_its_lines(bench):
    """LineReader splits a field in place of a stream, without the end of the last line."""
    (message,) = bench.through(LineReader(filter_empty=False), {"content": "a\r\n\n#b\x0cc\n"})
    assert message["lines"] == ["a", "", "#b\x0cc"]


def test_blank_lines_and_comments_are_filtered(bench):
    """Filters drop blank lines and what begins with the comment character."""
    step = LineReader(input_field="in.text", output_field="out.lines", filter_comments=True, comment_char=";")
    (message,) = bench.through(step, {"in": {"text": "a\n  \n ; c\nb"}})
    assert message["out"] == {"lines": ["a", "b"]}


def test_what_is_no_text_is_refused(bench):
    """A list is not split."""
    with pytest.raises(RunError, match="not text but a list"):
        bench.through(LineReader(), {"content": []})


@pytest.mark.parametrize("chunk", ["abc\n", "abc\r\n", "abc"])
def test_a_line_of_exactly_the_longest_length_is_whole(chunk):
    """The end of a line does not count."""
    (line,) = read_lines(io.BytesIO(chunk.encode()), 3)
    assert line == Line(1, 0, b"abc", is_whole=True)


@pytest.mark.parametrize("extra", [1, 2, 3, 200_000])
def test_a_longer_line_is_cut_and_the_next_one_found(extra):
    """However long a line is, only its beginning is held, and offsets stay right."""
    first, second = read_lines(io.BytesIO(b"abc" + b"x" * extra + b"\nde"), 3)
    assert first == Line(1, 0, b"abc", is_whole=False)
    assert second == Line(2, 4 + extra, b"de", is_whole=True)


def test_a_file_becomes_a_stream_of_lines(bench):
    """Every line is a copy of the message with text and number; blank ones count."""
    (bench.data / "in.txt").write_bytes(b"\xef\xbb\xbfa\r\n\n# b\nc")
    step = TextLinesReader(source_file="in.txt", filter_empty=True, filter_comments=True, target_field="line.text")
    assert bench.through(step, {"m": 1}) == [
        {"m": 1, "line": {"text": "a"}, "lineNumber": 1},
        {"m": 1, "line": {"text": "c"}, "lineNumber": 4},
    ]


def test_a_field_becomes_a_stream_of_lines(bench):
    """With `inputField` the text of the message is read, and not carried along."""
    assert bench.through(TextLinesReader(input_field="t"), {"t": "a\nb\n", "m": 1}) == [
        {"m": 1, "content": "a", "lineNumber": 1},
        {"m": 1, "content": "b", "lineNumber": 2},
    ]


def test_lines_that_cannot_be_read_are_set_aside_with_their_place(bench):
    """Wrong bytes and over-long lines become dead letters, and reading goes on."""
    (bench.data / "in.txt").write_bytes(b"ok\n\xff\nlonger\nok\n")
    items = bench.through(TextLinesReader(source_file="in.txt", max_line=5), {})
    assert [item["lineNumber"] for item in items] == [1, 4]
    (wrong, _, first), (long, error, second) = bench.rejected
    assert (wrong, first["line"], first["offset"]) == ("\\xff", 2, 3)
    assert (long, second["line"], second["offset"]) == ("longe", 3, 5)
    assert "in.txt:3: the line is longer than 5 bytes" in error


def test_over_long_lines_may_be_cut_instead(bench):
    """Cutting never leaves half a character."""
    (bench.data / "in.txt").write_text("aéé\nb", encoding="utf-8")
    items = bench.through(TextLinesReader(source_file="in.txt", max_line=4, too_long="truncate"), {})
    assert [item["content"] for item in items] == ["aé", "b"]
