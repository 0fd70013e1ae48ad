"""How values compare, in a Route and in Choice."""

import pytest

from transmissions import MISSING, compare


@pytest.mark.parametrize(
    ("relation", "found", "value", "holds"),
    [
        ("equals", "premium", "premium", True),
        ("equals", 5, "5.0", True),
        ("equals", "1.0", 1, True),
        ("equals", "1.0", "1", False),
        ("equals", True, "true", True),
        ("equals", True, 1, False),
        ("equals", 10**30 + 1, str(10**30 + 1), True),
        ("equals", 10**30 + 1, 10**30, False),
        ("equals", "1_0", 10, False),
        ("equals", None, "None", False),
        ("notEquals", None, "x", True),
        ("notEquals", MISSING, "x", True),
        ("notEquals", "1.0", 1, False),
        ("contains", "abc", "b", True),
        ("equals", "é".encode(), "é", True),
        ("matches", b"abc", "^a", True),
        ("contains", 123, 2, True),
        ("contains", [1, 2], "2", True),
        ("contains", [None], "null", False),
        ("contains", {"a": 1}, "b", False),
        ("contains", {"a": 1}, "a", True),
        ("greater", "10", 9, True),
        ("greater", "b", "a", True),
        ("greater", "10", "9", True),
        ("greater", "n/a", 1000, False),
        ("less", "n/a", 1000, False),
        ("greater", "2026-03-07", "2025-12-31", True),
        ("greater", True, 0, False),
        ("less", 10, "9", False),
        ("less", None, 9, False),
        ("less", 1, float("nan"), False),
        ("matches", 2024, "^20", True),
        ("matches", None, "n", False),
        ("exists", "", "", True),
        ("exists", None, "", True),
        ("exists", MISSING, "", False),
        ("exists", MISSING, False, True),
        ("exists", None, "false", False),
    ],
)
def test_values_compare(relation, found, value, holds):
    """Numbers and numeric text compare as numbers, all else as text; what has no order has none, and null equals nothing."""
    assert compare(relation, found, value) is holds
