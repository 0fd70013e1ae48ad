import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importing import Sample, blocks, check_account, imported, spoil

from transmissions import RunError
from transmissions.processors.blobs import Members
from transmissions.processors.branches import look
from transmissions.processors.importer import ConversationImporter
from transmissions.processors.shapes import find_shape


def said(identifier, role, *replies, parent=None, **more):
    """Return a message of a tree as OpenAssistant exports it."""
    told = {"message_id": identifier, "parent_id": parent, "role": role, "text": f"words of {identifier}", "lang": "en"}
    return {**told, "created_date": f"2023-02-05T14:00:0{len(identifier)}+00:00", "replies": list(replies), **more}


TREE = {
    "message_tree_id": "q",
    "tree_state": "ready_for_export",
    "prompt": said(
        "q",
        "prompter",
        said("a", "assistant", rank=1, parent="q"),
        said("bb", "assistant", said("ccc", "prompter", parent="bb"), rank=0, parent="q", model_name="pythia"),
    ),
}
FLAT = [
    {**message, "message_tree_id": tree, "replies": None}
    for tree, message in (
        ("q", said("q", "prompter")),
        ("z", said("z", "prompter")),
        ("q", said("bb", "assistant", parent="q", rank=0)),
        ("q", said("a", "assistant", parent="q", rank=1)),
        ("q", said("ccc", "prompter", parent="bb")),
    )
]


def shape_of(*records):
    """Return the name of the shape of a file with a line for each record."""
    return find_shape("\n".join(map(json.dumps, records)).encode())[0].name


def of(element):
    """Return the sample that an element is, of the shape that a file of it has."""
    flat = isinstance(element, list)
    shape = shape_of(*element) if flat else shape_of(element)
    return Sample(shape, {"name": "x", "items": element} if flat else element, "x.jsonl", Members())


def test_a_tree_is_a_conversation_with_branches():
    """It goes the way of the answers that were ranked first, each said by whom it was."""
    found = imported(of(TREE))
    check_account(found)
    assert [(told["id"], told["parent"], told["role"]) for told in found["messages"]] == [
        ("q", "", "human"),
        ("a", "q", "assistant"),
        ("bb", "q", "assistant"),
        ("ccc", "bb", "human"),
    ]
    assert (found["id"], found["leaf"], look(found).left) == ("q", "ccc", 1)
    assert found["messages"][2]["model"] == "pythia"
    assert (found["created"], found["updated"]) == ("2023-02-05T14:00:01+00:00", "2023-02-05T14:00:03+00:00")


def test_messages_one_to_a_line_are_a_conversation_for_each_tree():
    """Lines of several trees may be mixed: each tree is one conversation, and the same as in one piece."""
    sample = of(FLAT)
    message = {"element": sample.element, "shape": sample.shape, "source": {"file": "x"}, "members": Members()}
    found = [made["conversation"] for made in ConversationImporter().process(message)]
    assert [conversation["id"] for conversation in found] == ["q", "z"]
    assert {told["id"]: told["parent"] for told in found[0]["messages"]} == {"q": "", "bb": "q", "a": "q", "ccc": "bb"}
    assert found[0]["leaf"] == "ccc"
    for conversation in found:
        check_account(conversation)


def test_what_is_no_message_is_kept():
    """A reply that is no object stands on the page as data; an element without a prompt is refused."""
    found = imported(of({**TREE, "prompt": {**TREE["prompt"], "replies": [7, {"text": "alone"}]}}))
    check_account(found)
    assert [block.get("text", block.get("data")) for block in blocks(found)] == ["words of q", 7, "alone"]
    with pytest.raises(RunError, match="it has no prompt"):
        imported(of(TREE), {"message_tree_id": "q"})


def test_a_deep_tree_costs_no_stack():
    """Ten thousand replies inside each other are one way."""
    root = item = said("0", "prompter")
    for number in range(1, 10_000):
        item["replies"] = [said(str(number), "assistant")]
        item = item["replies"][0]
    assert len(imported(of(TREE), {"message_tree_id": "0", "prompt": root})["messages"]) == 10_000


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([of(TREE), of(FLAT)]), st.randoms(use_true_random=False))
def test_no_odd_value_stops_the_conversion(sample, random):
    """However a tree is spoilt, its account balances, or it is refused as a whole."""
    message = {"shape": sample.shape, "source": {"file": "x"}, "members": Members()}
    try:
        found = ConversationImporter().process({**message, "element": spoil({"it": sample.element}, random).get("it")})
    except RunError:
        return
    for made in found if isinstance(found, list) else [found]:
        check_account(made["conversation"])
