"""Rows C01 to C16: what a run is told, and what it returns.

C14, a runner that cannot stream, has no counterpart: every runner can. The nearest promise is tested, that a command which
gives all its output at once is streamed all the same.
"""

import asyncio
import subprocess

import pytest
from commands import Trace, command, sh, streaming

from transmissions.errors import UsageError
from transmissions.streaming import (
    BufferConfig,
    CommandRunner,
    EventEmitter,
    ExecutionContext,
    OutputFormat,
    OverflowStrategy,
    PatternMatchProcessor,
    Script,
    StreamingConfig,
    StreamingMode,
    YamlDocumentProcessor,
)

BOTH = "echo a; echo b >&2; exit 3"
JSON = """echo '{"a": 1}'; echo no; echo '[2]'"""


def configured(script, reader, **options):
    """Run a script with a reader and what is said of streaming."""
    return sh(script, streaming_config=StreamingConfig(processors=(reader,), **options))


def kinds(result):
    """Return the types of events and what they carry, without those of the run itself."""
    return [
        (one["type"], one.get("value", one.get("text"))) for one in result.events if one["type"] not in {"started", "completed"}
    ]


def test_c01_no_config_is_batch():
    """Without a word on streaming a run is what `subprocess.run` is."""
    plain = subprocess.run(["sh", "-c", BOTH], capture_output=True)
    result = sh(BOTH)
    assert (result.stdout_bytes, result.stderr_bytes, result.returncode) == (plain.stdout, plain.stderr, plain.returncode)


def test_c02_not_enabled_is_batch():
    """A mode alone does not switch streaming on."""
    trace = Trace()
    assert configured(BOTH, trace, mode=StreamingMode.STREAMING).stdout == "a\n"
    assert (trace.lines, trace.ends) == ([], [])


def test_c03_enabled_streams():
    """Enabled, lines reach processors."""
    trace = Trace()
    configured(BOTH, trace, enabled=True, mode=StreamingMode.STREAMING)
    assert sorted(trace.lines) == ["a", "b"]


def test_c04_mode_batch_is_batch():
    """The mode counts even when streaming is enabled, and a word does for a mode."""
    trace = Trace()
    assert configured("echo a", trace, enabled=True, mode="batch").stdout == "a\n"
    assert trace.lines == []


def test_readers_without_a_mode_are_refused():
    """They would be given nothing, and nobody would say so."""
    with pytest.raises(
        UsageError, match="processors are given nothing without a mode: say STREAMING, STRUCTURED, or else BATCH"
    ):
        StreamingConfig(enabled=True, processors=(print,))


def test_c05_streaming_is_line_by_line():
    """Every line is one call."""
    trace = Trace()
    configured("seq 5", trace, enabled=True, mode="streaming")
    assert trace.lines == ["1", "2", "3", "4", "5"]


def test_c06_structured_json_parses_each_line():
    """JSON values of lines are events."""
    assert kinds(sh(JSON, streaming_config=streaming(mode="structured", form="jsonlines"))) == [
        ("json", {"a": 1}),
        ("json", [2]),
    ]


def test_c07_structured_plain_is_streaming():
    """Plain text is not parsed."""
    traces = Trace(), Trace()
    configured("seq 3", traces[0], enabled=True, mode="streaming")
    result = configured("seq 3", traces[1], enabled=True, mode="structured", format="plain")
    assert traces[0].lines == traces[1].lines
    assert kinds(result) == []


def test_c08_structured_yaml_is_a_document_each():
    """Documents are parsed one by one, the last one too; a broken one is reported and the stream goes on."""
    script = r"printf 'a: 1\n---\na: [\n--- !!int x\n---\na: 2\n...\n---\na: 3'; echo noise >&2"
    events = kinds(sh(script, streaming_config=streaming(mode="structured", form="yaml")))
    assert [value for kind, value in events if kind == "yaml"] == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert [value for kind, value in events if kind == "malformed"] == ["---\na: [", "--- !!int x"]


def test_yaml_documents_are_bounded():
    """A document that does not end is not held, and what follows is parsed."""
    script = "seq -f 'n%.0f: 1' 1000; echo ---; echo 'a: 1'"
    result = sh(script, YamlDocumentProcessor(limit=1000))
    assert [one["type"] for one in result.events][1:3] == ["malformed", "yaml"]
    assert len(result.events[1]["text"]) < 3000


def test_c09_defaults():
    """Defaults are those the contract names."""
    config = StreamingConfig()
    buffer = config.buffer_config
    assert (config.enabled, config.mode, config.format, config.processors) == (
        False,
        StreamingMode.BATCH,
        OutputFormat.PLAIN_TEXT,
        (),
    )
    assert (buffer.line_buffer_size, buffer.max_lines, buffer.block_timeout) == (8192, 10_000, 5.0)
    assert buffer.overflow_strategy is OverflowStrategy.DROP_OLDEST


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: BufferConfig(max_lines=0),
        lambda: BufferConfig(line_buffer_size=-1),
        lambda: BufferConfig(block_timeout=-1),
        lambda: BufferConfig(block_timeout=float("nan")),
        lambda: BufferConfig(overflow_strategy="Wait"),
        lambda: StreamingConfig(mode="live"),
        lambda: StreamingConfig(processors=(3,)),
        lambda: ExecutionContext(timeout=-1),
        lambda: ExecutionContext(stdin=bytearray(b"x")),
        lambda: ExecutionContext(stdin="\udc80"),
        lambda: ExecutionContext(encoding="utf-99"),
        lambda: ExecutionContext(encoding="utf-16", streaming_config=streaming()),
        lambda: ExecutionContext(errors="strict", streaming_config=streaming()),
        lambda: EventEmitter(""),
        lambda: PatternMatchProcessor(["("]),
        lambda: asyncio.run(command("true", timeuot=1)),
    ],
)
def test_c10_what_makes_no_sense_is_refused(wrong):
    """Wrong figures, words, patterns and encodings are refused before anything is started."""
    with pytest.raises(UsageError):
        wrong()


def test_words_do_for_choices():
    """A strategy given as text is that strategy."""
    assert BufferConfig(overflow_strategy="Block").overflow_strategy is OverflowStrategy.BLOCK


def test_c11_a_config_serves_runs_at_once():
    """Two runs at once with one configuration have their events apart, and it is as it was."""
    config = streaming(YamlDocumentProcessor(), EventEmitter("line"))
    before = repr(config)

    async def both():
        slow = "echo 'a: 1'; sleep 0.1; echo 'b: {0}'"
        return await asyncio.gather(*(command("sh", "-c", slow.format(n), streaming_config=config) for n in (1, 2)))

    results = asyncio.run(both())
    assert [[one["value"] for one in each.events if one["type"] == "yaml"] for each in results] == [
        [{"a": 1, "b": 1}],
        [{"a": 1, "b": 2}],
    ]
    assert repr(config) == before


def test_c12_a_result_says_it_all():
    """A result has success, texts, exit code, metadata and duration."""
    result = sh(BOTH)
    assert (result.success, result.stdout, result.stderr, result.exit_code, result.metadata) == (False, "a\n", "b\n", 3, {})
    assert result.duration > 0


def test_c13_streaming_is_of_a_context():
    """One runner streams one command and not the next."""
    runner, trace = CommandRunner(), Trace()
    contexts = [ExecutionContext(streaming_config=streaming(trace)), ExecutionContext()]

    async def both():
        return [await runner.run_with_context("echo", [text], context) for text, context in zip("ab", contexts, strict=True)]

    assert [one.stdout for one in asyncio.run(both())] == ["a\n", "b\n"]
    assert trace.lines == ["a"]


def test_c14_output_that_comes_at_once_is_streamed():
    """A command whose whole output is there at its start is read line by line."""
    trace = Trace()
    asyncio.run(command("any", launch=Script([(0, "stdout", "a\nb\nc")]), streaming_config=streaming(trace)))
    assert (trace.lines, trace.ends) == (["a", "b", "c"], [("complete", 0)])


def test_c15_streaming_uses_the_injected_launch():
    """What a runner is given to start commands with starts streamed ones, too."""
    launch, trace = Script([(0, "stderr", "x\n")], returncode=4), Trace()
    result = asyncio.run(command("no-such-program", "-v", launch=launch, streaming_config=streaming(trace)))
    assert (result.returncode, trace.lines) == (4, ["x"])
    assert [words for words, _ in launch.calls] == [("no-such-program", "-v")]
