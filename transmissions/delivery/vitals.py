"""What a client is told of its own connection: that it lives, and that it is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .envelope import Event, make

if TYPE_CHECKING:
    from .connection import Connection


def heartbeat(connection: Connection) -> list[Event]:
    """Return what is sent where nothing else is; without envelopes it is nothing but a sign of life."""
    live = connection.live
    if live.terms.bare:
        return [Event("heartbeat", 0, b"", "")]
    stats = {
        "bytes_sent": connection.sends.bytes,
        "messages_sent": connection.sends.messages,
        "avg_send_time_ms": round(live.log.pressure.average_send * 1000, 3),
        "connection_duration_seconds": round(connection.seconds, 3),
    }
    said: dict[str, Any] = {"session_id": live.identity.get("session_id"), "connection_stats": stats}
    health = live.lifecycle.server_health
    if health is None:
        return [make("heartbeat", said)]
    server, streams = health()
    return [make("heartbeat", {**said, "server_health": server}), make("system_status", streams)]


def warning(connection: Connection, waiting: int) -> Event:
    """Return what a client is told for which so many events waited."""
    log = connection.live.log
    said = {
        "type": "slow_client",
        "message": f"{waiting} of {log.buffer.capacity} events waited to be sent",
        "buffer_utilization": round(min(1.0, waiting / log.buffer.capacity), 4),
        "avg_send_time_ms": round(log.pressure.average_send * 1000, 3),
        "suggested_actions": ["read faster", "ask for less at once", "ask for a larger buffer: X-Buffer-Size"],
    }
    metrics = {
        "buffer_used": waiting,
        "buffer_capacity": log.buffer.capacity,
        "pending_messages": len(log),
        "slow_sends_count": log.pressure.slow_sends,
    }
    return make("backpressure_warning", {"connection_id": connection.id, "warning": said, "current_metrics": metrics})
