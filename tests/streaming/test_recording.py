"""Recordings: every byte, both outputs, the end; what players show of them."""

import asyncio
import base64
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transmissions.errors import OutputError
from transmissions.streaming import CommandNotFound, CommandRunner, CommandTimeout, Recorder, Recording, Script, StreamSource
from transmissions.streaming.config import ExecutionContext
from transmissions.streaming.play import Exited, Written
from transmissions.streaming.recording import Decoder, Encoder, header_of


def run(launch, command="sh", *args, **options):
    return asyncio.run(CommandRunner(launch=launch).run(command, args, **options))


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def again(pieces):
    """Encode pieces, decode them, and return what each output then holds."""
    encoder, decoder = Encoder(), Decoder(header_of(["x"], ExecutionContext()))
    lines = [line for source, data in pieces for line in encoder.written(0.5, source, data)]
    assert all(line.count(b"\n") == 1 for line in lines)
    found = dict.fromkeys(StreamSource, b"")
    for event in map(decoder.event, [*lines, *encoder.exited(1, 0)]):
        if isinstance(event, Written):
            found[event.source] += event.data
    return found


PIECE = st.tuples(
    st.sampled_from(StreamSource), st.binary(max_size=40) | st.text('\r\n\\"\t\x1bé€😀', max_size=20).map(str.encode)
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECE, max_size=8))
def test_every_byte_comes_back(pieces):
    """Whatever is written, in whatever pieces, a recording gives back every byte of both outputs."""
    wanted = {one: b"".join(data for source, data in pieces if source is one) for one in StreamSource}
    assert again(pieces) == wanted


@pytest.mark.parametrize("cut", range(1, 9))
def test_characters_are_not_cut(cut):
    """A character in two pieces is told whole, as players know no halves."""
    data, encoder = "é€😀".encode(), Encoder()
    lines = [*encoder.written(0, StreamSource.STDOUT, data[:cut]), *encoder.written(1, StreamSource.STDOUT, data[cut:])]
    assert "".join(json.loads(line)[2] for line in lines) == "é€😀"


def test_binary_output_is_base64():
    """What is no text is told in base64, after a few attempts all of it at once."""
    *first, last = Encoder().written(0, StreamSource.STDERR, b"\xff\x00" * 1000)
    _, code, text = json.loads(last)
    assert len(first) < 50
    assert code == "E"
    assert set(base64.b64decode(text)) == {0xFF, 0}


def test_a_long_piece_becomes_several_events():
    """No event holds more than 128 KiB of output."""
    lines = [*Encoder().written(0, StreamSource.STDOUT, b"x" * 300_000)]
    assert [len(json.loads(line)[2]) for line in lines] == [131072, 131072, 37856]


def test_what_a_recording_says(tmp_path):
    """The header names the command and its variables, not their values; then come outputs, and the exit code."""
    path = tmp_path / "a.cast"
    result = run(Recorder(path), "sh", "-c", "echo out; sleep 0.05; echo err >&2; exit 3", env_vars={"TOKEN": "s3cret"})
    assert result.exit_code == 3
    assert "s3cret" not in path.read_text()
    header = json.loads(path.read_text().splitlines()[0])
    assert header["version"] == 2
    assert header["transmissions"]["env"] == ["TOKEN"]
    assert [event[1:] for event in events(path)] == [["o", "out\r\n"], ["e", "err\r\n"], ["x", "3"]]


def test_a_recorded_run_is_as_any_other(tmp_path):
    """Recording changes nothing of the result, stdin included."""
    result = run(Recorder(tmp_path / "a.cast"), "cat", stdin="a\r\nb")
    assert (result.stdout, result.exit_code) == ("a\r\nb", 0)


def test_times_grow_from_the_start(tmp_path):
    """Events have the seconds since the start."""
    path = tmp_path / "a.cast"
    run(Recorder(path, Script([(0.0, "stdout", "a"), (0.1, "stdout", "b")])))
    first, second, end = (event[0] for event in events(path))
    assert 0 <= first < second - 0.09
    assert second <= end


def test_signals_are_told(tmp_path):
    """A command that a signal ended is recorded with its negative number."""
    path = tmp_path / "a.cast"
    run(Recorder(path), "sh", "-c", "kill -9 $$")
    assert events(path)[-1][1:] == ["x", "-9"]


def test_a_timed_out_run_is_recorded(tmp_path):
    """What a command wrote before its time-out is recorded, and how it ended."""
    path = tmp_path / "a.cast"
    with pytest.raises(CommandTimeout):
        run(Recorder(path), "sh", "-c", "echo a; exec sleep 9", timeout=0.3)
    assert [event[1:] for event in events(path)] == [["o", "a\r\n"], ["x", "-15"]]


def test_a_command_that_never_was_leaves_no_end(tmp_path):
    """The recording of a command that could not be started says that it breaks off."""
    path = tmp_path / "a.cast"
    with pytest.raises(CommandNotFound):
        run(Recorder(path), "no-such-program-here")
    recording = Recording(path)
    with recording:
        assert list(recording.events()) == []
    assert recording.fault.endswith("nothing tells the command's end")


def test_appending_goes_on(tmp_path):
    """Another run can be put behind a recording; times go on, a marker tells the place, and the last end counts."""
    path = tmp_path / "a.cast"
    run(Recorder(path), "sh", "-c", "echo a; exit 1")
    run(Recorder(path, append=True), "echo", "b")
    codes = [event[1] for event in events(path)]
    times = [event[0] for event in events(path)]
    assert codes == ["o", "x", "m", "o", "x"]
    assert times == sorted(times)
    with Recording(path) as recording:
        *written, end = recording.events()
    assert [event.data for event in written] == [b"a\n", b"b\n"]
    assert end.returncode == 0


def test_a_folder_that_is_not_there(tmp_path):
    """A recording that cannot be begun fails before the command starts."""
    script = Script()
    with pytest.raises(OutputError, match="cannot write"):
        run(Recorder(tmp_path / "none" / "a.cast", script))
    assert script.calls == []


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_ends_the_recording_only(tmp_path, caplog):
    """Where the disk is full, the command goes on to its end, and then its run fails with what could not be written."""
    record = Recorder(tmp_path / "a.cast", Script([(0.0, "stdout", "a\n"), (0.0, "stdout", "b\n")]))
    seen = []

    def launch(command, context):
        process = record(command, context)
        process._writer._file.close()
        process._writer._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - the writer closes it
        return process

    runner = CommandRunner(launch=launch, listeners=[lambda event: seen.append(event["type"])])
    with pytest.raises(OutputError, match="no space left"):
        asyncio.run(runner.run("x"))
    assert seen[-1] == "completed"
    assert "ends here" in caplog.text


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'[1, "o"]\n', "no event"),
        (b'[-1, "o", "a"]\n', "no event"),
        (b'[1, "O", "?"]\n', ""),
        (b"nonsense\n", ""),
        (b'[1, "x", "soon"]\n', ""),
        (b"[" * 100_000 + b"\n", "too deep"),
    ],
)
def test_a_broken_line_is_told(tmp_path, line, why):
    """A recording is read as far as it makes sense, and says by line and byte where that ends."""
    path = tmp_path / "a.cast"
    start = header_of(["x"], ExecutionContext()) + b'[0.5, "o", "a\\r\\n"]\n'
    path.write_bytes(start + line + b'[2, "x", "0"]\n')
    with Recording(path) as recording:
        assert [event.data for event in recording.events()] == [b"a\n"]
    assert f"breaks off at line 3 (byte {len(start)}): " in recording.fault
    assert why in recording.fault


def test_recordings_of_asciinema(tmp_path):
    """Recordings of terminals, of version 2 without an end and of version 3 with relative times, are read too."""
    path = tmp_path / "a.cast"
    path.write_text('{"version": 2, "width": 80, "height": 24}\n[0.5, "o", "a\\r\\n"]\n[0.7, "i", "x"]\n')
    with Recording(path) as recording:
        assert list(recording.events()) == [Written(0.5, StreamSource.STDOUT, b"a\r\n"), Exited(0.7, 0)]
    path.write_text('{"version": 3, "term": {"cols": 80, "rows": 24}}\n# a note\n[0.5, "o", "a"]\n[0.25, "x", "2"]\n')
    with Recording(path) as recording:
        assert list(recording.events()) == [Written(0.5, StreamSource.STDOUT, b"a"), Exited(0.75, 2)]
