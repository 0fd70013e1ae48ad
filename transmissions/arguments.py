"""What the words behind an app's name mean: the arguments it declares, as fields of its first messages.

An app declares them in Turtle (`:argument [ :name … ; :kind … ]`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .message import Message
    from .plan import Argument, Plan

_COMMAND: Final = "Command"


class Bound(NamedTuple):
    """What the words of a call give a run to begin with."""

    messages: list[Message]
    roots: tuple[Path, ...]
    """The files and folders named, which the run may therefore read."""
    command: tuple[str, ...] = ()
    """The words behind `--`."""


def bind(plan: Plan, words: Sequence[str], *, known: Collection[str] = (), cwd: Path | None = None) -> Bound:
    """Put words into the fields an app declares for them; what stands behind `--` is its command.

    An argument that takes many makes a message for each word, or one with the list of them where it says `together`. `known`
    are fields the first messages have already: a word wins over them, and they win over a default.

    Raises:
        UsageError: words are missing, left over, or not what the app declares.

    """
    place = words.index("--") if "--" in words else len(words)
    declared = [argument for argument in plan.arguments if argument.kind != _COMMAND]
    messages: list[Message] = [{}]
    roots: list[Path] = []
    for argument, share in zip(declared, _share_out(plan, declared, list(words[:place])), strict=True):
        values = [_value(argument, word, cwd or Path.cwd()) for word in share] or _default(plan, argument, known)
        fields: list[Any] = [values] if argument.together and values else values
        messages = [{**message, argument.field: value} for value in fields for message in messages] or messages
        roots += [Path(value) for value in values if argument.kind == "Path"]
    command = list(words[place + 1 :])
    return Bound(_with_command(plan, command, known, messages), tuple(roots), tuple(command))


def _share_out(plan: Plan, declared: list[Argument], words: list[str]) -> list[list[str]]:
    """Divide the words among the arguments; one that takes many leaves a word for each behind it."""
    shares = []
    for position, argument in enumerate(declared):
        count = max(len(words) - (len(declared) - position - 1), 1) if argument.many else 1
        shares.append(words[:count])
        words = words[count:]
    if words:
        takes = ", ".join(argument.name for argument in declared) or "no arguments"
        command = f" in front of `--`; a command: trans run {plan.app} -- {words[0]} …" if _command_of(plan) else ""
        raise UsageError(f"'{words[0]}' is one word too many: app '{plan.app}' takes {takes}{command}")
    return shares


def _value(argument: Argument, word: str, cwd: Path) -> str:
    if argument.kind == "Path":
        path = cwd / Path(word).expanduser()
        if not word or not path.exists():
            raise UsageError(f"no file or folder '{word}' ({argument.name})")
        return str(path.absolute())
    if argument.kind == "URL" and not word.startswith(("http://", "https://")):
        raise UsageError(f"'{word}' is no URL ({argument.name}); it must begin with http:// or https://")
    return word


def _default(plan: Plan, argument: Argument, known: Collection[str]) -> list[str]:
    if argument.field in known:
        return []
    if argument.default is not None:
        default = argument.default
        return [str(Path(plan.folder, default).absolute()) if argument.kind == "Path" else default]
    if argument.required:
        about = f" ({argument.help})" if argument.help else ""
        raise UsageError(f"app '{plan.app}' needs an argument: {argument.name}{about}")
    return []


def _with_command(plan: Plan, command: list[str], known: Collection[str], messages: list[Message]) -> list[Message]:
    declared = _command_of(plan)
    if not command:
        if declared and declared.required and declared.field not in known:
            raise UsageError(f"app '{plan.app}' needs a command: trans run {plan.app} … -- COMMAND")
        return messages
    if declared is None:
        raise UsageError(f"app '{plan.app}' takes no command behind `--`")
    value: Any = command
    return [{**message, declared.field: value} for message in messages]


def _command_of(plan: Plan) -> Argument | None:
    return next((argument for argument in plan.arguments if argument.kind == _COMMAND), None)
