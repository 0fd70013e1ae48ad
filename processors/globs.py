"""Globs: patterns that paths are chosen by."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_STEPS: Final = 10_000_000
"""How many ways there may be to lay the `**` of a pattern over the folders of a path: a second's work, at worst."""
_SHOWN: Final = 200
"""Characters of patterns that an error quotes."""


@lru_cache(maxsize=256)
def compile_globs(patterns: tuple[str, ...], *, by_name: bool, dotfiles: bool) -> Callable[[str], bool]:
    """Return what tells whether a path, with slashes, fits one of the patterns.

    `*` and `?` stay within one name, `**` stands for any number of folders, `{a,b}` for either, `[ab]` for one letter. Large
    letters are told from small. With `by_name` a pattern without a slash is matched against the last name of the path. With
    `dotfiles` a star may stand for a name that begins with a dot.

    Raises:
        RunError: the patterns, or later a path, are such that it would take too long.

    """
    from wcmatch import _wcparse, glob

    if not patterns:
        return lambda _path: False
    stars = max(pattern.count("**") for pattern in patterns)
    flags = glob.GLOBSTAR | glob.BRACE | glob.FORCEUNIX
    flags |= glob.MATCHBASE if by_name else 0
    flags |= glob.DOTGLOB if dotfiles else 0
    try:
        match = glob.compile(patterns, flags=flags).match
    except _wcparse.PatternLimitException as error:  # the package names it nowhere else
        raise RunError(f"the patterns {', '.join(patterns)[:_SHOWN]} stand for more than 1000 others") from error

    def fits(path: str) -> bool:
        if path.count("/") ** stars > _MOST_STEPS:
            raise RunError(f"the path '{path[:_SHOWN]}…' is too deep for a pattern with {stars} '**'")
        return match(path)

    return fits
