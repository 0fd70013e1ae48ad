import json

import pytest
from chat_trees import about, chain, message, node, text

from transmissions.processors.artifacts import Bench, Shelf
from transmissions.processors.chatgpt import ChatGPTConverter


def call(what, **given):
    return message(
        "assistant",
        {"content_type": "code", "language": "json", "text": json.dumps(given)},
        recipient=f"canmore.{what}_textdoc",
    )


def create(content, name="Notes", kind="document"):
    return call("create", name=name, type=kind, content=content)


def update(*edits):
    keys = ("pattern", "multiple", "replacement")
    return call("update", updates=[dict(zip(keys, edit, strict=True)) for edit in edits])


def answer(key):
    return message("tool", text("done"), name="canmore.update_textdoc", canvas={"textdoc_id": key})


def convert(element):
    return ChatGPTConverter().convert(element, about())["messages"]


def artifacts(*messages):
    told = convert(chain(*messages))
    return [block["artifact"] for one in told for block in one["blocks"] if "artifact" in block]


def finished(*messages):
    """Return the texts of all documents, with every edit applied as the pages do it."""
    shelf = Shelf(lambda name: (name, name))
    bench = Bench(shelf)
    for artifact in artifacts(*messages):
        bench.apply(artifact)
    return [made.body for made in shelf.made], shelf.misfits


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([(".*", False, "new")], "new"),
        ([("[\\s\\S]*", True, "new")], "new"),
        ([("two", False, "2")], "one 2 three two"),
        ([("two", True, "2")], "one 2 three 2"),
        ([("one.*three", False, "-")], "- two"),
        ([("two.*", False, "end")], "one end"),
        ([("o.*?e", True, "X")], "X twXe two"),
        ([("one", False, "1"), ("1 two", False, "a.b")], "a.b three two"),
        ([("three\\ two", False, "\\1 $")], "one two \\1 $"),
    ],
)
def test_edits_are_carried_out(edits, expected):
    """Patterns that are plain text, anything, or two texts with anything between are applied as the app does."""
    assert finished(create("one two three two"), update(*edits)) == ([expected], 0)


@pytest.mark.parametrize("pattern", ["(a+)+$", "four", "t[wx]o", "", "\\w+"])
def test_an_edit_that_cannot_be_followed_is_counted(pattern):
    """A regular expression from an archive is never run: the document stays, and the edit is one that did not fit."""
    assert finished(create("one two"), update((pattern, False, "x"))) == (["one two"], 1)


def test_edits_that_cannot_be_carried_out_are_all_shown():
    """Where one of several edits has no place, none is carried out, and the page tells of each."""
    edits = update(("two", False, "2"), ("four$", False, "4"))
    assert finished(create("one two"), edits) == (["one two"], 1)
    shown = artifacts(create("one two"), edits)[1]
    assert (shown["old"], shown["new"]) == ("two\n\nfour$", "2\n\n4")


def test_documents_are_told_apart_by_the_ids_in_the_answers():
    """An edit goes to the document its answer names, else to the one that was open."""
    found = artifacts(
        create("a"), answer("A"), create("b"), answer("B"), update((".*", False, "c")), answer("A"), update((".*", False, "d"))
    )
    assert [(artifact["key"], artifact["content"]) for artifact in found] == [("A", "a"), ("B", "b"), ("A", "c"), ("A", "d")]


def test_each_branch_edits_its_own_copy():
    """An edit on one way does not show on the other."""
    nodes = {
        "c": node(None, create("base"), "x", "y"),
        "x": node("c", update(("base", False, "left"))),
        "y": node("c", update(("base.*", False, "right"))),
    }
    told = convert({"mapping": nodes})
    assert [one["blocks"][0]["artifact"]["command"] for one in told] == ["create", "update", "rewrite"]
    assert told[2]["blocks"][0]["artifact"]["content"] == "right"


def test_an_edit_that_the_tool_refused_changes_nothing():
    """After an error the document is what it was."""
    error = message("tool", {"content_type": "system_error", "name": "E", "text": "no"}, name="canmore.update_textdoc")
    found = artifacts(create("a b"), update((".*", False, "lost")), error, update(("a.*", False, "c")))
    assert found[-1]["content"] == "c"


def test_the_language_of_code_is_known():
    """The type of a document says what file it becomes."""
    (artifact,) = artifacts(create("x = 1", "tool", "code/python"))
    assert (artifact["language"], artifact["title"], artifact["type"]) == ("python", "tool", "")


def test_comments_and_broken_calls_are_plain_calls():
    """A comment makes no document, nor does a call that is no JSON."""
    broken = message("assistant", {"content_type": "code", "text": '{"name": '}, recipient="canmore.create_textdoc")
    assert artifacts(call("comment", comments=[]), broken) == []
