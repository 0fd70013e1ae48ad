"""Find the files of an archive: one file, the files of a folder, the members of ZIPs, and of ZIPs in those."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from transmissions import RunError

from .blobs import Blob
from .event_lines import GLANCE, holds_events
from .manifest import SHAPES as MANIFESTS
from .manifest import read_manifest
from .shape import HEAD, Shape
from .shapes import find_shape
from .zip_archive import MAGIC, Limits, fault_of, members

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANY: Final = 200_000
_GLANCE: Final = 64
_DOCUMENT: Final = frozenset({"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"})
"""What is in ZIPs that are documents or programs: attachments, no archives."""
_HOMES: Final = frozenset({".claude", ".codex", ".gemini", ".lmstudio"})
"""Hidden folders in which programs keep the chats themselves."""
_HIDDEN: Final = re.compile(rf"/(?:\.(?!\.?/)(?!(?:{'|'.join(home[1:] for home in sorted(_HOMES))})/)|__MACOSX/)")
"""A step of a member's name that hides it; `./` and `../` do not."""


class Part(NamedTuple):
    """One file of an archive."""

    blob: Blob
    shape: Shape | None
    holds: str
    """What is in it, in words."""
    fault: str = ""
    """Why it cannot be read."""
    is_json: bool = False


class Archive:
    """The files of a chat archive in a fixed order, that of their names.

    A ZIP in a ZIP is unpacked into a temporary folder, which lives as long as this does.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits
        self._folder: Path | None = None
        self.hidden: list[str] = []
        """What is in the folder and was not looked at: names that begin with a dot, links."""
        if not (path.is_dir() or path.is_file()):
            raise RunError(f"no archive at '{path}'")
        self._faults: list[Part] = []
        found = list(self._parts_below(path, path) if path.is_dir() else self._parts_at(path))
        self.parts = sorted([*found, *self._faults], key=lambda part: part.blob.name)
        self.hidden.sort()

    def _parts_at(self, path: Path) -> list[Part]:
        """Return the parts of one file. A manifest alone stands for what lies beside it and belongs to it."""
        parts = list(self._parts_of(Blob(path, path.name, _size(path))))
        if len(parts) == 1 and parts[0].shape and parts[0].shape.name in MANIFESTS:
            manifest = read_manifest(parts[0].blob)
            for file in path.parent.iterdir():
                if file != path and manifest.lists(file.name) and not file.is_symlink():
                    parts.extend(self._parts_below(file, path.parent))
        return parts

    def _parts_below(self, start: Path, top: Path) -> Iterator[Part]:
        files = self._files_below(start, top) if start.is_dir() else (start,)
        for count, file in enumerate(files):
            if count >= _MANY:
                raise RunError(f"'{start}' holds more than {_MANY} files; name the archive in it")
            yield from self._parts_of(Blob(file, file.relative_to(top).as_posix(), _size(file)))

    def _files_below(self, folder: Path, top: Path) -> Iterator[Path]:
        """Yield the files of a folder. Links are not followed: an archive holds its own files."""
        for base, folders, names in os.walk(folder, onerror=self._note_fault):
            within = Path(base)
            shown = [name for name in (*folders, *names) if self._is_shown(within / name, top)]
            folders[:] = [name for name in folders if name in shown]
            yield from (within / name for name in names if name in shown and (within / name).is_file())

    def _note_fault(self, error: OSError) -> None:
        folder = Path(error.filename)
        self._faults.append(_unreadable(Blob(folder, folder.name, 0), f"'{folder}' cannot be read: {error.strerror}"))

    def _is_shown(self, file: Path, top: Path) -> bool:
        if (not file.name.startswith(".") or file.name in _HOMES) and not file.is_symlink():
            return True
        self.hidden.append(file.relative_to(top).as_posix())
        return False

    def _parts_of(self, blob: Blob, depth: int = 0) -> Iterator[Part]:
        try:
            start = blob.read(_GLANCE)
            if not start.startswith(MAGIC):
                yield _look_at(blob, start)
            elif depth > 1:
                yield Part(blob, None, "a ZIP in a ZIP in a ZIP")
            else:
                yield from self._in_zip(blob, depth)
        except RunError as error:
            yield _unreadable(blob, str(error))

    def _in_zip(self, archive: Blob, depth: int) -> Iterator[Part]:
        path = self._unpacked(archive) if depth else archive.path
        found = members(path, self._limits)
        if not _DOCUMENT.isdisjoint(info.filename for info in found):
            yield Part(archive, None, "a document")
            return
        for info in found:
            blob = Blob(path, f"{archive.name}/{info.filename}", info.file_size, info)
            fault = fault_of(path, info, self._limits)
            if _HIDDEN.search(f"/{info.filename}"):
                self.hidden.append(blob.name)
            elif fault:
                yield _unreadable(blob, fault)
            else:
                yield from self._parts_of(blob, depth + 1)

    def _unpacked(self, blob: Blob) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="transmissions-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        number, file = tempfile.mkstemp(suffix="-" + blob.name.rsplit("/", 1)[-1][-40:].replace("\0", ""), dir=self._folder)
        with os.fdopen(number, "wb") as stream:
            for block in blob.blocks():
                stream.write(block)
        return Path(file)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # Opening it says why.


def _unreadable(blob: Blob, fault: str) -> Part:
    return Part(blob, None, "nothing that can be read", fault)


def _look_at(blob: Blob, start: bytes) -> Part:
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if first not in (b"[", b"{", b"<", b"") and not (first in b":deir" and holds_events(blob.read(GLANCE))):
        return Part(blob, None, "no JSON")
    shape, holds = find_shape(blob.read(HEAD))
    return Part(blob, shape, holds, is_json=first in (b"[", b"{", b""))
