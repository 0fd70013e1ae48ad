"""Clients of `trans serve`: a run at a server as events, over NDJSON, Server-Sent Events or WebSocket.

    async with StreamClient("http://localhost:8080", token=token) as client:
        async for event in client.stream("hello", {"name": "Ada"}):
            if isinstance(event, Result):
                print(event.result)

A connection that breaks is made again, after a while left to chance, and the run goes on behind the last event that came: each
event comes once, in order. What the server has no longer is told as `Reset`. `SyncStreamClient` is the same without `async`,
and `EventMeshStreamClient` a client of crawls. They need aiohttp: the extra `client`.
"""

from .backoff import Backoff, is_retryable
from .clients import StreamClient
from .crawls import Document, Hit, Page
from .errors import Disconnected, Refused, StreamError
from .eventmesh import EventMeshStreamClient
from .events import (
    BackpressureWarning,
    Event,
    Failure,
    Heartbeat,
    Metadata,
    Output,
    Progress,
    Record,
    Reset,
    Result,
    SearchResult,
    SearchResults,
    SearchStart,
    SearchSummary,
    Summary,
    SystemStatus,
)
from .metrics import Alert, BackpressureDetector, StreamMetrics
from .options import Options
from .stream import Stream
from .sync import SyncStream, SyncStreamClient

__all__ = [
    "Alert",
    "Backoff",
    "BackpressureDetector",
    "BackpressureWarning",
    "Disconnected",
    "Document",
    "Event",
    "EventMeshStreamClient",
    "Failure",
    "Heartbeat",
    "Hit",
    "Metadata",
    "Options",
    "Output",
    "Page",
    "Progress",
    "Record",
    "Refused",
    "Reset",
    "Result",
    "SearchResult",
    "SearchResults",
    "SearchStart",
    "SearchSummary",
    "Stream",
    "StreamClient",
    "StreamError",
    "StreamMetrics",
    "Summary",
    "SyncStream",
    "SyncStreamClient",
    "SystemStatus",
    "is_retryable",
]
