"""What streaming a command costs, as a multiple of `subprocess.run(capture_output=True)` in the same rounds.

    python benchmarks/command.py [ROUNDS]

Producers: `cat` of 80 MB, `seq` (a write for each 4 KiB), an unbuffered Python (a write for each line), and a tiny `sh`.
The result is the same in all: both outputs whole, and the exit code; text where the baseline has text. Rounds are
interleaved, and the minimum of each counts; wall time, and CPU time of this process, which is limited too where nobody
reads lines. Exits 1 if a limit does not hold.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from transmissions.streaming import (
    BatchProcessor,
    BufferConfig,
    CommandRunner,
    OverflowStrategy,
    StreamingConfig,
    StreamingMode,
    StreamProcessor,
)

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 30
LINES = 1_000_000
PRINTS = f"for number in range({LINES // 5}): print('%079d' % number)"
LONG = "import sys; sys.stdout.write('x' * 100_000_000)"
ALONE = 1.05
"""The limit where nobody reads lines."""
BUFFER = BufferConfig(max_lines=100_000, overflow_strategy=OverflowStrategy.BLOCK, block_timeout=None)


class Blocks(BatchProcessor):
    """Looks at the text of lines, many at once."""

    seen = 0

    def process_batch(self, lines):
        self.seen += len(lines.text)


class Batches(BatchProcessor):
    """Looks at lines, a list at once."""

    seen = 0

    def process_batch(self, lines):
        self.seen += len(lines.texts)


class Each(StreamProcessor):
    """Looks at each line."""

    seen = 0

    def process_line(self, line, source):
        self.seen += len(line) > 0


class Awaited(StreamProcessor):
    """Looks at each line, with `async def`."""

    seen = 0

    async def process_line(self, line, source):
        self.seen += len(line) > 0


def baseline(command, **options):
    """Run a command as the standard library does."""
    result = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, **options)
    return len(result.stdout)


class Ours:
    """The runner, in a loop that runs already."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def __call__(self, command, readers=(), *, text=False):
        """Run a command with readers; their counts must be right."""
        return self.loop.run_until_complete(self.run(command, readers, text=text))

    async def run(self, command, readers, *, text):
        """Return how much it wrote: the result itself would be shown whole by a task's repr."""
        config = StreamingConfig(enabled=True, mode=StreamingMode.STREAMING, processors=readers, buffer_config=BUFFER)
        result = await CommandRunner().run(command[0], command[1:], streaming_config=config if readers else None)
        assert result.success, result.stderr
        assert all(one.handled == one.offered and not one.dropped for one in result.readers), result.readers
        return len(result.stdout if text else result.stdout_bytes)


def best_of(runs, rounds):
    """Return the shortest wall and CPU time of each."""
    best = dict.fromkeys(runs, (float("inf"), float("inf")))
    sizes = set()
    for _ in range(rounds):
        for name, run in runs.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            sizes.add(run())
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            best[name] = (min(best[name][0], wall), min(best[name][1], cpu))
    assert len(sizes) == 1, f"the outputs differ: {sizes}"
    return best


def compare(title, runs, limits, rounds):
    """Print one producer's table; return whether its limits hold."""
    best = best_of(runs, rounds)
    holds = True
    print(f"\n{title}: minimum of {rounds} rounds")
    for name, (wall, cpu) in best.items():
        against, limit = limits.get(name, (None, None))
        if against is None:
            print(f"  {name:34}{wall * 1000:9.1f} ms  baseline")
            continue
        ratios = wall / best[against][0], cpu / best[against][1]
        good = limit is None or (max(ratios) if limit == ALONE else ratios[0]) <= limit
        holds &= good
        said = "" if limit is None else f"  (at most {limit})" + ("" if good else "  TOO SLOW")
        print(f"  {name:34}{wall * 1000:9.1f} ms {ratios[0]:6.2f} x wall {ratios[1]:6.2f} x CPU of {against}{said}")
    return holds


def streams(folder, ours):
    """Compare the three producers of many lines."""
    data = folder / "lines.txt"
    data.write_text("".join(f"{number:079d}\n" for number in range(LINES)))
    producers = {
        "cat of 80 MB": ["cat", str(data)],
        "seq": ["seq", "-f", "%079.0f", str(LINES)],
        "python -u (16 MB)": [sys.executable, "-u", "-c", PRINTS],
    }
    holds = True
    for title, command in producers.items():
        runs = {
            "subprocess.run": lambda command=command: baseline(command),
            "nobody reads lines": lambda command=command: ours(command),
            "subprocess.run, text": lambda command=command: baseline(command, encoding="utf-8", errors="replace"),
            "nobody reads lines, text": lambda command=command: ours(command, text=True),
            "3 readers of batches": lambda command=command: ours(command, (Blocks(), Blocks(), Blocks())),
            "3 readers of lists of lines": lambda command=command: ours(command, (Batches(), Batches(), Batches())),
            "1 reader of each line": lambda command=command: ours(command, (Each(),)),
            "1 reader of each line, async": lambda command=command: ours(command, (Awaited(),)),
        }
        limits = {
            "nobody reads lines": ("subprocess.run", ALONE),
            "nobody reads lines, text": ("subprocess.run, text", ALONE),
            "3 readers of batches": ("subprocess.run", 1.3),
            "3 readers of lists of lines": ("subprocess.run, text", 1.3),
            "1 reader of each line": ("subprocess.run", 3.0),
            "1 reader of each line, async": ("subprocess.run", None),
        }
        holds &= compare(title, runs, limits, ROUNDS)
    return holds


def small_and_long(ours):
    """Compare a tiny command, and one line of 100 MB."""
    tiny = ["sh", "-c", "echo hello; echo err >&2"]
    best = best_of({"subprocess.run": lambda: baseline(tiny), "ours": lambda: ours(tiny)}, ROUNDS * 5)
    more = (best["ours"][0] - best["subprocess.run"][0]) * 1000
    print(f"\ntiny sh: {more:+.2f} ms (at most +0.3)")
    long = [sys.executable, "-c", LONG]
    runs = {
        "subprocess.run": lambda: baseline(long),
        "1 reader of each line": lambda: ours(long, (Each(),)),
    }
    limits = {"1 reader of each line": ("subprocess.run", 3.0)}
    return compare("one line of 100 MB", runs, limits, max(3, ROUNDS // 6)) and more <= 0.3


def memory():
    """Print how much memory 800 MB of output take when only a tail is kept."""
    program = (
        "import asyncio, re\n"
        "from pathlib import Path\n"
        "from transmissions.streaming import *\n"
        "def peak(): return int(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1])\n"  # not the parent's
        "before = peak()\n"
        "config = StreamingConfig(enabled=True, mode=StreamingMode.STREAMING, processors=(lambda line, source: None,))\n"
        "run = CommandRunner().run('seq', ['-f', '%079.0f', '10000000'], capture='tail', streaming_config=config)\n"
        "result = asyncio.run(run)\n"
        "assert result.totals['stdout'] == 800_000_000, result.totals\n"
        "print(peak() - before)\n"
    )
    more = int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout) / 1024
    print(f"\n800 MB of output, 10,000 lines and 1 MiB kept: {more:+.1f} MiB of memory (at most +16)")
    return more <= 16


def main() -> int:
    """Measure everything, and say whether all limits hold."""
    ours = Ours()
    with tempfile.TemporaryDirectory() as folder:
        holds = streams(Path(folder), ours)
    holds &= small_and_long(ours)
    holds &= memory()
    print("\nall limits hold" if holds else "\nnot every limit holds")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
