"""Rows C121 and C124 to C126: what streaming may not change, cost or need.

C124, what streaming costs, is measured by `benchmarks/command.py`, as no time is compared here; that nothing is decoded or
split where nobody looks is tested.
"""

import asyncio
import os
import subprocess
import sys
import threading

import pytest
from commands import Trace, command, sh, streaming

from transmissions.streaming import BatchProcessor, EventEmitter, Script, child, guard, lines, outlets, pump

OUTPUTS = [
    *("", "a", "a\n", "a\nb", "\n", "\n\n", "a\r\nb\r\n", "a\rb", "\r", "\r\n", "a\r", " \t\n", "x\n\n", "\n\na", "é\n"),
    *("\ufeffa\n", "a\0b\n", "\x0b\x0c\x1c\x85\u2028\n", "x" * 200_000, "line\n" * 50_000),
]


@pytest.mark.parametrize("text", OUTPUTS, ids=range(len(OUTPUTS)))
def test_c121_streamed_text_is_batch_text(text):
    """Streamed, a command's text is what `subprocess.run` returns, to the last line feed."""
    words = ["cat"]
    plain = subprocess.run(words, input=text.encode(), capture_output=True).stdout
    for config in (None, streaming(Trace())):
        assert asyncio.run(command(*words, stdin=text, streaming_config=config)).stdout_bytes == plain == text.encode()


def test_c121_pipes_need_not_hold_more(monkeypatch):
    """Output is whole, too, where the system lets no pipe hold more."""
    asked = []
    monkeypatch.setattr(pump, "widen", lambda descriptor, size: asked.append(size))
    trace = Trace()
    result = sh("seq 50000; seq 50000 >&2", streaming_config=streaming(trace, max_lines=None))
    assert result.stdout == result.stderr == "".join(f"{number}\n" for number in range(1, 50_001))
    assert (len(trace.lines), asked) == (100_000, [1 << 18] * 2)


def test_c121_what_is_no_pipe_is_not_widened(tmp_path):
    """A pipe is made to hold more; a file is left as it is."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"), (tmp_path / "file").open("wb") as file:
        assert outlets.widen(reading, 1 << 18) == (sys.platform == "linux")
        assert not outlets.widen(file.fileno(), 1 << 18)


def test_c124_without_readers_nothing_is_split(monkeypatch):
    """Output that no reader looks at is neither cut nor decoded."""
    monkeypatch.setattr(lines.LineSplitter, "feed", lambda *_: pytest.fail("it was cut"))
    assert asyncio.run(command("seq", "1000", streaming_config=streaming())).stdout_bytes.endswith(b"1000\n")


def test_c124_lines_are_decoded_for_who_looks(monkeypatch):
    """Lines are counted without being decoded."""

    class Counting(BatchProcessor):
        count = 0

        def process_batch(self, lines):
            self.count += lines.count

    monkeypatch.setattr(lines._Content, "_plain", lambda self: pytest.fail("it was decoded"))
    counting = Counting()
    sh("seq 1000", counting)
    assert counting.count == 1000


def test_c125_a_script_plays_a_command():
    """A scripted command has its lines, outputs, pauses and exit code, in the order of the script."""
    script = [(0, "stdout", "a\nb"), (0.05, "stderr", "oh\n"), (0, "stdout", "c\n"), (0.05, "stdout", b"\xff")]
    launch, trace = Script(script, returncode=-9), Trace()
    result = asyncio.run(command("make", "all", launch=launch, streaming_config=streaming(trace)))
    assert (trace.lines, [one.value for one in trace.sources]) == (
        ["a", "oh", "bc", "\ufffd"],
        ["stdout", "stderr", "stdout", "stdout"],
    )
    assert (result.signal, trace.ends, launch.calls[0][0]) == (9, [("complete", None)], ("make", "all"))
    assert result.duration >= 0.09


def test_c126_without_a_way_to_wait_the_end_is_looked_for(monkeypatch):
    """Where the system has no descriptors of processes, a command's end is found all the same."""
    monkeypatch.delattr(child.os, "pidfd_open")
    assert sh("sleep 0.1; exit 3", lambda line, source: None).returncode == 3


def test_c126_without_ordered_sockets_there_are_pipes(monkeypatch, caplog):
    """Where the exact order cannot be had, outputs are read apart, and the log says so."""
    monkeypatch.setattr(outlets, "_named_socket", refuse)
    result = sh("echo a; echo b >&2", order="exact")
    assert (result.stdout, result.stderr) == ("a\n", "b\n")
    assert "cannot keep the order" in caplog.text


def test_c126_without_terminals_there_are_pipes(monkeypatch, caplog):
    """Where there is no terminal to be had, a command writes to a pipe, and the log says so."""
    monkeypatch.setattr(outlets.os, "openpty", refuse)
    assert sh("echo a", pty=True).stdout == "a\n"
    assert "no terminal" in caplog.text


def test_c126_without_a_guard_commands_run(monkeypatch, caplog):
    """Where no shell can guard commands, they run, and the log says once what is missing."""
    monkeypatch.setattr(guard, "_SHELL", "/no/such/shell")
    monkeypatch.setattr(child, "GUARD", guard.Guard())
    assert [sh("echo a").stdout for _ in range(2)] == ["a\n", "a\n"]
    assert caplog.text.count("no shell can be started") == 1


def refuse(*_):
    """Be a call that this system does not know."""
    raise OSError(38, "Function not implemented")


def test_a_lost_exit_code_is_no_success(monkeypatch, caplog):
    """A command whose exit code somebody else took is told as failed, with a warning."""

    def taken(*_):
        raise ChildProcessError

    monkeypatch.setattr(child.os, "waitid", taken)
    assert sh("true").exit_code == 255
    assert "exit code of a command is lost" in caplog.text


def test_loops_in_threads_run_commands_at_once():
    """Several threads, each with a loop of its own, run commands at the same time."""
    results = []

    def work(number):
        results.append((number, sh(f"seq {number}", EventEmitter("line"), lambda line, source: None).readers[1].handled))

    threads = [threading.Thread(target=work, args=(1000 + number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results) == [(1000 + number, 1000 + number) for number in range(8)]


def test_importing_costs_little():
    """The package is imported without YAML, terminals, or anything of a database or the network."""
    heavy = "yaml", "termios", "tempfile", "rdflib", "sqlite3", "aiohttp", "email"
    program = f"import sys, transmissions.streaming; print([one for one in {heavy} if one in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"
