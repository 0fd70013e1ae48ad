"""What the words behind an app's name mean: the arguments it declares, as fields of its first messages.

An app declares them in Turtle (`:argument [ :name … ; :kind … ]`). An app that declares none takes one word, its target.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .message import Message
    from .plan import Argument, Plan

_COMMAND: Final = "Command"


class Given(NamedTuple):
    """What a command line gives a run to begin with."""

    messages: list[Message]
    roots: tuple[Path, ...]
    """The files and folders named in it, which the run may therefore read."""


def read_messages(text: str | None) -> list[Message]:
    """Return the messages of `-m`: JSON, or `@FILE` with JSON in it (`@-` is standard input); one object or a list of them.

    Raises:
        UsageError: it is neither.

    """
    if text is None:
        return [{}]
    name = text[1:] if text.startswith("@") else "-m"
    try:
        value = json.loads(_read(name) if text.startswith("@") else text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{name}:{error.lineno}:{error.colno}: not JSON: {error.msg.lower()}") from error
    messages = value if isinstance(value, list) else [value]
    if not messages or not all(isinstance(message, dict) for message in messages):
        raise UsageError(f"{name}: a message is a JSON object")
    return messages


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read '{name}': {getattr(error, 'strerror', None) or error}") from error


def interpret(plan: Plan, words: Sequence[str], command: Sequence[str] | None, messages: list[Message]) -> Given:
    """Put the words of a command line into the fields the app declares for them.

    A word wins over `-m`, and `-m` over a default. An argument that takes many makes a message for each word.

    Raises:
        UsageError: words are missing, left over, or not what the app declares.

    """
    declared = [argument for argument in plan.arguments if argument.kind != _COMMAND]
    shares = _share_out(plan, declared, list(words))
    roots: list[Path] = []
    for argument, share in zip(declared, shares, strict=True):
        values = [_value(argument, word) for word in share]
        if values:
            messages = [{**message, argument.field: value} for value in values for message in messages]
        else:
            values = _default(plan, argument, messages)
            messages = [{argument.field: value, **message} for value in values for message in messages] or messages
        roots += [Path(value) for value in values if argument.kind == "Path"]
    return Given(_with_command(plan, command, messages), tuple(roots))


def _share_out(plan: Plan, declared: list[Argument], words: list[str]) -> list[list[str]]:
    """Divide the words among the arguments; one that takes many leaves a word for each behind it."""
    shares = []
    for position, argument in enumerate(declared):
        count = max(len(words) - (len(declared) - position - 1), 1) if argument.many else 1
        shares.append(words[:count])
        words = words[count:]
    if words:
        takes = ", ".join(argument.name for argument in declared) or "no arguments"
        raise UsageError(f"'{words[0]}' is one word too many: app '{plan.app}' takes {takes}")
    return shares


def _value(argument: Argument, word: str) -> str:
    if argument.kind == "Path":
        path = Path(word).expanduser().absolute()
        if not path.exists():
            raise UsageError(f"no file or folder '{word}' ({argument.name})")
        return str(path)
    if argument.kind == "URL" and not word.startswith(("http://", "https://")):
        raise UsageError(f"'{word}' is no URL ({argument.name}); it must begin with http:// or https://")
    return word


def _default(plan: Plan, argument: Argument, messages: list[Message]) -> list[str]:
    if argument.default is not None:
        default = argument.default
        return [str(Path(plan.folder, default).absolute()) if argument.kind == "Path" else default]
    if argument.required and not all(argument.field in message for message in messages):
        about = f" ({argument.help})" if argument.help else ""
        raise UsageError(f"app '{plan.app}' needs an argument: {argument.name}{about}")
    return []


def _with_command(plan: Plan, command: Sequence[str] | None, messages: list[Message]) -> list[Message]:
    declared = next((argument for argument in plan.arguments if argument.kind == _COMMAND), None)
    if command is None:
        if declared and declared.required:
            raise UsageError(f"app '{plan.app}' needs a command: trans run {plan.app} … -- COMMAND")
        return messages
    if declared is None:
        raise UsageError(f"app '{plan.app}' takes no command behind `--`")
    value: Any = list(command)
    return [{**message, declared.field: value} for message in messages]
