"""CommandSource: every setting, and what becomes of the lines and of the program."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from transmissions import NodeFailed, Processor, RunError, Secret, UsageError
from transmissions.processors.command import CommandSource
from transmissions.processors.command_settings import Variable
from transmissions.testing import through


def source(*command, **settings):
    """Return a source that runs a command."""
    return CommandSource(command=command, **settings)


def script(text, **settings):
    """Return a source that runs a script of a shell."""
    return source("sh", "-c", text, **settings)


def lines(messages):
    """Return the lines of messages."""
    return [message["line"] for message in messages if "line" in message]


def ended(processor, message=None):
    """Return what is told of the end of a program."""
    return through(processor, [message or {}])[-1]["command"]


def test_a_message_comes_for_each_line():
    """Each is a copy of the incoming one, with line, source, number in its output, and time."""
    messages = through(script("echo a; echo b >&2; sleep 0.05; echo c", order="exact"), [{"id": 7}])
    assert [(m["id"], m["line"], m["source"], m["number"]) for m in messages] == [
        (7, "a", "stdout", 1),
        (7, "b", "stderr", 1),
        (7, "c", "stdout", 2),
    ]
    assert messages[0]["time"] <= messages[2]["time"]


def test_the_end_is_told_in_a_last_message():
    """With `exitMessage` a message without line says how the program ended, and counts the lines."""
    said = ended(script("echo a; echo b >&2; exit 3", exit_message=True))
    assert (said["exitCode"], said["signal"], said["timedOut"], said["stopped"]) == (3, None, False, False)
    assert said["lines"] == {"stdout": 1, "stderr": 1}
    assert said["dropped"] == 0


def test_a_signal_is_told():
    """A program that a signal ended has no exit code."""
    said = ended(script("kill -9 $$", exit_message=True))
    assert (said["exitCode"], said["signal"]) == (None, 9)


def test_the_end_is_told_to_the_group_and_to_listeners(bench):
    """The group's own message holds it too, and it is an event."""
    message = {}
    assert bench.produced(script("exit 4"), message) == []
    assert message["command"]["exitCode"] == 4
    assert bench.events[-1][1]["exitCode"] == 4


def test_an_exit_code_may_count():
    """With `onExit "zero"` the run fails, says what the program said last, and what it wrote has arrived before."""
    seen = Seen()
    with pytest.raises(NodeFailed, match="'sh' ended with exit code 2: no such thing"):
        through([script("seq 5000; echo no such thing >&2; exit 2", on_exit="zero"), seen], [{}])
    assert len(seen.lines) == 5001


class Seen(Processor):
    """Remember lines."""

    def __post_init__(self):
        self.lines, self.is_finished = [], False

    def process(self, message):
        self.lines.append(message.get("line"))
        return message

    def finish(self):
        self.is_finished = True


def test_a_time_out_fails_when_what_was_written_has_arrived():
    """Lines before it arrive, an unfinished one too, steps finish, and then the run has failed with exit code 124."""
    seen = Seen()
    with pytest.raises(NodeFailed, match=r"took longer than 0.4 s") as raised:
        through([script("printf 'a\nrest'; sleep 60", timeout=400, grace=100, exit_message=True), seen], [{}])
    assert raised.value.exit_code == 124
    assert seen.lines == ["a", "rest", None]
    assert seen.is_finished


def test_a_time_out_may_be_passed_over():
    """With `:onError :skip` the run goes on with what came."""
    assert lines(through(script("echo a; sleep 60", timeout=300, grace=100), [{}], on_error="skip")) == ["a"]


def test_batch_gives_one_message():
    """In batch mode everything comes at the end, exactly as it was written."""
    (message,) = through(script("printf 'a\\r\\nb'; echo c >&2; exit 1", mode="batch"), [{"id": 1}])
    assert (message["id"], message["command"]["stdout"], message["command"]["stderr"]) == (1, "a\r\nb", "c\n")
    assert message["command"]["exitCode"] == 1


def test_batch_keeps_what_came_before_a_time_out():
    """What was written by then is in the message, which says so."""
    seen = CommandSeen()
    with pytest.raises(NodeFailed, match="took longer"):
        through([script("echo a; sleep 60", mode="batch", timeout=300, grace=100), seen], [{}])
    assert (seen.said["timedOut"], seen.said["stdout"]) == (True, "a\n")


class CommandSeen(Processor):
    """Remember what was told of a program."""

    def process(self, message):
        self.said = message["command"]
        return message


def test_lines_of_json_are_parsed():
    """A JSON value is in `value`; a line that is none says why, and an empty one says nothing."""
    text = """printf '%s\\n' '{"a": 1}' ' [2] ' '' 'text' '{"a": NaN}' '{} {}'"""
    messages = through(script(text, mode="structured"), [{}])
    assert [message.get("value") for message in messages] == [{"a": 1}, [2], None, None, None, None]
    assert ["malformed" in message for message in messages] == [False, False, False, True, True, True]


def test_structured_lines_may_be_plain():
    """With `:format "plain"` nothing is parsed."""
    (message,) = through(source("echo", "1", mode="structured", format="plain"), [{}])
    assert "value" not in message


def test_documents_of_yaml_are_parsed():
    """Each document is a message with its text, the last one without an end too; a broken one does not end the stream."""
    text = "printf 'a: 1\\nb: no\\n---\\n- x\\n- [\\n---\\nc: 3\\n...\\nd: 4\\n'; echo oops >&2"
    messages = [m for m in through(script(text, mode="structured", format="yaml"), [{}]) if m["source"] == "stdout"]
    assert [message.get("value") for message in messages] == [{"a": 1, "b": "no"}, None, {"c": 3}, {"d": 4}]
    assert [message["number"] for message in messages] == [1, 3, 6, 9]
    assert messages[0]["line"] == "a: 1\nb: no"
    assert "not valid YAML" in messages[1]["malformed"]


def test_documents_are_bounded():
    """A document longer than a line may be is told as such, and the next one is read."""
    text = "yes 'a: 1' | head -n 100; echo ---; echo b: 2"
    first, second = through(script(text, mode="structured", format="yaml", max_line_bytes=50), [{}])
    assert "longer than 50 bytes" in first["malformed"]
    assert len(first["line"]) < 100
    assert second["value"] == {"b": 2}


def test_the_environment_is_added_to():
    """Variables are added, a secret among them; with `clearEnv` there are no others."""
    env = (Variable(name="ONE", value="1"), Variable(name="TWO", secret=Secret("2")))
    assert lines(through(script('echo $ONE $TWO; test -n "$PATH" && echo more', env=env), [{}])) == ["1 2", "more"]
    assert lines(through(source("/usr/bin/env", env=env, clear_env=True), [{}])) == ["ONE=1", "TWO=2"]


def test_the_folder_is_that_of_the_run(bench):
    """The program starts in the working folder, or in a folder seen from there."""
    (bench.data / "sub").mkdir()
    assert lines(bench.produced(source("pwd"), {})) == [str(bench.data)]
    assert lines(bench.produced(source("pwd", cwd="sub"), {})) == [str(bench.data / "sub")]
    with pytest.raises(RunError, match="no such folder"):
        lines(bench.produced(source("pwd", cwd="nowhere"), {}))


def test_a_command_of_the_command_line_starts_where_the_user_is(bench, tmp_path, monkeypatch):
    """What stands behind `--` is started in the user's folder, or in the target."""
    monkeypatch.chdir(tmp_path)
    bench.command = ("pwd",)
    assert lines(bench.produced(source(), {})) == [str(tmp_path)]
    bench.target = bench.data
    assert lines(bench.produced(source(), {})) == [str(bench.data)]


@pytest.mark.parametrize(
    ("settings", "given"),
    [({}, ""), ({"stdin": "text", "input": "some\ntext"}, "some\ntext"), ({"stdin": "field", "input": "a.b"}, "field")],
)
def test_the_program_reads_what_it_is_given(settings, given):
    """Standard input is empty, a text, or a field."""
    assert "\n".join(lines(through(source("cat", **settings), [{"a": {"b": "field"}}]))) == given


def test_the_program_reads_a_file(bench):
    """Standard input may be a file of the run, and of no other folder."""
    (bench.data / "in.txt").write_text("from a file\n")
    assert lines(bench.produced(source("cat", stdin="file", input="in.txt"), {})) == ["from a file"]
    with pytest.raises(RunError, match="outside the folders"):
        lines(bench.produced(source("cat", stdin="file", input="../../../etc/passwd"), {}))


def test_much_input_and_output_do_not_lock_each_other():
    """A megabyte goes through `cat` while its output is read."""
    text = "x" * 99 + "\n"
    assert len(through(source("cat", stdin="field", input="text"), [{"text": text * 10_000}])) == 10_000


def test_a_long_line_is_cut_and_says_so():
    """What is longer than `maxLineBytes` is cut off, and the next line is whole."""
    first, second = lines(through(script("printf '%0100d\\nb\\n' 0", max_line_bytes=10, line_buffer_size=7), [{}]))
    assert first.startswith("0000000000…[90 bytes cut]")
    assert second == "b"


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "a�b"),
        ({"encoding_errors": "backslashreplace"}, "a\\xffb"),
        ({"encoding_errors": "surrogateescape"}, "a\udcffb"),
        ({"encoding": "latin-1"}, "aÿb"),
    ],
)
def test_bytes_that_are_no_text_are_told_as_settings_say(settings, line):
    """No line is lost to them."""
    assert lines(through(script("printf 'a\\377b\\nnext\\n'", **settings), [{}])) == [line, "next"]


def test_the_errors_may_be_left_out_or_put_in():
    """`stderr "drop"` leaves them out; the order `merged` puts them into the output where they were written."""
    text = "for i in 1 2 3; do echo $i; echo $i >&2; done"
    assert lines(through(script(text, stderr="drop"), [{}])) == ["1", "2", "3"]
    merged = through(script(text, order="merged"), [{}])
    assert [(m["source"], m["line"]) for m in merged] == [("stdout", n) for n in "112233"]


def test_a_terminal_can_be_had():
    """With `pty` the program writes to a terminal, which its lines do not show."""
    assert lines(through(script("test -t 1 && printf 'yes\\n'", pty=True), [{}])) == ["yes"]


@pytest.mark.parametrize(("capture", "kept"), [("all", "1\n2\n3\n"), ("tail", "2\n3\n")])
def test_outputs_may_be_kept_as_a_whole(capture, kept):
    """What `capture` keeps is in the message that tells of the end."""
    said = ended(source("seq", "3", capture=capture, capture_limit=4, exit_message=True))
    assert (said["stdout"], said["truncated"]) == (kept, capture == "tail")


def test_what_is_left_in_the_background_is_not_waited_for():
    """Output that a grandchild holds open is given up after `drain`."""
    assert lines(through(script("echo a; sleep 60 & echo b", drain=50), [{}])) == ["a", "b"]


class Slow(Processor):
    """Hold the first message until a file is there."""

    file: str

    async def process(self, message):
        while message.get("number") == 1 and not self.may_go_on():
            await asyncio.sleep(0.01)
        return message

    def may_go_on(self):
        return Path(self.file).exists()


WRITTEN = 200_000


def overflowing(folder, overflow, **settings):
    """Return a source that writes far more than may wait, then a file, and a step that holds the pipe up until then."""
    text = f"trap 'touch {folder}/done; exit' TERM; seq {WRITTEN}; touch {folder}/done"
    first = script(text, max_lines=1000, overflow=overflow, exit_message=True, **settings)
    return [first, Slow(file=f"{folder}/done" if overflow != "Block" or settings else "/")]


@pytest.mark.parametrize("overflow", ["Block", "DropOldest", "DropNewest"])
def test_a_slow_pipe_is_dealt_with_as_declared(tmp_path, overflow):
    """Lines arrive in order, nothing is dropped under Block, and what arrives and what is dropped are what was written."""
    messages = through(overflowing(tmp_path, overflow), [{}])
    said, numbers = messages[-1]["command"], [int(line) for line in lines(messages)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == said["lines"]["stdout"] == WRITTEN - said["dropped"]
    assert (said["dropped"] == 0) == (overflow == "Block")
    assert overflow != "DropOldest" or numbers[-1] == WRITTEN
    assert overflow != "DropNewest" or numbers[:1000] == list(range(1, 1001))


def test_overflow_may_fail_the_run(tmp_path):
    """With Fail the run ends where more lines wait than may, and says what became of those that were read."""
    with pytest.raises(NodeFailed, match="1000 lines wait") as raised:
        through(overflowing(tmp_path, "Fail"), [{}])
    told = raised.value.message["command"]
    assert told["dropped"] > 0
    assert told["lines"]["stdout"] + told["dropped"] <= WRITTEN


def test_blocking_may_have_an_end(tmp_path):
    """With `blockTimeout` the run fails when the pipe leaves the program waiting for longer."""
    with pytest.raises(NodeFailed, match="left its buffer of 1000 lines full"):
        through(overflowing(tmp_path, "Block", block_timeout=50), [{}])


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"shell": True}, "the script is the first text"),
        ({"stdin": "file"}, "needs :input"),
        ({"pty": True, "order": "exact"}, "not both"),
        ({"encoding": "utf-9"}, "no encoding 'utf-9'"),
        ({"encoding": "utf-16"}, "lines cannot be cut"),
        ({"encoding": "base64"}, "lines cannot be cut"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, fault):
    """Settings that contradict each other are an error before anything runs."""
    with pytest.raises(UsageError, match=fault):
        CommandSource(**settings)


@pytest.mark.parametrize(
    ("processor", "fault"),
    [
        (CommandSource(), "no command to run"),
        (source("no-such-program"), "no program 'no-such-program' on PATH"),
        (source("/etc/passwd"), "cannot be run"),
        (source("echo", "a\0b"), "cannot be run"),
    ],
)
def test_a_program_that_cannot_be_run_is_told(processor, fault):
    """The error names the program and why."""
    with pytest.raises(NodeFailed, match=fault):
        through(processor, [{}])


def test_no_message_can_choose_a_program():
    """A message's fields named like settings are data."""
    message = {"command": ["echo", "bad"], "shell": True, "cwd": "/", "input": "bad", "env": [{"name": "A", "value": "b"}]}
    assert lines(through(source("echo", "good"), [message])) == ["good"]
    with pytest.raises(NodeFailed, match="no command to run"):
        through(CommandSource(), [message])


def test_a_script_gets_its_arguments():
    """With `shell` the first text is the script, and the others its arguments."""
    assert lines(through(source('echo "$2" "$1" "$#"', "a b", "c", shell=True), [{}])) == ["c a b 2"]


def test_a_failure_behind_a_source_ends_its_program():
    """The run does not wait for it."""
    with pytest.raises(NodeFailed):
        through([script("seq 5000; sleep 60"), Fails()], [{}])


class Fails(Processor):
    """Fail."""

    def process(self, message):
        raise RunError("broken")


def test_lines_can_be_written_as_json():
    """Whatever a program writes, its messages are JSON."""
    command = (sys.executable, "-c", "import sys; sys.stdout.buffer.write(bytes(range(256)))")
    assert all(json.dumps(message) for message in through(source(*command), [{}]))
