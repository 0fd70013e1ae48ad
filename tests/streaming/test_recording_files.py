"""Recordings in files: readable while they are written, as far as they are whole, and from any second on."""

import asyncio
import gzip
import math
import os
import signal
import subprocess
import sys

import pytest
from waiting import eventually

from transmissions.streaming import CommandError, CommandRunner, Recorder, Recording, Replay, Script

SUFFIXES = pytest.mark.parametrize("suffix", [".cast", ".cast.gz", ".cast.zst"])
PACKED = pytest.mark.parametrize("suffix", [".cast.gz", ".cast.zst"])
BIG = [(0.0, "stdout", f"{number:079}\n" * 1600) for number in range(20)]
"""2.5 MB, three frames."""


def record(path, events=BIG, **options):
    return asyncio.run(CommandRunner(launch=Recorder(path, Script(events, **options))).run("x")).stdout_bytes


def read(path, since=0.0):
    """Return what was written, the end if there is one, and the fault."""
    with Recording(path) as recording:
        found = list(recording.events(since))
    return b"".join(event.data for event in found if hasattr(event, "data")), found[-1:], recording.fault


@SUFFIXES
def test_all_of_it_is_read(tmp_path, suffix):
    """A recording in any file gives all bytes back."""
    wanted = record(tmp_path / f"a{suffix}", returncode=3)
    data, [end], fault = read(tmp_path / f"a{suffix}")
    assert (data, end.returncode, fault) == (wanted, 3, "")


@pytest.mark.parametrize(("suffix", "reader"), [(".cast.gz", "zcat"), (".cast.zst", "zstdcat")])
def test_ordinary_programs_read_it(tmp_path, suffix, reader):
    """The usual programs decompress a recording to its lines."""
    if subprocess.run(["sh", "-c", f"command -v {reader}"], capture_output=True).returncode:
        pytest.skip(f"there is no {reader}")
    record(tmp_path / f"a{suffix}")
    lines = subprocess.run([reader, tmp_path / f"a{suffix}"], capture_output=True, check=True).stdout.splitlines()
    assert lines[0].startswith(b'{"version": 2')
    assert lines[-1].endswith(b'"x", "0"]')


@PACKED
def test_frames_have_a_bound_and_an_index(tmp_path, suffix):
    """No frame holds more than 1 MiB, frames lie side by side, and each tells the number of its first line."""
    path = tmp_path / f"a{suffix}"
    record(path)
    with Recording(path) as recording:
        frames = recording.frames()
    assert len(frames) >= 3
    assert max(frame.content for frame in frames) <= 1 << 20
    assert [frame.offset + frame.size for frame in frames] == [*[frame.offset for frame in frames[1:]], path.stat().st_size]
    assert [frame.line for frame in frames[:2]] == [1, 2]


@PACKED
def test_reading_from_a_second_on_passes_frames_over(tmp_path, suffix):
    """What is asked for from a time on is found without reading the frames before: broken ones do no harm."""
    path = tmp_path / f"a{suffix}"
    record(path, [(0.1, "stdout", letter * 900_000) for letter in "abc"])
    with Recording(path) as recording:
        early = recording.frames()[1]
    damage(path, early.offset + early.size - 6)
    assert read(path, since=0.25)[0] == b"c" * 900_000
    assert "damaged" in read(path)[2]


def damage(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


@PACKED
def test_a_damaged_frame_ends_the_reading(tmp_path, suffix):
    """What is in front of a damaged frame is read, and the fault names the frame's place."""
    path = tmp_path / f"a{suffix}"
    wanted = record(path)
    with Recording(path) as recording:
        last = recording.frames()[-1]
    damage(path, last.offset + last.size - 6)
    data, _, fault = read(path)
    assert wanted.startswith(data)
    assert len(data) > 1_000_000
    assert f"(frame at byte {last.offset}): a frame is damaged" in fault


@SUFFIXES
@pytest.mark.parametrize("less", [1, 7, 5000])
def test_a_cut_file_is_read_as_far_as_it_is_whole(tmp_path, suffix, less):
    """A file that lost its end is read up to there, and says where it breaks off."""
    path = tmp_path / f"a{suffix}"
    wanted = record(path, [(0.0, "stdout", os.urandom(3000).hex() + "\n") for _ in range(400)])
    os.truncate(path, path.stat().st_size - less)
    data, _, fault = read(path)
    assert wanted.startswith(data)
    assert len(data) > 1_000_000
    assert "not whole" in fault


@SUFFIXES
def test_nothing_is_lost_by_a_kill_but_what_was_on_its_way(tmp_path, suffix):
    """After kill -9 everything up to the last whole line or frame is read, and the next run goes on behind it."""
    path = tmp_path / f"a{suffix}"
    program = (
        "import asyncio, sys; from transmissions.streaming import *\n"
        "asyncio.run(CommandRunner(launch=Recorder(sys.argv[1])).run('sh', ['-c', 'seq 100000; exec sleep 60']))"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", program, path], start_new_session=True) as process:
        assert eventually(lambda: path.exists() and b"100000\n" in read_or_nothing(path), 30)
        process.send_signal(signal.SIGKILL)
    os.truncate(path, path.stat().st_size - 3)
    before, _, fault = read(path)
    assert "breaks off" in fault
    asyncio.run(CommandRunner(launch=Recorder(path, append=True)).run("echo", ["more"]))
    data, [end], fault = read(path)
    assert (data, end.returncode, fault) == (before + b"more\n", 0, "")


def read_or_nothing(path):
    """Read a recording that is being written."""
    try:
        return read(path)[0]
    except CommandError:
        return b""


def test_what_gzip_made_of_it_is_read(tmp_path):
    """A recording that gzip itself has compressed is read, but cannot be continued."""
    record(tmp_path / "a.cast")
    packed = tmp_path / "b.cast.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.cast").read_bytes()))
    assert read(packed)[0] == read(tmp_path / "a.cast")[0]
    with pytest.raises(CommandError, match="compressed as a whole"):
        asyncio.run(CommandRunner(launch=Recorder(packed, append=True)).run("true"))
    os.truncate(packed, packed.stat().st_size - 9)
    assert "breaks off" in read(packed)[2]


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"version": 1}\n', b"\xff\n", b'{"version": 2}'])
@SUFFIXES
def test_what_is_no_recording(tmp_path, suffix, content):
    """A file that is no recording is refused by name, and nothing is put behind it."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=r"a\.cast.*' is no recording"):
        Recording(path)
    if content:
        with pytest.raises(CommandError, match="is no recording"):
            asyncio.run(CommandRunner(launch=Recorder(path, append=True)).run("true"))
        assert path.read_bytes() == content


def test_a_recording_that_is_not_there(tmp_path):
    """A recording that is missing is an error of the run."""
    with pytest.raises(CommandError, match=r"cannot read the recording .*no such file"):
        asyncio.run(CommandRunner(launch=Replay(tmp_path / "a.cast", speed=math.inf)).run("x"))
