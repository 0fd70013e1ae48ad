"""Tables of HTML as pipe tables of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .html_tree import children

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from selectolax.lexbor import LexborNode

_GROUPS: Final = frozenset(["thead", "tbody", "tfoot"])
_WIDEST: Final = 200
"""Columns that are written; a `colspan` may claim any number."""
_LAYOUT: Final = "table, ul, ol, pre, h1, h2, h3, blockquote, hr, p + p"
"""What no cell of data holds: a table with it was made to arrange a page."""
_ALIGNED: Final = {"left": ":---", "right": "---:", "center": ":---:"}


def cells_of(table: LexborNode, holders: Container[int]) -> tuple[list[list[LexborNode]], bool]:
    """Return the cells of a table's own rows, and whether it only arranges a page.

    `holders` are the numbers of the elements with blocks inside.
    """
    rows = [cells for row in _rows(table) if (cells := [cell for cell in children(row) if cell.tag in ("td", "th")])]
    is_single = all(len(row) == 1 for row in rows)
    return rows, is_single or any(
        cell.mem_id in holders and cell.css_first(_LAYOUT) is not None for row in rows for cell in row
    )


def _rows(table: LexborNode) -> Iterator[LexborNode]:
    for child in children(table):
        if child.tag in _GROUPS:
            yield from (row for row in children(child) if row.tag == "tr")
        elif child.tag == "tr":
            yield child


def pipe_table(rows: list[list[tuple[str, LexborNode]]]) -> list[str]:
    """Return a table, its first row as the head; a cell is its text and its element."""
    lines = [
        [part for text, cell in row for part in [text.replace("|", "\\|"), *([""] * (_span(cell) - 1))]][:_WIDEST]
        for row in rows
    ]
    width = max(map(len, lines), default=0)
    if not width:
        return []
    rule = [_alignment(cell) for _, cell in rows[0]][:width]
    head, *rest = [[*line, *([""] * (width - len(line)))] for line in lines]
    return ["\n".join(_row(line) for line in (head, [*rule, *(["---"] * (width - len(rule)))], *rest))]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _span(cell: LexborNode) -> int:
    span = cell.attributes.get("colspan") or ""
    return min(int(span), _WIDEST) or 1 if span.isascii() and span.isdigit() and len(span) < 9 else 1  # noqa: PLR2004 - no table is wider


def _alignment(cell: LexborNode) -> str:
    style = (cell.attributes.get("style") or "").replace(" ", "").lower()
    named = (cell.attributes.get("align") or "").lower()
    found = next((rule for name, rule in _ALIGNED.items() if f"text-align:{name}" in style), None)
    return found or _ALIGNED.get(named, "---")
