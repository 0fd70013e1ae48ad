"""The files of a ChatGPT export: images, sound and uploads under their ids, and the sidecars that know their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .conversation import as_list, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .blobs import Blob, Members
    from .conversation import Block

_NAMES: Final = "conversation_asset_file_names.json"
_LIBRARY: Final = "library_files.json"
_ID: Final = re.compile(r"file[-_][0-9A-Za-z]")
_POINTER: Final = re.compile(r"\A[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ENDS: Final = (".", "-", "_", "")
_SHARD: Final = re.compile(r"(?:[^\s:]*/)?[\w-]+-\d{3,}\.json")
_INNER: Final = ("audio_asset_pointer", "video_container_asset_pointer")


class Assets:
    """Finds the files of one archive by the ids its messages name."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._names: dict[str, str] = {}
        for path in members.names():
            base = path.rsplit("/", 1)[-1].casefold()
            if base == _NAMES:
                self._take_names(members.json(path))
            elif base == _LIBRARY:
                self._take_library(members.json(path))

    def _take_names(self, sidecar: Any) -> None:
        """Learn the original names of files; either may be the key."""
        for key, value in sidecar.items() if sidecar.__class__ is dict else ():
            name = value if value.__class__ is str else _name_in(value)
            if not name:
                continue
            if _ID.match(_stem(key)) or self._members.find(key):
                self._names.setdefault(_stem(key), name)
            else:
                self._names.setdefault(_stem(name), key)

    def _take_library(self, sidecar: Any) -> None:
        entries = sidecar.get("files", sidecar.get("items", [])) if sidecar.__class__ is dict else sidecar
        for entry in as_list(entries):
            name = _name_in(entry)
            for key in ("id", "file_id", "library_file_id") if name else ():
                if entry.get(key).__class__ is str:
                    self._names.setdefault(_stem(entry[key]), name)

    def find(self, identifier: str) -> Blob | None:
        """Return the file of an id: `ID.dat`, `ID-name.png`, in whatever folder."""
        for end in _ENDS if identifier else ():
            blob = self._members.find(identifier + end)
            if blob is None:
                continue
            base = blob.name.rsplit("/", 1)[-1]
            if blob.name == identifier or not base[len(identifier) : len(identifier) + 1].isalnum():
                return blob
        return None

    def name(self, identifier: str, blob: Blob | None) -> str:
        """Return the original name of a file, as far as the archive knows it."""
        base = blob.name.rsplit("/", 1)[-1] if blob else ""
        known = self._names.get(identifier) or self._names.get(_stem(base))
        if known or not base.startswith(f"{identifier}-"):
            return known or base
        return base[len(identifier) + 1 :] or base


def _name_in(entry: Any) -> str:
    if entry.__class__ is not dict:
        return ""
    names = (entry.get(key) for key in ("name", "file_name", "filename", "original_name"))
    return next((name for name in names if name.__class__ is str and name), "")


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(".dat")


def id_of(pointer: Any) -> str:
    """Return the id in `file-service://file-ID`, `sediment://file_ID` or the like."""
    text = as_text(pointer)
    return re.split(r"[?#]", _POINTER.sub("", text, count=1), maxsplit=1)[0]


def pointers(part: Any) -> Iterator[tuple[str, str]]:
    """Yield the pointers to files in a part of a message, each with the type of what is there."""
    if part.__class__ is not dict:
        return
    kind = as_text(part.get("content_type"))
    if part.get("asset_pointer").__class__ is str and part["asset_pointer"]:
        yield part["asset_pointer"], _type_of(kind)
    for key in _INNER:
        inner = part.get(key)
        pointer = inner.get("asset_pointer") if inner.__class__ is dict else inner
        if pointer.__class__ is str and pointer:
            yield pointer, _type_of(key)
    for frame in as_list(part.get("frames_asset_pointers")):
        yield from pointers({"content_type": "image", **frame} if frame.__class__ is dict else None)


def _type_of(kind: str) -> str:
    return next((word for word in ("image", "audio", "video") if word in kind), "file")


def file_blocks(part: Any, assets: Assets, sources: tuple[str, ...] = ()) -> list[Block]:
    """Return a block for each file a part points to; the first stands for `sources`."""
    blocks: list[Block] = []
    for pointer, kind in pointers(part):
        blocks.append({"kind": "file", **_entry(id_of(pointer), "", assets), "type": kind, "sources": sources})
        sources = ()
    return blocks


def _entry(identifier: str, name: str, assets: Assets) -> dict[str, Any]:
    blob = assets.find(identifier)
    entry: dict[str, Any] = {"name": name or assets.name(identifier, blob), "id": identifier}
    if blob is not None:
        entry["content"] = blob
    return entry


def files_of(entries: Any, blocks: list[Block], assets: Assets) -> list[dict[str, Any]]:
    """Return the files a message lists. One that has a block in it already keeps its content there."""
    shown = {block["id"]: block for block in blocks if block["kind"] == "file"}
    files = []
    for entry in as_list(entries):
        get = entry.get if entry.__class__ is dict else {"name": entry}.get
        identifier, name = id_of(get("id")), as_text(get("name"))
        block = shown.get(identifier)
        if block is not None:
            block["name"] = name or block["name"]
        files.append({"name": block["name"], "id": identifier} if block else _entry(identifier, name, assets))
    return files


def expected_files(manifest: Any) -> list[str]:
    """Return the shards that an `export_manifest.json` names, `conversations-000.json` and the like, whatever its layout."""
    found: dict[str, None] = {}
    waiting = [manifest]
    while waiting:
        value = waiting.pop()
        if value.__class__ is dict:
            waiting += [*reversed(value.values()), *reversed(value)]
        elif value.__class__ is list:
            waiting.extend(reversed(value))
        elif value.__class__ is str and _SHARD.fullmatch(value):
            found[value] = None
    return list(found)
