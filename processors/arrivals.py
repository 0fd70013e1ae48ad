"""What has come in this run: kept in a temporary file, so that memory does not grow with the archive."""

from __future__ import annotations

from typing import Final, NamedTuple

from .latest_values import LatestValues

OLDER: Final = "skipped: older version"
"""What became of a conversation a newer version of which is there."""


class Arrival(NamedTuple):
    """A conversation that came, and the place it got; none yet where `page` is empty."""

    key: str
    updated: str
    digest: str
    """Its own, and behind it those of versions that it won against in this run."""
    file: str
    wanted: str = ""
    page: str = ""
    short: str = ""
    folder: str = ""


class Arrivals:
    """The conversations of one run by their key."""

    def __init__(self) -> None:
        self._latest = LatestValues()

    def judge(self, arrival: Arrival, *, is_chat: bool = True) -> tuple[Arrival, str]:
        """Return the arrival, with the place an earlier version of it got, and why it is to be left out; empty if it is not.

        Versions of a conversation come in different files: the newest wins, the later of two that are equally old. Two in one
        file that differ are no versions but twins; the second gets a key of its own. So are two chats where one has no time at
        all: nobody can tell which would be the newer, and they may have nothing but an id in common.
        """
        number = 1
        key = arrival.key
        while (seen := self._find(key)) is not None:
            if arrival.digest in seen.digest.split(" "):
                return arrival, "skipped: duplicate"
            if seen.file != arrival.file and (not is_chat or (arrival.updated and seen.updated)):
                older = is_older(arrival.updated, seen.updated)
                return seen._replace(**_news(arrival, seen.digest)), OLDER if older else ""
            number += 1
            key = f"{arrival.key}#{number}"
        return (arrival if number == 1 else arrival._replace(key=key)), ""

    def note(self, arrival: Arrival) -> None:
        """Remember an arrival and its place."""
        self._latest[arrival.key] = tuple(arrival)

    def _find(self, key: str) -> Arrival | None:
        found = self._latest.get(key)
        return Arrival._make(found) if found and found[0] == key else None


def _news(arrival: Arrival, beaten: str) -> dict[str, str]:
    return {"updated": arrival.updated, "digest": f"{arrival.digest} {beaten}", "file": arrival.file}


def is_older(one: str, other: str) -> bool:
    """Whether a time in ISO text is before another; a time that is not known is before none."""
    return bool(one and other) and _moment(one) < _moment(other)


def _moment(time: str) -> str:
    # Without its mark for UTC: `…:00` comes before `…:00.5`, as text too.
    return time.removesuffix("Z").removesuffix("+00:00").replace(" ", "T")
