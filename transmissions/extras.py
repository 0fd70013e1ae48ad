"""The optional libraries of processors: which an extra of this project brings, which are absent, and how to install them."""

from __future__ import annotations

import re
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from .errors import UsageError

_CHECKOUT: Final = Path(__file__).resolve().parent.parent / "pyproject.toml"

_CONDITION: Final = re.compile(r"""(\w+)\s*([!=]=)\s*['"]([^'"]*)['"]""")
"""One of what a marker says; ours are joined by `and`."""


def absent(extra: str) -> list[str]:
    """Return the requirements of an extra whose library is not installed."""
    return [one for one in _requirements(extra) if not _is_installed(_library_of(one))]


def require(extra: str, what: str) -> None:
    """Refuse to go on without the libraries of an extra.

    Raises:
        UsageError: one of them is not installed; it says how to install it.

    """
    if absent(extra):
        raise missing_extra(extra, what)


def missing_extra(extra: str, what: str) -> UsageError:
    """Return the error of something whose libraries, those of an extra, are not there; it says how to install them."""
    missing = absent(extra) or _requirements(extra)
    return UsageError(f"{what} needs {libraries_of(missing)}, not installed here; install it: {install_command(missing)}")


def libraries_of(requirements: list[str]) -> str:
    """Return the names of the distributions that requirements ask for, in quotes."""
    return ", ".join(f"'{_library_of(one)}'" for one in requirements)


def install_command(requirements: list[str]) -> str:
    """Return what to type to have libraries where this Python looks for them."""
    # Not `pip install 'transmissions[…]'`: the environment of a checkout does not know this project by name.
    return shlex.join([sys.executable, "-m", "pip", "install", *requirements])


def _library_of(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def _requirements(extra: str) -> list[str]:
    try:
        lines = metadata.requires("transmissions") or []
    except metadata.PackageNotFoundError:
        return _in_checkout(extra)
    return [one for line in lines if "extra" in line.partition(";")[2] and (one := _asked_here(line, extra))]


def _in_checkout(extra: str) -> list[str]:
    import tomllib

    if not _CHECKOUT.exists():
        return []
    extras: dict[str, list[str]] = tomllib.loads(_CHECKOUT.read_text("utf-8"))["project"]["optional-dependencies"]
    return [one for line in extras.get(extra, []) if (one := _asked_here(line, extra))]


def _asked_here(line: str, extra: str) -> str:
    """Return a requirement without its marker; nothing if that does not hold here, or for another extra."""
    requirement, _, marker = line.partition(";")
    known = {"extra": extra, "sys_platform": sys.platform}
    holds = all((known.get(name) == value) is (sign == "==") for name, sign, value in _CONDITION.findall(marker))
    return requirement.strip() if holds else ""


def _is_installed(library: str) -> bool:
    try:
        metadata.distribution(library)
    except metadata.PackageNotFoundError:
        return False
    return True
