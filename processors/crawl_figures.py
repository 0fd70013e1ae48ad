"""What a crawl has come to, in figures: how far it is, and at its end how it went."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from .moments import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transmissions import Message

DECISIONS: Final = ("raw", "probes_first", "headless")


class Figures:
    """Counts the pages of a crawl as they end. Times are in milliseconds."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.successful = self.failed = self.from_cache = self.bytes = 0
        self.retryable = 0
        self.first: int | None = None
        """When the first page had ended, since the beginning."""
        self.fastest: int | None = None
        self.slowest: int | None = None
        self.decisions: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    @property
    def completed(self) -> int:
        """How many pages have ended, well or not."""
        return self.successful + self.failed

    @property
    def success_rate(self) -> float:
        """The share of pages that ended well, from 0 to 1."""
        return round(self.successful / self.completed, 4) if self.completed else 1.0

    def count(self, page: Message, milliseconds: int) -> None:
        """Count a page that has ended."""
        if self.first is None:
            self.first = self._so_far()
        self.fastest = milliseconds if self.fastest is None else min(self.fastest, milliseconds)
        self.slowest = milliseconds if self.slowest is None else max(self.slowest, milliseconds)
        fault: Mapping[str, Any] | None = page.get("fault")
        if fault:
            self.failed += 1
            self.errors[fault["type"]] += 1
            self.retryable += bool(fault["retryable"])
            return
        self.successful += 1
        self.decisions[page.get("gate_decision", "raw")] += 1
        self.bytes += page.get("bytes", 0)
        self.from_cache += bool(page.get("from_cache"))

    def progress(self, page: Message, total: int) -> dict[str, Any]:
        """Return how far the crawl is, having ended a page."""
        seconds = max(time.monotonic() - self.began, 1e-6)
        each = seconds / self.completed if self.completed else 0.0
        rest = max(total - self.completed, 0)
        return {
            "completed": self.completed,
            "total": total,
            "current_url": page["url"],
            "phase": _phase(page),
            "estimated_completion": iso(round(time.time() + each * rest)) if self.completed else None,
            "performance_metrics": {
                "throughput_per_second": round(self.completed / seconds, 2),
                "avg_processing_time_ms": round(each * 1000),
                "success_rate": self.success_rate,
                "cache_hit_rate": self._hit_rate(self.completed),
            },
        }

    def summary(self, total: int) -> dict[str, Any]:
        """Return how the crawl went, `total` being how many pages there were to be."""
        milliseconds = self._so_far()
        return {
            "total_urls": total,
            "successful": self.successful,
            "failed": self.failed,
            "from_cache": self.from_cache,
            "total_processing_time_ms": milliseconds,
            "cache_hit_rate": self._hit_rate(total),
            "performance_summary": {
                "avg_processing_time_ms": round(milliseconds / total) if total else 0,
                "fastest_processing_ms": self.fastest,
                "slowest_processing_ms": self.slowest,
                "throughput_per_second": round(self.successful * 1000 / milliseconds, 2) if milliseconds else 0.0,
                "ttfb_ms": self.first,
                "total_bytes_transferred": self.bytes,
            },
            "gate_decisions": {**{name: self.decisions[name] for name in DECISIONS}, "cached": self.from_cache},
            "error_analysis": {
                "error_types": dict(self.errors),
                "retryable_errors": self.retryable,
                "permanent_failures": self.failed - self.retryable,
            },
        }

    def _so_far(self) -> int:
        return round((time.monotonic() - self.began) * 1000)

    def _hit_rate(self, of: int) -> float:
        return round(self.from_cache / of, 4) if of else 0.0


def _phase(page: Message) -> str:
    if page.get("from_cache"):
        return "caching"
    if "document" in page:
        return "extraction"
    return "gate" if "gate_decision" in page else "fetch"
