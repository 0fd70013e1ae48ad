"""The list of parts that an export comes in, so that a part that was not downloaded is told of."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions import RunError

from .chatgpt_files import expected_files
from .conversation import as_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .blobs import Blob

SHAPES: Final = frozenset({"claude-manifest", "chatgpt-manifest"})
_LARGEST: Final = 16 << 20
_NAMES: Final = ("filename", "file_name", "path", "name")
_AGAIN: Final = re.compile(r" ?\(\d{1,3}\)(?=\.\w+$|$)")
"""What a browser adds to the name of a file that it downloads a second time."""

_PART: Final = re.compile(r"-\d+$")


class Manifest(NamedTuple):
    """What a manifest lists. The addresses in it are good for one download each: they are not kept."""

    files: tuple[str, ...]
    categories: frozenset[str]

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return the files listed that are not among `names`, packed or unpacked."""
        there = {_AGAIN.sub("", part) for name in names for part in name.split("/")}
        return [file for file in self.files if file not in there and _stem(file) not in there]

    def lists(self, name: str) -> bool:
        """Whether a file or folder beside the manifest belongs to it: it is listed, or named like those that are."""
        plain = _AGAIN.sub("", name)
        own = {plain, _stem(plain)} & {each for file in self.files for each in (file, _stem(file))}
        return bool(own) or _PART.sub("", _stem(plain)) in self.categories


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0]


def read_manifest(blob: Blob) -> Manifest:
    """Return the parts that a manifest lists; none if it cannot be read."""
    try:
        value = json.loads(blob.read(_LARGEST).decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError, RunError):
        value = None
    entries = [entry for entry in _entries(value) if entry.__class__ is dict]
    files = (_base(next((entry[key] for key in _NAMES if key in entry), None)) for entry in entries)
    categories = frozenset(entry["category"] for entry in entries if entry.get("category").__class__ is str)
    return Manifest(tuple(dict.fromkeys(file for file in files if file)), categories)


def _entries(value: Any) -> list[Any]:
    if value.__class__ is not dict:
        return []
    found: Any = value.get("data_files", value.get("export_files", expected_files(value)))
    return [{"filename": entry} if entry.__class__ is str else entry for entry in as_list(found)]


def _base(name: Any) -> str:
    return str(name).replace("\\", "/").rsplit("/", 1)[-1] if name.__class__ is str else ""
