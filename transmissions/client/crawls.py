"""What crawls and searches tell of pages, typed. All that was sent is in `data`, whatever a server says besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .numbers import whole

if TYPE_CHECKING:
    from collections.abc import Mapping


class Document(NamedTuple):
    """What a page says."""

    data: Mapping[str, Any]
    url: str = ""
    title: str | None = None
    markdown: str | None = None
    text: str | None = None
    word_count: int = 0
    reading_time: int = 0
    """Minutes."""
    quality_score: int = 0
    """From 0 to 100."""
    extracted_at: str = ""
    """RFC 3339, UTC."""
    content_hash: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Return it as it was sent."""
        return cls(data, **_known(cls._fields, data))


class Page(NamedTuple):
    """What became of one URL."""

    data: Mapping[str, Any]
    url: str = ""
    status: int = 0
    """What its server answered."""
    from_cache: bool = False
    gate_decision: str = ""
    """How it was read: raw, probes_first or headless."""
    quality_score: float = 0.0
    """From 0 to 1."""
    processing_time_ms: int = 0
    cache_key: str = ""
    final_url: str = ""
    """Where it was, behind all redirects."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Return it as it was sent."""
        return cls(data, **_known(cls._fields, data))

    @property
    def document(self) -> Document | None:
        """What it says."""
        found = self.data.get("document")
        return Document.of(found) if isinstance(found, dict) else None


class Hit(NamedTuple):
    """A page that a search has found."""

    url: str
    rank: int
    title: str
    snippet: str

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Return it as it was sent."""
        texts = (str(data.get(name) or "") for name in ("search_title", "search_snippet"))
        return cls(str(data.get("url") or ""), whole(data, "rank"), *texts)


def _known(names: tuple[str, ...], data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in names if name != "data" and data.get(name) is not None}
