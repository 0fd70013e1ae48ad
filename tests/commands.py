"""What the tests of streamed commands share."""

import asyncio
from pathlib import Path

from transmissions.streaming import BufferConfig, CommandRunner, StreamingConfig, StreamProcessor


class Trace(StreamProcessor):
    """Remembers all it is told."""

    def __init__(self):
        self.lines, self.sources, self.ends = [], [], []

    def process_line(self, line, source):
        self.lines.append(line)
        self.sources.append(source)

    def on_complete(self, exit_code):
        self.ends.append(("complete", exit_code))

    def on_error(self, error):
        self.ends.append(("error", type(error).__name__))


class Stalled(Trace):
    """Holds its first line until `gate` is opened."""

    def __init__(self):
        super().__init__()
        self.gate, self.holds = asyncio.Event(), asyncio.Event()

    async def process_line(self, line, source):
        super().process_line(line, source)
        self.holds.set()
        await self.gate.wait()


def streaming(*readers, mode="streaming", form="plain", **buffer):
    """Return a configuration with readers and a buffer."""
    return StreamingConfig(enabled=True, mode=mode, format=form, processors=readers, buffer_config=BufferConfig(**buffer))


async def command(*words, launch=None, listeners=(), **options):
    """Run a command."""
    runner = CommandRunner(launch, listeners) if launch else CommandRunner(listeners=listeners)
    return await runner.run(words[0], words[1:], **options)


async def shell(script, *readers, **options):
    """Run a script; readers, if any, stream it."""
    if readers:
        options.setdefault("streaming_config", streaming(*readers))
    return await command("sh", "-c", script, **options)


def sh(script, *readers, **options):
    """Run a script in a loop of its own."""
    return asyncio.run(shell(script, *readers, **options))


def lines_of(script, **options):
    """Return the lines a reader gets of a script."""
    trace = Trace()
    sh(script, trace, **options)
    return trace.lines


def is_gone(process):
    """Whether a process has ended: in a container, nobody may bury it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def open_files():
    """Count what this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
