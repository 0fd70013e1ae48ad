"""What kind of archive a file is: told by its shape, never by its name."""

from __future__ import annotations

import re
from typing import Final

from .event_lines import data_of, holds_events
from .outline import outline
from .shape import Outline, Shape
from .shapes_claude import SHAPES as _CLAUDE
from .shapes_datasets import SHAPES as _DATASETS
from .shapes_datasets import told_by_texts
from .shapes_langchain import SHAPES as _LANGCHAIN
from .shapes_others import SHAPES as _OTHERS
from .shapes_sessions import SHAPES as _SESSIONS
from .shapes_trees import SHAPES as _TREES

EMPTY: Final = Shape("empty", "", "an empty list", lambda _: False)
SHAPES: Final = (*_CLAUDE, *_SESSIONS, *_TREES, *_LANGCHAIN, *_DATASETS, *_OTHERS, EMPTY)
BY_NAME: Final = {shape.name: shape for shape in SHAPES}
_NOTHING: Final = re.compile(rb'\s*\[\s*\]\s*|\s*\{(?=\s*"conversations")(?:\s*"\w{1,40}"\s*:\s*\[\s*\]\s*,?)++\s*\}\s*')
"""An empty list, or an object of lists without an item: an export of no chats."""
PROVIDERS: Final = tuple(dict.fromkeys(shape.provider for shape in SHAPES if shape.convert))


def find_shape(head: bytes) -> tuple[Shape | None, str]:
    """Return the shape of a file that starts with `head`, None if it is none that we know, and what is in it in words."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"<":
        shape = next((shape for shape in SHAPES if shape.html and shape.html.search(head)), None)
        return shape, shape.holds if shape else "a page"
    if holds_events(head):
        seen = outline(data_of(head))
        shape = next((shape for shape in SHAPES if shape.layout.gathers and shape.fits(seen)), None)
        return shape, shape.holds if shape else f"a stream of something else{_keys_of(seen)}"
    if start not in (b"[", b"{"):
        return None, "no JSON"
    if _NOTHING.fullmatch(head.removeprefix(b"\xef\xbb\xbf")):
        return EMPTY, EMPTY.holds
    seen = outline(head)
    shape = next((shape for shape in SHAPES if not shape.html and shape.fits(seen)), None) or told_by_texts(head, seen)
    return shape, shape.holds if shape else f"something else{_keys_of(seen)}"


def _keys_of(seen: Outline) -> str:
    """Name the first keys of a file nobody knows."""
    known = sorted(path.rsplit(".", 1)[-1] for path in seen.paths if path.count(".") == 1 and not path.endswith("[]"))
    shown = ", ".join(f"'{key[:_SHOWN]}'" for key in known[:5])
    return f" with the keys {shown}" if shown else ""


_SHOWN: Final = 30
