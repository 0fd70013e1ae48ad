"""What stands above the first message of a page: front matter, title and summary, by default or by a user's template."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from transmissions import UsageError

from .prose import without_tabs
from .yaml_text import front_matter, scalar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .flavour import Flavour

    Head = Callable[[dict[str, Any]], str]

_FIELDS: Final = (
    "title",
    "provider",
    "conversation_id",
    "source_url",
    "created",
    "updated",
    "messages",
    "messages_off_path",
    "models",
    "artifacts",
    "attachments",
    "tags",
    "project",
    "tokens",
)
"""What front matter tells, and no more: the archive knows of accounts and addresses too."""
_NO_TAG: Final = re.compile(r"[^\w/-]+")


def default_head(flavour: Flavour, facts: dict[str, Any]) -> str:
    """Return the head of a page."""
    return _head(flavour, front_matter(_matter(facts)), facts)


def obsidian_head(flavour: Flavour, facts: dict[str, Any]) -> str:
    """Return the head of a page with the aliases and tags by which Obsidian finds it."""
    return _head(flavour, front_matter(_for_obsidian(facts)), facts)


def retrieval_head(flavour: Flavour, facts: dict[str, Any]) -> str:
    """Return a head with just what a passage is cited by."""
    fields = {"title": "title", "id": "conversation_id", "created": "created", "url": "source_url"}
    return f"{front_matter({name: facts.get(field) for name, field in fields.items()})}\n# {flavour.plain(facts['title'])}"


def _head(flavour: Flavour, matter: str, facts: dict[str, Any]) -> str:
    head = f"{matter}\n# {flavour.plain(facts['title'])}"
    return f"{head}\n\n{quote_lines(flavour, facts['summary'])}" if facts["summary"].strip() else head


def _matter(facts: dict[str, Any]) -> dict[str, Any]:
    return dict(zip(_FIELDS, map(facts.get, _FIELDS), strict=True))


def _for_obsidian(facts: dict[str, Any]) -> dict[str, Any]:
    words = [facts["provider"], *(facts.get("tags") or ())]
    tags = dict.fromkeys(filter(None, (_NO_TAG.sub("-", word).strip("-") for word in words)))
    return {"title": facts["title"], "aliases": [facts["title"]], **_matter(facts), "tags": list(tags)}


def quote_lines(flavour: Flavour, text: str) -> str:
    """Return a text as a block quotation."""
    return "\n".join(f"> {line}".rstrip() for line in without_tabs(flavour.text(text, 2)).split("\n"))


def load_head(path: Path, flavour: Flavour, *, is_obsidian: bool) -> Head:
    """Return a function that fills in a jinja2 template, compiled once.

    Raises:
        UsageError: the template cannot be read or is wrong.

    """
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - Markdown is not HTML
    environment.filters.update(yaml=scalar, inline=flavour.plain, quote=partial(quote_lines, flavour))
    try:
        template = environment.from_string(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the template '{path}': {error.strerror}") from error
    except (UnicodeDecodeError, jinja2.TemplateError) as error:
        raise UsageError(f"template '{path}': {error}") from error
    matter = _for_obsidian if is_obsidian else _matter
    nothing = dict.fromkeys(_FIELDS)
    return lambda facts: template.render(**{**nothing, **facts}, front_matter=front_matter(matter(facts))).rstrip()
