"""The account of an archive: what its files hold, and what became of every byte of those that are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .json_stream import Broken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .inputs import Archive, Part
    from .json_slices import Element
    from .shape import Shape

_APPS: Final = {"claude": "claude-json-converter", "chatgpt": "chatgpt-converter", "claude-code": "claude-code-converter"}
_LISTED: Final = 5


def account_of(archive: Archive, shapes: list[Shape | None]) -> dict[str, Any]:
    """Return the account of an archive before it is read.

    `shapes` are those of the files that will be read. `files` lists all: `name`, `bytes`, `holds`, and `shape` with its byte
    account in `read` where a file is read, else the `reason`. `elements` and `broken` count what was read; `faults` says what
    could not be.
    """
    files = [_entry(part, shape) for part, shape in zip(archive.parts, shapes, strict=True)]
    files += [{"name": hidden, "reason": "hidden, or a link: skipped"} for hidden in archive.hidden]
    faults = [part.fault for part in archive.parts if part.fault]
    return {"name": archive.path.name, "files": files, "elements": 0, "broken": 0, "faults": faults}


def _entry(part: Part, shape: Shape | None) -> dict[str, Any]:
    entry = {"name": part.blob.name, "bytes": len(part.blob), "holds": part.holds}
    if shape:
        return {**entry, "shape": shape.name, "read": {"elements": 0, "broken": 0, "between": 0}}
    return {**entry, "reason": part.fault or ("not used" if part.shape is None else f"holds {part.holds}, skipped")}


class Tally:
    """Counts the bytes of one file while it is read, and its elements into the account of all."""

    def __init__(self, account: dict[str, Any], entry: dict[str, Any]) -> None:
        self._account = account
        self._entry = entry
        self._read: dict[str, int] = entry["read"]
        self._told = 0
        self.done = 0
        """How far reading has come in the file, in bytes."""

    def take(self, item: Element | Broken) -> None:
        """Count an element, or a stretch that is none."""
        kind = "broken" if isinstance(item, Broken) else "elements"
        self._read[kind] += item.size
        self._read["between"] += max(0, item.offset - self.done)
        self.done = max(self.done, item.offset + item.size)
        self._account[kind] += item.size > 0  # A list that is not closed lacks no conversation that we know of.

    def steps(self, stride: int) -> bool:
        """Whether reading has come so much further since this last said so."""
        if self.done - self._told < stride:
            return False
        self._told = self.done
        return True

    def end(self) -> None:
        """Count what is behind the last element."""
        read = self._read
        read["between"] = self._entry["bytes"] - read["elements"] - read["broken"]

    def fail(self, reason: str) -> None:
        """Count what could not be read."""
        self._read["unread"] = self._entry["bytes"] - sum(self._read.values())
        self._entry["fault"] = reason
        self._account["faults"].append(reason)


def what_is_there(parts: Iterable[Part]) -> str:
    """Say what an archive holds instead of what was looked for, and which app reads that."""
    found = list(parts)
    if not found:
        return "there is nothing in it"
    known = [part for part in found if part.shape and part.shape.convert]
    rest = [part for part in found if part not in known]
    listed = ", ".join(f"'{part.blob.name}' holds {part.holds}" for part in [*known, *rest][:_LISTED])
    listed += f" (and {len(found) - _LISTED} more files)" if len(found) > _LISTED else ""
    return listed + _advice({part.shape.provider for part in known if part.shape})


def _advice(providers: set[str]) -> str:
    if not providers:
        return ""
    apps = sorted(f"'{_APPS[provider]}'" for provider in providers if provider in _APPS)
    return (
        f"; run {' or '.join(apps)} on it, or 'chat-archive', which reads all"
        if apps
        else "; run 'chat-archive' on it, which reads all"
    )
