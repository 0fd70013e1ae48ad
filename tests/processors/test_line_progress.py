"""ProgressParser: how far programs are, by what they print."""

import pytest

from transmissions import UsageError
from transmissions.processors.line_progress import ProgressParser, last_writing
from transmissions.testing import through


def shares(*lines, **settings):
    """Return the share read from each line."""
    return [message.get("progress") for message in through(ProgressParser(**settings), [{"line": line} for line in lines])]


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("[ 42%] Building CXX object src/a.o", 0.42),
        ("tests/test_a.py ....F..                        [ 57%]", 0.57),
        ("tests/test_b.py .                              [100%]", 1.0),
        ("[12/48] CXX obj/a.o", 0.25),
        ("[3 / 12] 2 actions running", 0.25),
        ("   Compiling [====>            ] 30/120: serde, syn", 0.25),
        ("     ━━━━━━━━━━━━━━ 1.5/6.0 MB 3.4 MB/s eta 0:00:02", 0.25),
        ("Receiving objects:  25% (250/1000), 1.2 MiB | 1.1 MiB/s", 0.25),
        (" 25%|██▌       | 25/100 [00:01<00:03, 24.9it/s]", 0.25),
        (" 25 1000k   25  250k    0     0   125k      0  0:00:08", None),
        (" 25% 1234k  0:10", 0.25),
        ("Step 3/12 : RUN make", 0.25),
        ("Downloading packages (3 of 12)", 0.25),
        ("Progress: 12.5%", 0.125),
        ("\x1b[32m[ 42%]\x1b[0m Linking", 0.42),
        ("0%|          | 0/10", 0.0),
    ],
)
def test_usual_progress_is_read(line, share):
    """What make, pytest, ninja, cargo, pip, git, tqdm, rsync and docker print."""
    assert shares(line) == [share]


@pytest.mark.parametrize(
    "line",
    [
        "CPU 99% busy",
        "see src/1/2 MBps",
        "the year 2025/26",
        "http://host/3/4",
        "[300%]",
        "(9/4)",
        "(0/0)",
        "100% of people agree",
        "",
        "[abc/def]",
        "1/2 cup of sugar",
        "version 1.2.3/4.5",
    ],
)
def test_other_figures_are_no_progress(line):
    """Percentages and fractions in prose, paths and impossible counts are left alone."""
    assert shares(line) == [None]


def test_own_patterns_go_first():
    """A pattern has a group `percent`, or `done` and `total`."""
    own = (r"frame (?P<done>\d+) of (?P<total>\d+)", r"at (?P<percent>\d+) per cent")
    assert shares("frame 1 of 4 [99%]", "at 30 per cent", "[ 40%]", "frame 9 of 4", patterns=own) == [0.25, 0.3, 0.4, None]


@pytest.mark.parametrize("pattern", [r"(\d+)%", r"(?P<done>\d+)", "("])
def test_a_pattern_without_its_groups_is_refused(pattern):
    """It is an error before a run."""
    with pytest.raises(UsageError):
        ProgressParser(patterns=(pattern,))


def test_the_last_writing_of_a_line_counts():
    """What was written over is left out, unless the line is to stay as it is."""
    assert last_writing("10%\r20%\r30%\r") == "30%"
    (message,) = through(ProgressParser(), [{"line": "\r 10%|# |\r 20%|##|\r"}])
    assert message == {"line": " 20%|##|", "progress": 0.2}
    (message,) = through(ProgressParser(last_only=False), [{"line": "[10%]\r[20%]"}])
    assert message == {"line": "[10%]\r[20%]", "progress": 0.2}


def test_changes_are_told(bench):
    """An event has percent done of a hundred, once for each change."""
    bench.through(ProgressParser(), {"line": "[10%]"}, {"line": "[10%]"}, {"line": "x"}, {"line": "[1/4]"}, {"command": {}})
    assert [(kind, fields["done"], fields["total"], fields["unit"]) for kind, fields in bench.events] == [
        ("progress", 10.0, 100, "%"),
        ("progress", 25.0, 100, "%"),
    ]


def test_a_long_line_takes_no_long_time():
    """Reading is linear in what stands there."""
    assert shares("[" + " " * 200_000, "1" * 200_000 + "%x", "(" * 100_000 + "of", "9/" * 100_000) == [None] * 4
