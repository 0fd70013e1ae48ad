"""What an app's `about.md` says first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .homes import App


def first_paragraph(app: App) -> str:
    """Return the first paragraph below the heading, on one line; empty if there is none."""
    try:
        text = (app.folder / "about.md").read_text("utf-8", "replace")
    except OSError:
        return ""
    paragraphs = (part for part in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*$", "\n", text)) if part.strip())
    return " ".join(next(paragraphs, "").split())


def first_sentence(app: App) -> str:
    """Return the first sentence of that paragraph."""
    return re.split(r"(?<=[.!?])\s", first_paragraph(app))[0]
