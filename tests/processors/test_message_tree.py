import pytest

from transmissions.processors.message_tree import MessageTree, nodes_of
from transmissions.processors.spool import SpooledList


def grow(*nodes, spools=False):
    """Return a tree of nodes given as key, parent, children and message."""
    tree = MessageTree(spools)
    for key, parent, children, message in nodes:
        tree.add(key, parent, children, message)
    tree.arrange()
    return tree


def placed(tree):
    return [(turn.id, turn.parent) for turn in tree.turns()]


def test_messages_come_depth_first_in_the_order_of_the_children():
    """Children come in the order their parent lists them, each followed by what follows it."""
    tree = grow(("r", None, ["b", "a"], None), ("a", "r", [], 1), ("b", "r", ["c"], 2), ("c", "b", [], 3))
    assert placed(tree) == [("b", ""), ("c", "b"), ("a", "")]


def test_nodes_without_a_message_are_stepped_over():
    """The parent of a message is the nearest node above that holds one, and so is the leaf."""
    tree = grow(
        ("a", None, ["x"], 1), ("x", "a", ["y"], None), ("y", "x", ["b"], None), ("b", "y", ["z"], 2), ("z", "b", [], None)
    )
    assert placed(tree) == [("a", ""), ("b", "a")]
    assert [tree.leaf(key) for key in ("y", "z", "nobody", None)] == ["a", "b", "", ""]


def test_one_side_of_a_link_is_enough():
    """A child that names no parent goes below the node that lists it; one that is not listed comes last."""
    tree = grow(("a", None, ["c"], 1), ("b", "a", None, 2), ("c", None, None, 3))
    assert placed(tree) == [("a", ""), ("c", "a"), ("b", "a")]


def test_a_stray_keeps_the_parent_it_names():
    """Who reads the messages may want to know that a parent is missing."""
    assert placed(grow(("a", None, [], 1), ("b", "gone", [], 2))) == [("a", ""), ("b", "gone")]


@pytest.mark.parametrize(
    "links",
    [
        [("a", "a", ["a"])],
        [("a", "b", ["b"]), ("b", "a", ["a"])],
        [("r", None, ["a", "b"]), ("a", "b", ["b"]), ("b", "a", ["a"])],
        [("a", "c", []), ("b", "a", []), ("c", "b", ["a", "b", "c", "c"])],
    ],
)
def test_circles_end(links):
    """Links that lead in a circle are cut, and every message comes once, after the one it follows."""
    found = placed(grow(*((key, parent, children, "held") for key, parent, children in links)))
    assert sorted(key for key, _ in found) == sorted(key for key, _, _ in links)
    seen = {""}
    for key, parent in found:
        assert parent in seen
        seen.add(key)


def test_keys_and_ids_that_come_twice_lose_nothing():
    """A second node of one key gets another; a message whose id is taken goes by the key of its node."""
    tree = MessageTree()
    for key, identifier in (("a", "x"), ("a", "y"), ("b", "x"), ("c", "b"), ("d", "own")):
        tree.add(key, None, None, key, identifier)
    tree.arrange()
    identifiers = [turn.id for turn in tree.turns()]
    assert len(set(identifiers)) == len(identifiers) == 5
    assert (identifiers[0], identifiers[2:]) == ("x", ["b", "c", "own"])


def test_a_hundred_thousand_messages_in_one_line():
    """Depth costs no stack."""
    count = 100_000
    tree = grow(*((str(place), str(place - 1) if place else None, [str(place + 1)], place) for place in range(count)))
    assert [turn.message for turn in tree.turns()] == list(range(count))


def test_what_does_not_fit_in_memory_is_told_again_and_again():
    """The messages of a tree in a file are made anew each time."""
    tree = grow(("a", None, ["b"], {"say": "\ud800"}), ("b", "a", [], {"say": 2}), spools=True)
    told = tree.told(lambda turns: ({"said": turn.message["say"]} for turn in turns))
    assert not isinstance(told, list)
    assert (len(told), list(told), list(told)) == (2, [{"said": "\ud800"}, {"said": 2}], [{"said": "\ud800"}, {"said": 2}])


def test_times_are_the_first_and_the_last():
    """A tree knows when its first and its last message were written."""
    tree = MessageTree()
    for time in ("2026-02-02", "", "2026-01-01", "2026-03-03"):
        tree.add(time, None, None, 1, time=time)
    assert (tree.first_time, tree.last_time) == ("2026-01-01", "2026-03-03")


def test_nodes_may_be_an_object_a_list_or_pairs():
    """The key of a node is that of the object, the node's own id, or its place."""
    assert list(nodes_of({"a": 1})) == [("a", 1)]
    assert list(nodes_of([{"id": "a"}, 7, ["b", {}]])) == [("a", {"id": "a"}), ("node-1", 7), ("b", {})]
    pairs = SpooledList()
    pairs.append(["a", {"x": 1}])
    assert list(nodes_of(pairs)) == [("a", {"x": 1})]
