"""What is told of a run in figures: with its first event, on the way, and with its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .envelope import PROTOCOL

if TYPE_CHECKING:
    from .eventlog import EventLog
    from .live import LiveRun


def metadata(live: LiveRun) -> dict[str, Any]:
    """Return what comes first: who the run is, and what was made of what the client asked for."""
    limits = live.log.buffer.limits
    info = {"current_size": 0, "max_memory_bytes": limits.memory, "adaptive_sizing_enabled": limits.adaptive}
    targets = {"ttfb_target_ms": 500, "slow_client_threshold_ms": limits.slow_send, "buffer_flush_interval_ms": 0}
    who = {**live.identity, "protocol_version": PROTOCOL}
    said: dict[str, Any] = {**who, "buffer_info": _buffer(live.log) | info, "performance_config": targets}
    if live.terms.counted:
        name, number = live.terms.counted
        said[f"total_{name}"] = number
    return {**said, "warnings": list(live.terms.warnings)} if live.terms.warnings else said


def progress(live: LiveRun) -> dict[str, Any]:
    """Return how far a run is, and how its client keeps up."""
    pressure = live.log.pressure
    health = {
        "avg_send_time_ms": round(pressure.average_send * 1000, 3),
        "slow_sends_count": pressure.slow_sends,
        "is_slow_client": pressure.is_slow,
    }
    rates = {"throughput_per_second": live.throughput, "success_rate": live.counts.success_rate}
    figures = {
        "completed": live.counts.ended,
        "total": live.counts.total,
        "phase": live.state,
        "performance_metrics": rates,
        "buffer_info": {
            **_buffer(live.log),
            "pending_flushes": len(live.log),
            "backpressure_detected": live.log.buffer.is_under_backpressure,
        },
        "connection_health": health,
    }
    return live.said.with_it("progress", figures)


def summary(live: LiveRun) -> dict[str, Any]:
    """Return what became of a run."""
    milliseconds, first = round(live.seconds * 1000), live.counts.first_result
    log = live.log
    figures = {
        "status": live.state,
        **({"reason": live.reason} if live.reason else {}),
        "total": live.counts.ended,
        "successful": live.counts.done,
        "failed": live.counts.failed,
        "success_rate": live.counts.success_rate,
        "total_time_ms": milliseconds,
        "total_processing_time_ms": milliseconds,
        "throughput_per_second": live.throughput,
        "ttfb_ms": None if first is None else round(first * 1000),
        "total_bytes_transferred": log.size,
        **live.terms.budget.told(),
        "buffer_statistics": {
            "peak_utilization": round(log.fullest, 4),
            "avg_utilization": round(log.filled, 4),
            "total_flushes": log.flushes,
            "messages_dropped": log.buffer.dropped,
            "backpressure_events": log.pressure.slow_sends,
            "buffer_resizes": log.buffer.resizes,
        },
    }
    return live.said.with_it("summary", figures)


def status(live: LiveRun) -> dict[str, Any]:
    """Return what can be said of a run at any time."""
    return {
        **live.identity,
        "run_id": live.id,
        "state": live.state,
        "completed": live.counts.done,
        "failed": live.counts.failed,
        "total": live.counts.total,
        "waiting": len(live.log),
        "last_event": live.log.last,
        "attached": live.is_attached,
        "duration_seconds": round(live.seconds, 3),
    }


def _buffer(log: EventLog) -> dict[str, Any]:
    return {
        "used": len(log),
        "capacity": log.buffer.capacity,
        "backpressure_threshold": log.buffer.threshold,
        "utilization_percentage": round(log.utilization * 100, 1),
    }
