"""Steps that compute, on messages of 40 KB, by one process and by two: what `:Workers` costs and gains.

Each round runs the app with `--workers 1` and with `--workers 2` in turn, each in a process of its own, start included; a
plain loop over the same functions, with what it makes discarded, is the baseline. The table shows the shortest times, their
ratios, the processor time of all processes together (which a busy machine falsifies less), and the most memory they had.
Exit code 1 says that the limit is exceeded.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from process_tree import resident, tree

LIMIT = 0.68
"""Of the time of one process, for two processors that do nothing else."""
COUNT, SIZE = 2000, 40_000
TURTLE = """@prefix : <http://purl.org/stuff/transmissions/> .
:busy a :EntryTransmission ; :pipe ( :make [ a :Workers ; :pipe ( :count :sort ) ] :drop ) .
:make a :Make . :count a :CountWords . :sort a :SortWords . :drop a :DropAll .
"""
STEPS = f'''
"""Steps that compute."""

from collections import Counter

from transmissions import Processor, Source

COUNT, SIZE = {COUNT}, {SIZE}


def texts():
    """Make messages of a conversation's shape: a list of parts."""
    for number in range(COUNT):
        parts = [{{"id": str(n), "text": f"word{{n % 97}} and {{number}} more " * 5}} for n in range(SIZE // 120)]
        yield {{"id": number, "parts": parts}}


def count_words(message):
    """Count the words of all parts."""
    counter = Counter()
    for part in message["parts"]:
        counter.update(part["text"].split())
    message["words"] = dict(counter)
    return message


def sort_words(message):
    """Sort the words of each part."""
    message["parts"] = [" ".join(sorted(part["text"].split(), reverse=True)) for part in message["parts"]]
    return message


class Make(Source):
    """Make messages."""

    def produce(self, message):
        return texts()


class CountWords(Processor):
    """Count words."""

    def process(self, message):
        return count_words(message)


class SortWords(Processor):
    """Sort words."""

    def process(self, message):
        return sort_words(message)


class DropAll(Processor):
    """Let everything go."""

    def process(self, message):
        return None


if __name__ == "__main__":
    for text in texts():
        sort_words(count_words(text))
'''


def make_home(folder):
    app = folder / "apps" / "busy"
    app.mkdir(parents=True)
    (app / "transmissions.ttl").write_text(TURTLE)
    (folder / "processors").mkdir()
    (folder / "processors" / "busy_steps.py").write_text(STEPS)


def measure(command, folder):
    """Run a command; return its seconds, its processor time, and the most memory it held."""
    peak = 0.0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder) as process:
        ended = threading.Event()
        threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
        while not ended.wait(0.02):
            peak = max(peak, resident(tree(process.pid)) / (1 << 20))
        seconds = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help=f"fail if two take more than {LIMIT} of the time of one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_home(folder)
        trans = [sys.executable, "-P", "-m", "transmissions", "run", "busy", "-q", "--workers"]
        commands = {
            "plain loop": [sys.executable, "processors/busy_steps.py"],
            "1 process": [*trans, "1"],
            "2 processes": [*trans, "2"],
        }
        measure(commands["1 process"], folder)  # The plan is in the cache from here on.
        found = [{name: measure(command, folder) for name, command in commands.items()} for _ in range(options.rounds)]
    best = {name: min(one[name][0] for one in found) for name in commands}
    for name in commands:
        busy, peak = min(one[name][1] for one in found), max(one[name][2] for one in found)
        share = best[name] / best["1 process"]
        print(f"{name:12} {best[name]:6.2f} s   {share:5.2f} of one process   {busy:6.2f} s at work   {peak:5.0f} MiB")
    ratio = best["2 processes"] / best["1 process"]
    return int(options.check and ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
