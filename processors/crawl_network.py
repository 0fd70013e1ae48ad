"""What all steps of a crawl that reach out to the web have in common."""

from __future__ import annotations

from typing import Annotated

from transmissions import Protected, Settings, UsageError, __version__

from .fetch import Door


class OnTheWeb(Settings):
    """Settings that are said once for all steps, in a node of their own: `:settings :network`."""

    allow: Annotated[tuple[str, ...], Protected()] = ()
    "Hosts, addresses and networks (`10.0.0.0/8`) that pages may be at besides public addresses."
    user_agent: Annotated[str, Protected()] = ""
    "How it introduces itself to servers, `NAME/VERSION (about …)`; as `transmissions/VERSION` if not said."

    def __post_init__(self) -> None:
        """Refuse what no header can hold."""
        if not self.user_agent.isprintable() or not self.user_agent.isascii():
            raise UsageError(f"userAgent: {self.user_agent!r} cannot stand in a header")

    @property
    def introduction(self) -> str:
        """The User-Agent of all requests."""
        return self.user_agent or f"transmissions/{__version__}"

    @property
    def agent(self) -> str:
        """The first word of that: the name by which sites ask it for something."""
        return self.introduction.partition("/")[0].split(" ")[0]

    def door(self, *, timeout: float, max_bytes: int, redirects: int) -> Door:
        """Return a way to the web; `timeout` is in seconds."""
        return Door(timeout=timeout, max_bytes=max_bytes, redirects=redirects, allow=self.allow)
