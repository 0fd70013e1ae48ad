"""The house's own measures: short files, short functions, one sentence for every test."""

import ast
import os
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 250
MEDIAN, P90 = 8, 25
DEEPEST = 3
CODE = sorted(file for part in ("transmissions", "processors") for file in (ROOT / part).rglob("*.py"))
TESTS = sorted(file for part in ("tests", "apps") for file in (ROOT / part).rglob("*.py"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


@cache
def parsed(file):
    """Return the syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


def functions(files):
    """Yield every function of some files, with a name to find it by."""
    for file in files:
        for node in ast.walk(parsed(file)):
            if isinstance(node, FUNCTION):
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", node


def length(node):
    """Count the lines of a function without its docstring."""
    start = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.body[0].lineno
    return node.end_lineno - start + 1


def depth(node):
    """Count how deep the statements of a function are nested; an `elif` is not deeper than its `if`."""

    def inner(node, *, chained=False):
        here = int(isinstance(node, NESTING) and not chained)
        below = [0]
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, FUNCTION):
                is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
                below.append(inner(child, chained=is_elif))
        return here + max(below)

    return max(inner(statement) for statement in node.body)


def test_files_are_short():
    """No file of the engine or the library is longer than 250 lines."""
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in CODE}
    assert {name: count for name, count in lengths.items() if count > LONGEST_FILE} == {}


def test_functions_are_short():
    """Half of all functions have at most 8 lines, nine of ten at most 25."""
    lengths = [length(node) for _, node in functions(CODE)]
    assert median(lengths) <= MEDIAN
    assert quantiles(lengths, n=10)[-1] <= P90


def test_nothing_is_nested_deeper_than_three():
    """No statement stands deeper than three levels in its function."""
    assert [name for name, node in functions(CODE) if depth(node) > DEEPEST] == []


def test_every_test_says_what_it_shows():
    """Every test has a docstring of one sentence."""
    docs = {name: ast.get_docstring(node) or "" for name, node in functions(TESTS) if node.name.startswith("test_")}
    assert [name for name, doc in docs.items() if not doc.endswith(".") or "\n\n" in doc] == []


def test_broad_excepts_stand_where_foreign_code_is_called():
    """Catching whatever is raised is the business of who calls code of others, and of the last door."""
    found = {file.name for file in CODE if any(map(_is_broad, ast.walk(parsed(file))))}
    # errors.py has foreign values tell their words, worker.py calls the readers of a command, and side.py hands what was
    # raised in a thread to who waits for it.
    assert found <= {"node.py", "supervisor.py", "cli.py", "errors.py", "worker.py", "side.py"}


def _is_broad(node):
    broad = {"Exception", "BaseException", "FAULTS"}
    if not isinstance(node, ast.ExceptHandler):
        return False
    names = {inner.id for inner in ast.walk(node.type) if isinstance(inner, ast.Name)} if node.type else broad
    reraises = isinstance(node.body[-1], ast.Raise)
    return bool(names & broad) and not reraises


@pytest.mark.parametrize("script", ["trans", "check", ".ci/run"])
def test_scripts_are_executable(script):
    """The doors can be opened in a fresh clone."""
    assert os.access(ROOT / script, os.X_OK)


def test_nobody_is_told_to_install_this_project_by_name():
    """A package index has others of this name; what is missing is named by its own libraries."""
    assert [file.name for file in CODE if "pip install 'transmissions" in file.read_text("utf-8")] == ["extras.py"]
