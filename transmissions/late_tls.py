"""Import asyncio without `ssl`, which it takes along: that comes when somebody uses it.

With what belongs to it that is a seventh of the import, and 4 MB, which most runs have no use for.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, Final

_LATE: Final = ("ssl", "asyncio.sslproto")


class _Late(ModuleType):
    """Stands for a module in asyncio's own modules, and imports it once it is asked for anything."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, value)
        return value


def import_asyncio() -> None:
    """Import asyncio, unless that has been done. Everybody else who imports `ssl` gets it as ever."""
    if "asyncio" in sys.modules:
        return
    late = [name for name in _LATE if name not in sys.modules]
    for name in late:
        sys.modules[name] = _Late(name)
    try:
        importlib.import_module("asyncio")
    finally:
        for name in late:
            del sys.modules[name]
