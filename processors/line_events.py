"""Lines that are told: EventEmitter, Logger."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Final, Literal

from transmissions import Pattern, Processor, as_text, get_field

if TYPE_CHECKING:
    from transmissions import Message

_TOLD: Final = ("line", "source", "number", "time")


class EventEmitter(Processor):
    """Tell every message as an event of one type, and let it go on.

    Listeners (`run.on(type, …)`, `trans serve`) get `line`, `source`, `number` and `time`, as far as the message has them, and
    what else `fields` names. The type is written to the field `targetField` too, so that what follows can go by it.

    ```turtle
    :tell a :EventEmitter ; :eventType "deployed" ; :fields "value.version" .
    ```
    """

    event_type: Annotated[str, Pattern("[^*]+")]
    "The type."
    fields: tuple[str, ...] = ()
    "Dotted paths of what else is told, by these paths."
    target_field: str = "event"
    "Where the type is written; nowhere if empty."

    def process(self, message: Message) -> Message:
        """Tell of one message."""
        told = {name: message[name] for name in _TOLD if name in message}
        self.context.emit(self.event_type, **told, **{path: get_field(message, path) for path in self.fields})
        if self.target_field:
            message[self.target_field] = self.event_type
        return message


class Logger(Processor):
    """Write the line of every message to the log of the run, and let the message go on.

    Control characters but tabs are shown as `�`, so that no line can pass for another. A message without the line is passed
    over.

    ```turtle
    :log a :Logger ; :level "debug" ; :prefix "build" .
    ```
    """

    input_field: str = "line"
    "Dotted path of what is logged."
    level: Literal["debug", "info", "warning", "error"] = "info"
    "How serious it is; `debug` is shown with --verbose only."
    prefix: str = ""
    "What stands in front, and a colon."

    def __post_init__(self) -> None:
        """Look the level up."""
        self._level = logging.getLevelNamesMapping()[self.level.upper()]
        self._prefix = f"{self.prefix}: " if self.prefix else ""

    def process(self, message: Message) -> Message:
        """Log one line."""
        line = get_field(message, self.input_field)
        if line is not None and self.context.log.isEnabledFor(self._level):
            text = "".join(sign if sign.isprintable() or sign == "\t" else "�" for sign in as_text(line))
            told = {f"of_{name}": message[name] for name in _TOLD[1:] if name in message}
            self.context.log.log(self._level, "%s%s", self._prefix, text, extra=told)
        return message
