"""Which runs that have ended are kept, and which are forgotten."""

import asyncio

import pytest
from delivering import make_home, served, timed

from transmissions import engine
from transmissions.delivery.buffer import BufferLimits
from transmissions.delivery.hub import Asked, Caps, Client, Hub
from transmissions.delivery.terms import Terms


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)


async def ended(hub, name, taker=None):
    """Begin a run, which somebody may read, and wait for its end."""
    [one] = served("numbers")
    asked = Asked({"request_id": name}, lambda: engine.open(one.plan, message={}, output=one.output), Terms(BufferLimits()))
    live, _ = hub.begin(asked, Client("owner"))
    if taker:
        live.attach(taker)
    while hub.streams:
        await asyncio.sleep(0.001)
    return live


async def names_of(hub):
    """Return which runs are kept when what is forgotten is gone."""
    await asyncio.sleep(0.01)
    return [live.name for live in hub.runs.values()]


def test_runs_that_have_ended_are_forgotten_behind_many_that_are_read_slowly(monkeypatch):
    """Those that somebody reads stay, and do not stand in front of those that nobody does; when they are read they may go."""
    monkeypatch.setattr("transmissions.delivery.hub._KEPT", 4)
    monkeypatch.setattr("transmissions.delivery.hub._LOOKED_AT", 3)

    async def main():
        hub, reader, kept = Hub(Caps()), object(), []
        read = [await ended(hub, f"read-{number}", reader) for number in range(3)]
        for number in range(6):
            await ended(hub, f"left-{number}")
            kept.append(await names_of(hub))
        for live in read:
            live.detach(reader)
        await ended(hub, "left-6")
        kept.append(await names_of(hub))
        await hub.close()
        return kept

    *_, last, after = timed(main())
    assert last == ["read-0", "read-1", "read-2", "left-5"]
    assert (len(after), after[-2:], [name[:4] for name in after[:2]]) == (4, ["left-5", "left-6"], ["read"] * 2)
