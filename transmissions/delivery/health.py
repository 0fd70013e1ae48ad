"""How well all streams together do: figures, a state, a score, and what is wrong."""

from __future__ import annotations

from typing import Final, NamedTuple

HEALTHY, DEGRADED, CRITICAL, ENDING = "healthy", "degraded", "critical", "ending"
_SCORES: Final = {HEALTHY: 100, DEGRADED: 75, CRITICAL: 25, ENDING: 0}
ERRORS: Final = (0.05, 0.1)
"""From which share of errors on the state is degraded, and critical."""
DROPS: Final = (0.1, 0.2)
"""From which share of events left out."""
_FULL: Final = 0.9
"""From which share of the streams there may be on the server is not ready for more."""


class GlobalStreamingMetrics(NamedTuple):
    """The figures of all streams."""

    active_connections: int = 0
    total_connections: int = 0
    total_messages_sent: int = 0
    total_messages_dropped: int = 0
    average_connection_duration_ms: float = 0.0
    memory_usage_bytes: int = 0
    """What waits for clients."""
    error_rate: float = 0.0
    """The share of errors among the latest results and errors."""
    capacity_used: float = 0.0
    """The share of the streams there may be."""
    is_ending: bool = False

    @property
    def drop_rate(self) -> float:
        """The share of events left out, from 0 to 1."""
        if self.total_messages_sent == 0:
            return float(self.total_messages_dropped > 0)
        return min(1.0, self.total_messages_dropped / self.total_messages_sent)

    @property
    def efficiency(self) -> float:
        """The mean of the shares that were delivered and went well."""
        if self.total_messages_sent == 0:
            return 1.0
        return ((1 - self.drop_rate) + (1 - min(1.0, max(0.0, self.error_rate)))) / 2

    @property
    def health_status(self) -> str:
        """`healthy`, `degraded`, `critical` or `ending`."""
        if self.is_ending:
            return ENDING
        for state, errors, drops in ((CRITICAL, ERRORS[1], DROPS[1]), (DEGRADED, ERRORS[0], DROPS[0])):
            if self.error_rate > errors or self.drop_rate > drops:
                return state
        return HEALTHY

    @property
    def is_operational(self) -> bool:
        """Whether it does its work, if not well."""
        return self.health_status in {HEALTHY, DEGRADED}

    @property
    def is_ready(self) -> bool:
        """Whether there is room for more streams, and few errors."""
        return not self.is_ending and self.capacity_used < _FULL and self.error_rate < ERRORS[0]

    @property
    def score(self) -> int:
        """From 0 to 100."""
        return _SCORES[self.health_status]

    @property
    def issues(self) -> list[str]:
        """What is wrong, in words."""
        said = []
        if self.error_rate > ERRORS[0]:
            said.append(f"{self.error_rate:.1%} of the latest results are errors, more than {ERRORS[0]:.0%}")
        if self.drop_rate > DROPS[0]:
            said.append(f"{self.drop_rate:.1%} of events were left out, more than {DROPS[0]:.0%}")
        if self.capacity_used >= _FULL:
            said.append(f"{self.capacity_used:.0%} of the streams there may be are open, {_FULL:.0%} or more")
        return [*said, "the server is ending"] if self.is_ending else said
