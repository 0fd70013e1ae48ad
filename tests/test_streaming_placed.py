"""Readers of lines in a pipe: classes of `processors/*.py` that are StreamProcessors, by name and by `:implementedBy`."""

import asyncio

import pytest

import transmissions
from transmissions import ConfigError, NodeFailed, Processor, RunTimeout
from transmissions.homes import find_app
from transmissions.processors.command import CommandSource
from transmissions.registry import Registry
from transmissions.streaming import BatchProcessor, LineStep, StreamProcessor
from transmissions.testing import assert_contract, through

HEAD = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
READER = '''
from transmissions.streaming import LineStep, StreamProcessor, StreamSource


class Loudest(StreamProcessor):
    """Remember the longest line."""

    def __init__(self, least: int = 0) -> None:
        self.longest, self.least = "", least

    def attach(self, publish):
        self.publish = publish

    def process_line(self, line, source):
        if source is StreamSource.STDOUT and len(line) > max(self.least, len(self.longest)):
            self.longest = line

    def on_complete(self, exit_code):
        self.publish("loudest", {"line": self.longest, "code": exit_code}, 0.0)


class LongLines(LineStep):
    """Remember the longest line, if it is long."""

    least: int = 10
    "How long it is."

    def reader(self):
        return Loudest(self.least)
'''


class Trace(StreamProcessor):
    """Remember what it is told; its latest one is in `made`."""

    made = None

    def __init__(self):
        type(self).made = self
        self.trace = []

    async def process_line(self, line, source):
        self.trace.append((str(source), line))
        if line == "bad":
            raise ValueError("a bad line")

    def on_complete(self, exit_code):
        self.trace.append(("complete", exit_code))

    async def on_error(self, error):
        self.trace.append(("error", type(error).__name__))


class Batches(BatchProcessor):
    """Remember lines with their numbers."""

    made = None

    def __init__(self):
        type(self).made = self
        self.seen = []

    def process_batch(self, lines):
        self.seen += [(number, text, lines.time > 0) for number, text in lines.numbered()]


def script(text, **settings):
    """Return a source that runs a script."""
    return CommandSource(command=("sh", "-c", text), **settings)


def write_home(folder, pipe, readers):
    """Write a home with an app and its readers."""
    (folder / "apps/it/data").mkdir(parents=True)
    (folder / "processors").mkdir()
    (folder / "processors/readers.py").write_text(readers)
    (folder / "apps/it/transmissions.ttl").write_text(f"{HEAD}:main a :EntryTransmission ; :pipe ( {pipe}")


def events_of(folder, node, *command):
    """Run an app with a reader of its home, and return the events of type `loudest`."""
    write_home(
        folder, f":run :read ) . :run a :CommandSource ; :command ( {' '.join(map(repr, command))} ) . :read {node} .", READER
    )
    found = []

    async def main():
        run = transmissions.open(str(folder / "apps/it"))
        run.on("loudest", lambda _, fields: found.append((fields["line"], fields["code"])))
        async with run:
            return await run.wait()

    assert asyncio.run(main()).sent == 3
    return found


@pytest.mark.parametrize(
    ("node", "longest"),
    [
        ("a :Loudest", "two"),
        ("a :Anything ; :implementedBy 'readers:Loudest'", "two"),
        ("a :LongLines ; :least 2", "two"),
        ("a :LongLines", ""),
    ],
)
def test_a_reader_of_a_home_stands_in_a_pipe(tmp_path, node, longest):
    """By the name of its class, by `:implementedBy`, or with settings behind a LineStep; it is told the exit code."""
    assert events_of(tmp_path, node, "sh", "-c", "echo 1; echo two; echo and three >&2; exit 4") == [(longest, 4)]


def test_a_reader_is_described_as_a_processor_is(tmp_path):
    """Its docstring is its summary, and it is among the processors an app can name."""
    events_of(tmp_path, "a :Loudest", "seq", "3")
    registry = Registry.for_app(find_app(str(tmp_path / "apps/it")))
    assert {"Loudest", "LongLines"} <= set(registry.names())
    spec = registry.named("Loudest")
    assert (spec.summary, spec.stateful, [setting.term for setting in spec.settings]) == (
        "Remember the longest line.",
        True,
        ["inputField"],
    )


def test_a_reader_with_arguments_says_what_it_needs(tmp_path):
    """A class that cannot be made without arguments is refused before a run, at its node."""
    write_home(tmp_path, ":r ) . :r a :Loudest .", READER.replace("least: int = 0", "least: int"))
    with pytest.raises(ConfigError, match=r"cannot be made without arguments.*reader\(\) of a LineStep"):
        transmissions.run(str(tmp_path / "apps/it"))


def test_lines_and_their_end_are_handed_on_in_order():
    """Every line with its source, then the exit code; messages go on unchanged."""
    messages = through([script("echo a; echo b >&2; exit 3", order="exact"), Trace.as_step()()], [{}])
    assert [message["line"] for message in messages] == ["a", "b"]
    assert Trace.made.trace == [("stdout", "a"), ("stderr", "b"), ("complete", 3)]


def test_each_program_has_its_end():
    """Two programs after each other are completed each; a stream of no program once."""
    through([script("echo a"), Trace.as_step()()], [{}, {}])
    assert Trace.made.trace == [("stdout", "a"), ("complete", 0)] * 2
    through(Trace.as_step()(), [{"line": "x"}, {"other": 1}])
    assert Trace.made.trace == [("stdout", "x"), ("complete", None)]
    through(Trace.as_step()(), [])
    assert Trace.made.trace == [("complete", None)]


def test_a_time_out_is_an_error():
    """A reader is told of it in place of the end."""
    with pytest.raises(NodeFailed) as raised:
        through([script("echo a; sleep 60", timeout=300, grace=100), Trace.as_step()()], [{}])
    assert isinstance(raised.value.cause, RunTimeout)
    assert Trace.made.trace == [("stdout", "a"), ("error", "RunTimeout")]


def test_a_failure_of_the_run_is_an_error():
    """Where another step fails, the reader hears of it."""
    with pytest.raises(NodeFailed):
        through([script("echo a; sleep 60"), Trace.as_step()(), Broken()], [{}])
    assert Trace.made.trace[-1][0] == "error"


class Broken(Processor):
    """Fail."""

    def process(self, message):
        raise ValueError("broken")


def test_a_reader_that_fails_is_a_step_that_fails():
    """It is told of its failure, and the node's policy decides."""
    messages = through([script("echo a; echo bad; echo c"), Trace.as_step()()], [{}], on_error="skip")
    assert [message["line"] for message in messages] == ["a", "c"]
    assert Trace.made.trace[1:3] == [("stdout", "bad"), ("error", "ValueError")]
    assert Trace.made.trace[-1] == ("complete", 0)


def test_a_reader_of_batches_stands_in_a_pipe():
    """It gets the lines with their numbers and times."""
    through([script("seq 3"), Batches.as_step()()], [{}])
    assert Batches.made.seen == [(1, "1", True), (2, "2", True), (3, "3", True)]


def test_a_step_with_a_reader_keeps_the_contract():
    """It takes an empty stream, a stream, and a failing run behind it."""
    assert_contract(Trace.as_step(), [{"line": "a"}, {"line": "b", "source": "stderr"}])


def test_a_step_without_a_reader_says_so():
    """LineStep itself reads nothing."""
    with pytest.raises(transmissions.UsageError, match=r"no reader\(\)"):
        LineStep()
