"""Choice."""

from transmissions.processors.choice import Choice


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


def test_a_field_that_is_null_exists(bench):
    """Null is a value, as it is in the conditions of a Route; an absent field is none."""
    step = Choice(test_property="n", test_operator="exists", true_property="is", true_value="there")
    assert bench.through(step, {"n": None}, {}) == [{"n": None, "is": "there"}, {}]
