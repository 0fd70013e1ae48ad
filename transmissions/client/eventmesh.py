"""A client of crawls, with the arguments and methods of the published sample."""

from __future__ import annotations

import json
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any, Self, cast

from .backoff import Backoff
from .handlers import called_at_once
from .metrics import Alert, StreamMetrics
from .sync import SyncStreamClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .events import Event


class EventMeshStreamClient:
    """Crawls URLs at a server and calls handlers with what it says: each gets the event as a dict.

    `timeout_seconds` is how long nothing may come. `chunk_size` is of no account: what came is read at once.
    """

    def __init__(self, base_url: str = "http://localhost:8080", **options: Any) -> None:
        self.base_url = base_url
        self.options: dict[str, Any] = {
            "buffer_size": 1024,
            "enable_backpressure": True,
            "slow_client_threshold_ms": 100,
            "max_retries": 3,
            "timeout_seconds": 300,
            "chunk_size": 8192,
            "path": "/crawl",
            "token": None,
            **options,
        }
        self.metrics = StreamMetrics()
        self.event_handlers: dict[str, Callable[[dict[str, Any]], object]] = {}
        self.logger = logging.getLogger(__name__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Do nothing: each crawl closes its connections."""

    def register_handler(self, event_type: str, handler: Callable[[dict[str, Any]], object]) -> None:
        """Have a function called with each event of a type; `*` is any other, `alert` what there is to worry about."""
        self.event_handlers[event_type] = called_at_once(event_type, handler)

    def stream_crawl_results(self, urls: Sequence[str], options: Mapping[str, Any] | None = None) -> StreamMetrics:
        """Crawl URLs to the end, and return what was measured.

        Raises:
            StreamError: the server refused, or the connection broke more often than `max_retries`.

        """
        session = f"session-{int(time.time())}-{secrets.token_hex(8)}"
        with self._new_client() as client, client.crawl(urls, options, path=self.options["path"], session_id=session) as stream:
            self.metrics = stream.metrics
            try:
                stream.run()
            finally:
                self.logger.info("session %s: %s", session, json.dumps(_figures(stream.metrics)))
            return stream.metrics

    def _new_client(self) -> SyncStreamClient:
        given = self.options
        client = SyncStreamClient(
            self.base_url,
            token=given["token"],
            backoff=Backoff(given["max_retries"]),
            heartbeat=given["timeout_seconds"] / 3,
            buffer_size=given["buffer_size"],
            enable_backpressure=given["enable_backpressure"],
            slow_client_threshold_ms=given["slow_client_threshold_ms"],
        )
        for name, handler in self.event_handlers.items():
            client.register_handler(name, _given_dicts(handler))
        return client


def _given_dicts(handler: Callable[[dict[str, Any]], object]) -> Callable[[Event | Alert], object]:
    return lambda said: handler(said._asdict() if isinstance(said, Alert) else cast("dict[str, Any]", said.data))


def _figures(metrics: StreamMetrics) -> dict[str, Any]:
    return {
        "total_events": metrics.total_events,
        "dropped_events": metrics.dropped_events,
        "parse_errors": metrics.parse_errors,
        "backpressure_warnings": metrics.backpressure_warnings,
        "avg_processing_time_ms": round(metrics.avg_processing_time_ms, 2),
        "events_per_second": round(metrics.get_events_per_second(), 2),
        "reconnects": metrics.reconnects,
    }
