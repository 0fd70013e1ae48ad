from hypothesis import given
from hypothesis import strategies as st

from transmissions.processors.number_table import NumberTable

KEYS = st.one_of(st.text(max_size=3), st.tuples(st.text(max_size=2), st.integers()))


@given(st.lists(st.tuples(KEYS, st.integers(0, 2**31 - 1)), max_size=300))
def test_a_table_is_as_a_dict(pairs):
    """Numbers are found under the key they were last put under, and under no other."""
    table, known = NumberTable(), {}
    for key, number in pairs:
        assert (key in table) == (key in known)
        table[key] = known[key] = number
    assert {key: table.get(key) for key in known} == known
    assert table.get("nowhere to be found", -7) == -7


@given(st.lists(KEYS, max_size=300))
def test_a_table_takes_each_key_once(keys):
    """A key that is added is new the first time, keeps its first number, and is like one that was put."""
    table, known = NumberTable(), {}
    for number, key in enumerate(keys):
        assert table.add(key, number) == (key not in known)
        known.setdefault(key, number)
    assert {key: table.get(key) for key in known} == known
