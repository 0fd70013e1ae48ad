"""Find the files of an archive: one file, the files of a folder, the members of ZIPs and tars, and of those in them."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from transmissions import RunError

from .blobs import Blob, Members
from .event_lines import GLANCE, holds_events
from .manifest import SHAPES as MANIFESTS
from .manifest import read_manifest
from .packed import Unpacked, codec_in, encoding_of, foreign, in_utf_8, is_tar, unpacked
from .shape import HEAD, Shape
from .shapes import find_shape
from .zip_archive import MAGIC, Limits, NoDirectoryError, fault_of, members
from .zip_salvage import salvaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zipfile import ZipInfo

_MANY: Final = 200_000
_GLANCE: Final = 512
"""Bytes that tell what a file is packed in: a tar says so at 257."""
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

    What is packed otherwise than in one ZIP is unpacked into a temporary folder, which lives as long as `folder` does.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits
        self.folder = Unpacked()
        self._packed: list[Blob] = []
        """Files that were unpacked, as they lie there: one may be an attachment."""
        self._inner: set[str] = set()
        """Names of what was in compressed files: nobody who names the file itself means it."""
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

    @property
    def may_be_attachments(self) -> bool:
        """Whether it holds files that are none of chats, and is no such file itself."""
        return any(not part.shape and not part.fault and part.blob.name != self.path.name for part in self.parts)

    def members(self) -> Members:
        """Return the files for those who look for an attachment or a sidecar among them: as they lie there, and unpacked."""
        return Members([*self._packed, *(part.blob for part in self.parts)], self._inner)

    def _parts_of(self, blob: Blob, depth: int = 0) -> Iterator[Part]:
        try:
            start = blob.read(_GLANCE)
            wrapped = self._unwrap(blob, start, depth)
            yield from (_look_at(blob, start),) if wrapped is None else wrapped
        except RunError as error:
            yield _unreadable(blob, str(error))

    def _unwrap(self, blob: Blob, start: bytes, depth: int) -> Iterator[Part] | None:
        """Return the parts of a file that is packed, None for one that is not."""
        codec, encoding = codec_in(start), encoding_of(start)
        if not (codec or is_tar(start) or start.startswith(MAGIC)):
            return self._in_utf_8(blob, encoding) if encoding else None
        if depth > 1:
            what = "a ZIP in a ZIP in a ZIP" if start.startswith(MAGIC) else "something packed in what is packed twice"
            return iter([Part(blob, None, what)])
        if blob.is_packed or blob.path != self.path:
            self._packed.append(blob)
        if codec:
            return self._in_codec(blob, codec, depth)
        return self._in_tar(blob, depth) if is_tar(start) else self._in_zip(blob, depth)

    def _in_utf_8(self, blob: Blob, encoding: str) -> Iterator[Part]:
        read = self._put(blob.name, in_utf_8(blob, encoding))
        part = _look_at(read, read.read(_GLANCE))
        yield part._replace(holds=f"{part.holds}, in UTF-16")

    def _in_codec(self, blob: Blob, codec: str, depth: int) -> Iterator[Part]:
        base = blob.name.rsplit("/", 1)[-1]
        faults: list[str] = []
        inner = self._put(f"{blob.name}/{base.rpartition('.')[0] or base}", unpacked(blob, codec, self._limits, faults))
        if faults:
            yield _unreadable(blob, faults[0])
        if is_tar(inner.read(_GLANCE)):
            found = self._in_tar(Blob(inner.path, blob.name, len(inner)), depth)
            yield from found if not faults else _whole(found)
        elif len(inner) or not faults:
            self._inner.add(inner.name)
            yield from self._parts_of(inner, depth + 1)

    def _in_tar(self, archive: Blob, depth: int) -> Iterator[Part]:
        from .tar_archive import in_tar

        for within, path in in_tar(self._path_of(archive), archive.name, self.folder, self._limits):
            name = f"{archive.name}/{within.removeprefix('./')}"
            if path is None or _HIDDEN.search(f"/{within}"):
                self.hidden.append(name)
            else:
                yield from self._parts_of(Blob(path, name, _size(path)), depth + 1)

    def _in_zip(self, archive: Blob, depth: int) -> Iterator[Part]:
        path = self._path_of(archive)
        try:
            found = members(path, self._limits)
        except NoDirectoryError as error:
            found = salvaged(path, self._limits)
            yield _unreadable(archive, str(error))
        if not _DOCUMENT.isdisjoint(info.filename for info in found):
            yield Part(archive, None, "a document")
            return
        for info, within in _named(found):
            blob = Blob(path, f"{archive.name}/{within}", info.file_size, info)
            fault = fault_of(path, info, self._limits)
            if _HIDDEN.search(f"/{within}"):
                self.hidden.append(blob.name)
            elif fault:
                yield _unreadable(blob, fault)
            else:
                yield from self._parts_of(blob, depth + 1)

    def _path_of(self, archive: Blob) -> Path:
        """Return where an archive lies as a file of its own."""
        return self._put(archive.name, archive.blocks()).path if archive.is_packed else archive.path

    def _put(self, name: str, blocks: Iterable[bytes]) -> Blob:
        """Write down what was unpacked, and return it as a file of that name."""
        path = self.folder.put(name, blocks)
        return Blob(path, name, _size(path))


def _named(found: list[ZipInfo]) -> Iterator[tuple[ZipInfo, str]]:
    """Yield the files of a ZIP, each with its path. Some programs on Windows write every path with backslashes."""
    is_usual = any("/" in info.filename for info in found)
    for info in found:
        within = info.filename if is_usual else info.filename.replace("\\", "/")
        if within and not within.endswith("/"):  # What a backslash ends is a folder, too.
            yield info, within


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # Opening it says why.


def _whole(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield what is whole in a tar that is known to be damaged."""
    from .tar_archive import DamagedTarError

    with suppress(DamagedTarError):
        yield from parts


def _unreadable(blob: Blob, fault: str) -> Part:
    return Part(blob, None, "nothing that can be read", fault)


def _look_at(blob: Blob, start: bytes) -> Part:
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if first not in (b"[", b"{", b"<", b"") and not (first in b":deir" and holds_events(blob.read(GLANCE))):
        return Part(blob, None, foreign(start) or "no JSON")
    shape, holds = find_shape(blob.read(HEAD))
    return Part(blob, shape, holds, is_json=first in (b"[", b"{", b""))
