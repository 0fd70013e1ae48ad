"""Everything the documents show is run: commands print what stands below them, Turtle and Python are right.

The README is at work in a copy of the checkout, the others in an empty folder with `trans` on the path. A fenced block with a
path behind its language (```turtle apps/hello/config.ttl) is written to that file; a `console` block is run line by line;
other `turtle` blocks are parsed, and `python` blocks run. In shown output `…` stands for anything, on a line of its own for
any lines.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import pyoxigraph
import pytest
from warm_start import warmed_up

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PREFIXES = """@prefix : <http://purl.org/stuff/transmissions/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
START = """import sys
from importlib.machinery import PathFinder
class Checkout:
    @staticmethod
    def find_spec(name, path=None, target=None):
        names = ("transmissions", "transmissions.processors", "transmissions.configs", "transmissions.apps")
        return PathFinder.find_spec(name, [{home!r}]) if name in names else None
sys.meta_path.insert(0, Checkout)
sys.path[:] = [*sys.path[1:], {libraries!r}]
"""


class Block(NamedTuple):
    """One fenced block of a document."""

    line: int
    language: str
    path: str
    text: str


def blocks_of(document):
    """Return the fenced blocks of a document."""
    pattern = re.compile(r"^```(\w+)(?: ([\w./-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    text = document.read_text(encoding="utf-8")
    return [
        Block(text[: found.start()].count("\n") + 2, found[1], found[2] or "", found[3]) for found in pattern.finditer(text)
    ]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Give a copy of the checkout to all documents that work elsewhere, whose `trans` is warm: that of the README is not."""
    folder = checkout_in(tmp_path_factory.mktemp("shared") / "checkout")
    with warmed_up(folder / "trans", (folder / ".prelude.py").read_text()):
        yield folder


def checkout_in(folder):
    """Copy the checkout, with what is compiled of it, and with a `trans` that needs no set-up."""
    for name in ("transmissions", "processors", "configs", "apps"):
        shutil.copytree(ROOT / name, folder / name)
    prelude = START.format(home=str(folder), libraries=sysconfig.get_path("purelib"))
    (folder / ".prelude.py").write_text(prelude)
    (folder / ".start.py").write_text(f"{prelude}from transmissions.cli import main\nsys.exit(main())\n")
    (folder / "trans").write_text(f'#!/bin/sh\nexec {sys.executable} -S {folder}/.start.py "$@"\n')
    (folder / "trans").chmod(0o755)
    return folder


def commands_in(text):
    """Return the commands of a console block, each with the output shown below it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), "a console block begins with a command"
    pairs = [part.partition("\n") for part in parts[1:]]
    return [(command, shown.strip("\n")) for command, _, shown in pairs]


def matches(shown, printed):
    """Whether printed text is what is shown, where `…` stands for anything."""
    lines = (r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*?") + "\n" for line in shown.split("\n"))
    return re.fullmatch("".join(lines), printed.strip("\n") + "\n") is not None


class Place(NamedTuple):
    """Where a document is at work."""

    checkout: Path
    home: Path

    def run(self, command):
        """Run a command line and return its exit code and all it printed."""
        path = f"{self.checkout}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "XDG_CACHE_HOME": f"{self.home.parent}/.cache"}
        shell = ["sh", "-c", f"exec 2>&1\n{command}"]
        result = subprocess.run(shell, cwd=self.home, env=environment, capture_output=True, text=True, timeout=100)
        return result.returncode, result.stdout


def check_command(command, shown, place):
    """Run a command; what it prints must be what is shown, and where nothing is shown it must succeed."""
    code, printed = place.run(command)
    assert "Traceback" not in printed
    if shown:
        assert matches(shown, printed), f"$ {command}\n{printed}"
    else:
        assert code == 0, f"$ {command}\n{printed}"


def check_turtle(text):
    """Parse Turtle."""
    text = text if "@prefix : " in text else PREFIXES + text
    list(pyoxigraph.parse(text.encode(), format=pyoxigraph.RdfFormat.TURTLE, base_iri="http://example.org/"))


def check_python(text, place):
    """Run a block of Python."""
    block = place.checkout / ".block.py"
    block.write_text((place.checkout / ".prelude.py").read_text() + text, encoding="utf-8")
    code, printed = place.run(f"exec {sys.executable} -S {block}")
    assert code == 0, printed


def execute(block, place):
    """Do with a block what its language says."""
    if block.path:
        file = place.home / block.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
    if block.language == "turtle":
        check_turtle(block.text)
    elif block.language == "console":
        for command, shown in commands_in(block.text):
            check_command(command, shown, place)
    elif block.language == "python" and not block.path:
        check_python(block.text, place)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_is_true(document, shared, tmp_path):
    """Every block of a document, taken in order, does what the document says."""
    home = tmp_path / "home"
    place = Place(checkout_in(home), home) if document == DOCUMENTS[0] else Place(shared, home)
    home.mkdir(exist_ok=True)
    for block in blocks_of(document):
        try:
            execute(block, place)
        except (AssertionError, SyntaxError) as error:
            place.run('for one in *pid; do kill "$(cat "$one")"; done')  # what a block began and a later one was to end
            pytest.fail(f"{document.name}:{block.line}: {error}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    """Every relative link of a document names a file of the checkout."""
    prose = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", prose)
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_document_is_in_the_index():
    """docs/README.md leads to all others."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [
        path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md" and f"]({path.name})" not in index
    ] == []
