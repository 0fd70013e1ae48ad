"""What can go wrong when something is fetched, told apart so that others can act on it."""

from __future__ import annotations

from transmissions import RunError


class FetchError(RunError):
    """Something could not be fetched; the sentence names the URL without its credentials, and why."""

    origin: str = ""
    """Whom it was asked of at last, behind all redirects, where something was asked."""


class Refused(FetchError):
    """A URL or an address that is against the rules, so that no connection was made."""


class TimedOut(FetchError):
    """Nothing came in time, or not all of it."""


class NoAddress(FetchError):
    """No address is known for the name of a host."""


class NotConnected(FetchError):
    """No connection could be made."""


class BadTLS(NotConnected):
    """The server could not prove who it is."""


class BrokenOff(FetchError):
    """The connection broke, or what came over it is not proper HTTP."""


class BadCoding(FetchError):
    """The body is not what its content-encoding says."""


class TooLarge(FetchError):
    """There is more of a body than is taken."""


class TooManyRedirects(FetchError):
    """One redirect led to the next too often."""
