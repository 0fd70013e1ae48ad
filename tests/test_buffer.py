"""Channels and buffers: bounds, order, water marks, and what each overflow strategy does and counts."""

import asyncio
import sys
from collections import Counter, defaultdict

import pytest

from transmissions import Buffer, BufferOverflow, BufferSettings
from transmissions.channel import ITEMS, WEIGHT, Channel
from transmissions.message import END, GroupEnd, glance


def letter(number, size=10):
    """Return a message of some size."""
    return {"": "x" * size, "id": number}


def buffer(**settings):
    """Return a buffer and the list of events it tells."""
    told = []
    made = Buffer("b", BufferSettings(**settings), lambda event, **fields: told.append(event))
    return made, told


async def drained(channel):
    """Take everything up to END."""
    taken = []
    while (item := await channel.get_many(ITEMS)) is not END:
        taken += [item] if not isinstance(item, list) else item
    return taken


async def passed(channel, messages, batch=7):
    """Write messages in batches while another task reads; return what it read and the most that ever waited."""

    async def write():
        for start in range(0, len(messages), batch):
            await channel.put_many(messages[start : start + batch])
        await channel.put_token(END)

    writing = asyncio.create_task(write())
    taken, most = [], 0
    while (item := await channel.get_many(5)) is not END:
        taken += item
        most = max(most, len(channel))
    await writing
    return taken, most


@pytest.mark.parametrize("make", [lambda: Channel("c", 16), lambda: buffer(max_items=16)[0]])
def test_never_more_than_the_bound_waits_and_order_is_kept(make):
    """However much is written, no more than the bound waits, and everything arrives in order."""

    async def main():
        channel = make()
        messages = [letter(number) for number in range(500)]
        taken, most = await passed(channel, list(messages), 40)
        assert taken == messages
        assert max(most, channel.peak) <= 16

    asyncio.run(main())


def test_reading_never_waits_for_a_full_batch():
    """A single message is handed over at once."""

    async def main():
        channel = Channel()
        await channel.put_many([{"id": 1}])
        assert await channel.get_many(ITEMS) == [{"id": 1}]

    asyncio.run(main())


def test_big_messages_take_more_of_a_channel():
    """Messages of half a megabyte fill a channel after four."""

    async def main():
        channel = Channel()
        writing = asyncio.create_task(channel.put_many([letter(number, WEIGHT // 2) for number in range(20)]))
        await asyncio.sleep(0)
        assert len(channel) <= 4
        writing.cancel()
        await asyncio.wait([writing])

    asyncio.run(main())


def memory(value):
    """Return the bytes of memory that plain data takes, whatever is in it."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sys.getsizeof(value) + sum(map(memory, parts))


def chat(count, sizes):
    """Return a message of many parts, whose texts have these sizes in turn."""
    texts = [{"role": "a", "blocks": [{"text": "x" * sizes[number % len(sizes)], "sources": []}]} for number in range(count)]
    return {"conversation": {"messages": texts, "title": "t"}}


class Own(dict):
    """A message of a class of its own."""


def inside_itself():
    """Return a message that has no end."""
    message = {"text": "a"}
    message["self"] = [message, message]
    return message


@pytest.mark.parametrize(
    "message",
    [
        {"a": [0] * 100_000},
        {"a": "x" * 2 * WEIGHT, "b": [0] * 100_000},
        {"table": dict.fromkeys(map(str, range(1000)), 0)},
        chat(1000, [5000]),
        inside_itself(),
    ],
)
def test_a_glance_is_bounded(message):
    """A message that is large, or has more parts than can be looked at, counts as the most there is."""
    assert glance(message, WEIGHT) == WEIGHT


@pytest.mark.parametrize("sizes", [[400], [10, 3000], [3000, 10], [100, 500, 900]])
@pytest.mark.parametrize("count", [1, 2, 7, 30, 31, 32])
def test_a_glance_at_a_message_of_many_parts_tells_its_memory(count, sizes):
    """What a glance says of a chat is between a third and three times what it takes, though it is of hundreds of parts."""
    message = chat(count, sizes)
    assert memory(message) / 3 < glance(message, WEIGHT) < memory(message) * 3


def test_small_messages_of_many_parts_leave_room_for_others():
    """Chats of 30 kB wait in dozens, not in pairs, and never more of them than some megabytes."""

    async def main():
        channel = Channel()
        await channel.put_many([chat(30, [100, 900])])
        assert 20 <= channel.capacity <= 200

    asyncio.run(main())


def test_a_channel_that_held_big_messages_takes_many_small_ones_again():
    """Room for few big messages becomes room for many small ones within some batches."""

    async def main():
        channel = Channel()
        await channel.put_many([letter(0, WEIGHT)])
        narrow = channel.capacity
        for number in range(12):
            await channel.get_many(ITEMS)
            await channel.put_many([letter(number)])
        assert (narrow < 4, channel.capacity) == (True, channel.items)

    asyncio.run(main())


def test_tokens_keep_their_place():
    """A token comes out between the messages it was put between."""

    async def main():
        channel, token = Channel(), GroupEnd(1, {})
        await channel.put_many([{"id": 1}, {"id": 2}])
        await channel.put_token(token)
        await channel.put_many([{"id": 3}])
        await channel.put_token(END)
        assert await drained(channel) == [{"id": 1}, {"id": 2}, token, {"id": 3}]

    asyncio.run(main())


def test_tokens_are_bounded_too():
    """Endless empty groups make their writer wait."""

    async def main():
        channel = Channel("c", 4)

        async def write():
            while True:
                await channel.put_token(GroupEnd(1, {}))

        writing = asyncio.create_task(write())
        await asyncio.sleep(0)
        assert not writing.done()
        assert channel._tokens == 4
        writing.cancel()
        await asyncio.wait([writing])

    asyncio.run(main())


def test_block_pauses_resumes_and_drains():
    """A full buffer makes the writer wait and tells pause, overflow, resume and drain."""

    async def main():
        made, told = buffer(max_buffer_size=100, max_items=100)
        messages = [letter(number, 12) for number in range(30)]
        taken, _ = await passed(made, messages, 30)
        assert taken == messages
        assert {"pause", "resume", "overflow", "drain"} <= set(told)
        figures = made.snapshot()
        assert figures["pauseCount"] == figures["resumeCount"] > 0
        assert figures["maxBufferUsage"] <= 100
        assert figures["currentBufferSize"] == figures["dropped"] == 0

    asyncio.run(main())


@pytest.mark.parametrize(("overflow", "kept"), [("DropOldest", range(20, 25)), ("DropNewest", range(5))])
def test_dropping_never_waits_and_counts_what_it_drops(overflow, kept):
    """A drop strategy keeps the newest or the oldest, and everything else is counted as dropped."""

    async def main():
        made, told = buffer(max_items=5, overflow=overflow)
        await made.put_many([letter(number) for number in range(25)])
        await made.put_token(END)
        assert [message["id"] for message in await drained(made)] == list(kept)
        figures = made.snapshot()
        assert (figures["total"], figures["dropped"], figures["overflowEvents"]) == (25, 20, 20)
        assert told.count("drop") == told.count("overflow") == 1

    asyncio.run(main())


def test_dropping_spares_tokens():
    """The end of a group is never pushed out."""

    async def main():
        made, _ = buffer(max_items=2, overflow="DropOldest")
        token = GroupEnd(1, {})
        await made.put_many([letter(0)])
        await made.put_token(token)
        await made.put_many([letter(1), letter(2), letter(3)])
        await made.put_token(END)
        assert await drained(made) == [token, letter(2), letter(3)]

    asyncio.run(main())


def test_fail_names_the_buffer():
    """With Fail, a message without room is an error that names the buffer."""

    async def main():
        made, _ = buffer(max_items=1, overflow="Fail")
        with pytest.raises(BufferOverflow, match="buffer b is full"):
            await made.put_many([letter(0), letter(1)])

    asyncio.run(main())


def test_block_gives_up_after_its_timeout():
    """With `blockTimeout`, a message does not wait for ever."""

    async def main():
        made, _ = buffer(max_items=1, block_timeout=5)
        with pytest.raises(BufferOverflow, match="full for 5 ms"):
            await made.put_many([letter(0), letter(1)])

    asyncio.run(main())


@pytest.mark.parametrize("overflow", ["Block", "DropOldest", "Fail"])
def test_a_message_larger_than_the_buffer_passes_alone(overflow):
    """What could never fit passes when nothing else waits."""

    async def main():
        made, _ = buffer(max_buffer_size=50, overflow=overflow)
        await made.put_many([letter(0, 1000)])
        assert await made.get_many(9) == [letter(0, 1000)]

    asyncio.run(main())


def test_marks_are_bytes_or_shares():
    """A mark up to 1 is a share of the size, anything else bytes."""
    shares, _ = buffer(max_buffer_size=1000, high_water_mark=0.5, low_water_mark=0.1)
    plain, _ = buffer(max_buffer_size=1000, high_water_mark=500, low_water_mark=100)
    assert (shares._high, shares._low) == (plain._high, plain._low)


@pytest.mark.parametrize("count", range(1, 30))
def test_a_glance_sees_the_big_one_among_plain_parts(count):
    """In a row the one long column is seen wherever it stands, or rows of megabytes would wait by the hundred."""
    rows = [{"row": [*map(str, range(at)), "x" * WEIGHT, *range(at + 1, count)]} for at in range(count)]
    assert [glance(row, WEIGHT) for row in rows] == [WEIGHT] * count


@pytest.mark.parametrize("message", [Own(), Own(text="x" * 5000), Counter("abc"), defaultdict(list, a=[1])])
def test_a_glance_at_a_message_of_a_class_of_its_own_is_as_at_a_dict(message):
    """A message may be of any kind of dict; a glance says the same of it, and leaves it as it is."""
    assert glance(message, WEIGHT) == glance(dict(message), WEIGHT)
    assert all(isinstance(name, str) for name in message)


def test_a_glance_sees_all_fields_of_a_wide_message():
    """A record of hundreds of numbers is no big message, and one long text in it is seen."""
    wide = {f"f{number}": number for number in range(900)}
    assert glance(wide, WEIGHT) < WEIGHT // 8
    assert glance({**wide, "f450": "x" * WEIGHT}, WEIGHT) == WEIGHT
