"""ShowSettings and ShowTransmission."""

import pytest

from transmissions import RunError
from transmissions.processors.show_plan import ShowSettings, ShowTransmission


@pytest.mark.parametrize("nodes", [(), ("it",), ("main/it",)])
def test_settings_are_printed_once(bench, nodes):
    """Those of the node itself, or of nodes that are named; messages go on."""
    assert bench.through(ShowSettings(nodes=nodes), {"n": 1}, {"n": 2}) == [{"n": 1}, {"n": 2}]
    assert bench.shown == "main/it  It  (transmissions.ttl:7:1)\n    rate = 5  (transmissions.ttl:7:1)\n"


def test_a_node_must_be_in_the_plan(bench):
    """A misspelt name is answered with the right one."""
    with pytest.raises(RunError, match="the plan has no node 'itt'; did you mean 'it'"):
        bench.through(ShowSettings(nodes=("itt",)), {})


def test_a_transmission_is_printed_once(bench):
    """Its name and place, and the nodes in it."""
    bench.through(ShowTransmission(), {}, {})
    assert bench.shown == "main  (transmissions.ttl:7:1)\n  main/it  It  (transmissions.ttl:7:1)\n"
