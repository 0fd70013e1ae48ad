"""BashCommand: runs what it is told to, and what a message names only where that is allowed."""

import pytest

from transmissions import NodeFailed, RunError, UsageError
from transmissions.processors.bash_command import BashCommand
from transmissions.testing import through


def one(message=None, **settings):
    """Return what becomes of one message."""
    (result,) = through(BashCommand(**settings), [message or {}])
    return result


def test_the_command_of_the_settings_is_run():
    """It is split as a shell would, and the message's own does not count."""
    message = one({"command": "echo bad", "id": 1}, command="echo 'a  b' \"c|$d\" e\\ f", allowed_commands=("echo",))
    assert (message["id"], message["content"], message["commandResult"]) == (1, "a  b c|$d e f\n", "a  b c|$d e f\n")
    assert (message["commandError"], message["commandCode"]) == ("", 0)


def test_an_allowed_program_may_be_named_by_a_message():
    """Its arguments are the message's too."""
    assert one({"command": "echo hello"}, allowed_commands=("date", "echo"))["content"] == "hello\n"


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("rm -rf /", "'rm' is not allowed; :allowedCommands has echo"),
        ("ech", "did you mean .echo."),
        ("/bin/echo a", "'/bin/echo' is not allowed"),
        ("./echo a", "is not allowed"),
        ("../bin/echo", "is not allowed"),
        ("ECHO a", "is not allowed"),
        ("A=1 echo a", "'A=1' is not allowed"),
        ("'echo a' b", "'echo a' is not allowed"),
        ("\u200becho a", "is not allowed"),
        ("echo a; rm b", "for a shell"),
        ("echo a && rm b", "for a shell"),
        ("echo a | sh", "for a shell"),
        ("echo a > /etc/passwd", "for a shell"),
        ("echo $(id)", "for a shell"),
        ("echo `id`", "for a shell"),
        ("echo a\nrm b", "for a shell"),
        ("echo 'a", "no closing quotation"),
        ("   ", "is empty"),
        ("''", "is empty"),
    ],
)
def test_what_is_not_allowed_is_refused(command, fault):
    """No path, no other case, no shell leads around the list."""
    with pytest.raises(NodeFailed, match=fault):
        one({"command": command}, allowed_commands=("echo",))


@pytest.mark.parametrize("message", [{"command": "echo a"}, {"command": "echo a", "allowedCommands": ["echo"]}, {}])
def test_without_a_list_no_message_is_obeyed(message):
    """Nothing in a message can allow it."""
    with pytest.raises(NodeFailed, match=":allowedCommands is not set"):
        one(message)


@pytest.mark.parametrize("command", ["echo --bad", "echo '--'bad", "echo --b\\ad", 'echo "--bad"'])
def test_blocked_patterns_refuse_however_it_is_quoted(command):
    """A pattern is looked for in the text and in the words it becomes."""
    with pytest.raises(NodeFailed, match="is refused: '--b'"):
        one({"command": command}, allowed_commands=("echo",), blocked_patterns=("--b",))


def test_a_program_that_fails_is_data():
    """What it said is in `commandError`, and how it ended in `commandCode`."""
    message = one(command="sh -c 'echo a; echo why >&2; exit 4'")
    assert (message["commandResult"], message["commandError"], message["commandCode"]) == ("a\n", "why\n", 4)
    late = one(command="sleep 60", timeout=200)
    assert (late["commandCode"], late["commandError"]) == (124, "ended with code 124")


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"allowed_commands": ("git status",)}, "is no name of a program"),
        ({"blocked_patterns": ("(a+)+$",)}, "can run for ever"),
        ({"blocked_patterns": ("(",)}, "not a regular expression"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, fault):
    """They are an error before anything runs."""
    with pytest.raises(UsageError, match=fault):
        BashCommand(**settings)


def test_a_blocked_command_of_the_settings_is_an_error_at_once():
    """An app that blocks what it is to run is told so."""
    with pytest.raises(RunError, match="is refused"):
        BashCommand(command="echo bad", blocked_patterns=("bad",))
