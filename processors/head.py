"""What stands above the first message of a page: front matter, title and summary, by default or by a user's template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transmissions import UsageError

from .prose import guard, inline
from .yaml_text import front_matter, scalar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def default_head(facts: dict[str, Any]) -> str:
    """Return the head of a page."""
    head = f"{_matter(facts)}\n# {inline(facts['title'])}"
    return f"{head}\n\n{quote_lines(facts['summary'])}" if facts["summary"].strip() else head


def quote_lines(text: str) -> str:
    """Return a text as a block quotation."""
    return "\n".join(f"> {line}".rstrip() for line in guard(text, 2).split("\n"))


def load_head(path: Path) -> Callable[[dict[str, Any]], str]:
    """Return a function that fills in a jinja2 template, compiled once.

    Raises:
        UsageError: the template cannot be read or is wrong.

    """
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - Markdown is not HTML
    environment.filters.update(yaml=scalar, inline=inline, quote=quote_lines)
    try:
        template = environment.from_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, jinja2.TemplateError) as error:
        raise UsageError(f"template '{path}': {error}") from error
    return lambda facts: template.render(**facts, front_matter=_matter(facts)).rstrip()


def _matter(facts: dict[str, Any]) -> str:
    return front_matter({name: value for name, value in facts.items() if name != "summary"})
