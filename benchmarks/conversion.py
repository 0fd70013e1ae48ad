"""A Claude export becomes Markdown, against the least that any converter must do: `json.load` and writing the same files.

Each round runs every contestant in turn, in a process of its own, into a fresh folder; the table shows the shortest times,
their ratio to the baseline, and the peak memory of the process tree, which is looked at in a further run, as looking takes a
core from those who need two. The baseline loads the archive with `json.load`
and writes the files that the app made, which it has in memory; reading them there is not counted. `cj2md` (PyPI:
claude-json-to-markdown) takes part where it is installed; it writes conversations only, no artifacts and no attachments.

    python benchmarks/conversion.py                        an archive of its own, 200 MB
    python benchmarks/conversion.py --archive FILE         yours
    python benchmarks/conversion.py --mb 1200 --rounds 1
    python benchmarks/conversion.py --giant --rounds 1     one conversation of 200 MB

Exit code 1 says a limit is exceeded: 1.6 times the baseline; with full-text search and triples 1.7 times the app without;
80 MiB.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from process_tree import resident, tree

ROOT = Path(__file__).resolve().parent.parent
LIMIT, TARGETS_LIMIT, MEMORY = 1.6, 1.7, 80.0
BASELINE = "json.load, write"
TARGETS = ["--set", "database.enabled=true", "--set", "rdf.enabled=true"]
ALL = [*TARGETS, "--set", "html.enabled=true", "--set", "jsonl.enabled=true"]


def baseline(archive, tree, output):
    """Load the archive, write the files of `tree`, and print how long that took."""
    paths = [path for path in tree.rglob("*") if path.is_file()]
    files = [(str(output / path.relative_to(tree)), path.read_bytes()) for path in paths]
    began = time.perf_counter()
    with archive.open(encoding="utf-8") as file:
        json.load(file)
    folders = set()
    for path, data in files:
        folder = os.path.dirname(path)  # noqa: PTH120 - what is compared with uses no Path either
        if folder not in folders:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            folders.add(folder)
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(data)
    print(time.perf_counter() - began)


def timed(command):
    """Run a command and return its wall time in seconds."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    check(command, done.returncode, done.stderr)
    return float(done.stdout) if "--baseline" in command else took


def peak_of(command):
    """Run a command and return the peak memory of its tree in MiB, looked at every 20 ms."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, resident(tree(process.pid)) / (1 << 20))
        time.sleep(0.02)
    check(command, process.returncode, process.communicate()[1])
    return peak


def check(command, code, fault):
    """End with what a command said, if it failed."""
    if code:
        sys.exit(f"{command[0]} ended with {code}: {fault[-500:]}")


def contestants(archive, tree):
    """Return the commands that take part, each waiting for its output folder."""
    python = sys.executable
    peer = shutil.which("cj2md", path=str(Path(python).parent)) or shutil.which("cj2md")
    app = [python, "-m", "transmissions", "run", "--quiet", str(ROOT / "apps/claude-json-converter"), str(archive)]
    commands = {
        "app": [*app, "-o"],
        "app, search and triples": [*app, *TARGETS, "-o"],
        "app, every target": [*app, *ALL, "-o"],
        BASELINE: [python, __file__, "--baseline", str(archive), str(tree)],
    }
    return commands | ({"cj2md --verbose-tools": [peer, "--verbose-tools", str(archive)]} if peer else {})


def make_archive(folder, megabytes, *, giant):
    """Make an archive in a process of its own, so that this one stays small."""
    archive = folder / "conversations.json"
    command = [sys.executable, str(ROOT / "tests/generate_claude.py"), str(archive), "--mb", str(megabytes)]
    subprocess.run([*command, *(["--giant"] if giant else [])], check=True)
    return archive


def empty(folder):
    """Give back what the files of a folder hold, but keep them until the end.

    For minutes after thousands of files are removed, ext4 looks for room beside each of them whenever it makes one: whoever
    comes next would pay some seconds for it.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)


def main(argv=None):
    """Run all in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, help="an export to convert, instead of one made for the purpose")
    parser.add_argument("--mb", type=float, default=200.0, help="size of the archive that is made")
    parser.add_argument("--giant", action="store_true", help="make it of one conversation")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--baseline", nargs=3, type=Path, metavar=("ARCHIVE", "TREE", "OUT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv)
    if chosen.baseline:
        baseline(*chosen.baseline)
        return 0
    with tempfile.TemporaryDirectory(prefix="conversion-") as name:
        folder = Path(name)
        archive = chosen.archive.absolute() if chosen.archive else make_archive(folder, chosen.mb, giant=chosen.giant)
        commands = contestants(archive, folder / "warm-up")
        # So that the plans are cached, the archive is in memory, and the baseline has something to write.
        for label, command in commands.items():
            timed([*command, str(folder / ("warm-up" if label == "app" else f"warm-up-{len(label)}"))])
        times = {label: [] for label in commands}
        peaks = {}
        for turn in range(chosen.rounds + 1):
            for label, command in commands.items():
                output = folder / f"{turn}-{len(label)}"
                if turn:
                    times[label].append(timed([*command, str(output)]))
                else:
                    peaks[label] = peak_of([*command, str(output)])
                empty(output)
    return show({label: min(each) for label, each in times.items()}, peaks)


def show(times, peaks):
    """Print the table and say whether the limits hold."""
    for label, took in times.items():
        print(f"{label:24} {took:7.2f} s   {took / times[BASELINE]:5.2f} x   {peaks[label]:6.0f} MiB")
    too_slow = times["app"] > LIMIT * times[BASELINE]
    too_slow |= times["app, search and triples"] > TARGETS_LIMIT * times["app"]
    return int(too_slow or peaks["app"] > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
