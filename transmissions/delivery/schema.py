"""Every event of ours as JSON Schema, for clients and for tests. Fields may be added at any time; none of these goes away."""

from __future__ import annotations

from typing import Any, Final

from .envelope import ESSENTIAL

PREFIX: Final = "#/components/schemas/"
_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer", "minimum": 0}
_NUMBER: Final = {"type": "number", "minimum": 0}
_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}
_FLAG: Final = {"type": "boolean"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_MAYBE: Final = {"type": ["integer", "null"], "minimum": 0}


def _with(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "properties": required | optional, "required": list(required)}


_BUFFER: Final = {
    "used": _WHOLE,
    "capacity": _WHOLE,
    "backpressure_threshold": _WHOLE,
    "utilization_percentage": {"type": "number", "minimum": 0, "maximum": 100},
}
_ERROR: Final = {"type": _TEXT, "category": _TEXT, "message": _TEXT, "retryable": _FLAG, "error_code": _TEXT}
_MORE: Final[dict[str, Any]] = {
    "retry_after_seconds": _NUMBER,
    "context": {"type": "object"},
    "recovery": _with({"action": {"enum": ["retry", "reconnect", "fail"]}}, attempts=_WHOLE, delay_ms=_WHOLE),
}
"""What may be told of an error; an app's own may do without."""
_STATISTICS: Final = {
    "peak_utilization": _SHARE,
    "avg_utilization": _SHARE,
    "total_flushes": _WHOLE,
    "messages_dropped": _WHOLE,
    "backpressure_events": _WHOLE,
    "buffer_resizes": _WHOLE,
}
_SENT: Final = {
    "bytes_sent": _WHOLE,
    "messages_sent": _WHOLE,
    "avg_send_time_ms": _NUMBER,
    "connection_duration_seconds": _NUMBER,
}
_WARNING: Final = {
    "type": _TEXT,
    "message": _TEXT,
    "buffer_utilization": _SHARE,
    "avg_send_time_ms": _NUMBER,
    "suggested_actions": _TEXTS,
}
_KINDS: Final[dict[str, dict[str, Any]]] = {
    "metadata": _with(
        {
            "request_id": _TEXT,
            "session_id": _TEXT,
            "stream_type": _TEXT,
            "protocol_version": _TEXT,
            "buffer_info": _with(
                _BUFFER | {"current_size": _WHOLE, "max_memory_bytes": _WHOLE, "adaptive_sizing_enabled": _FLAG}
            ),
            "performance_config": {"type": "object"},
        },
        warnings=_TEXTS,
    ),
    "progress": _with(
        {
            "completed": _WHOLE,
            "total": _MAYBE,
            "phase": _TEXT,
            "performance_metrics": _with({"throughput_per_second": _NUMBER, "success_rate": _SHARE}),
            "buffer_info": _with(_BUFFER | {"pending_flushes": _WHOLE, "backpressure_detected": _FLAG}),
            "connection_health": _with({"avg_send_time_ms": _NUMBER, "slow_sends_count": _WHOLE, "is_slow_client": _FLAG}),
        }
    ),
    "result": _with(
        {"index": _WHOLE, "result": {}, "progress": _with({"completed": _WHOLE, "total": _MAYBE, "success_rate": _SHARE})}
    ),
    "error": _with({"message": _TEXT, "error": _with(_ERROR, **_MORE)}),
    "output": _with({"text": _TEXT}),
    "summary": _with(
        {
            "status": {"enum": ["complete", "partial", "cancelled", "failed"]},
            "total": _WHOLE,
            "successful": _WHOLE,
            "failed": _WHOLE,
            "success_rate": _SHARE,
            "total_time_ms": _WHOLE,
            "total_processing_time_ms": _WHOLE,
            "throughput_per_second": _NUMBER,
            "ttfb_ms": _MAYBE,
            "total_bytes_transferred": _WHOLE,
            "buffer_statistics": _with(_STATISTICS),
        },
        reason=_TEXT,
        limits=_with({"duration_ms": _MAYBE, "bytes": _MAYBE}),
    ),
    "reset": _with({"since": {"type": "integer"}, "first": _WHOLE, "last": _WHOLE}),
    "heartbeat": _with({"session_id": _TEXT, "connection_stats": _with(_SENT)}, server_health={"type": "object"}),
    "backpressure_warning": _with({"connection_id": _TEXT, "warning": _with(_WARNING), "current_metrics": {"type": "object"}}),
    "system_status": _with(
        {
            "streaming_health": _with({"status": _TEXT, "score": _WHOLE, "issues": _TEXTS}),
            "global_metrics": {"type": "object"},
        }
    ),
}


def schemas() -> dict[str, Any]:
    """Return the schemas by their names: that of any event, which leads to those of the events of ours."""
    kinds = {f"{name}_event": kind for name, kind in _KINDS.items()}
    ways = [{"if": {"properties": {"event": {"const": name}}}, "then": {"$ref": f"{PREFIX}{name}_event"}} for name in _KINDS]
    fields = {
        "event": {**_TEXT, "examples": list(ESSENTIAL)},
        "seq": {"type": "integer", "minimum": 1},
        "timestamp": {**_TEXT, "format": "date-time"},
    }
    event = {"type": "object", "properties": fields, "required": ["event", "timestamp"], "allOf": ways}
    return {"Event": event, **kinds}
