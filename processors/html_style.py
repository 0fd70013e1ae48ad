"""What every HTML page has in common: its head, how it looks, and what it may do."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from html import escape
from typing import Final

from .names import as_link

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1d1d1f;--soft:#66676b;--line:#d9d9de;--code:#f4f4f6;--link:#0a58ca;--page:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e7e7ea;--soft:#a0a1a7;--line:#3a3b40;--code:#222327;--link:#7db1ff;--page:#17181b}}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.6 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:46rem;margin:0 auto;padding:1.5rem}
a{color:var(--link)}h1{line-height:1.25}
h2{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--line);font-size:1.05rem;color:var(--soft)}
nav,dl,.note{font-size:.85rem;color:var(--soft)}dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem}dd{margin:0}
pre{background:var(--code);padding:.75rem 1rem;border-radius:.4rem;overflow:auto;max-height:40rem}
code{font:.875em/1.5 ui-monospace,monospace}:not(pre)>code{background:var(--code);padding:.1em .3em;border-radius:.25rem}
details{margin:.75rem 0;border:1px solid var(--line);border-radius:.4rem;padding:.25rem .75rem}
summary{cursor:pointer;color:var(--soft)}
blockquote{margin:1rem 0;padding-left:1rem;border-left:3px solid var(--line);color:var(--soft)}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{border:1px solid var(--line);padding:.25rem .6rem;text-align:start}
img{max-width:100%;height:auto}input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem .75rem}
time{color:var(--soft);font-variant-numeric:tabular-nums;margin-right:.75rem}ul.talks{list-style:none;padding:0}
@media print{details{border:0}pre{max-height:none}}
"""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def open_page(title: str, script: str = "") -> str:
    """Return a page up to its first words. `title` is plain; `script`, of ours only, is what the page may run."""
    runs = f"; script-src {_hash(script)} 'self' file:" if script else ""
    policy = f"default-src 'none'; style-src {_hash(STYLE)}; img-src 'self' file:; base-uri 'none'; form-action 'none'{runs}"
    return (
        '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(' '.join(title.split()))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>"
    )


def link_to(path: str, page: str) -> str:
    """Return the link from a page to a file, both by their paths in the output folder."""
    return as_link(posixpath.relpath(path, posixpath.dirname(page) or "."))
