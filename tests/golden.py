"""The tree that each provider's sample becomes, kept in `tests/golden`.

python tests/golden.py      writes the trees anew; look at the difference before you commit it
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from transmissions.cli import main

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden"
SAMPLES = ROOT / "apps/chat-archive/data/samples"
PROVIDERS = sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())
_OURS = (".transmissions", ".state.db")


def convert(provider: str, output: Path, *options: str) -> int:
    """Convert one provider's sample as a user would, and return the exit code."""
    return main(["run", str(ROOT / "apps/chat-archive"), str(SAMPLES / provider), "-o", str(output), "--quiet", *options])


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, but for what the run keeps for itself."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(_OURS))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def write() -> None:
    """Write all trees anew."""
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for provider in PROVIDERS:
        with tempfile.TemporaryDirectory() as name:
            output = Path(name, "out")
            code = convert(provider, output)
            if code:
                sys.exit(f"{provider} ended with {code}")
            for path, data in tree(output).items():
                place = GOLDEN / provider / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)


if __name__ == "__main__":
    write()
