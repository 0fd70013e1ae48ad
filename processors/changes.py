"""What has changed since the last run: FileChangeDetector, MessageChangeDetector."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from transmissions import Dynamic, Processor, RunError, write_whole

from .access import need, need_text
from .structure import parse_json

if TYPE_CHECKING:
    from transmissions import Message


class _ChangeDetector(Processor, ABC):
    """Compare each message with what a file says of the last run."""

    stateful = True

    cache_file: str
    "The file that keeps what was seen, in the output folder."
    force_rebuild: Annotated[bool, Dynamic()] = False
    "Whether every message counts as changed; what it holds is remembered all the same."
    unchanged: Literal["drop", "mark"] = "drop"
    "Whether what has not changed is dropped, or goes on with `skipped` set to true."

    def __post_init__(self) -> None:
        """Begin with nothing seen."""
        self._known: dict[str, Any] = {}
        self._seen: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        """Read what was seen by the last run."""
        self._known = self._read()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Write down what was seen; not if the run failed, since nobody knows how far each message came."""
        if exc[0] is None and self._seen:
            path = self.context.output_path(self.cache_file)
            # Another node may have written there since.
            entries = self._read() | self._seen
            write_whole(path, json.dumps(entries, indent=0, sort_keys=True).encode())

    def process(self, message: Message) -> Message | None:
        """Pass on what has changed."""
        key, state = self._state_of(message)
        is_same = key in self._known and self._known[key] == state and not self._is_forced(message)
        self._known[key] = self._seen[key] = state
        if not is_same:
            return message
        if self.unchanged == "drop":
            return None
        message["skipped"] = True
        return message

    @abstractmethod
    def _state_of(self, message: Message) -> tuple[str, Any]: ...

    def _is_forced(self, message: Message) -> bool:
        return str(self.dynamic(message, "force_rebuild")).lower() == "true"

    def _read(self) -> dict[str, Any]:
        path = self.context.output_path(self.cache_file)
        if not path.exists():
            return {}
        entries = parse_json(path.read_bytes(), str(path))
        if not isinstance(entries, dict):
            raise RunError(
                f"{path}: what was seen is not an object but a {type(entries).__name__}; remove the file to begin anew"
            )
        return entries


class FileChangeDetector(_ChangeDetector):
    """Drop messages whose file has not changed since the last run.

    Reads the path of the file at `pathField`. A file has changed if its size or its time of modification is another. What was
    seen is kept in `cacheFile` and in memory, one entry for each file; it is written when the whole run has ended well, so
    that a run that failed is repeated for all its files. What is dropped is counted as dropped. Nodes may share a file.

    ```turtle
    :changed a :FileChangeDetector ; :cacheFile "seen.json" ; :pathField "fullPath" .
    ```
    """

    cache_file: str = ".md-to-sparqlstore-cache.json"
    path_field: str = "fullPath"
    "Dotted path of the file's path."

    def _state_of(self, message: Message) -> tuple[str, Any]:
        path = self.context.input_path(need_text(message, self.path_field))
        try:
            facts = path.stat()
        except OSError as error:
            raise RunError(f"cannot look at '{path}': {(error.strerror or str(error)).lower()}") from error
        return str(path), [facts.st_mtime_ns, facts.st_size]


class MessageChangeDetector(_ChangeDetector):
    """Drop messages whose value has not changed since the last message with the same key, in this run or the last.

    Reads the key at `keyField` and the value at `valueField`, and keeps a digest of the value, in `cacheFile` and in memory,
    one entry for each key; the file is written when the whole run has ended well. What is dropped is counted as dropped.

    ```turtle
    :changed a :MessageChangeDetector ; :cacheFile "feeds.json" ; :keyField "url" ; :valueField "http.data" .
    ```
    """

    cache_file: str = ".message-cache.json"
    key_field: str
    "Dotted path of what names the thing: text or a number."
    value_field: str
    "Dotted path of what may have changed: anything."

    def _state_of(self, message: Message) -> tuple[str, Any]:
        key = need(message, self.key_field)
        if not isinstance(key, str | int):
            raise RunError(f"the field '{self.key_field}' is neither text nor a whole number but a {type(key).__name__}")
        return str(key), digest_of(need(message, self.value_field))


def digest_of(value: Any) -> str:
    """Return the SHA-256 of any value of a message; what is equal as JSON has the same."""
    data = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, default=str).encode()
    return hashlib.sha256(data).hexdigest()
