"""Programs that are talked to."""

import asyncio

import pytest

from transmissions.streaming import CommandNotFound, Dialogue, ExecutionContext


def talk(command, *said, longest=1 << 20, count=None, grace=5.0):
    """Return what a program says to lines, or the first `count` lines of it, and its complaints."""

    async def work():
        dialogue = Dialogue(command, ExecutionContext(stdin="", grace=grace), longest)
        heard = []
        async with dialogue:
            for line in said:
                await dialogue.send(line)
            if count != 0:
                async for line in dialogue.lines():
                    heard.append(line)
                    if len(heard) == count:
                        break
        return heard, dialogue.complaints, dialogue.is_broken

    return asyncio.run(work())


def test_lines_go_there_and_back():
    """Of any bytes; a line is there when its end is."""
    assert talk(("cat",), b"a\n\n", b"\xff b", b"\r\n", count=3)[0] == [b"a", b"", b"\xff b\r"]


def test_a_program_that_says_more_than_is_heard_waits():
    """Nothing of it is lost."""
    heard, _, _ = talk(("sh", "-c", "seq 500000"))
    assert (len(heard), heard[0], heard[-1]) == (500_000, b"1", b"500000")


def test_a_line_that_is_too_long_is_the_last():
    """The lines before it were heard."""
    heard, _, is_broken = talk(("sh", "-c", "echo one; head -c 100000 /dev/zero; cat"), longest=50_000)
    assert (heard, is_broken) == ([b"one"], True)


def test_the_last_of_its_complaints_is_kept():
    """A few KiB."""
    _, complaints, _ = talk(("sh", "-c", "seq 5000 >&2"))
    assert complaints.endswith("4999\n5000\n")
    assert len(complaints) == 4096


def test_a_program_that_does_not_go_is_ended():
    """Whether it listens to the end of its input or not, and whatever is still to be read."""
    assert talk(("sh", "-c", "trap '' TERM; while :; do echo y; done"), count=1, grace=0.2)[0] == [b"y"]
    assert talk(("sleep", "1000"), count=0, grace=0.2)[0] == []


def test_what_is_said_to_a_program_that_has_gone_is_no_failure():
    """It does not want to hear it."""
    assert talk(("true",), b"x" * 1_000_000 + b"\n")[0] == []


def test_a_program_that_is_not_there_is_named():
    """As for any other command."""
    with pytest.raises(CommandNotFound, match="there is no program 'no-such-program' on PATH"):
        talk(("no-such-program",))
