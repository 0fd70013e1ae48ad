"""Golden tests beside an app: what goes in, and what is to come out.

`test/NAME.in.json` is a message, a list of them, or JSON lines. `test/NAME.out.json` is the list of the final messages that
become of it, and `test/NAME.out/`, if it is there, holds the files that are to be written. `test/NAME.args.json` may say
`arguments` (words, as on the command line), `target` (a folder), and `set` (an object of NODE.SETTING to value); a word or
target that names something in `test/` is that. A `…` in expected text stands for anything: a time, a path.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import engine
from .errors import UsageError
from .golden_values import without_folder
from .json_text import read_json
from .prepare import prepare
from .session import as_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .homes import App
    from .message import Message
    from .plan import Plan

_IN = ".in.json"
_WORDS = {"arguments": list, "target": str, "set": dict}


class Golden(NamedTuple):
    """One test: files whose names begin alike."""

    name: str
    folder: Path

    def file(self, ending: str) -> Path:
        """Return the path of one of its files."""
        return self.folder / f"{self.name}{ending}"


class Outcome(NamedTuple):
    """What became of a run: its final messages, and the files it wrote, by relative path."""

    messages: list[Any]
    files: dict[str, bytes]


class Given(NamedTuple):
    """What a test runs with."""

    messages: list[Message]
    arguments: list[str]
    target: Path | None
    overrides: list[str]


def tests_of(app: App) -> list[Golden]:
    """Return the tests of an app, sorted by name."""
    folder = app.folder / "test"
    return [Golden(path.name.removesuffix(_IN), folder) for path in sorted(folder.glob(f"*{_IN}"))]


def given(test: Golden) -> Given:
    """Read what a test runs with.

    Raises:
        UsageError: a file of it is not what it should be.

    """
    path = test.file(".args.json")
    words = read_json(path) if path.exists() else {}
    if not isinstance(words, dict) or not all(isinstance(words.get(name, kind()), kind) for name, kind in _WORDS.items()):
        raise UsageError(f'{path}: an object like {{"arguments": ["a.txt"], "target": "folder", "set": {{"node.setting": 1}}}}')
    if unknown := words.keys() - _WORDS.keys():
        from .near import suggestion

        name = min(unknown)
        raise UsageError(f"{path}: there is no '{name}'{suggestion(name, _WORDS)}; there are {', '.join(_WORDS)}")
    arguments = [_placed(test.folder, str(word)) for word in words.get("arguments", [])]
    target = Path(_placed(test.folder, words["target"])) if "target" in words else None
    overrides = [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in words.get("set", {}).items()
    ]
    return Given(list(_messages(test.file(_IN))), arguments, target, overrides)


def _placed(folder: Path, word: str) -> str:
    return str(folder / word) if word and (folder / word).exists() else word


def _messages(path: Path) -> Iterator[Message]:
    values = _lines(path) or [read_json(path)]
    messages = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    for message in messages:
        if not isinstance(message, dict):
            raise UsageError(f"{path}: a message is a JSON object, or there is a list of them, or one on each line")
        yield message


def _lines(path: Path) -> list[Any] | None:
    """Return the values of JSON lines; None if the file is no such thing."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None


def outcome_of(app: App, test: Golden) -> Outcome:
    """Run an app as a test says, in a temporary output folder, and return what became of it."""
    start = given(test)
    plan = prepare(app, target=start.target, overrides=start.overrides, apart=True).plan
    if app.subtask:
        plan = engine.only(plan, app.subtask)
    with tempfile.TemporaryDirectory(prefix="trans-test-") as folder:
        messages = asyncio.run(_run(plan, start, Path(folder)))
        return Outcome([_movable(one, folder, str(app.folder)) for one in messages], files_in(Path(folder)))


def _movable(message: Any, *folders: str) -> Any:
    """Return a message that is the same wherever the app lies."""
    for folder in folders:
        message = without_folder(message, folder)
    return message


async def _run(plan: Plan, start: Given, folder: Path) -> list[Any]:
    opened = engine.open(
        plan, message=start.messages, arguments=start.arguments, target=start.target, output=folder, own_output=True
    )
    opened.on("output", lambda *_: None)
    async with opened:
        return [json.loads(as_line(message)) async for message in opened]


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
