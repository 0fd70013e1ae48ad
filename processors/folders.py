"""Folders as streams: DirWalker, and FileFilter for what it finds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from transmissions import Dynamic, Processor, Range, RunError, Source, get_field

from .access import need_text
from .globs import compile_globs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message


class DirWalker(Source):
    """Send one message for each file below a folder, in the order of their names.

    Patterns are globs that tell large letters from small: `*` and `?` stay within one name, `**` stands for any number of
    folders, `{a,b}` for either. A pattern without a slash is matched against the file's name (when excluding, against the
    names of folders too), one with a slash against the path below `sourceDir`. Links to folders are not followed, and links
    to files only where they stay below `sourceDir`. A folder that cannot be read, or a link that leads in a circle or to
    where one may not look, is reported as skipped input.

    Each message is a copy of the incoming one with `filename`, `slug` (the name without its ending), `subdir` and `relPath`
    (below `sourceDir`), `fullPath` (absolute), `filepath` (below the working folder, or else the app's, or else below
    `sourceDir`, so that what FileWriter makes of it is in the output folder), `count` (from 1), and `targetPath` if that is
    set. The files form a group.

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
    target_path: str = ""
    "A folder for FileWriter to put each file's `filepath` below; none if empty."
    limit: Annotated[int, Range(ge=0)] = 0
    "How many files are sent at most; 0 sends all."

    def __post_init__(self) -> None:
        """Compile the patterns."""
        self._is_included = compile_globs(self.include_pattern, by_name=True, dotfiles=True)
        self._is_excluded = compile_globs(self.exclude_pattern, by_name=True, dotfiles=True)

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each file."""
        name = self.dynamic(message, "source_dir")
        root = self.context.input_path(name).absolute()
        if not root.is_dir():
            raise RunError(f"no folder '{name}': {root} {'is a file' if root.exists() else 'does not exist'}")
        for count, names in enumerate(self._walk(root, ()), 1):
            target = {"targetPath": self.target_path} if self.target_path else {}
            yield {**message, **self._facts(root, names), "count": count, **target}
            if count == self.limit:
                return

    def _walk(self, root: Path, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for entry in self._entries(root.joinpath(*above)):
            names = (*above, entry.name)
            path = "/".join(names)
            if self._is_excluded(path):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(root, names)
            elif self._is_included(path) and self._is_file_within(entry, root):
                yield names

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.context.skip(f"cannot read folder: {error.strerror}", path=str(folder))
            return []

    def _is_file_within(self, entry: os.DirEntry[str], root: Path) -> bool:
        try:
            return entry.is_file() and (
                not entry.is_symlink() or Path(os.path.realpath(entry)).is_relative_to(os.path.realpath(root))
            )
        except OSError as error:
            self.context.skip(f"cannot follow link: {error.strerror}", path=entry.path)
            return False

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
            "filepath": path.relative_to(home or root).as_posix(),
        }


class FileFilter(Processor):
    """Let those messages through whose path fits, and drop the others.

    Reads the path at `pathField`, and matches it with slashes and as a whole: `*.md` is a Markdown file at the top, `**/*.md`
    one anywhere, `**/drafts/**` all that is below a folder `drafts`. Patterns are globs as in DirWalker. The message may
    bring lists of its own in `fileSpec.fileFilter.include`, which takes the place of the setting, and
    `fileSpec.fileFilter.exclude`, which adds to it. Sets `match` to true in what passes.

    ```turtle
    :choose a :FileFilter ; :includePattern "**/*.md", "**/*.txt" ; :excludePattern "**/drafts/**" .
    ```
    """

    include_pattern: tuple[str, ...] = ()
    "Globs of which the path must fit one; any path will do if there are none."
    exclude_pattern: tuple[str, ...] = ()
    "Globs of which the path must fit none."
    path_field: str = "filepath"
    "Dotted path of the path."
    dotfiles: bool = False
    "Whether a star may stand for a name that begins with a dot."

    def __post_init__(self) -> None:
        """Refuse patterns that cannot be matched before anything runs."""
        for patterns in (self.include_pattern, self.exclude_pattern):
            self._fits("", patterns)

    def process(self, message: Message) -> Message | None:
        """Pass the message on if its path fits."""
        path = need_text(message, self.path_field)
        include = _patterns(message, "include") or self.include_pattern
        exclude = (*self.exclude_pattern, *_patterns(message, "exclude"))
        if self._fits(path, exclude) or (include and not self._fits(path, include)):
            return None
        message["match"] = True
        return message

    def _fits(self, path: str, patterns: tuple[str, ...]) -> bool:
        return compile_globs(patterns, by_name=False, dotfiles=self.dotfiles)(path)


def _patterns(message: Message, name: str) -> tuple[str, ...]:
    field = f"fileSpec.fileFilter.{name}"
    found = get_field(message, field)
    patterns = [found] if isinstance(found, str) else found or []
    if not isinstance(patterns, list | tuple) or not all(isinstance(pattern, str) for pattern in patterns):
        raise RunError(f"the field '{field}' is not a list of patterns")
    return tuple(patterns)
