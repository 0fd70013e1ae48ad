"""A tree of HTML as Markdown: headings, paragraphs, lists, quotations, code, tables, links and images."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from .html_table import cells_of, pipe_table
from .html_text import language_of
from .html_tree import children
from .link_targets import absolute, base_of
from .prose import fence, inline, opening

if TYPE_CHECKING:
    from collections.abc import Container

    from selectolax.lexbor import LexborHTMLParser, LexborNode

_BLOCKS: Final = frozenset(
    (  # noqa: SIM905 - a list would be forty lines
        "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form "
        "h1 h2 h3 h4 h5 h6 header hgroup hr html li main menu nav ol p pre search section summary table tbody td tfoot th "
        "thead tr ul"
    ).split()
)
_SILENT: Final = frozenset(
    "script style head template noscript svg math iframe object embed canvas audio video select datalist dialog".split()  # noqa: SIM905 - as above
)
_MARKS: Final = {"b": "**", "strong": "**", "i": "*", "em": "*", "cite": "*", "del": "~~", "s": "~~", "strike": "~~"}
_CODE: Final = frozenset(["code", "kbd", "samp", "tt"])
_HEADINGS: Final = {f"h{level}": "#" * level for level in range(1, 7)}
_LISTS: Final = frozenset(["ul", "ol", "menu"])
_TICKS: Final = re.compile("`+")
_HEADING: Final = re.compile(r"#{1,6} ")
_LIST_ITEM: Final = re.compile(r"(?:-|\d+\.) ")
_DEEP: Final = 16
"""How many lists and quotations deep is still told apart: each level costs some characters in every line."""
_UNSAFE: Final = re.compile(r"[\x00-\x20()<>\\]")
"""What could end the address of a link in Markdown before its end."""
_BREAK: Final = "\\\n"


def to_markdown(tree: LexborHTMLParser, base: str, left_out: Container[int] = ()) -> str:
    """Return a tree as Markdown, its links made absolute if `base` is, without the elements of these numbers."""
    body = tree.body
    if body is None:
        return ""
    text = "\n\n".join(_Renderer(body, base_of(tree, base), left_out).blocks(body, 0))
    return f"{text}\n" if text else ""


class _Renderer:
    """Writes elements as blocks, each a text of one or more lines, and what is in a line as text."""

    def __init__(self, body: LexborNode, base: str, left_out: Container[int]) -> None:
        self._base, self._left_out = base, left_out
        self._marks: list[str] = []
        self._holders: set[int] = set()
        for node in body.traverse():
            if node.tag in _BLOCKS:
                self._note(node.parent)

    def _note(self, holder: LexborNode | None) -> None:
        """Note all elements around a block, up to one that is noted."""
        while holder is not None and holder.mem_id not in self._holders:
            self._holders.add(holder.mem_id)
            holder = holder.parent

    def blocks(self, holder: LexborNode, depth: int) -> list[str]:
        """Return the blocks in an element; what stands between them is a paragraph."""
        found: list[str] = []
        line: list[str] = []
        for node in children(holder):
            if node.mem_id in self._left_out:
                continue
            if node.tag in _BLOCKS or (node.mem_id in self._holders and node.tag not in _SILENT):
                found += [*_paragraphs(line), *self._block(node, depth)]
                line = []
            else:
                line.append(self._inline(node))
        return [*found, *_paragraphs(line)]

    def _block(self, node: LexborNode, depth: int) -> list[str]:
        tag = node.tag or ""
        if tag in _HEADINGS:
            title = self.line(node)
            return [f"{_HEADINGS[tag]} {title}"] if title else []
        if tag == "pre":
            return [_code_block(node)]
        if tag == "hr":
            return ["---"]
        if tag in _LISTS:
            return self._list(node, depth)
        if tag == "table":
            return self._table(node, depth)
        inner = self.blocks(node, depth + (tag in ("blockquote", "dd")))
        if tag == "blockquote" and inner and depth < _DEEP:
            return [_prefixed("\n\n".join(inner), "> ", "> ")]
        if tag == "dt":
            return [f"**{one}**" if "\n" not in one and "**" not in one else one for one in inner]
        return self._linked(node, inner) if tag == "a" else inner

    def _linked(self, node: LexborNode, inner: list[str]) -> list[str]:
        """Return the blocks of a link around blocks: the first that is one line carries it."""
        target = self._target(node, "href")
        for place, block in enumerate(inner):
            if target and "\n" not in block and "](" not in block:
                begin = found[0] if (found := _HEADING.match(block)) else ""
                return [*inner[:place], f"{begin}[{block[len(begin) :]}]({target})", *inner[place + 1 :]]
        return inner

    def _list(self, node: LexborNode, depth: int) -> list[str]:
        number = _number(node.attributes.get("start"), 1) if node.tag == "ol" else None
        items: list[str] = []
        gap = "\n"
        for item in children(node):
            blocks = self._item(item, depth)
            if not blocks:
                continue
            is_tight = len(blocks) == 1 or (len(blocks) == 2 and _LIST_ITEM.match(blocks[1]) is not None)  # noqa: PLR2004 - text, list
            gap = gap if is_tight else "\n\n"
            # Below text a list begins without an empty line only if its first number is 1.
            inner_gap = "\n" if is_tight and blocks[-1].startswith(("- ", "1. ")) else "\n\n"
            if number is not None:
                number = _number(item.attributes.get("value"), number) + 1
            mark = f"{number - 1}. " if number is not None else "- "
            text = inner_gap.join(blocks)
            items.append(_prefixed(text, mark, " " * len(mark)) if depth < _DEEP else text)
        return [gap.join(items)] if items else []

    def _item(self, item: LexborNode, depth: int) -> list[str]:
        if item.mem_id in self._left_out:
            return []
        is_holder = item.tag == "li" or item.mem_id in self._holders
        return self.blocks(item, depth + 1) if is_holder else _paragraphs([self._inline(item)])

    def _table(self, node: LexborNode, depth: int) -> list[str]:
        rows, is_layout = cells_of(node, self._holders)
        if is_layout:
            return [block for row in rows for cell in row for block in self.blocks(cell, depth)]
        caption = next((child for child in children(node) if child.tag == "caption"), None)
        title = _paragraphs([self.line(caption)]) if caption else []
        return [*title, *pipe_table([[(self.line(cell), cell) for cell in row] for row in rows])]

    def line(self, holder: LexborNode) -> str:
        """Return all that is in an element as one line."""
        return " ".join(self._inside(holder).replace(_BREAK, " ").split())

    def _inside(self, holder: LexborNode) -> str:
        return "".join(f" {self._inline(node)} " if node.tag in _BLOCKS else self._inline(node) for node in children(holder))

    def _inline(self, node: LexborNode) -> str:
        tag = node.tag or ""
        if tag == "-text":
            return _escaped(node.text_content or "")
        if tag in _SILENT or tag.startswith("-") or node.mem_id in self._left_out:
            return ""
        if tag == "br":
            return _BREAK
        if tag == "img":
            return self._image(node)
        if tag in _CODE:
            return _code(node.text(deep=True) or "")
        if tag in _MARKS and _MARKS[tag] not in self._marks:
            return self._marked(node, _MARKS[tag])
        inside = self._inside(node)
        return self._link(node, inside) if tag == "a" else inside

    def _marked(self, node: LexborNode, mark: str) -> str:
        self._marks.append(mark)
        inside = self._inside(node)
        self._marks.pop()
        return _around(inside, mark, mark)

    def _link(self, node: LexborNode, inside: str) -> str:
        target = self._target(node, "href")
        return _around(inside.replace(_BREAK, " "), "[", f"]({target})") if target else inside

    def _image(self, node: LexborNode) -> str:
        source = self._target(node, "src") or self._target(node, "data-src")
        return (
            f"![{inline(node.attributes.get('alt') or '')}]({source})" if source else inline(node.attributes.get("alt") or "")
        )

    def _target(self, node: LexborNode, attribute: str) -> str:
        named = node.attributes.get(attribute)
        address = absolute(named, self._base) if named else ""
        return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", address)


def _escaped(text: str) -> str:
    """Return text of a page so that nothing in it is markup; spaces at its ends are kept as one."""
    line = inline(text)
    if not line:
        return " " if text else ""
    return f"{' ' if text[0].isspace() else ''}{line}{' ' if text[-1].isspace() else ''}"


def _around(inside: str, begin: str, end: str) -> str:
    """Put marks around the text of each line, not around the spaces at its ends."""
    return _BREAK.join(_around_line(line, begin, end) for line in inside.split(_BREAK))


def _around_line(line: str, begin: str, end: str) -> str:
    text = line.strip()
    return f"{' ' if line[0].isspace() else ''}{begin}{text}{end}{' ' if line[-1].isspace() else ''}" if text else line


def _paragraphs(pieces: list[str]) -> list[str]:
    """Return what stands between blocks as paragraphs; an empty line, made of two breaks, parts them."""
    lines = [" ".join(line.split()) for line in "".join(pieces).split(_BREAK)]
    # A line of our own marks begins no list, heading or quotation.
    safe = [line if line.startswith("~~") else opening(line) for line in lines]
    return [_BREAK.join(group) for is_text, group in groupby(safe, bool) if is_text]


def _prefixed(text: str, first: str, others: str) -> str:
    head, *rest = text.split("\n")
    return "\n".join([f"{first}{head}".rstrip(), *(f"{others}{line}".rstrip() for line in rest)])


def _code(text: str) -> str:
    if not text.strip():
        return text
    ticks = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{' '.join(text.split())}{pad}{ticks}"


def _code_block(node: LexborNode) -> str:
    code = node.css_first("code")
    language = language_of(node.attributes) or (language_of(code.attributes) if code else "")
    return fence((node.text(deep=True) or "").strip("\n"), language)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else default  # noqa: PLR2004 - no list is longer
