import pytest
from chat_trees import about, balances, sample

from transmissions import RunError
from transmissions.processors.branches import look
from transmissions.processors.librechat import LibreChatConverter
from transmissions.processors.spool import SpooledList


def convert(element):
    return LibreChatConverter().convert(element, about())


def blocks(**raw):
    return convert({"messages": [raw]})["messages"][0]["blocks"]


@pytest.mark.parametrize("name", ["tree", "flat"])
def test_the_samples_are_converted_whole(name):
    """Whether children lie in their parents or beside them, everything has a block."""
    assert balances(convert(sample(f"librechat/{name}.json")))


def test_children_follow_what_holds_them():
    """A tree of children has the ways of the conversation; the last answer in time ends it."""
    conversation = convert(sample("librechat/tree.json"))
    assert [(told["id"], told["parent"]) for told in conversation["messages"]] == [
        ("c-1", ""),
        ("c-2", "c-1"),
        ("c-3", "c-2"),
        ("c-4", "c-1"),
    ]
    assert look(conversation).left == 2
    assert (conversation["model"], conversation["created"]) == ("claude-sonnet", "2026-03-05T08:00:01.000Z")


def test_parts_become_blocks():
    """Thoughts, calls with their results, texts and errors are told apart; an unknown part is kept."""
    answer = convert(sample("librechat/tree.json"))["messages"][1]["blocks"]
    assert [block["kind"] for block in answer] == ["thinking", "tool", "text", "unknown"]
    assert (answer[1]["input"], answer[1]["result"]["parts"]) == ({"city": "Oslo"}, [{"text": "Snow, -2 °C"}])
    (error,) = blocks(text="too many requests", error=True)
    assert (error["kind"], error["text"]) == ("event", "too many requests")


def test_thoughts_at_the_head_of_a_text_are_thinking():
    """What an older version put before the answer is no part of it."""
    thought, text = blocks(text=":::thinking\nhm\n:::\nYes")
    assert (thought["kind"], thought["text"], text["text"]) == ("thinking", "hm", "Yes")


def test_a_message_of_another_form_is_kept():
    """What has none of the fields that messages have is shown as it stands."""
    odd = {"value": {"text": "words"}}
    (block,) = blocks(**odd)
    assert (block["kind"], block["data"]) == ("unknown", [odd])


def test_a_deep_tree_costs_no_stack():
    """Ten thousand messages inside each other are one way."""
    root = item = {"messageId": "0", "text": "x"}
    for number in range(1, 10_000):
        item["children"] = [{"messageId": str(number), "text": "x"}]
        item = item["children"][0]
    assert len(convert({"messages": [root]})["messages"]) == 10_000


def test_messages_may_lie_in_a_file():
    """Messages that do not fit in memory are told alike."""
    element = sample("librechat/tree.json")
    spooled = SpooledList()
    for item in element["messages"]:
        spooled.append(item)
    assert list(convert({**element, "messages": spooled})["messages"]) == convert(element)["messages"]


@pytest.mark.parametrize("element", [None, [], {}, {"messages": {}}, {"messages": "x"}])
def test_what_has_no_messages_is_refused(element):
    """An element without a list of messages is no conversation."""
    with pytest.raises(RunError, match="it has no messages"):
        convert(element)


def test_thoughts_in_tags_are_told_apart():
    """What a model thought in tags is no answer; what a person writes is left as it is."""
    assert [block["kind"] for block in blocks(text="<think>Hm</think>Yes", isCreatedByUser=False)] == ["thinking", "text"]
    assert [block["kind"] for block in blocks(text="<think>Hm</think>Yes", isCreatedByUser=True)] == ["text"]


def test_artifacts_are_told_apart():
    """A directive is a file with what its code block holds; one in a code block is only shown."""
    directive = ':::artifact{identifier="app" type="text/html" title="App"}\n```html\n<p>Hi</p>\n```\n:::'
    before, made, after = blocks(isCreatedByUser=False, text=f"See:\n\n{directive}\n\nDone.")
    assert (before["text"], after["text"]) == ("See:", "Done.")
    assert (made["artifact"]["key"], made["artifact"]["language"], made["artifact"]["content"]) == ("app", "html", "<p>Hi</p>")
    shown = f"~~~\n{directive}\n~~~"
    assert [block["text"] for block in blocks(isCreatedByUser=False, text=shown)] == [shown]
    assert [block["text"] for block in blocks(isCreatedByUser=True, text=directive)] == [directive]


README = "# A\n\n```sh\nmake\n```\n\n:::note\nHot.\n:::\n\nEnd"


@pytest.mark.parametrize(
    ("inside", "content"),
    [
        (f"```markdown\n{README}\n```\n:::", README),
        (f"````markdown\n{README}\n````\n\n:::", README),
        (f"{README}\n:::", README),
        ("```html\n<p>\n:::", "<p>"),
        ("\n~~~js\na\n~~~\n:::", "a"),
        ("```\n```\n:::", ""),
    ],
)
@pytest.mark.parametrize("title", ["T", "A {b} c " + "x" * 600])
def test_an_artifact_is_whole_whatever_it_holds(inside, content, title):
    """Code blocks and directives inside an artifact end it no sooner, nor do braces and long titles hide it."""
    told = f':::artifact{{identifier="a" type="text/markdown" title="{title}"}}\n{inside}\nafter'
    made, after = blocks(isCreatedByUser=False, text=told)
    assert (made["artifact"]["content"], made["artifact"]["title"], after["text"]) == (content, title, "after")


def test_artifacts_beside_one_that_is_shown_or_not_closed_are_told_apart():
    """A directive in code, and one that nothing closes, cost no other."""
    one = ':::artifact{identifier="a" title="T"}\n```js\nx\n```\n:::'
    shown = f"````\n{one}\n````"
    told = blocks(isCreatedByUser=False, text=f"{shown}\n{one}\n:::artifact{{title='U'}}\ny\n{one}\n{one[:-4]}")
    assert [block["kind"] for block in told] == ["text", "artifact", "text", "artifact", "text"]
    assert (told[0]["text"], told[4]["text"]) == (shown, one[:-4])


def test_a_long_line_that_nearly_is_a_fence_takes_no_longer_than_another():
    """It could be cut up in a great many ways, and each would have been tried."""
    line = "~" * 20_000 + "`"
    told = blocks(isCreatedByUser=False, text=f":::artifact{{identifier='a' title='T'}}\nx\n:::\n{line}")
    assert [block["kind"] for block in told] == ["artifact", "text"]


def test_what_the_model_was_told_is_shown():
    """Instructions of an assistant and what a preset puts in front stand above the messages, each once."""
    options = {"promptPrefix": "Be short.", "instructions": "Metric units.", "presetOverride": {"promptPrefix": "Be kind."}}
    (section,) = convert({"messages": [], "options": options, "promptPrefix": "Be short."})["sections"]
    assert section == {"title": "System prompt", "text": "Be short.\n\nMetric units.\n\nBe kind."}
