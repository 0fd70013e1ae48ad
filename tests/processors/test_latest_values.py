import errno
from contextlib import suppress

from transmissions.processors.latest_values import LatestValues
from transmissions.processors.spool import Spool


def test_a_key_has_the_latest_of_its_values():
    """A value that is replaced comes back, whatever it is and however many keys there are; half a surrogate does no harm."""
    values = LatestValues()
    keys = [*map(str, range(500)), "\ud800"]
    assert [values.replace(key, {key: number}) for number, key in enumerate(keys)] == [None] * 501
    assert [values.replace(key, None) for key in keys] == [{key: number} for number, key in enumerate(keys)]
    assert [values.replace(key, 1) for key in keys[:2]] == [None, None]


def test_values_for_which_there_was_no_room_are_set_aside_later(monkeypatch):
    """A value that found the disk full is kept, and goes to the file once there is room: memory does not grow from then on."""
    values, put = LatestValues(), Spool.put

    def full(_spool, _data):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Spool, "put", full)
    for number in range(300):
        with suppress(OSError):
            values[str(number)] = number
    monkeypatch.setattr(Spool, "put", put)
    values["last"] = "last"
    assert values._waiting == []
    assert [values.get(str(number)) for number in range(300)] == list(range(300))
