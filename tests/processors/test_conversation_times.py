import pytest

from transmissions.processors.conversation import instant


@pytest.mark.parametrize("number", [1714521600, 1714521600_000, 1714521600_000_000, 1714521600_000_000_000, "1714521600000000"])
def test_times_are_numbers_of_any_size(number):
    """Seconds, and thousandths, millionths and billionths of them, are told apart by how many they are."""
    assert instant(number) == "2024-05-01T00:00:00Z"


@pytest.mark.parametrize("number", [0, -5, float("nan"), float("inf"), 10**40, True, None])
def test_what_is_no_time_is_none(number):
    """Numbers that no clock gives leave the time empty."""
    assert instant(number) == ""
