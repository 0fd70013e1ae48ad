from transmissions.processors.latest_values import LatestValues


def test_a_key_has_the_latest_of_its_values():
    """A value that is replaced comes back, whatever it is and however many keys there are; half a surrogate does no harm."""
    values = LatestValues()
    keys = [*map(str, range(500)), "\ud800"]
    assert [values.replace(key, {key: number}) for number, key in enumerate(keys)] == [None] * 501
    assert [values.replace(key, None) for key in keys] == [{key: number} for number, key in enumerate(keys)]
    assert [values.replace(key, 1) for key in keys[:2]] == [None, None]
