"""Fields of messages by dotted path."""

import pytest

from transmissions import RunError
from transmissions.processors.access import need


def test_an_absent_field_is_named_with_the_nearest_right_name():
    """A misspelt field is answered with the field that was probably meant."""
    with pytest.raises(RunError, match=r"no field 'contnet'; did you mean 'content'\?"):
        need({"content": 1}, "contnet")
    with pytest.raises(RunError, match=r"no field 'x'; it has title, body$"):
        need({"title": 1, "body": 2}, "x")
    with pytest.raises(RunError, match="no field 'x'; it is empty"):
        need({}, "x")
