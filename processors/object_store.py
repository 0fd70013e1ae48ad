"""Object stores by fsspec URL: opening them, and keeping names below the place the settings say."""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Final

from transmissions import Processor, Protected, Record, RunError, Secret, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NETWORK: Final = frozenset({"http", "https"})
_WRAPPERS: Final = frozenset(
    {"arrow_hdfs", "async_wrapper", "asynclocal", "asyncwrapper", "blockcache", "cached", "dask", "data", "dir", "filecache",
     "generic", "libarchive", "reference", "simplecache", "tar", "zip"}
)  # fmt: skip
"""Filesystems that reach into others, which nobody could see from the URL."""
_FAULTS: Final = {
    "aiohttp": "ClientError",
    "azure.core.exceptions": "AzureError",
    "botocore.exceptions": "BotoCoreError",
    "google.auth.exceptions": "GoogleAuthError",
    "paramiko": "SSHException",
}
_MAGIC: Final = re.compile(r"[*?\[]")


class Option(Record):
    """An option of a store's filesystem, such as `endpoint_url` of s3."""

    name: str
    "What fsspec's filesystem calls it."
    value: Any = None
    "Its value."
    secret: Secret | None = None
    'Its value from the environment, `[ :env "S3_SECRET" ]`.'


class _Store(Processor):
    """Works with an object store that its settings name; messages choose names below it at most."""

    extra = "objects"
    placement = "thread"

    url: Annotated[str, Protected()]
    "Where the objects are: `s3://bucket/folder`, `memory://folder`, or a folder of the run; its filesystem must be installed."
    options: Annotated[tuple[Option, ...], Protected()] = ()
    "Options of that filesystem: keys, an endpoint."

    def __post_init__(self) -> None:
        """Refuse what is none of these before anything runs."""
        scheme, _, rest = self.url.rpartition("://")
        self.scheme = scheme or "file"
        self.is_local = self.scheme in {"file", "local"}
        self.base = rest
        if "::" in self.url or self.scheme in _WRAPPERS:
            raise UsageError(f"'{self.url}' wraps one filesystem in another, which an object store does not")
        if self.scheme in _NETWORK:
            raise UsageError(f"'{self.url}' is a page of the network: HttpClient fetches those")

    def make_filesystem(self) -> Any:
        """Make the filesystem.

        Raises:
            RunError: there is none for the URL, or it is not installed.

        """
        import fsspec  # type: ignore[import-untyped]

        options = {one.name: one.secret.reveal() if one.secret else one.value for one in self.options}
        try:
            # An instance of its own: a transaction is one for all that write through the same instance.
            filesystem, path = fsspec.url_to_fs(self.url, skip_instance_cache=True, **options)
        except ImportError as error:
            raise RunError(f"the filesystem of {self.scheme} is not installed: {error}") from error
        except (TypeError, ValueError) as error:
            raise RunError(f"the filesystem of {self.scheme} cannot be opened: {error}") from error
        if not self.is_local:  # A relative name is one in the run's folders, not in the process's.
            self.base = path
        return filesystem

    def below(self, name: str) -> str:
        """Return the path of a name below the URL.

        Raises:
            RunError: it leads elsewhere.

        """
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or "://" in name or "::" in name or "\0" in name:
            raise RunError(f"'{name}' is no name below {self.url}")
        return f"{self.base.rstrip('/')}/{name}" if self.base else name

    def called(self, path: str) -> str:
        """Return the URL of a path."""
        return path if self.is_local else f"{self.scheme}://{path.lstrip('/')}"

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Tell what the store says of a path by its URL.

        Raises:
            RunError: it said something.

        """
        try:
            yield
        except FileNotFoundError as error:
            why = f": {error}" if error.__cause__ else ""  # Then it is the store's own sentence, of its bucket, say.
            raise RunError(f"there is no object '{self.called(path)}'{why}") from error
        except OSError as error:
            raise RunError(f"cannot use '{self.called(path)}': {error.strerror or error}") from error
        except _faults() as error:
            raise RunError(f"cannot use '{self.called(path)}': {error}") from error


def _faults() -> tuple[type[Exception], ...]:
    """Return what the libraries of stores raise that are in use, where it is no OSError.

    A TypeError is one of options, which most look at only when they connect.
    """
    return TypeError, *(getattr(sys.modules[module], name) for module, name in _FAULTS.items() if module in sys.modules)


def fixed_part(pattern: str) -> tuple[str, str]:
    """Return the folders in front of the first wildcard of a pattern, and the rest; without a wildcard there is no rest."""
    found = _MAGIC.search(pattern)
    if not found:
        return pattern, ""
    cut = pattern.rfind("/", 0, found.start()) + 1
    return pattern[:cut], pattern[cut:]


def escaped(path: str) -> str:
    """Return a path in which no character is a wildcard."""
    return re.sub(r"([*?\[])", r"[\1]", os.fspath(path))
