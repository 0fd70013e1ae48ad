"""Which lines go on: Filter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

from transmissions import Condition, Processor, Protected, compile_pattern, get_field

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions import Message

    Test = Callable[[Message], bool]

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
"""From the least to the most serious."""
_WORDS: Final = {"trace": "debug", "notice": "info", "warn": "warning", "err": "error", "fatal": "critical"}
_LEVEL: Final = re.compile(rf"(?i)(?<![\w.-])(?:{'|'.join([*LEVELS, *_WORDS])})(?![\w.-])")


def level_in(text: str) -> str:
    """Return the level a line names, by the first such word in it; empty if it names none."""
    found = _LEVEL.search(text)
    word = found[0].lower() if found else ""
    return _WORDS.get(word, word)


class Filter(Processor):
    """Let the messages of some lines go on, and drop the others on purpose; or the other way round.

    All that is set must hold: the `source` is this one, one of the `patterns` is found in the line, one of the `literals`
    stands in it, its level is at least this serious, and every condition of `where` is true, as in a `:Route`. The level is the
    field `level` or else the first word in the line that is one (`debug`, `info`, `warning`, `error`, `critical`, or a
    common other word for it); a line that names none is below all. To take different ways instead, use a `:Route`.

    ```turtle
    :serious a :Filter ; :source "stderr" ; :level "warning" ; :where ( [ :field "number" ; :greater 10 ] ) .
    ```
    """

    input_field: str = "line"
    "Dotted path of the line."
    source: Literal["any", "stdout", "stderr"] = "any"
    "Which output it is from."
    patterns: Annotated[tuple[str, ...], Protected()] = ()
    "Regular expressions."
    literals: tuple[str, ...] = ()
    "Texts."
    level: Literal["any", "debug", "info", "warning", "error", "critical"] = "any"
    "The least serious level."
    where: tuple[Condition, ...] = ()
    "Conditions, each a field and one operator."
    mode: Literal["keep", "drop"] = "keep"
    "Whether those messages are kept or dropped."
    others: Literal["judge", "keep"] = "judge"
    "Whether messages without a line are judged like an empty one, or always kept: such as tells of a program's end."

    def __post_init__(self) -> None:
        """Gather the tests."""
        tests: list[Test] = []
        if self.source != "any":
            tests.append(lambda message: message.get("source") == self.source)
        if self.literals:
            tests.append(lambda message: any(text in self._line(message) for text in self.literals))
        if self.patterns:
            searches = [compile_pattern(one).search for one in self.patterns]
            tests.append(lambda message: any(search(self._line(message)) for search in searches))
        if self.level != "any":
            tests.append(self._is_serious)
        self._tests = [*tests, *(one.holds for one in self.where)]

    def process(self, message: Message) -> Message | None:
        """Judge one message."""
        if self.others == "keep" and get_field(message, self.input_field) is None:
            return message
        return message if all(test(message) for test in self._tests) == (self.mode == "keep") else None

    def _line(self, message: Message) -> str:
        line = get_field(message, self.input_field, "")
        return line if isinstance(line, str) else ""

    def _is_serious(self, message: Message) -> bool:
        told = message.get("level")
        level = level_in(told) if isinstance(told, str) else level_in(self._line(message))
        return bool(level) and LEVELS.index(level) >= LEVELS.index(self.level)
