"""A session that `trans follow --json` printed is served again by an app of a few lines, event by event."""

import json
from pathlib import Path

import delivering
import pytest
from clients.test_commands import trans

from transmissions.client import Failure, Metadata, Result, StreamClient, Summary

AGAIN = delivering.PREFIX + (
    ':again a :EntryTransmission ; :pipe ( [ a :JSONLinesReader ; :sourceFile "session.ndjson" ] ) ; '
    ':endpoint [ :path "/again/stream" ; :method "POST" ; :envelope false ] , '
    '[ :path "/again/ws" ; :protocol "websocket" ; :envelope false ] .'
)


@pytest.fixture
def recorded(home):
    """Record a run in which half of the messages fail, make the app that serves it, and give the events."""
    folder = Path("apps", "again", "data")
    folder.mkdir(parents=True)
    (folder.parent / "transmissions.ttl").write_text(AGAIN)
    with delivering.running("dead") as server:
        printed = trans("follow", f"{server.url}/apps/dead", "-m", '{"count": 4}', "--json").stdout
    (folder / "session.ndjson").write_text(printed)
    return [json.loads(line) for line in printed.splitlines()]


@pytest.mark.parametrize("protocol", ["ndjson", "websocket"])
def test_a_recorded_session_is_served_again(recorded, protocol):
    """Its clients see the very same events, from the metadata to the summary."""

    async def main(server):
        async with StreamClient(server.url, protocol=protocol) as client:
            return [event async for event in client.stream_at("/again")]

    with delivering.running("again") as server:
        events = delivering.timed(main(server))
    assert [event.data for event in events] == recorded
    assert {type(event) for event in events} >= {Metadata, Result, Failure, Summary}
