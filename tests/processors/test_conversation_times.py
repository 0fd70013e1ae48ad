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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2024-05-01T01:00:00+02:00", "2024-04-30T23:00:00Z"),
        ("2024-04-30 20:30:00.5-0330", "2024-05-01T00:00:00.500000Z"),
        ("2024-05-01T01:00:00+00:00", "2024-05-01T01:00:00+00:00"),
        ("2024-05-01T01:00:00", "2024-05-01T01:00:00"),
        ("0001-01-01T00:00:00+02:00", "0001-01-01T00:00:00+02:00"),
        ("yesterday+02:00", "yesterday+02:00"),
    ],
)
def test_times_of_all_zones_are_told_in_one(text, told):
    """Times are compared as text, and days and months are those of UTC; what is no time stays."""
    assert instant(text) == told
