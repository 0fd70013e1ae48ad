"""Rows C111 to C118: what a command reads, its environment, its folder, and why it could not start."""

import asyncio
import subprocess
import sys

import pytest
from commands import Trace, command, lines_of, open_files, sh, shell, streaming

from transmissions.errors import RunError, UsageError
from transmissions.streaming import INHERIT, CommandError, CommandNotFound

BOTH_MODES = pytest.mark.parametrize("readers", [(), (lambda line, source: None,)], ids=["batch", "streaming"])


@BOTH_MODES
def test_c111_without_input_a_command_reads_an_end(readers):
    """A command that reads gets an end at once."""
    assert sh("cat; echo end", *readers).stdout == "end\n"


@BOTH_MODES
@pytest.mark.parametrize("given", ["a\né\n", "a\né\n".encode()])
def test_c112_input_is_written_and_ends(readers, given):
    """Text and bytes reach a command whole, and end."""
    assert sh("cat", *readers, stdin=given).stdout == "a\né\n"


def test_input_from_a_file_and_from_this_process(tmp_path):
    """A command reads a file, or what this process would read."""
    file = tmp_path / "in.txt"
    file.write_text("from a file\n")
    assert sh("cat", stdin=file).stdout == "from a file\n"
    run = f"asyncio.run(CommandRunner().run('cat', stdin={INHERIT!r}))"
    program = f"import asyncio\nfrom transmissions.streaming import *\nprint({run}.stdout)"
    assert subprocess.run([sys.executable, "-c", program], input=b"mine", capture_output=True).stdout == b"mine\n"


@BOTH_MODES
@pytest.mark.parametrize("how", [{}, {"order": "exact"}])
def test_c113_much_input_that_comes_back_is_no_deadlock(readers, how):
    """1 MB is written while what comes back is read."""
    text = "0123456789abcde\n" * 65536
    assert sh("cat", *readers, stdin=text, **how).stdout == text


@BOTH_MODES
def test_c114_input_that_nobody_reads_is_no_failure(readers):
    """A command that ends without reading its input has ended well."""
    assert sh("true", *readers, stdin="x" * 1_000_000).success


@BOTH_MODES
def test_c115_the_environment_is_the_same_in_both_modes(readers, monkeypatch):
    """A command has this process's environment and what is added, or only that."""
    monkeypatch.setenv("INHERITED", "1")
    script = 'echo "[$INHERITED] [$ADDED]"'
    assert sh(script, *readers, env_vars={"ADDED": "2"}).stdout == "[1] [2]\n"
    assert sh(script, *readers, env_vars={"INHERITED": "3"}).stdout == "[3] []\n"
    assert sh(script, *readers, env_vars={"ADDED": "2"}, clear_env=True).stdout == "[] [2]\n"


@BOTH_MODES
def test_c116_the_folder_counts_and_must_be_there(readers, tmp_path):
    """A command is started in its folder; one that is not there is told as such."""
    assert sh("pwd", *readers, working_directory=tmp_path).stdout == f"{tmp_path.resolve()}\n"
    with pytest.raises(CommandError, match="there is no such folder") as caught:
        sh("pwd", *readers, working_directory=tmp_path / "missing")
    assert not isinstance(caught.value, CommandNotFound)


@BOTH_MODES
def test_c117_a_missing_program_has_an_exception_of_its_own(readers):
    """A program that is not there is CommandNotFound."""
    config = streaming(*readers) if readers else None
    with pytest.raises(CommandNotFound, match="there is no program 'no-such-program' on PATH"):
        asyncio.run(command("no-such-program", streaming_config=config))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["/"], "permission denied"),
        ([""], "list of words is empty"),
        (["ec\0ho"], "null byte"),
        (["echo", 3], "int"),
        (["{folder}/script"], "named in its first line is not there"),
    ],
)
def test_why_a_command_cannot_be_run_is_told(words, sentence, tmp_path):
    """Whatever keeps a command from starting is one kind of error, with a sentence."""
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    words = [str(one).format(folder=tmp_path) if isinstance(one, str) else one for one in words]
    with pytest.raises(CommandError, match=sentence):
        asyncio.run(command(*words))


def test_input_that_cannot_be_read_is_told(tmp_path):
    """A file for the input that is not there is an error before the command starts."""
    with pytest.raises(CommandError, match="cannot read"):
        sh("cat", stdin=tmp_path / "missing")


def test_too_many_open_files_are_told(monkeypatch):
    """A process that can open no more says so, and leaves nothing open."""
    before = open_files()
    monkeypatch.setattr("transmissions.streaming.outlets._pipe", full_after(1))
    trace = Trace()
    with pytest.raises(CommandError, match="too many open files"):
        asyncio.run(shell("true", trace))
    assert trace.ends == [("error", "CommandError")]
    assert open_files() == before


def full_after(count):
    """Return how pipes are opened, but only some."""
    from transmissions.streaming.outlets import _pipe

    opened = []

    def limited(undo, *more):
        if len(opened) == count:
            raise OSError(24, "Too many open files")
        opened.append(1)
        return _pipe(undo, *more)

    return limited


@pytest.mark.parametrize("order", ["source", "merged", "exact"])
def test_c118_errors_can_be_suppressed(order):
    """Suppressed, standard error reaches nobody, and the command can write to it."""
    trace = Trace()
    result = sh("echo a; echo b >&2 && echo c", trace, suppress_stderr=True, order=order)
    assert (trace.lines, result.stdout, result.stderr) == (["a", "c"], "a\nc\n", "")


def test_an_unknown_option_names_the_nearest():
    """A word that is no option of a command is told with the one that was meant."""
    with pytest.raises(UsageError, match="'timeuot' is no option of a command; did you mean 'timeout'"):
        asyncio.run(command("true", timeuot=3))


def test_errors_of_commands_are_errors_of_runs():
    """What goes wrong with a command is a RunError, with an exit code."""
    with pytest.raises(RunError) as caught:
        sh("sleep 60", timeout=0.1)
    assert caught.value.exit_code == 124
    assert lines_of("echo still works") == ["still works"]
