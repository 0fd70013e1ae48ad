"""Folders as streams: DirWalker."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transmissions import Dynamic, Range, RunError, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transmissions import Message


class DirWalker(Source):
    """Send one message for each file below a folder, in the order of their names.

    Patterns are globs that tell large letters from small: `*` and `?` stay within one name, `**` stands for any number of
    folders. A pattern without a slash is matched against the file's name (when excluding, against the names of folders too),
    one with a slash against the path below `sourceDir`. Links to folders are not followed, and links to files only where they
    stay below `sourceDir`. A folder that cannot be read is reported as skipped input.

    Each message is a copy of the incoming one with `filename`, `slug` (the name without its ending), `subdir` and `relPath`
    (below `sourceDir`), `fullPath` (absolute), `filepath` (below the working folder, or else the app's), and `count` (from
    1). The files form a group.

    ```turtle
    :walk a :DirWalker ; :sourceDir "content" ; :includePattern "*.md", "drafts/**/*.txt" ; :excludePattern ".git" .
    ```
    """

    source_dir: Annotated[str, Dynamic()] = "."
    "The folder, looked up as files are; a field `sourceDir` of the message wins."
    include_pattern: tuple[str, ...] = ("*.md", "*.js", "*.json", "*.ttl")
    "Globs of the files that are sent."
    exclude_pattern: tuple[str, ...] = (".git", "node_modules")
    "Globs of files and folders that are left out."
    limit: Annotated[int, Range(ge=0)] = 0
    "How many files are sent at most; 0 sends all."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each file."""
        name = self.dynamic(message, "source_dir")
        root = self.context.input_path(name).absolute()
        if not root.is_dir():
            raise RunError(f"no folder '{name}': {root} {'is a file' if root.exists() else 'does not exist'}")
        for count, names in enumerate(self._walk(root, ()), 1):
            yield {**message, **self._facts(root, names), "count": count}
            if count == self.limit:
                return

    def _walk(self, root: Path, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for entry in self._entries(root.joinpath(*above)):
            names = (*above, entry.name)
            if matches(names, self.exclude_pattern):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(root, names)
            elif matches(names, self.include_pattern) and _is_within(entry, root):
                yield names

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.context.skip(f"cannot read folder: {error.strerror}", path=str(folder))
            return []

    def _facts(self, root: Path, names: tuple[str, ...]) -> Message:
        path = root.joinpath(*names)
        homes = (self.context.folders.data.absolute(), self.context.folders.app.absolute())
        home = next((home for home in homes if path.is_relative_to(home)), None)
        return {
            "filename": path.name,
            "slug": path.stem,
            "subdir": "/".join(names[:-1]),
            "relPath": "/".join(names),
            "fullPath": str(path),
            "filepath": path.relative_to(home).as_posix() if home else str(path),
        }


def _is_within(entry: os.DirEntry[str], root: Path) -> bool:
    if not entry.is_symlink():
        return entry.is_file()
    return entry.is_file() and Path(os.path.realpath(entry.path)).is_relative_to(os.path.realpath(root))


def matches(names: Sequence[str], patterns: Sequence[str]) -> bool:
    """Whether a path, given as its names from the top, fits one of the globs (see DirWalker)."""
    return any(_fits(names, pattern.split("/")) if "/" in pattern else fnmatchcase(names[-1], pattern) for pattern in patterns)


def _fits(names: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts:
        return not names
    if parts[0] == "**":
        return _fits(names, parts[1:]) or (bool(names) and _fits(names[1:], parts))
    return bool(names) and fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:])
