"""What the processors that fetch have in common: the door they hold open, the URL they ask for, their headers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Final, Self

from transmissions import Processor, Protected, Range, Record, Secret, Unit, UsageError, missing_extra

from .access import need_text
from .egress import take_apart
from .fetch import Door
from .fetch_errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transmissions import Message

    from .fetch import Reply

_NAME: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_FAILED: Final = 400
"""The first status that speaks of a failure."""


class SecretHeader(Record):
    """A header whose value is a secret: `[ :name "Authorization" ; :prefix "Bearer " ; :value [ :env "TOKEN" ] ]`."""

    name: str
    "The header."
    value: Secret
    'Where its value is: `[ :env "NAME" ]`.'
    prefix: str = ""
    "A text before the value."


class _Fetching(Processor):
    extra = "http"
    one_by_one = True

    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 30_000
    "How long a request may take, and how long its server may be silent."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 64 * 2**20
    "How large a body may be, as it travels and decoded."
    _door: Door

    def _open(self) -> Door:
        return Door(timeout=self.timeout / 1000, max_bytes=self.max_bytes)

    async def __aenter__(self) -> Self:
        self._door = self._open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._door.__aexit__(*exc)


class _FetchingWithHeaders(_Fetching):
    headers: Annotated[tuple[str, ...], Protected()] = ()
    "Headers of every request, as `Name: value`."
    secret_headers: Annotated[tuple[SecretHeader, ...], Protected()] = ()
    "Headers whose values are secret."

    def __post_init__(self) -> None:
        """Read the headers."""
        self._public = dict(map(_header, self.headers))
        self._secret = {one.name: one.prefix + one.value.reveal() for one in self.secret_headers}


class _FetchingByURL(_FetchingWithHeaders):
    url: Annotated[str, Protected()] = ""
    "The URL. As it is yours, it may lead anywhere, also into a private network."
    url_field: Annotated[str, Protected()] = "url"
    "Dotted path of the URL where `url` is not set. As it comes with the data, it may lead to public addresses only."
    allow: Annotated[tuple[str, ...], Protected()] = ()
    "Hosts, addresses and networks (`10.0.0.0/8`) that URLs of messages and redirects may lead to as well."
    max_redirects: Annotated[int, Range(ge=0)] = 5
    "How many redirects are followed; with 0 the redirect itself is the answer."

    def __post_init__(self) -> None:
        """Refuse what could send a secret to an address that comes with the data."""
        super().__post_init__()
        name = type(self).__name__
        if not (self.url or self.url_field) or (self.url and self.url_field not in {"", _FetchingByURL.url_field}):
            raise UsageError(f"{name} needs either :url or :urlField")
        if self.secret_headers and not self.url:
            raise UsageError(f"{name} with :secretHeaders needs a :url: any URL in a message would be sent them")
        if self.url:
            check_url("url", self.url)

    def _open(self) -> Door:
        return Door(timeout=self.timeout / 1000, max_bytes=self.max_bytes, redirects=self.max_redirects, allow=self.allow)

    def _address(self, message: Message) -> tuple[str, bool]:
        """Return the URL for a message, and whether it is trusted."""
        return (self.url, True) if self.url else (need_text(message, self.url_field), False)


def check_library(what: str) -> None:
    """Check that there is something to fetch with, for what fetches with some settings only.

    Raises:
        UsageError: there is not.

    """
    if not find_spec("aiohttp"):
        raise missing_extra("http", what)


def check_url(term: str, url: str) -> None:
    """Check a URL in a setting.

    Raises:
        UsageError: it is none that can be fetched.

    """
    try:
        take_apart(url)
    except FetchError as error:
        raise UsageError(f":{term} {error}") from error


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not _NAME.fullmatch(name.strip()):
        raise UsageError(f":headers has {text!r}, which is not `Name: value`")
    return name.strip(), value.strip()


def check_status(reply: Reply) -> None:
    """Check that a reply is not one of failure.

    Raises:
        FetchError: its status is 400 or more.

    """
    if reply.status < _FAILED:
        return
    raise refused(f"{take_apart(reply.url).shown} answered {reply.status} {reply.reason}", reply.headers)


def refused(sentence: str, headers: Mapping[str, str]) -> FetchError:
    """Return the error for a reply of failure, with the time its server asks to be left alone (`Retry-After`)."""
    later = headers.get("retry-after", "")
    error = FetchError(f"{sentence} (retry-after: {later[:40]})" if later else sentence)
    error.retry_after = seconds_asked(later)
    return error


def seconds_asked(later: str) -> float:
    """Return how long a server asks to wait in its header `Retry-After`, a number or a date; 0 if nobody can tell."""
    if later.isascii() and later.isdigit() and len(later) < 10:  # noqa: PLR2004 - some hundred years
        return float(later)
    try:
        moment = parsedate_to_datetime(later)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
