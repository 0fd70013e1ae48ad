"""Apps in the manner of the original, and a way to run them as its command line did."""

from __future__ import annotations

import asyncio
import json
import re
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from transmissions import engine
from transmissions.compat import at_a_command_line

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix trn: <http://purl.org/stuff/transmissions/> .
@prefix : <http://purl.org/stuff/transmissions/> .
@prefix : <http://purl.org/stuff/transmissions/> . # again, as people do
@base <http://purl.org/stuff/path/> .

:SM a :ShowMessage . # a palette: any of these may be put into a pipe
:SC a :ShowConfig .
:DE a :DeadEnd .
:H a :Halt .
:N a :NOP .
:UF a :Unfork .
"""


class Ran(NamedTuple):
    """What a run printed, the messages it showed, and those that left it."""

    text: str
    shown: list[dict[str, Any]]
    messages: list[dict[str, Any]]

    @property
    def lines(self) -> list[str]:
        """The lines of its own that a run printed."""
        return [line for line in self.text.splitlines() if re.match(r"APP|\*\*\*|\+ |  > |\|-> ", line)]


def write(folder: Path, **files: str) -> Path:
    """Write an app; `transmissions` and `config` get the usual head, `data__name` goes to `data/name`."""
    for name, text in files.items():
        is_turtle = name in {"transmissions", "config", "tt"}
        path = folder / (f"{name}.ttl" if is_turtle else name.replace("__", "/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            (HEAD if name == "transmissions" else HEAD.partition(":SM")[0] if is_turtle else "") + textwrap.dedent(text)
        )
    return folder


def run(folder: Path, message: dict[str, Any] | None = None, *, target: Path | None = None, speaks: bool = True) -> Ran:
    """Run an app with `--compat`, as a command line does."""
    opened = engine.open(str(folder), message=message, target=target, compat=True)
    printed: list[str] = []
    opened.on("output", lambda _, fields: printed.append(fields["text"]))
    at_a_command_line(opened, speaks=speaks)
    messages = asyncio.run(_take(opened))
    return Ran("".join(printed), shown("".join(printed)), messages)


def shown(text: str) -> list[dict[str, Any]]:
    """Return the messages that ShowMessage printed."""
    return [json.loads(found) for found in re.findall(r"^Message v+\n(.*?)\n\n\^+$", text, re.DOTALL | re.MULTILINE)]


async def _take(opened: Any) -> list[dict[str, Any]]:
    async with opened:
        return [message async for message in opened]
