"""CommandStep: what a message can fill, and what it cannot."""

import sys

import pytest

from transmissions import NodeFailed
from transmissions.processors.command import CommandStep
from transmissions.testing import through

SHOW = (sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]), end='')")


def step(*command, **settings):
    """Return a step that runs a command."""
    return CommandStep(command=command, **settings)


def one(processor, **message):
    """Return what becomes of one message."""
    (result,) = through(processor, [message])
    return result


def test_the_output_and_the_end_are_in_the_message():
    """The output goes to a field, what became of the program to `command`; a failure is data."""
    message = one(step("sh", "-c", "echo out; echo err >&2; exit 3", target_field="a.b"), id=1)
    assert (message["id"], message["a"]) == (1, {"b": "out\n"})
    told = message["command"]
    assert (told["exitCode"], told["signal"], told["timedOut"], told["stderr"]) == (3, None, False, "err\n")
    assert "stdout" not in told


@pytest.mark.parametrize(
    "value", ["a b", "$(touch bad)", "; rm -rf x", "'\"\\", "--option", "two\nlines", "*", "", "é�", "{other}", "x" * 100_000]
)
def test_a_field_is_one_argument(value):
    """Whatever is in it, it arrives whole, as one argument, and is not looked into again."""
    import json

    message = one(step(*SHOW, "<{in.field}>", "next"), **{"in": {"field": value}, "other": "bad"})
    assert json.loads(message["content"]) == [f"<{value}>", "next"]


def test_what_is_no_text_is_given_as_json():
    """A number, a list and an object become arguments too."""
    message = one(step(*SHOW, "{n}", "{list[1]}", "{list}"), n=1, list=[1, {"a": 2}])
    assert message["content"] == '["1", "{\\"a\\": 2}", "[1, {\\"a\\": 2}]"]'


def test_braces_that_name_no_field_are_text():
    """What programs write in braces stays, and doubled braces are the text itself."""
    message = one(step(*SHOW, "{print $1}", "{}", "{a:{b:1}}", "{{n}}", "${n}", "a{1,2}"), n=5)
    assert message["content"] == '["{print $1}", "{}", "{a:{b:1}}", "{n}", "$5", "a{1,2}"]'


def test_the_program_itself_is_fixed():
    """In the first word nothing is filled in, so that no message can choose a program."""
    with pytest.raises(NodeFailed, match=r"no program '\{name\}'"):
        one(step("{name}"), name="true")


def test_a_script_is_fixed_too():
    """Into a script for a shell nothing is filled, only into its arguments."""
    message = one(step('echo "{x} $1 ${x-none}"', "{x}", shell=True), x="$(echo bad); y")
    assert message["content"] == "{x} $(echo bad); y none\n"


@pytest.mark.parametrize(
    ("processor", "fault"),
    [
        (step("echo", "{missing}"), "no field 'missing'"),
        (step("echo", "{bad}"), "cannot be run: embedded null byte"),
        (step("sleep", "60", timeout=200, grace=100), r"took longer than 0.2 s"),
        (step("sh", "-c", "echo why >&2; exit 2", on_exit="zero"), "'sh' ended with exit code 2: why"),
        (step("sh", "-c", "kill -9 $$", on_exit="zero"), "'sh' was ended by signal 9"),
    ],
)
def test_a_failure_says_what_and_why(processor, fault):
    """A missing field, an argument that cannot be, a time-out, and a failure that counts."""
    with pytest.raises(NodeFailed, match=fault):
        one(processor, bad="a\0b")


def test_a_time_out_has_its_exit_code():
    """The run that stops for it ends with 124."""
    with pytest.raises(NodeFailed) as raised:
        one(step("sleep", "60", timeout=200, grace=100))
    assert raised.value.exit_code == 124


def test_output_may_be_bounded():
    """With `tail` only the end is kept, and that is said."""
    message = one(step("seq", "1000", capture="tail", capture_limit=5))
    assert (message["content"], message["command"]["truncated"]) == ("1000\n", True)


def test_several_programs_work_at_once_and_messages_keep_their_order():
    """With `:concurrency` programs run side by side."""
    messages = through(step("echo", "{n}"), [{"n": number} for number in range(20)], concurrency=4)
    assert [message["content"] for message in messages] == [f"{number}\n" for number in range(20)]
