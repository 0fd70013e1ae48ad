"""Commands, streamed: every line of a running program as it is written, to any number of readers.

    config = StreamingConfig(enabled=True, mode=StreamingMode.STREAMING, processors=(print,))
    result = await CommandRunner().run("make", ["test"], streaming_config=config, timeout=600)
    result.exit_code, result.stdout

Without streaming a run is what `subprocess.run(capture_output=True)` is, with time-outs that end all a command has started.
"""

from .builtin import LoggingProcessor, RateLimitedProcessor
from .child import CommandError, CommandNotFound, CommandOverflow, CommandTimeout
from .config import (
    INHERIT,
    BufferConfig,
    ExecutionContext,
    OutputFormat,
    OverflowStrategy,
    StreamingConfig,
    StreamingMode,
    StreamSource,
)
from .dialogue import Dialogue
from .emitters import EventEmitter, JsonLineProcessor, PatternMatchProcessor, YamlDocumentProcessor, parse_json
from .events import EventBus
from .lane import BufferTimeout
from .lines import Lines
from .placed import LineStep
from .play import Script
from .processor import BatchProcessor, StreamProcessor
from .recording_launch import Recorder, Replay
from .recording_reader import Recording
from .result import ExecutionResult, ReaderReport
from .runner import CommandRunner
from .stream import CommandStream

__all__ = [
    "INHERIT",
    "BatchProcessor",
    "BufferConfig",
    "BufferTimeout",
    "CommandError",
    "CommandNotFound",
    "CommandOverflow",
    "CommandRunner",
    "CommandStream",
    "CommandTimeout",
    "Dialogue",
    "EventBus",
    "EventEmitter",
    "ExecutionContext",
    "ExecutionResult",
    "JsonLineProcessor",
    "LineStep",
    "Lines",
    "LoggingProcessor",
    "OutputFormat",
    "OverflowStrategy",
    "PatternMatchProcessor",
    "RateLimitedProcessor",
    "ReaderReport",
    "Recorder",
    "Recording",
    "Replay",
    "Script",
    "StreamProcessor",
    "StreamSource",
    "StreamingConfig",
    "StreamingMode",
    "YamlDocumentProcessor",
    "parse_json",
]
