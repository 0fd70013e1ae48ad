import pytest

from transmissions.near import nearest, suggestion


@pytest.mark.parametrize(("name", "near"), [("buffr", "buffer"), ("Buffer", "buffer"), ("quux", ""), ("", ""), ("Mine", "")])
def test_the_nearest_name_is_found_whatever_its_case(name, near):
    """A name a few letters off is found, and one that is nothing like any is not."""
    assert nearest(name, ["render", "buffer", "write", "HTMLIndex"]) == near


def test_a_suggestion_ends_a_sentence():
    """It names what was meant, or is empty."""
    assert suggestion("runn", ["run", "list"]) == "; did you mean 'run'?"
    assert suggestion("xyz", ["run", "list"]) == ""
