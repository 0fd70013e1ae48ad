"""The log of a run on stderr: plain lines or JSON lines, with secrets masked in both."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .plan import Plan

_LOGGER: Final = "transmissions"
_MASK: Final = "…"
_SHORTEST_SECRET: Final = 6
"""A shorter value would be masked out of half the words of a log."""
_CREDENTIALS: Final = re.compile(
    r"""(?P<keep> ://[^/\s:@]*:(?=[^/\s@]+@) | \bbearer[ ]+ | \bauthorization:[ ]*basic[ ]+
              | \b(?:api|access|auth)[_-]?(?:key|token)["']?\s*[=:]\s*["']?
              | \b(?:password|passwd|secret)["']?\s*[=:]\s*["']?
        ) [^\s"'@,;\\]+""",
    re.IGNORECASE | re.VERBOSE,
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal takes for orders: data that an error repeats must not clear the screen or write what looks like a log."""
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class Stream(Protocol):
    """What a log is written to."""

    def write(self, text: str, /) -> object:
        """Write some text."""

    def flush(self) -> object:
        """Let it be seen."""


class Redaction(logging.Filter):
    """Masks what must not be read in a log: the values of secrets in use, and whatever looks like a credential."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
        self.clean: Callable[[str], str] = str
        """What else every text goes through."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a record's text and fields; every record passes."""
        record.msg, record.args = self.mask(record.getMessage()), None
        if record.exc_info:
            record.exc_text = self.mask(logging.Formatter().formatException(record.exc_info))
        elif record.exc_text:  # of another process
            record.exc_text = self.mask(record.exc_text)
        for name, value in record.__dict__.items():
            if name not in _STANDARD and isinstance(value, str):
                record.__dict__[name] = self.mask(value)
        return True

    def mask(self, text: str) -> str:
        """Return the text with secrets and credentials masked."""
        text = self.clean(text)
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return _CREDENTIALS.sub(rf"\g<keep>{_MASK}", text)


class Text(logging.Formatter):
    """One line for people: the level where it is not the usual one, the node, the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line, and its traceback below it."""
        message = record.getMessage()
        node = record.name.removeprefix(_LOGGER).removeprefix(".").replace(".", "/")
        if node and not message.startswith(node):
            message = f"{node}: {message}"
        if record.levelno != logging.INFO:
            message = f"{record.levelname.lower()}: {message}"
        text = f"{message}\n{record.exc_text}" if record.exc_text else message
        return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class JSONLines(logging.Formatter):
    """One JSON object per record: time, level, logger, message, and the record's structured fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in record.__dict__.items() if name not in _STANDARD},
        }
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(stream: Stream, layout: str = "text", level: int = logging.INFO, secrets: Iterable[str] = ()) -> logging.Handler:
    """Send the log of `transmissions` to a stream and return the handler that does it; `layout` is `text` or `json`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONLines() if layout == "json" else Text())
    handler.addFilter(Redaction(secrets))
    log = logging.getLogger(_LOGGER)
    log.handlers[:] = [handler]
    log.setLevel(level)
    log.propagate = False
    return handler


def tell(sentence: str, level: int = logging.INFO, **fields: Any) -> None:
    """Say something that is not to be filtered by level, with its fields; before there is a log, as text on stderr."""
    log = logging.getLogger(_LOGGER)
    record = log.makeRecord(_LOGGER, level, "", 0, sentence, (), None, extra=fields)
    if log.handlers:
        log.handle(record)
    elif sys.stderr:
        sys.stderr.write(Text().format(record) + "\n")


def write_to(stream: Stream) -> None:
    """Send what the log says from now on to another stream."""
    for handler in logging.getLogger(_LOGGER).handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(stream)


def clean_with(function: Callable[[str], str]) -> None:
    """Send every text of the log, from now on, through `function` as well."""
    for handler in logging.getLogger(_LOGGER).handlers:
        for redaction in handler.filters:
            if isinstance(redaction, Redaction):
                redaction.clean = function


def secrets_of(plan: Plan) -> Iterator[str]:
    """Yield the value of every secret the settings of a plan refer to."""
    return (os.environ.get(name, "") for node in plan.nodes() for name in variables_in(node.settings))


def variables_in(settings: Any) -> Iterator[str]:
    """Yield the environment variables that the secrets in settings are to be found in."""
    if isinstance(settings, dict):
        if list(settings) == ["env"]:
            yield str(settings["env"])
        for inner in settings.values():
            yield from variables_in(inner)
    elif isinstance(settings, list | tuple):
        for inner in settings:
            yield from variables_in(inner)
