"""How long an installed `trans` takes to start, as a multiple of Python's own start.

    python benchmarks/startup.py

Builds the wheel, installs it into a fresh environment and starts each command 20 times, in turns; the minimum counts.
Exits 1 if a start is slower than it may be.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 20
APP = """@prefix : <http://purl.org/stuff/transmissions/> .
:one a :EntryTransmission ; :pipe ( :nothing ) .
:nothing a :NOP .
"""


def main() -> int:
    """Measure, print the table, and say whether all limits hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scripts = install(folder)
        app = folder / "one"
        app.mkdir()
        (app / "transmissions.ttl").write_text(APP)
        trans, python = str(scripts / "trans"), str(scripts / "python")
        commands = {
            "python -c pass": [python, "-c", "pass"],
            "trans --help": [trans, "--help"],
            "trans run, plan cached": [trans, "run", str(app), "-o", str(folder / "out")],
            'python -c "import pyshacl"': [python, "-c", "import pyshacl"],
            "trans validate": [trans, "validate", str(app)],
        }
        return report(measure(commands, folder))


def install(folder: Path) -> Path:
    """Build the wheel and install it with its libraries; return the folder of the scripts."""
    tree = folder / "tree"  # setuptools would leave its build/ in the checkout, and find it there the next time
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info"))
    quietly(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, tree)
    quietly(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    quietly(python, "-m", "pip", "install", "--quiet", next(folder.glob("*.whl")))
    return python.parent


def quietly(*command: str | Path) -> None:
    """Run a command whose output is of no interest unless it fails."""
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit(result.stdout)


def measure(commands: dict[str, list[str]], folder: Path) -> dict[str, float]:
    """Return the shortest time of each command in seconds."""
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(ROUNDS):
        for name, command in commands.items():
            begin = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            best[name] = min(best[name], time.perf_counter() - begin)
    return best


def report(best: dict[str, float]) -> int:
    """Print each start against its baseline and limit; return 1 if one is above it."""
    bare, shacl = best["python -c pass"], best['python -c "import pyshacl"']
    limits = {"trans --help": (bare, 4), "trans run, plan cached": (bare, 8), "trans validate": (shacl, 1.4)}
    for name, seconds in best.items():
        baseline, limit = limits.get(name, (seconds, 0))
        ratio = f"{seconds / baseline:5.2f} x (at most {limit})" if limit else "baseline"
        print(f"{name:30}{seconds * 1000:8.1f} ms  {ratio}")
    return int(any(best[name] > baseline * limit for name, (baseline, limit) in limits.items()))


if __name__ == "__main__":
    sys.exit(main())
