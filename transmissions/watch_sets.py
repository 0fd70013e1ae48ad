"""What `trans watch` watches: folders, and the apps that run when something in them changes.

A config is a JSON list of `{"name": …, "dirs": […], "apps": ["APP ARGUMENT…"], "watchEvents": ["change", "rename"]}`; a `~`
at the beginning of a folder is the home of whoever watches. An app whose words name no argument gets the folder that changed.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .errors import UsageError
from .json_text import read_json
from .near import suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENTS: Final = {"added": "rename", "modified": "change", "deleted": "rename"}
"""What the original calls them."""
_FIELDS: Final = ("name", "dirs", "apps", "watchEvents")


class WatchSet(NamedTuple):
    """Folders watched together."""

    name: str
    folders: tuple[Path, ...]
    apps: tuple[tuple[str, ...], ...]
    """Words of a command line each: an app, and its arguments."""
    events: frozenset[str]
    """`change` (a file has other content) and `rename` (one came or went)."""
    gives_folder: bool = True
    """Whether an app without arguments gets the folder."""


def of_app(app: str, folders: Sequence[Path], default: Path) -> WatchSet:
    """Return the set for one app; where no folder is named it is `default`, which the app works in anyway."""
    return WatchSet(app, _checked(app, folders or [default]), ((app,),), frozenset(EVENTS.values()), bool(folders))


def read_config(path: Path) -> list[WatchSet]:
    """Read a config.

    Raises:
        UsageError: it is not what a config is; the sentence says where.

    """
    sets = read_json(path)
    if not isinstance(sets, list) or not sets:
        raise UsageError(f"{path}: a config is a list of objects with {', '.join(_FIELDS)}")
    return [_set(f"{path}: [{number}]", one) for number, one in enumerate(sets)]


def _set(where: str, fields: Any) -> WatchSet:
    if not isinstance(fields, dict):
        raise UsageError(f"{where} is no object with {', '.join(_FIELDS)}")
    for name in fields.keys() - set(_FIELDS):
        raise UsageError(f"{where} has a '{name}'{suggestion(name, _FIELDS) or '; it may have ' + ', '.join(_FIELDS)}")
    folders, apps = _texts(where, fields, "dirs"), _texts(where, fields, "apps")
    events = _texts(where, fields, "watchEvents") if "watchEvents" in fields else [*EVENTS.values()]
    for event in events:
        if event not in EVENTS.values():
            raise UsageError(f'{where}: watchEvents may be "change" and "rename", not \'{event}\'')
    words = tuple(_words(where, app) for app in apps)
    return WatchSet(str(fields.get("name", "")), _checked(where, map(Path, folders)), words, frozenset(events))


def _texts(where: str, fields: dict[str, Any], name: str) -> list[str]:
    value = fields.get(name)
    if isinstance(value, list) and value and all(isinstance(one, str) and one.strip() for one in value):
        return value
    raise UsageError(f"{where} needs {name}: a list of texts")


def _words(where: str, app: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(app))
    except ValueError as error:
        raise UsageError(f"{where}: '{app}': {str(error).lower()}") from error


def _checked(where: str, folders: Any) -> tuple[Path, ...]:
    found = tuple(folder.expanduser().absolute() for folder in folders)
    for folder in found:
        if not folder.is_dir():
            raise UsageError(f"{where}: no folder '{folder}' to watch")
    return found
