"""Frames: what goes into a pipe comes out of it, whole, in whatever pieces it travels."""

import os
import threading
from datetime import date

import pytest

from transmissions.frames import Receiver, decode, encode, pieces, read_frame

VALUES = [None, 7, "a", "\ud83d é 日", b"x", [], {"a": [1, {"b": (2.5, True)}]}, date(2026, 11, 22), {"when": date(2026, 1, 1)}]


@pytest.mark.parametrize("value", VALUES)
def test_any_value_arrives_as_it_was(value):
    """Plain data, and what only pickle can write, can be read again."""
    assert decode(encode(value)) == value
    assert decode(memoryview(encode(value))) == value


@pytest.fixture
def said():
    """Give some frames, and what they are in a pipe."""
    frames = [(("ready",), []), (("batch", 1), [encode(value) for value in VALUES]), (("big",), [encode("x" * 300_000)])]
    return frames, b"".join(piece for head, parts in frames for piece in pieces(head, parts))


def words_of(frames):
    """Return what frames say."""
    return [(head, [bytes(part) for part in parts]) for head, parts in frames]


@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
def test_frames_come_out_of_pieces_of_any_size(said, step):
    """However the bytes are cut, each frame is heard once and in its turn, and then the end."""
    frames, data = said
    data = data[:5000] if step == 1 else data
    heard = []
    receiver = Receiver(heard.append)
    for start in range(0, len(data), step):
        receiver.data_received(data[start : start + step])
    receiver.connection_lost(None)
    assert heard.pop() is None
    assert words_of(heard) == words_of(frames[: len(heard)])
    assert len(heard) == (2 if step == 1 else 3)


def read_all(data):
    """Return the frames of a pipe into which somebody else writes."""
    reader, writer = os.pipe()

    def write():
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(data)

    writing = threading.Thread(target=write)
    writing.start()
    found = []
    while (frame := read_frame(reader)) is not None:
        found.append(frame)
    writing.join()
    os.close(reader)
    return found


def test_a_frame_is_waited_for_until_all_of_it_has_come(said):
    """A frame that is larger than a pipe is read whole."""
    frames, data = said
    assert words_of(read_all(data)) == words_of(frames)


@pytest.mark.parametrize("cut", [1, 100_000])
def test_half_a_frame_is_the_end(said, cut):
    """Whoever is killed while writing has said nothing."""
    frames, data = said
    assert words_of(read_all(data[:-cut])) == words_of(frames[:-1])
