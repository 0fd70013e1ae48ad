"""Globs: patterns that paths are chosen by."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_STARS: Final = 4
"""How many `**` a pattern may have. Each one multiplies the time a match can take by the length of the path."""
_SHOWN: Final = 200
"""Characters of patterns that an error quotes."""


@lru_cache(maxsize=256)
def compile_globs(patterns: tuple[str, ...], *, by_name: bool, dotfiles: bool) -> Callable[[str], bool]:
    """Return what tells whether a path, with slashes, fits one of the patterns.

    `*` and `?` stay within one name, `**` stands for any number of folders, `{a,b}` for either, `[ab]` for one letter. Large
    letters are told from small. With `by_name` a pattern without a slash is matched against the last name of the path. With
    `dotfiles` a star may stand for a name that begins with a dot.

    Raises:
        RunError: a pattern is not one that can be matched in bounded time.

    """
    from wcmatch import _wcparse, glob

    if not patterns:
        return lambda _path: False
    endless = next((pattern for pattern in patterns if pattern.count("**") > _MOST_STARS), "")
    if endless:
        raise RunError(f"the pattern '{endless}' has more than {_MOST_STARS} '**'")
    flags = glob.GLOBSTAR | glob.BRACE | glob.FORCEUNIX
    flags |= glob.MATCHBASE if by_name else 0
    flags |= glob.DOTGLOB if dotfiles else 0
    try:
        return glob.compile(patterns, flags=flags).match
    except _wcparse.PatternLimitException as error:  # the package names it nowhere else
        raise RunError(f"the patterns {', '.join(patterns)[:_SHOWN]} stand for more than 1000 others") from error
