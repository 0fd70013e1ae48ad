"""The progress line: what it says, and that it makes way for other output."""

import io
import os
import pty
import termios

import pytest

from transmissions.progress import Progress, clock_time, readable_bytes


def progress(stream=None):
    """Give a progress line over two nodes."""
    return Progress(stream or io.StringIO(), lambda: {"app/read": 410, "app/write": 398})


def test_the_line_shows_share_rate_and_time_left():
    """With a known total there is a bar, the rate and the time left, and the count of each node."""
    line = progress()
    line.hear("progress", {"node": "read", "done": 50_000_000, "total": 200_000_000, "unit": "bytes"})
    shown = line.line(2.0)
    assert shown.startswith("[#####               ]   25%  50 MB of 200 MB  25 MB/s  0:06 left")
    assert shown.endswith("read 410 > write 398")


def test_without_a_total_there_is_no_bar():
    """A source that does not know its end shows time and counts only."""
    assert progress().line(65.0) == "1:05   read 410 > write 398"


def test_percent_are_not_told_twice():
    """A source that knows no more than percent shows the bar, the time and the time left."""
    line = progress()
    line.hear("progress", {"node": "a", "done": 25.0, "total": 100, "unit": "%"})
    assert line.line(20.0).startswith("[#####               ]   25%  0:20  1:00 left   read")


def test_data_takes_the_line_away_first(capsys):
    """What is printed on the same terminal does not stand behind the line."""
    stream = io.StringIO()
    line = progress(stream)
    line._is_shown = True
    line.show("a line\n")
    assert (stream.getvalue(), capsys.readouterr().out) == ("\r\x1b[K", "a line\n")


def test_several_sources_add_up():
    """Nodes that tell their progress each count together."""
    line = progress()
    for node in ("a", "b"):
        line.hear("progress", {"node": node, "done": 5, "total": 10, "unit": "files"})
    assert "50%  10 files of 20 files" in line.line(1.0)


def test_the_line_fits_the_terminal_and_makes_way_for_others():
    """The line is cut to the width of the terminal, and a log line written meanwhile stands on a line of its own."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 20))
    with os.fdopen(follower, "w") as stream:
        line = progress(stream)
        line._draw()
        line.write("INFO x\n")
        stream.flush()
        seen = b""
        while not seen.endswith(b"\n"):  # A terminal gives what is there, be it half.
            seen += os.read(leader, 100)
    assert seen == b"\r\x1b[K0:00   read 410 > w\r\x1b[KINFO x\r\n"
    os.close(leader)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (189_000_000, "189 MB"), (2e15, "2000.0 TB")]
)
def test_bytes_are_readable(number, text):
    """Bytes are shown with decimal units, one decimal below ten."""
    assert readable_bytes(number) == text


def test_times_are_readable():
    """Times are shown as on a clock."""
    assert [clock_time(seconds) for seconds in (5, 65, 3665)] == ["0:05", "1:05", "1:01:05"]
