"""What was sent, kept on a disk that runs share."""

import gc
import os
from pathlib import Path

from transmissions.delivery.envelope import Event
from transmissions.delivery.spool import _BLOCK, Disk, Kept, _unnamed

EVENTS = 1000


def filled(disk, number):
    """Return what is kept of a run whose events say whose they are, a part of the whole at a time."""
    kept = Kept(4, 500, 1 << 20, disk)
    for seq in range(1, EVENTS + 1, 8):
        events = [Event("result", one, b"%d of %d;" % (one, number) * 20, "now") for one in range(seq, seq + 8)]
        kept.add(events, sum(len(event.body) for event in events))
    return kept


def bodies(kept):
    """Return what is kept, from the first event to the last."""
    found, seq = [], kept.first - 1
    while events := kept.after(seq, 4000):
        found += [event.body for event in events]
        seq = events[-1].seq
    return found


def files():
    """Return how many files are open, but for those that nobody has any more."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def blocks(opened):
    """Return how long the one file that was opened is."""
    [file] = opened
    return -(-os.fstat(file).st_size // _BLOCK)


def test_runs_that_share_a_file_get_back_what_is_theirs():
    """However their blocks lie between each other, and whichever were another's before."""
    disk = Disk()
    first, second = filled(disk, 1), filled(disk, 2)
    first.clear()
    third = filled(disk, 3)
    for kept, number in ((second, 2), (third, 3)):
        assert bodies(kept) == [b"%d of %d;" % (seq, number) * 20 for seq in range(kept.first, EVENTS + 1)]


def test_the_file_is_there_as_long_as_anybody_has_something_in_it():
    """All runs together have one, and when the last is forgotten it is gone."""
    before, disk = files(), Disk()
    runs = [filled(disk, number) for number in range(3)]
    during = files()
    for kept in runs:
        kept.clear()
    assert (during - before, files() - before) == (1, 0)


def test_the_file_shrinks_while_one_has_something_in_it(monkeypatch):
    """A part at a time, to a little behind the last block that somebody has; what is free there is taken before it grows."""
    for name in ("_SPARE", "_AT_ONCE"):
        monkeypatch.setattr(f"transmissions.delivery.spool.{name}", 2)
    opened = []
    monkeypatch.setattr("transmissions.delivery.spool._unnamed", lambda: opened.append(_unnamed()) or opened[-1])
    disk = Disk()
    runs = [filled(disk, number) for number in range(6)]
    sizes = [blocks(opened)]
    for kept in (runs[1], *runs[3:]):
        kept.clear()
    sizes.append(blocks(opened))
    for _ in range(6):
        disk.give_back([])
        sizes.append(blocks(opened))
    runs[3:] = [filled(disk, number) for number in range(3, 6)]
    assert (sizes, blocks(opened)) == ([18, 16, 14, 12, *[11] * 4], 15)
    assert [bodies(kept)[-1][:9] for kept in (runs[0], *runs[2:])] == [b"1000 of %d" % one for one in (0, 2, 3, 4, 5)]
