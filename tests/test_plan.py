"""Plans are plain data: they survive JSON, and can be walked."""

from __future__ import annotations

import json

from transmissions.plan import Argument, BranchPlan, ForkPlan, NodePlan, Plan, TransmissionPlan, from_json, to_json
from transmissions.problem import Where

PLACE = Where("t.ttl", 3, 4)


def a_node(name):
    """Return a node that uses every field."""
    settings = {"many": ["x"], "record": {"pre": "y"}, "number": 1.5}
    node = NodePlan(name, "urn:T", "module:T", settings, PLACE, {"many": PLACE}, 2, "skip", {"attempts": 2})
    return node._replace(buffer={"max_items": 5}, concurrency=4, ordered=False)


FORK = ForkPlan(
    "demo/way",
    "first",
    (BranchPlan({"field": "k", "operator": "equals", "value": 1}, (a_node("demo/way/1/b"),)), BranchPlan(None, ())),
    PLACE,
    1,
)
PLAN = Plan(
    app="demo",
    folder="/apps/demo",
    homes=(("transmissions_home_x", "/home"),),
    transmissions=(
        TransmissionPlan("demo", "Demo", True, (a_node("demo/a"), FORK, a_node("demo/c")), PLACE, (("demo/off", "x:Off"),)),
        TransmissionPlan("part", "", False, (a_node("part/a"),), PLACE),
    ),
    arguments=(Argument("in", "Path", "file", many=True, required=True, default="x", help="what"),),
    metrics=({"to": "-"},),
    dead_letters="dead.ndjson",
)


def test_a_plan_survives_json():
    """What is written out and read back is equal, types and all."""
    again = from_json(json.loads(json.dumps(to_json(PLAN))))
    assert again == PLAN
    assert isinstance(again.transmissions[0].pipe[1], ForkPlan)
    assert isinstance(again.arguments[0], Argument)


def test_nodes_are_walked_through_branches():
    """Every node is met once, in order, those in branches where their fork stands."""
    assert [node.path for node in PLAN.nodes()] == ["demo/a", "demo/way/1/b", "demo/c", "part/a"]


def test_entries_are_what_a_run_starts():
    """A transmission that is only called is no entry."""
    assert [transmission.name for transmission in PLAN.entries()] == ["demo"]
