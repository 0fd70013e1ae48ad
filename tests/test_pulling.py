"""Sources of pipes: while nobody writes, nothing else waits, and every way to end a run ends it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import calling
import pytest

import transmissions

RECORDS = {
    "JSONLinesReader": (b'{"n": "1"}\n{"n": "2"}\n', b'{"n": "3'),
    "TextLinesReader": (b"1\n2\n", b"3"),
    "CSVReader": (b"n\n1\n2\n", b"3"),
    "XMLReader": (b"<all><n>1</n><n>2</n>", b"<n>3"),
    "YAMLReader": (b"n: 1\n---\nn: 2\n---\n", b"n: 3"),
    "RDFParse": (b"<urn:a> <urn:n> 1 .\n<urn:b> <urn:n> 2 .\n", b"<urn:c> <urn:n>"),
}
"""What a writer has written of a file: two records, and a part of the third."""
MORE = {"XMLReader": ' ; :element "n"', "RDFParse": ' ; :format "ttl" ; :size 1'}
APP = """
:main a :Transmission, :EntryTransmission ; :argument [ :name "file" ; :kind :Path ; :field "sourceFile" ] ; :pipe ( :read ) .
:read a :{} {} .
"""


@pytest.fixture
def home(tmp_path):
    """Return a home with an app for each reader and a FIFO that nobody has opened."""
    (tmp_path / "transmissions.toml").touch()
    for reader in RECORDS:
        folder = tmp_path / "apps" / reader
        folder.mkdir(parents=True)
        folder.joinpath("transmissions.ttl").write_text(
            f"@prefix : <http://purl.org/stuff/transmissions/> .\n{APP.format(reader, MORE.get(reader, ''))}"
        )
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def opened(home, reader, **options):
    """Return a run of a reader of the FIFO."""
    return transmissions.open(home / "apps" / reader, arguments=[str(home / "pipe")], output=home / "out", **options)


def descriptors():
    """Return what files this process has open."""
    return {file.name for file in Path("/proc/self/fd").iterdir()}


async def until_drained(run, writer, given):
    """Write, and drain the run after its first message; return how many come. The pipe stays open."""
    os.write(writer, given)
    count = 0
    async for _ in run:
        count += 1
        run.drain()
    return count


@pytest.mark.parametrize("reader", RECORDS)
def test_a_drain_ends_what_waits_for_a_pipe(home, reader):
    """What was read of it arrives, half a record is no fault, and no thread or descriptor is left."""

    async def drained():
        writer = os.open(home / "pipe", os.O_RDWR)
        before = descriptors()
        async with opened(home, reader) as run:
            count = await until_drained(run, writer, b"".join(RECORDS[reader]))
        left = descriptors() - before
        os.close(writer)
        return count, run.result.drained, run.result.exit_code, left

    assert asyncio.run(drained()) == (2, True, 0, set())
    assert "source" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("reader", ["JSONLinesReader", "CSVReader", "YAMLReader"])
def test_a_run_ends_in_time_though_nobody_writes(home, reader):
    """Neither opening a FIFO nor reading from it keeps `--timeout` waiting."""
    assert calling.trans(home, reader, "pipe", "--timeout", "0.05", "-o", "out").returncode == 124


def test_the_end_of_a_pipe_is_the_end_of_the_file(home):
    """A last line without its end is a line, and what came before one that is broken has come."""

    async def read():
        async with opened(home, "JSONLinesReader") as run:
            numbers = []
            with await asyncio.to_thread((home / "pipe").open, "wb", buffering=0) as writer:
                writer.write(b'{"n": 1}\n')
                numbers.append((await anext(run))["n"])
                writer.write(b"nothing\n" + b"".join(b'{"n": %d}\n' % n for n in range(2, 2000)) + b'{"n": 2000}')
            numbers += [message["n"] async for message in run]
        return numbers, run.result.dead

    assert asyncio.run(read()) == (list(range(1, 2001)), 1)


def test_a_fault_of_what_a_pipe_gave_is_one_of_the_run(home):
    """It is told with its place, as that of a file is."""

    async def read():
        writer = os.open(home / "pipe", os.O_RDWR)
        os.write(writer, b"<all><n>1</n></n>")
        async with opened(home, "XMLReader") as run:
            return [message async for message in run]

    with pytest.raises(transmissions.RunError, match=r"pipe:1"):
        asyncio.run(read())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_ends_a_run_that_waits_for_standard_input(home, number, code):
    """A message that was read arrives, and the process ends while the pipe stays open and silent."""
    command = [sys.executable, "-P", "-m", "transmissions", "TextLinesReader", "/dev/stdin", "--json", "-o", "out"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(home / "cache")}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=home, env=environment, **pipes) as process:
        process.stdin.write(b"1\nhalf")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["content"] == "1"
        process.send_signal(number)
        assert process.wait(30) == code
        assert process.stderr.read().decode().endswith("what is written is complete\n")
