"""What a page asks robots to do with it, in its head or in the header `X-Robots-Tag`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALL: Final = "robots"
_ROBOT: Final = re.compile(r"\s*(?!(?:unavailable_after|max-[a-z-]+)\s*:)([\w.*-]+)\s*:(.*)", re.DOTALL)
"""The name of a robot in front of what it is asked; some of that has a colon itself."""


def asked_of_robots(header: str, metas: Iterable[tuple[str, str]], agent: str) -> set[str]:
    """Return what a page asks a robot of that name, and all robots: `noindex`, `nofollow` and what else there is.

    `metas` are the names and contents of its `meta` elements. In the header a robot's name counts until the next one.
    """
    names = {_ALL, "*", agent.lower()}
    found = {word for name, content in metas if name.strip().lower() in names for word in _words(content)}
    is_for_it = True
    for part in header.lower().split(","):
        robot = _ROBOT.fullmatch(part)
        is_for_it = robot[1] in names if robot else is_for_it
        found.update(_words(robot[2] if robot else part) if is_for_it else ())
    return found | {"noindex", "nofollow"} if "none" in found else found


def _words(text: str) -> set[str]:
    return {word for word in (part.strip() for part in text.lower().split(",")) if word}
