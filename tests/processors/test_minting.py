"""ResourceMinter."""

import re
from datetime import UTC, datetime

import pytest

from transmissions import RunError
from transmissions.processors.minting import ResourceMinter


def test_each_message_gets_a_name_of_its_own(bench):
    """With the time it was made, and who made it if that is said."""
    step = ResourceMinter(base_uri="http://x/", agent_uri="http://me", target_field="a.b")
    first, second = (message["a"]["b"] for message in bench.through(step, {}, {}))
    assert re.fullmatch("http://x/[0-9a-f]{32}", first["uri"])
    assert first["uri"] != second["uri"]
    assert datetime.fromisoformat(first["created"]) <= datetime.now(UTC)
    assert first["agent"] == "http://me"


def test_the_same_value_gets_the_same_name(bench):
    """With `fromField` the name depends on the value, and on the base, only."""
    made = [bench.through(ResourceMinter(from_field="k"), {"k": key})[0]["content"] for key in ({"a": 1}, {"a": 1}, {"a": 2})]
    assert made[0]["uri"] == made[1]["uri"] != made[2]["uri"]
    assert made[0]["uri"].startswith("urn:uuid:")
    assert "agent" not in made[0]
    with pytest.raises(RunError, match="no field 'k'"):
        bench.through(ResourceMinter(from_field="k"), {"x": 1})
