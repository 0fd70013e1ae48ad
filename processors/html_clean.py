"""HTML of somebody else's without what could act: elements and attributes that show something, links that lead somewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from .html_tree import children, parse_html
from .link_targets import absolute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

_KEPT: Final = frozenset(
    (  # noqa: SIM905 - a list would be seventy lines
        "a abbr address article aside audio b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl "
        "dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p picture pre q rp rt ruby "
        "s samp section small source span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var "
        "video wbr"
    ).split()
)
_SILENT: Final = frozenset("script style template noscript title textarea svg math iframe object head".split())  # noqa: SIM905
_ENDLESS: Final = frozenset(["br", "col", "hr", "img", "source", "wbr"])
_ADDRESSES: Final = frozenset(["href", "src", "cite", "poster"])
_SHOWN: Final = frozenset(
    "abbr align alt cite class colspan controls datetime dir height href lang poster rowspan src start title type width".split()  # noqa: SIM905
)


def clean_html(html: str, base: str = "") -> str:
    """Return HTML that can do nothing, its links absolute if `base` is."""
    if "<" not in html and "&" not in html:
        return escape(html, quote=False).strip()
    body = parse_html(html).body
    return "".join(_inside(body, base)).strip() if body else ""


def _inside(holder: LexborNode, base: str) -> Iterator[str]:
    for node in children(holder):
        tag = node.tag or ""
        if tag == "-text":
            yield escape(node.text_content or "", quote=False)
        elif tag in _KEPT:
            yield f"<{tag}{''.join(_attributes(node, base))}>"
            if tag not in _ENDLESS:
                yield "".join(_inside(node, base))
                yield f"</{tag}>"
        elif tag not in _SILENT and not tag.startswith("-"):
            yield "".join(_inside(node, base))


def _attributes(node: LexborNode, base: str) -> Iterator[str]:
    for name, value in node.attributes.items():
        kept = absolute(value, base) if name in _ADDRESSES and value else value or ""
        if name in _SHOWN and (kept or name == "alt"):
            yield f' {name}="{escape(kept)}"'
