import copy
import json

import pytest
from chat_trees import about, balances, sample

from transmissions import RunError
from transmissions.processors.branches import look
from transmissions.processors.open_webui import OpenWebUIConverter
from transmissions.processors.shapes import find_shape


def convert(element):
    return OpenWebUIConverter().convert(element, about())


@pytest.fixture
def element():
    return copy.deepcopy(sample("open-webui/chat-export.json")[0])


def said(content, **more):
    """Return the blocks of a chat of one message."""
    return convert({"messages": [{"role": "assistant", "content": content, **more}]})["messages"][0]["blocks"]


def test_the_sample_is_converted_whole(element):
    """Everything has a block, the way goes through the current id, and times in seconds and milliseconds agree."""
    conversation = convert(element)
    assert balances(conversation)
    assert (conversation["title"], conversation["tags"]) == ("Primes", ["maths", "numbers", "pinned"])
    assert look(conversation).path == frozenset({0, 2, 3})
    assert [told["created"] for told in conversation["messages"]] == [
        f"2026-03-07T12:00:{second:02}Z" for second in (0, 5, 10, 20)
    ]


def test_a_bare_chat_is_as_good(element):
    """The object inside an export gives the same messages."""
    bare = element["chat"]
    assert convert(bare)["messages"] == convert(element)["messages"]
    assert convert(bare)["created"] == "2026-03-07T12:00:00Z"


def test_what_the_page_folds_away_is_told_apart(element):
    """Reasoning becomes thinking, a call of a tool keeps arguments and result; the first block stands for the text."""
    told = convert(element)["messages"][2]
    found, thought, called, text = told["blocks"]
    assert found["result"]["parts"] == [{"text": "11 13 17"}]
    assert (thought["kind"], thought["text"]) == ("thinking", "11 is prime.\nSo is 13.")
    assert (called["name"], called["input"], called["result"]["parts"]) == ("is_prime", {"n": 11}, [{"text": "true"}])
    assert (text["text"], text["citations"][0]["url"]) == ("11 is prime [1].", "https://example.org/primes")
    assert ([block["sources"] for block in told["blocks"]], told["tokens"]) == (
        [("sources",), ("text",), (), ()],
        {"input": 12, "output": 34},
    )


def test_other_details_are_part_of_the_text():
    """Only what the app itself folds is taken out; a fold that does not end takes the rest."""
    assert [block["text"] for block in said("<details><summary>x</summary>y</details>")] == [
        "<details><summary>x</summary>y</details>"
    ]
    assert [block["kind"] for block in said('a<details type="reasoning">b')] == ["text", "thinking"]


def test_files_in_the_chat_keep_their_content(element):
    """A picture in its address and the text of an upload come with the file."""
    picture, upload = convert(element)["messages"][0]["files"]
    assert (picture["name"], picture["content"][:4]) == ("image.png", b"\x89PNG")
    assert (upload["id"], upload["content"]) == ("f1", b"11 13 17")


def test_an_error_is_something_that_happened():
    """The error of a message becomes an event after what was said."""
    (block,) = said("", error={"content": "out of memory"})
    assert (block["kind"], block["text"]) == ("event", "out of memory")


def test_a_list_of_messages_is_one_way():
    """Without a history, messages follow each other, and the chat gets an id of its own."""
    conversation = convert({"title": "x", "messages": [{"role": "user", "content": word} for word in "ab"]})
    assert [told["parent"] for told in conversation["messages"]] == ["", conversation["messages"][0]["id"]]
    assert len(conversation["id"]) == 32


@pytest.mark.parametrize("element", [None, 5, {}, {"chat": {}}, {"title": "x"}])
def test_what_holds_no_messages_is_refused(element):
    """An element without history or messages is no chat."""
    with pytest.raises(RunError, match="neither a history nor messages"):
        convert(element)


@pytest.mark.parametrize(
    ("role", "content"),
    [
        ("assistant", '```html\n<details type="reasoning">\nshown\n</details>\n```\nas you see'),
        ("assistant", 'as this:\n```\n<details type="tool_calls" name="x">'),
        ("user", '<details type="reasoning">\nquoted\n</details>'),
    ],
)
def test_a_fold_that_is_shown_is_text(role, content):
    """What stands in a code block, or was written by a person, is no thought of the model."""
    (message,) = convert({"messages": [{"role": role, "content": content}]})["messages"]
    assert [(block["kind"], block["text"]) for block in message["blocks"]] == [("text", content)]


def test_a_fence_in_a_fold_does_not_hide_the_next():
    """Code that a thought leaves open ends with it."""
    fold = '<details type="reasoning">\n```\nx\n</details>\n'
    assert [block["kind"] for block in said(f"{fold}{fold}so")] == ["thinking", "thinking", "text"]


def test_an_answer_made_of_several_is_kept():
    """Answers of several models may be merged into one, which stands beside the first."""
    merged = said("a", merged={"status": True, "content": "of all"})[1]
    assert (merged["kind"], merged["text"], merged["sources"]) == ("event", "of all", ("merged",))


def test_phases_of_an_answer_are_told_apart():
    """Qwen's site keeps what was thought and what was answered in a list, and leaves the content empty."""
    phases = [{"content": "Hm.", "phase": "think"}, {"content": "So.", "phase": "answer"}]
    element = {
        "data": [
            {"id": "q", "chat": {"history": {"messages": {"m": {"role": "assistant", "content": "", "content_list": phases}}}}}
        ]
    }
    assert find_shape(json.dumps(element).encode())[0].name == "open-webui-list"
    found = convert(element["data"][0])
    assert balances(found)
    assert [(block["kind"], block["text"]) for block in found["messages"][0]["blocks"]] == [
        ("thinking", "Hm."),
        ("text", "So."),
    ]


def test_thoughts_in_tags_are_told_apart():
    """Older versions keep what a model thought as it came."""
    assert [(block["kind"], block["text"]) for block in said("<think>Hm</think>Yes")] == [("thinking", "Hm"), ("text", "Yes")]
