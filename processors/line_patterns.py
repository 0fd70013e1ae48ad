"""Patterns in lines: PatternMatcher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from transmissions import Processor, Protected, Record, RunError, UsageError, get_field, set_field
from transmissions.streaming import Lines, PatternMatchProcessor, StreamSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transmissions import Message


class LinePattern(Record):
    """A pattern, and what it means that it is found."""

    pattern: str
    "A regular expression, found anywhere in the line; groups may have names, `(?P<test>[^ ]+)`."
    event_type: str = "match"
    "The type of the event it is."


class PatternMatcher(Processor):
    """Look for patterns in the line of each message.

    Reads the text at `inputField`. What is found is a list in `targetField`, in the order of the patterns: `type`, `pattern`,
    `captures` (the groups by number, null for one that took no part) and `groups` (those with names). `event` is the type of
    the first, so that a `:Route` or a Filter can go by it, and with `groupsTo` its named groups are an object of their own.
    Each pattern counts once in a line, or with `allMatches` as often as it is found. With
    `tell` what is found is told as events, too. A pattern that could run for ever is refused before a run.

    ```turtle
    :judge a :PatternMatcher ; :patterns (
        [ :pattern "^FAILED (?P<test>[^ ]+)" ; :eventType "failure" ]
        [ :pattern "(?i)warning: (.*)" ; :eventType "warning" ] ) .
    ```
    """

    patterns: Annotated[tuple[LinePattern, ...], Protected()]
    "What is looked for."
    input_field: str = "line"
    "Dotted path of the line."
    target_field: str = "matches"
    "Dotted path of what is found; not written if nothing is."
    groups_to: str = ""
    "Dotted path of an object with the named groups of the first; none if empty."
    all_matches: bool = False
    "Whether a pattern may be found several times in a line."
    unmatched: Literal["keep", "drop"] = "keep"
    "What becomes of messages in which nothing is found."
    otherwise: str = ""
    "The `event` of messages in which nothing is found, those without a line among them; none if empty."
    tell: bool = True
    "Whether what is found is told to listeners, as an event of its type."

    def __post_init__(self) -> None:
        """Make the patterns ready."""
        if not self.patterns:
            raise UsageError("a PatternMatcher needs :patterns")
        self._found: list[list[dict[str, Any]]] = []
        self._matchers = [self._matcher(one) for one in self.patterns]

    def _matcher(self, one: LinePattern) -> PatternMatchProcessor:
        matcher = PatternMatchProcessor({one.event_type: one.pattern}, every=self.all_matches)
        return matcher.attach(self._take)

    def _take(self, kind: str, fields: Mapping[str, Any], _time: float) -> None:
        told = {name: fields[name] for name in ("pattern", "captures", "groups")}
        self._found[fields["line"]].append({"type": kind, **told})

    def process_batch(self, messages: list[Message]) -> list[Message]:
        """Look at the lines of many messages, a pattern after the other."""
        self._found = [[] for _ in messages]
        lines = Lines(StreamSource.STDOUT, 0, [self._line(message) for message in messages], 0.0)
        for matcher in self._matchers:
            matcher.process_batch(lines)
        noted = [self._note(message, found) for message, found in zip(messages, self._found, strict=True)]
        return [message for message in noted if message is not None]

    def _line(self, message: Message) -> str:
        line = get_field(message, self.input_field, "")
        if not isinstance(line, str):
            raise RunError(f"the field '{self.input_field}' is not text but a {type(line).__name__}")
        return line

    def _note(self, message: Message, found: list[dict[str, Any]]) -> Message | None:
        if not found:
            if self.otherwise:
                message["event"] = self.otherwise
            return None if self.unmatched == "drop" else message
        message["event"] = found[0]["type"]
        set_field(message, self.target_field, found)
        if self.groups_to:
            set_field(message, self.groups_to, found[0]["groups"])
        if self.tell:
            where = {name: message[name] for name in ("source", "number", "line") if name in message}
            for match in found:
                self.context.emit(match["type"], **where, **{name: match[name] for name in ("captures", "groups")})
        return message
