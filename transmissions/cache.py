"""The cache of plans: a start whose inputs are unchanged needs neither a parser nor SHACL.

An entry names every input with the SHA-256 of its bytes, and each start reads them all again, so that no clock can deceive it;
an absent file is an input too, for it may appear. A damaged entry is a miss, a cache that cannot be written is no cache, and a
config with an error is never kept.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from . import __version__
from .errors import OutputError
from .plan import Plan, from_json, to_json
from .problem import Label, Problem, Span
from .whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FORMAT: Final = 3
_MOST_ENTRIES: Final = 256
FIRST_RUN: Final = "first run"


class Entry(NamedTuple):
    """A plan as it was cached, and what there was to say about it short of an error."""

    plan: Plan
    problems: tuple[Problem, ...]
    inputs: Mapping[str, str | None] = MappingProxyType({})
    """The digest of everything it was made from, by path; None for what was not there."""


def folder() -> Path:
    """Return where plans are kept: `$XDG_CACHE_HOME/transmissions/plans`."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - pathlib raises without a home
    return Path(root, "transmissions", "plans")


def key_of(*what: Any) -> str:
    """Return the name of the entry for an app, its target and the options that shape its plan."""
    return sha256(json.dumps([str(part) if isinstance(part, Path) else part for part in what]).encode()).hexdigest()[:32]


def digest(path: Path) -> str | None:
    """Return the digest of a file, or of the names and texts of a folder's Python files; None if there is none."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except IsADirectoryError:
        return _folder_digest(path)
    except OSError:
        return None


def _folder_digest(path: Path) -> str:
    total = sha256()
    # os.scandir and open without a buffer: this is read at every start, and a buffer and a Path took a third of the time.
    for name, place in sorted((entry.name, entry.path) for entry in os.scandir(path) if _is_module(entry)):
        text = b""
        with suppress(OSError), open(place, "rb", 0) as file:  # noqa: PTH123
            text = file.read()
        total.update(os.fsencode(name) + b"\0" + sha256(text).digest())
    return total.hexdigest()


def _is_module(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".py") and entry.is_file()


def digests(paths: Iterable[Path]) -> dict[str, str | None]:
    """Return the digest of each input, by path."""
    return {str(path): digest(path) for path in paths}


def load(key: str) -> tuple[Entry | None, str]:
    """Return the entry of a key if it still holds, and else why it does not."""
    try:
        checksum, _, body = (folder() / key).read_bytes().partition(b"\n")
    except OSError:
        return None, FIRST_RUN
    if checksum.decode("ascii", "replace") != sha256(body).hexdigest():
        return None, "the cached plan was damaged"
    data = json.loads(body)
    why = _changed(data)
    if why:
        return None, why
    return Entry(from_json(data["plan"]), tuple(map(_load_problem, data["problems"])), data["inputs"]), "cached"


def _changed(data: dict[str, Any]) -> str:
    for name, version in versions().items():
        if data["versions"].get(name) != version:
            return f"{name} is now {version}"
    for path, before in data["inputs"].items():
        now = digest(Path(path))
        if now != before:
            return f"{_name(path)} {'appeared' if before is None else 'is gone' if now is None else 'changed'}"
    return ""


def _name(path: str) -> str:
    return os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path  # noqa: PTH109


def versions() -> dict[str, Any]:
    """Return what a plan depends on beside its files."""
    return {"format": _FORMAT, "engine": __version__, "python": sys.version.partition(" ")[0]}


def store(key: str, entry: Entry) -> None:
    """Keep a plan under a key; where the cache cannot be written, do nothing."""
    problems = [problem._asdict() for problem in entry.problems]
    data = {"versions": versions(), "inputs": dict(entry.inputs), "plan": to_json(entry.plan), "problems": problems}
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")
    place = folder() / key
    with suppress(OSError, OutputError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(place, sha256(body).hexdigest().encode() + b"\n" + body)
        _prune(place.parent)


def _prune(place: Path) -> None:
    """Drop the oldest entries once there are many: every `--set` ever tried leaves one."""
    entries = list(place.iterdir())
    if len(entries) > _MOST_ENTRIES:
        for entry in sorted(entries, key=lambda entry: entry.stat().st_mtime)[: len(entries) // 2]:
            entry.unlink(missing_ok=True)


def _load_problem(data: dict[str, Any]) -> Problem:
    span = Span(*data["span"]) if data["span"] else None
    related = tuple(Label(Span(*place), text) for place, text in data["related"])
    return Problem(**{**data, "span": span, "related": related})
