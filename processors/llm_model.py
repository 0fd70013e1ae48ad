"""What is asked of a language model and what it answers, whichever protocol carries it, and what its failures mean."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from .fetch_errors import FetchError
from .fetching import refused
from .media_types import media_type
from .structure import parse_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

_SHOWN: Final = 200
"""Letters of what a server said that stand in an error, at most."""


class ModelError(FetchError):
    """A model gave no reply, or none that can be used."""


class Turn(NamedTuple):
    """What one side of a conversation says."""

    role: str
    content: str | list[Any]
    """Text, or parts as the provider's protocol has them."""


class Question(NamedTuple):
    """A conversation to be continued."""

    model: str
    turns: list[Turn]
    system: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    as_json: bool = False


class Answer(NamedTuple):
    """What a model says to it."""

    text: str
    model: str
    reason: str
    """Why it stopped, in the words of the provider."""
    tokens_in: int | None
    tokens_out: int | None
    is_cut: bool
    """Whether it was not at its end."""
    refusal: str = ""
    """Why it did not answer, if it did not."""


class Model(Protocol):
    """A connection to a provider."""

    async def answer(self, question: Question) -> Answer:
        """Ask.

        Raises:
            FetchError: there is no reply, or it is none of this protocol.

        """
        ...

    def stream(self, question: Question) -> AsyncGenerator[str | dict[str, Any]]:
        """Ask, and yield the pieces of the reply's text as they come; at the end the whole reply, if the protocol has one.

        Closing the generator ends the request.

        Raises:
            FetchError: there is no reply, it breaks off, or it is none of this protocol.

        """
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


@contextlib.contextmanager
def explained(sdk: Any, where: str) -> Iterator[None]:
    """Turn the errors of a provider's library into sentences; `where` is its URL for people.

    Raises:
        FetchError: there was one.

    """
    try:
        yield
    except sdk.APIStatusError as error:
        response = error.response
        if response.is_success:  # It had begun well.
            raise ModelError(f"{where}: the reply broke off{_said(error.body)}") from error
        said = f"{where} answered {response.status_code} {response.reason_phrase}{_said(error.body)}"
        raise refused(said, response.headers) from error
    except sdk.APITimeoutError as error:
        raise ModelError(f"{where}: nothing came in time") from error
    except sdk.APIConnectionError as error:
        cause = error.__cause__ or error
        said = str(cause).lower() or type(cause).__name__
        raise ModelError(f"{where}: {said if isinstance(cause, FetchError) else f'the connection failed: {said}'}") from error
    except FetchError as error:
        raise ModelError(f"{where}: {error}") from error


@contextlib.asynccontextmanager
async def explained_streaming(sdk: Any, where: str) -> AsyncGenerator[None]:
    """Turn what goes wrong in the middle of a reply into sentences, too; there the libraries leave much to others.

    Raises:
        FetchError: something did.

    """
    from .sdk_connections import BrokenOff

    try:
        with explained(sdk, where):
            yield
    except sdk.APIError as error:
        raise ModelError(f"{where}: the reply broke off{_said(error.body) or f': {beginning(error.message)}'}") from error
    except BrokenOff as error:
        raise ModelError(f"{where}: the reply broke off: {str(error).lower() or type(error).__name__}") from error
    except (ValueError, AttributeError, LookupError, TypeError, AssertionError, RuntimeError) as error:
        raise odd(str(error) or type(error).__name__, where) from error


async def check_events(response: Any) -> None:
    """Check that a reply that should come in pieces does: some servers give their errors, or all of a reply, at once.

    Raises:
        ValueError: it does not; its text is what came.

    """
    if media_type(response.headers.get("content-type", "")) in {"application/json", "text/html"}:
        raise ValueError((await response.aread()).decode("utf-8", "replace"))


def _said(body: Any) -> str:
    """Return what the body of an error says, in whichever of the usual shapes."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    text = inner.get("message", "") if isinstance(inner, dict) else inner
    return f": {beginning(text)}" if isinstance(text, str) and text.strip() else ""


def beginning(text: str) -> str:
    """Return the first letters of a text, on one line."""
    line = " ".join(text[: 2 * _SHOWN].split())
    return line if len(text) <= _SHOWN and len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def parsed(body: str, where: str) -> dict[str, Any]:
    """Return the body of a reply, which is a JSON object.

    Raises:
        RunError: it is not.

    """
    reply = parse_json(body, where)
    if not isinstance(reply, dict):
        raise odd(body, where)
    return reply


def odd(body: str, where: str) -> ModelError:
    """Return the error for a reply that is no reply of the protocol."""
    return ModelError(f"{where} answered something else than a reply of a model: {beginning(body)}")


def number_in(usage: Any, name: str) -> int | None:
    """Return a count of tokens, if the reply has one."""
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) else None
