"""What Python source says without being imported: its class statements, their fields, and the strings below the fields."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .problem import Span

if TYPE_CHECKING:
    from collections.abc import Iterator


class Field(NamedTuple):
    """An annotated name in a class body."""

    line: int
    doc: str


class ClassStatement(NamedTuple):
    """One class statement. `bases` are the last parts of dotted names, `constants` the plain texts assigned in the body."""

    name: str
    """The qualified name, as `__qualname__` has it."""
    line: int
    bases: tuple[str, ...]
    constants: dict[str, str]
    fields: dict[str, Field]
    untyped: dict[str, int]
    """Names that are given a value without a type, and their lines."""


@lru_cache(maxsize=512)
def class_statements(source: str) -> dict[str, ClassStatement]:
    """Return every class statement of a module by qualified name.

    Raises:
        SyntaxError: the source is not Python.

    """
    try:
        tree = ast.parse(source)
    except ValueError as error:  # a NUL byte, before Python 3.12
        raise SyntaxError(str(error)) from None
    return {statement.name: statement for statement in _classes(tree, "")}


def read(file: Path | str) -> str:
    """Return a source file's text; bytes that are not UTF-8 do not matter to class statements."""
    return Path(file).read_text("utf-8-sig", "replace")


def line_span(file: Path | str, line: int) -> Span:
    """Return the span of one whole line of a file, without its indentation."""
    try:
        text = read(file).splitlines()[line - 1]
    except (OSError, IndexError):
        return Span(str(file), max(line, 1), 1, 1, "")
    stripped = text.strip()
    return Span(str(file), line, len(text) - len(text.lstrip()) + 1, max(len(stripped), 1), text)


def _classes(parent: ast.AST, prefix: str) -> Iterator[ClassStatement]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.ClassDef):
            yield _statement(node, prefix + node.name)
            yield from _classes(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _classes(node, f"{prefix}{node.name}.<locals>.")
        elif isinstance(node, ast.stmt):
            yield from _classes(node, prefix)


def _statement(node: ast.ClassDef, name: str) -> ClassStatement:
    bases = tuple(ast.unparse(base).split("[")[0].rpartition(".")[2] for base in node.bases)
    plain = [item for item in node.body if isinstance(item, ast.Assign)]
    untyped = {target.id: item.lineno for item in plain for target in item.targets if isinstance(target, ast.Name)}
    return ClassStatement(name, node.lineno, bases, _constants(node), _fields(node), untyped)


def _constants(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in node.body:
        targets = item.targets if isinstance(item, ast.Assign) else [item.target] if isinstance(item, ast.AnnAssign) else []
        value = getattr(item, "value", None)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found |= {target.id: value.value for target in targets if isinstance(target, ast.Name)}
    return found


def _fields(node: ast.ClassDef) -> dict[str, Field]:
    below: list[ast.stmt | None] = [*node.body[1:], None]
    return {
        item.target.id: Field(item.lineno, _text(after))
        for item, after in zip(node.body, below, strict=True)
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


def _text(item: ast.stmt | None) -> str:
    if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and isinstance(item.value.value, str):
        return " ".join(item.value.value.split())
    return ""
