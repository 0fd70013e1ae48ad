"""Ping: a message every so often."""

import asyncio

from engine_parts import finish

from transmissions.processors.ping import Ping
from transmissions.testing import bench, through


def test_messages_come_as_often_as_asked():
    """Each says its number, when it was sent, and whether it is the last."""
    messages = through(Ping(interval=1, count=3, payload="here"), [{"id": 7}])
    assert [(m["id"], m["ping"]["count"], m["ping"]["payload"]) for m in messages] == [(7, n, "here") for n in (1, 2, 3)]
    assert [m["pingStatus"] for m in messages] == ["running", "running", "complete"]
    assert [m["pingComplete"] for m in messages] == [False, False, True]
    times = [m["ping"]["timestamp"] for m in messages]
    assert times == sorted(times)


def test_a_message_may_ask_for_none():
    """The kill signal starts nothing; another message after it does."""
    messages = through(Ping(interval=0, count=1, kill_signal="END"), [{"kill": "END"}, {"kill": "STOP"}])
    assert [message["kill"] for message in messages] == ["STOP"]


def test_without_a_count_it_goes_on_until_the_run_is_drained(tmp_path):
    """A drain ends it between two messages, and the run well."""

    async def main():
        run = bench([Ping(interval=1)], [{}], tmp_path)
        run.tap("Ping", 1, lambda *_: run.drain())
        return await finish(run)

    messages, run = asyncio.run(main())
    assert messages
    assert run.result.drained
