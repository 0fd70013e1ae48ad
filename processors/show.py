"""Processors that show what happens: ShowMessage, ShowConfig, ShowCounts. They print data, so on standard output."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any, Final

from transmissions import Processor, Range, get_field, said_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transmissions import Message
    from transmissions.plan import NodePlan

_TOP: Final = "Message vvvvvvvvvvvvvvvvvvvvvvvv"
_BOTTOM: Final = "^" * 32

_DATASETS: Final = {("rdflib", "Graph"), ("rdflib", "Dataset"), ("pyoxigraph", "Dataset"), ("pyoxigraph", "Store")}
"""Classes that no import is worth: graphs are text in messages, but a processor of one's own may put such an object there."""

_OF_NODES: Final = {"received": "received", "sent": "sent", "dropped": "dropped", "failed": "failed"}
_OF_BUFFERS: Final = {
    "most bytes": "maxBufferUsage",
    "most items": "peakItems",
    "pauses": "pauseCount",
    "resumes": "resumeCount",
    "paused ms": "totalPauseDuration",
    "overflows": "overflowEvents",
    "dropped": "dropped",
}
"""Headings of the tables, and the counters below them."""


class ShowMessage(Processor):
    """Print every message as JSON on standard output, and let it go on.

    Long texts are shortened to `stringLimit` characters and `...`. Dates are printed as ISO 8601, bytes by their number, and
    an object inside itself as `[Circular]`.

    ```turtle
    :SM a :ShowMessage ; :alert "after cleaning" ; :stringLimit 200 .
    ```
    """

    stateful = True

    alert: str = "Show Message"
    "A line above each message; none, and no frame, if empty."
    string_limit: Annotated[int, Range(ge=0)] = 100
    "How many characters of a text are printed; 0 prints all."

    def process(self, message: Message) -> Message:
        """Print the message."""
        text = json.dumps(self._plain(message, ()), ensure_ascii=False, indent=2).encode("utf-8", "replace").decode()
        framed = f"      {self.alert}      \n{_TOP}\n{text}\n\n{_BOTTOM}\n" if self.alert else f"{text}\n"
        self.context.show(framed)
        return message

    def _plain(self, value: Any, way: tuple[int, ...]) -> Any:
        if isinstance(value, str):
            return value if not self.string_limit or len(value) <= self.string_limit else value[: self.string_limit] + "..."
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict | list | tuple | set | frozenset):
            return self._inside(value, way)
        if isinstance(value, bytes | bytearray | memoryview):
            return f"[{len(value)} bytes]"
        if (type(value).__module__.partition(".")[0], type(value).__name__) in _DATASETS:
            return "[RDF Dataset: Skipped]"
        if isinstance(value, date | time):
            return value.isoformat()
        said = said_by(value)
        return self._plain(str(value) if said is value else said, way)

    def _inside(self, value: Any, way: tuple[int, ...]) -> Any:
        if id(value) in way:
            return "[Circular]"
        way = (*way, id(value))
        if isinstance(value, dict):
            return {str(key): self._plain(item, way) for key, item in value.items()}
        return [self._plain(item, way) for item in value]


class _ShowOnce(Processor, ABC):
    """Print something before the first message."""

    def __post_init__(self) -> None:
        """Wait for the first message."""
        self._is_shown = False

    def process(self, message: Message) -> Message:
        """Print before the first message, and pass every message on."""
        if not self._is_shown:
            self._is_shown = True
            self.context.show("".join(f"{line}\n" for line in self._lines()))
        return message

    @abstractmethod
    def _lines(self) -> Iterator[str]: ...


class ShowConfig(_ShowOnce):
    """Print the checked plan of the app once, on standard output: nodes, settings, and where each was written.

    Messages go on unchanged. Settings left to their defaults are not printed; secrets are printed by name only.

    ```turtle
    :SC a :ShowConfig .
    ```
    """

    def _lines(self) -> Iterator[str]:
        yield f"{self.context.plan.app}  {self.context.plan.folder}"
        for node in self.context.plan.nodes():
            yield f"  {node.path}  {node.type.rpartition('/')[2]}  ({node.where})"
            yield from settings_of(node)


def settings_of(node: NodePlan) -> Iterator[str]:
    """Yield a line for each setting of a node, with the place where it was written."""
    for name, value in node.settings.items():
        origin = node.origins.get(name)
        place = f"  ({origin})" if origin else ""
        yield f"    {name} = {json.dumps(value, ensure_ascii=False, default=str)}{place}"


class ShowCounts(Processor):
    """Print what every node and every declared buffer counted, as tables on standard output, when the stream has ended.

    Messages go on unchanged. Best placed last in a pipe: what is behind it has not finished yet when it prints.

    ```turtle
    :counts a :ShowCounts ; :field "number" .
    ```
    """

    stateful = True

    field: str = ""
    "Dotted path of a field whose first and last values are printed too, to see which messages came through."

    def __post_init__(self) -> None:
        """Begin without any value."""
        self._ends: list[Any] = []

    def process(self, message: Message) -> Message:
        """Remember the first value and the latest, and pass the message on."""
        if self.field:
            self._ends[1:] = [get_field(message, self.field)]
        return message

    def finish(self) -> None:
        """Print the tables."""
        snapshot = self.context.snapshot()
        order = [node.path for node in self.context.plan.nodes() if node.path in snapshot["nodes"]]
        lines = table("node", _OF_NODES, {path: snapshot["nodes"][path] for path in order})
        buffers = {name: figures for name, figures in snapshot["buffers"].items() if "pauseCount" in figures}
        if buffers:
            lines += ["", *table("buffer", _OF_BUFFERS, buffers)]
        if self.field and self._ends:
            lines += ["", f"{self.field}: from {self._ends[0]} to {self._ends[-1]}"]
        self.context.show("".join(f"{line}\n" for line in lines))


def table(title: str, columns: dict[str, str], rows: dict[str, dict[str, Any]]) -> list[str]:
    """Lay rows out under their headings: names to the left, numbers to the right."""
    width = max(map(len, [title, *rows]))
    yet = [_row(title, width, [(heading, heading) for heading in columns])]
    return yet + [_row(name, width, [(h, f"{figures[key]}") for h, key in columns.items()]) for name, figures in rows.items()]


def _row(name: str, width: int, cells: Iterable[tuple[str, str]]) -> str:
    return "  ".join([name.ljust(width), *(text.rjust(max(len(heading), 8)) for heading, text in cells)])
