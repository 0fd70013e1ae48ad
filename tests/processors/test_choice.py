"""Choice."""

import pytest

from transmissions.processors.choice import Choice, compare


@pytest.mark.parametrize(
    ("operator", "found", "value", "holds"),
    [
        ("equals", "premium", "premium", True),
        ("equals", 5, "5.0", True),
        ("equals", True, "true", True),
        ("equals", None, "None", False),
        ("contains", "abc", "b", True),
        ("contains", [1, 2], "2", True),
        ("contains", {"a": 1}, "b", False),
        ("greater", "10", 9, True),
        ("greater", "b", "a", True),
        ("less", 10, "9", False),
        ("less", None, 9, False),
        ("exists", "", "", True),
        ("exists", None, "", False),
    ],
)
def test_comparisons(operator, found, value, holds):
    """Numbers compare as numbers even in text, all else as text, and absence is only ever false."""
    assert compare(operator, found, value) is holds


def test_the_chosen_value_may_be_a_field_of_the_message(bench):
    """A value that is the path of a field is copied from there, any other is literal."""
    step = Choice(
        test_property="n", test_operator="greater", test_value=3,
        true_property="out.a", true_value="user.name", false_property="out.b", false_value="no. such",
    )  # fmt: skip
    big, small = bench.through(step, {"n": 4, "user": {"name": "Ann"}}, {"n": 3})
    assert big["out"] == {"a": "Ann"}
    assert small == {"n": 3, "out": {"b": "no. such"}}


def test_an_outcome_without_a_property_sets_nothing(bench):
    """With no `falseProperty` a failed test changes nothing."""
    assert bench.through(Choice(test_property="n", true_property="x", true_value=1), {"n": 1}) == [{"n": 1}]
