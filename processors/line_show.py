"""Lines for people: ShowLines and CommandReport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from transmissions import Processor, Range, as_text, get_field

if TYPE_CHECKING:
    from transmissions import Message


class ShowLines(Processor):
    """Print a text field of every message as a line on standard output, and let the message go on.

    Messages without the field are passed over. With `labels` the message's `source` stands in front of what is not from the
    standard output.

    ```turtle
    :show a :ShowLines ; :labels true .
    ```
    """

    stateful = True

    input_field: str = "line"
    "Dotted path of the text; what is no text is printed as JSON."
    labels: bool = False
    "Whether lines say which output they are from."
    limit: Annotated[int, Range(ge=0)] = 0
    "How many characters of a line are printed; 0 prints all."

    def process_batch(self, messages: list[Message]) -> list[Message]:
        """Print the lines of many messages at once."""
        text = "".join(line for line in map(self._line, messages) if line)
        if text:
            self.context.show(text.encode("utf-8", "replace").decode())
        return messages

    def process(self, message: Message) -> Message:
        """Print one line."""
        return self.process_batch([message])[0]

    def _line(self, message: Message) -> str:
        value = get_field(message, self.input_field)
        if value is None:
            return ""
        text = as_text(value)
        source = message.get("source", "stdout")
        label = f"{source}: " if self.labels and source != "stdout" else ""
        return f"{label}{text[: self.limit or None]}\n"


class CommandReport(Processor):
    """Say at the end of a run what became of its program: exit code, time, lines, lines in a second, and events counted.

    Reads messages as CommandSource makes them, the last with `:exitMessage true`, and counts the field `event`, as a
    PatternMatcher sets it; lines of a file have no end to be told. `trans` says it in its last line.

    ```turtle
    :report a :CommandReport .
    ```
    """

    stateful = True

    ignore: tuple[str, ...] = ()
    "Events that are not told."

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self._lines = 0
        self._events: dict[str, int] = {}
        self._said: dict[str, Any] = {}
        self._is_program = False

    def process(self, message: Message) -> Message:
        """Take a message into account."""
        said = message.get("command")
        if isinstance(said, dict) and "exitCode" in said:
            self._said = said
        if "line" in message:
            self._lines += 1
            self._is_program = self._is_program or "source" in message
        event = message.get("event")
        if isinstance(event, str) and event not in self.ignore:
            self._events[event] = self._events.get(event, 0) + 1
        return message

    def finish(self) -> None:
        """Tell it."""
        text = ", ".join(self._parts())
        self.context.emit("summary", text=text)

    def _parts(self) -> list[str]:
        said = self._said
        seconds = said.get("seconds") or 0
        rate = f" ({self._lines / seconds:.0f}/s)" if seconds and self._lines else ""
        errors = said.get("lines", {}).get("stderr")
        parts = [how_it_ended(said)] if said or self._is_program else []
        parts += [f"{_many(self._lines, 'line')}{rate}"]
        parts += [f"{errors} on stderr"] if errors else []
        parts += [f"{said['dropped']} dropped"] if said.get("dropped") else []
        return [*parts, *(f"{count} {event}" for event, count in self._events.items())]


def how_it_ended(said: dict[str, Any]) -> str:
    """Return what is told of a program's end, in words."""
    if said.get("timedOut"):
        return "the time was up"
    if said.get("signal"):
        return f"ended by signal {said['signal']}"
    return "stopped before it ended" if said.get("exitCode") is None else f"exit code {said['exitCode']}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
