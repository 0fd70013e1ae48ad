"""Files copied and removed as they are: FileCopy, FileRemove. What leads out of the folders of the run is not followed."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from transmissions import Processor, RunError, beside, cannot_write

from .files import named_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transmissions import Message


class FileCopy(Processor):
    """Copy a file, or a folder with all that is in it.

    What is copied: the message's `fullPath`, else its `filepath` (below its `targetPath` if it has one), else the setting; a
    relative name is looked up as FileReader does. It goes to `destination` in the output folder, and the folders on the way
    are made. A file goes into a destination that is a folder, or ends in a slash, under its own name. A folder is merged into
    what is there; each file in it is replaced in one step. Links are left out. The message goes on unchanged.

    ```turtle
    :copy a :FileCopy ; :source "layout/base" ; :destination "public/layout" .
    ```
    """

    source: str = "input/input.txt"
    "The file or folder, where the message does not name one."
    destination: str = "output/output.txt"
    "Where the copy goes."

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, what would be copied where."""
        yield f"copies {self._source(message)} to {self.context.output_path(self.destination)}"

    async def process(self, message: Message) -> Message:
        """Copy."""
        source = self._source(message)
        target = self.context.output_path(self.destination)
        if source.is_file() and (target.is_dir() or self.destination.endswith("/")):
            target = self.context.output_path(Path(self.destination, source.name))
        await asyncio.to_thread(_copy, source, target, self.context.output_path)
        return message

    def _source(self, message: Message) -> Path:
        path = self.context.input_path(named_file(message) or self.source)
        if path.is_file() or path.is_dir():
            return path
        raise RunError(f"cannot copy '{path}': {'it is no file or folder' if path.exists() else 'there is no such file'}")


def _copy(source: Path, target: Path, confine: Callable[[Path], Path]) -> None:
    if not source.is_dir():
        _copy_file(source, target)
        return
    if Path(os.path.realpath(target)).is_relative_to(os.path.realpath(source)):
        raise RunError(f"cannot copy the folder '{source}' into itself, to '{target}'")
    for folder, _, names in os.walk(source, onerror=_raise):
        # There may be a link in the place of any folder, and it may lead out.
        place = confine(target / Path(folder).relative_to(source))
        _make_folder(place)
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink():
                _copy_file(file, place / name)


def _make_folder(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(place, error) from error


def _raise(error: OSError) -> None:
    raise RunError(f"cannot read the folder '{error.filename}': {(error.strerror or str(error)).lower()}") from error


def _copy_file(source: Path, target: Path) -> None:
    _make_folder(target.parent)
    temporary = beside(target)
    try:
        shutil.copyfile(source, temporary)
        shutil.copymode(source, temporary)
        temporary.replace(target)
    except OSError as error:
        if error.filename == os.fspath(source):
            raise RunError(f"cannot read '{source}': {(error.strerror or str(error)).lower()}") from error
        raise cannot_write(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


class FileRemove(Processor):
    """Remove a file, or all files below a folder.

    Only the setting says what: no field of a message does. A relative name is in the output folder, and what is removed must
    lie below it or below what the command line names; neither such a folder itself nor one with the app, its data or the
    target in it is ever emptied. Links are removed, and what they lead to is not. Folders stay, and so does what begins with a
    dot, unless the settings say otherwise. Where nothing is, nothing is done. The message goes on unchanged.

    ```turtle
    :clear a :FileRemove ; :target "public" .
    ```
    """

    fixed = frozenset({"target", "dotfiles", "folders"})

    target: str
    "The file or folder."
    dotfiles: bool = False
    "Whether files and folders go whose names begin with a dot."
    folders: bool = False
    "Whether the folders go as well that are empty afterwards, the one named among them."

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, what would be removed."""
        path = self._path()
        yield f"removes {f'the files below {path}' if path.is_dir() and not path.is_symlink() else path}"

    async def process(self, message: Message) -> Message:
        """Remove."""
        count = await asyncio.to_thread(self._remove, self._path())
        self.context.log.info("files removed at '%s': %d", self.target, count)
        return message

    def _path(self) -> Path:
        path = self.context.output_path(self.target)
        base = self.context.folders
        # A link is removed itself, so only what leads to it is resolved.
        real = Path(os.path.realpath(path.parent), path.name) if path.is_symlink() else Path(os.path.realpath(path))
        roots = [Path(os.path.realpath(root)) for root in (base.output, *base.roots)]
        kept = [*roots, *(Path(os.path.realpath(root)) for root in (base.app, base.data, base.target) if root)]
        if any(root.is_relative_to(real) for root in kept):
            raise RunError(f"'{path}' is a folder of this run, or holds one; FileRemove removes only what is inside")
        if not any(real.is_relative_to(root) for root in roots):
            raise RunError(f"'{path}' is not below the output folder '{base.output}', and the command line does not name it")
        return real

    def _remove(self, path: Path) -> int:
        try:
            if path.is_dir() and not path.is_symlink():
                return self._empty(path)
            path.unlink()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise RunError(f"cannot remove '{error.filename or path}': {(error.strerror or str(error)).lower()}") from error
        return 1

    def _empty(self, top: Path) -> int:
        count, seen = 0, []
        # Names are removed from the open folder: whatever is put in the place of its path meanwhile is not touched.
        for folder, folders, names, number in os.fwalk(top, onerror=_raise):
            seen.append(folder)
            links = {name for name in folders if _is_link(name, number)}
            for name in filter(self._goes, [*names, *links]):
                os.unlink(name, dir_fd=number)
                count += 1
            folders[:] = filter(self._goes, set(folders) - links)
        for folder in reversed(seen) if self.folders else ():
            with suppress(OSError):  # It is not empty.
                Path(folder).rmdir()
        return count

    def _goes(self, name: str) -> bool:
        return self.dotfiles or not name.startswith(".")


def _is_link(name: str, folder: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
