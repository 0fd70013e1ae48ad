"""What an app says of its run besides: with `context.emit("progress", …)` as it goes, with `emit("summary", …)` for its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OURS: Final = frozenset({"node", "event", "seq", "timestamp", "status", "completed"})
"""What we know better: an app has completed what its client was not told of yet."""


class Said:
    """The latest of it. `clean` takes secrets and folders out of texts."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._latest: dict[str, dict[str, Any]] = {"progress": {}, "summary": {}}

    def hear(self, event: str, fields: Mapping[str, Any]) -> None:
        """Take what is said, over what was said before."""
        told = {name: self._cleaned(value) for name, value in fields.items() if name not in _OURS}
        self._latest[event] = _over(self._latest[event], told)

    def with_it(self, event: str, figures: dict[str, Any]) -> dict[str, Any]:
        """Return figures of ours for an event with what the app says over them."""
        return _over(figures, self._latest[event])

    def _cleaned(self, value: Any) -> Any:
        return self._clean(value) if isinstance(value, str) else value


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, where dicts are put together and of anything else what is above counts."""
    merged = dict(below)
    for name, value in above.items():
        known = merged.get(name)
        merged[name] = _over(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged
