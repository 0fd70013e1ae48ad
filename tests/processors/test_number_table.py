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
