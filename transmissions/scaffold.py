"""Folders and files laid out from the templates in `configs/templates/`.

The tree of a template is the tree it makes; NAME and MODULE in a path stand for the names given.
"""

from __future__ import annotations

import contextlib
import keyword
import re
from typing import TYPE_CHECKING

from . import vocabulary
from .errors import UsageError, cannot_write
from .homes import bundled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUFFIX = ".jinja"


def names_for(name: str) -> dict[str, str]:
    """Return what the templates may ask for: the name as given, as a Python module, and as a class.

    Raises:
        UsageError: the name cannot be a folder, a Turtle term and a class alike.

    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*", name):
        rule = "a letter, then letters and digits, with single - or _ between them, all of them ASCII"
        raise UsageError(f"'{name}' cannot be a name here: {rule}")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").split("-")
    capitals = "".join(word[:1].upper() + word[1:] for word in words)
    return {"name": name, "module": "_".join(words).lower(), "class": capitals}


def is_word(names: dict[str, str]) -> bool:
    """Whether Python or the vocabulary already means something by the names of a processor's module and class."""
    words = {*vocabulary.comments(), *keyword.kwlist, "Message"}
    return names["class"] in words or keyword.iskeyword(names["module"])


def lay_out(template: str, home: Path, names: dict[str, str]) -> list[Path]:
    """Write the files of a template into a home and return them, sorted.

    Raises:
        UsageError: one of them is there already.
        OutputError: one of them cannot be written; then none is left.

    """
    files = dict(_render(template, home, names))
    for path in files:
        if path.exists() or path.is_symlink():
            raise UsageError(f"'{path}' is there already; nothing was written")
    with contextlib.ExitStack() as undo:
        for path, text in files.items():
            make_folder(path.parent)
            with _writing(path), path.open("x", encoding="utf-8") as file:
                undo.callback(path.unlink, missing_ok=True)
                file.write(text)
        undo.pop_all()
    return sorted(files)


def make_folder(folder: Path) -> None:
    """Make a folder and those around it, if they are missing.

    Raises:
        OutputError: it cannot be made.

    """
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def _render(template: str, home: Path, names: dict[str, str]) -> Iterator[tuple[Path, str]]:
    import jinja2

    root = bundled().folder / "configs" / "templates" / template
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    for source in sorted(root.rglob(f"*{_SUFFIX}")):
        place = str(source.relative_to(root)).removesuffix(_SUFFIX)
        place = place.replace("NAME", names["name"]).replace("MODULE", names["module"])
        yield home / place, environment.from_string(source.read_text(encoding="utf-8")).render(names)
