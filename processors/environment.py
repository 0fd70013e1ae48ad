"""Variables of the environment, named by the app: EnvLoader."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated, Final, Self

from transmissions import Processor, Protected, RunError, set_field, suggestion

if TYPE_CHECKING:
    from pathlib import Path

    from transmissions import Message

_LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_QUOTED: Final = re.compile(r"""'([^']*)'\s*(?:#.*)?|"((?:\\.|[^"\\])*)"\s*(?:#.*)?""")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


class EnvLoader(Processor):
    """Check that variables are set, and bring those into the message that the app names.

    Reads the environment of the process and a file of lines `NAME=value`, if there is one; the environment wins. Variables
    under `require` must be set when the run starts, or nothing is run. Only those under `variables` are written into the
    message, as an object at `targetField`: whatever shows or stores messages will show and store them, so a password for
    another processor is better given to its own setting, as `[ :env "NAME" ]`.

    ```turtle
    :env a :EnvLoader ; :require "STORE_TOKEN" ; :variables "STORE_URL", "LANG" .
    ```
    """

    file: Annotated[str, Protected()] = ".env"
    "The file, in the folder of the app; none has to be there."
    require: tuple[str, ...] = ()
    "Names of variables that must be set."
    variables: Annotated[tuple[str, ...], Protected()] = ()
    "Names of variables whose values are written into every message; they must be set, too."
    target_field: str = "env"
    "Dotted path of the object with the values."

    def __post_init__(self) -> None:
        """Know nothing yet."""
        self._values: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        """Look the variables up."""
        known = read_variables(self._path()) | os.environ
        missing = next((name for name in (*self.require, *self.variables) if name not in known), None)
        if missing is not None:
            raise RunError(f"the variable {missing} is not set, and not in '{self.file}'{suggestion(missing, known)}")
        self._values = {name: known[name] for name in self.variables}
        return self

    def process(self, message: Message) -> Message:
        """Write the values into the message."""
        if self._values:
            set_field(message, self.target_field, dict(self._values))
        return message

    def _path(self) -> Path:
        return self.context.input_path(self.context.folders.app / self.file)


def read_variables(path: Path) -> dict[str, str]:
    """Return the variables in a file, if there is one.

    A value may stand in quotes; in double ones a backslash escapes. What stands behind ` #` is a comment.

    Raises:
        RunError: a line is none; the error gives its number, and never what is in it.

    """
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            parts = _LINE.fullmatch(line)
            if not parts:
                raise RunError(f"{path}:{number}: not a line NAME=value")
            found[parts[1]] = _value(parts[2])
    return found


def _value(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    if not quoted:
        return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].rstrip()
    if quoted[1] is not None:
        return quoted[1]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), quoted[2])
