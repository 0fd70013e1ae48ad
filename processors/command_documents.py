"""YAML documents in the output of a program, as they come."""

from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError, missing_extra
from transmissions.streaming import StreamSource

from .yaml_values import Bounds, read_documents

if TYPE_CHECKING:
    from transmissions import Message
    from transmissions.streaming import Lines

_VALUES: Final = 1_000_000


class Documents:
    """Gathers the lines of the standard output into documents; those of the standard error are messages of their own."""

    def __init__(self, message: Message, limit: int) -> None:
        self._message = message
        self._limit = limit
        self._lines: list[str] = []
        self._held = self._number = 0
        self._time = 0.0

    @staticmethod
    def need_library() -> None:
        """Refuse to go on without the library that reads YAML."""
        if not importlib.util.find_spec("yaml"):
            raise missing_extra("yaml", ':format "yaml"')

    def __call__(self, lines: Lines) -> list[Message]:
        """Take lines, and return the messages they complete."""
        if lines.source is StreamSource.STDERR:
            told = {"source": lines.source.value, "time": lines.time}
            return [{**self._message, "line": text, "number": number, **told} for number, text in lines.numbered()]
        made: list[Message] = []
        for number, text in lines.numbered():
            if text.startswith("---"):
                made += self.finish()
            self._keep(number, text)
            self._time = lines.time
            if text.startswith("..."):
                made += self.finish()
        return made

    def finish(self) -> list[Message]:
        """Return the document that is still open, if there is one."""
        text, number, held = "\n".join(self._lines), self._number, self._held
        self._lines, self._held = [], 0
        if not text.strip("-. \n"):
            return []
        told: dict[str, Any] = {"line": text, "source": "stdout", "number": number, "time": self._time}
        if held > self._limit:
            return [{**self._message, **told, "malformed": f"the document is longer than {self._limit} bytes (:maxLineBytes)"}]
        return [{**self._message, **told, **_read(text)}]

    def _keep(self, number: int, text: str) -> None:
        if not self._lines:
            self._number = number
        if self._held <= self._limit:
            self._lines.append(text)
            self._held += len(text) + 1


def _read(text: str) -> Message:
    try:
        values = list(read_documents(io.BytesIO(text.encode("utf-8", "replace")), Bounds(len(text) * 4, _VALUES), "line"))
    except RunError as error:
        return {"malformed": str(error)}
    return {"value": values[0] if values else None}
