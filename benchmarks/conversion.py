"""A Claude export becomes Markdown: the app, the same steps in a plain loop without the engine, and `cj2md --verbose-tools`.

Each round runs every one in turn, in a process of its own, into a fresh folder; the table shows the shortest times, their
ratio to the last, and the largest peak memory of the process tree. `cj2md` (PyPI: claude-json-to-markdown) takes part where
it is installed; it writes conversations only, no artifacts and no attachments.

    python benchmarks/conversion.py                        an archive of its own, 200 MB
    python benchmarks/conversion.py --archive FILE         yours
    python benchmarks/conversion.py --mb 1200 --rounds 1

Exit code 1 says a limit is exceeded: 1.25 times cj2md, 80 MiB.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
LIMIT, MEMORY = 1.25, 80.0


def without_engine(archive, output):
    """Do what the app does, in a loop."""
    from transmissions.context import Context, Folders
    from transmissions.processors.archive import ArchiveReader
    from transmissions.processors.claude import ClaudeConversations
    from transmissions.processors.markdown import ConversationMarkdown
    from transmissions.processors.reports import ConversionReport
    from transmissions.processors.tree_writer import TreeWriter

    output.mkdir()
    services = SimpleNamespace(emit=lambda *_: None, reject=print, skip=print)
    folders = Folders(app=archive.parent, data=archive.parent, output=output, roots=(archive,))
    steps = [
        ArchiveReader(archive=str(archive)),
        ClaudeConversations(),
        ConversationMarkdown(),
        TreeWriter(),
        ConversionReport(),
    ]
    for step in steps:
        step.attach(Context("loop", None, folders, logging.getLogger("loop"), services))
    read, *others = steps
    first = {}
    for message in read.produce(first):
        for step in others:
            message = step.process(message)  # noqa: PLW2901 - the message goes on
    steps[3].finish()
    steps[4].end_group(first)
    steps[4].finish()


def resident(pid):
    """Return the resident memory of a process and its children, in MiB."""
    total = 0
    for task in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            _, _, rest = (task / "stat").read_text().rpartition(") ")
            if pid in {int(task.name), int(rest.split()[1])}:
                total += int((task / "statm").read_text().split()[1]) * 4096
    return total / (1 << 20)


def measure(command):
    """Run a command; return its wall time in seconds, and the peak memory of its tree in MiB, looked at every 20 ms."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(0.02)
    took = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}: {process.stderr.read().decode()[-500:]}")
    process.stderr.close()
    return took, peak


def contestants(archive):
    """Return the commands that take part, each waiting for its output folder."""
    python = sys.executable
    peer = shutil.which("cj2md", path=str(Path(python).parent)) or shutil.which("cj2md")
    commands = {
        "app": [python, "-m", "transmissions", "run", "--quiet", str(ROOT / "apps/claude-json-converter"), str(archive), "-o"],
        "plain loop": [python, __file__, "--loop", str(archive)],
    }
    return commands | ({"cj2md --verbose-tools": [peer, "--verbose-tools", str(archive)]} if peer else {})


def make_archive(folder, megabytes):
    """Make an archive in a process of its own, so that this one stays small."""
    archive = folder / "conversations.json"
    subprocess.run([sys.executable, str(ROOT / "tests/generate_claude.py"), str(archive), "--mb", str(megabytes)], check=True)
    return archive


def main(argv=None):
    """Run all in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, help="an export to convert, instead of one made for the purpose")
    parser.add_argument("--mb", type=float, default=200.0, help="size of the archive that is made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loop", nargs=2, type=Path, metavar=("ARCHIVE", "OUT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv)
    if chosen.loop:
        without_engine(*chosen.loop)
        return 0
    with tempfile.TemporaryDirectory(prefix="conversion-") as name:
        folder = Path(name)
        archive = chosen.archive.absolute() if chosen.archive else make_archive(folder, chosen.mb)
        commands = contestants(archive)
        measure([*commands["app"], str(folder / "warm-up")])  # so that the plan is cached and the file is in memory
        found = {label: [] for label in commands}
        for turn in range(chosen.rounds):
            for label, command in commands.items():
                found[label].append(measure([*command, str(folder / f"{label.split()[0]}-{turn}")]))
    return show(found)


def show(found):
    """Print the table and say whether the limits hold."""
    times = {label: min(took for took, _ in runs) for label, runs in found.items()}
    *_, base = times
    for label, runs in found.items():
        peak = max(peak for _, peak in runs)
        print(f"{label:22} {times[label]:7.2f} s   {times[label] / times[base]:5.2f} x   {peak:6.0f} MiB")
    too_slow = base.startswith("cj2md") and times["app"] > LIMIT * times[base]
    return int(too_slow or max(peak for _, peak in found["app"]) > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
