import pytest
from importing import blocks, conversations, imported, samples

from transmissions import RunError
from transmissions.processors.branches import look


def chat(*messages, **more):
    """Return what a chat with these messages becomes."""
    (sample,) = samples("lm-studio")
    return imported(sample, {"messages": list(messages), **more})


def said(text, role="user"):
    """Return a version in one step."""
    return {"type": "singleStep", "role": role, "content": [{"type": "text", "text": text}]}


def test_versions_that_were_not_chosen_are_branches():
    """The chosen version of each message leads to the next; others are ways that were left."""
    (conversation,) = conversations("lm-studio")
    found = look(conversation)
    assert found.path == frozenset({0, 2, 3})
    assert conversation["messages"][2]["blocks"][0]["text"] == "Round 2.5 and 3.5, half to even"


def test_a_chat_with_one_version_each_has_no_branches():
    """Without a system prompt and with one version each, there is one way only."""
    found = chat({"versions": [said("a")], "currentlySelected": 0}, {"versions": [said("b", "assistant")]})
    assert look(found).path is None
    assert [message["role"] for message in found["messages"]] == ["human", "assistant"]


def test_steps_become_thoughts_calls_and_words():
    """A thinking step is a thought, a call gets its result, what the app did meanwhile is an event."""
    answer = conversations("lm-studio")[0]["messages"][3]
    assert [block["kind"] for block in answer["blocks"]] == ["thinking", "tool", "event", "text", "event", "unknown"]
    call = answer["blocks"][1]
    assert (call["name"], call["input"], call["result"]["parts"]) == (
        "calculator",
        {"expression": "round(2.5)"},
        [{"text": "2"}],
    )
    assert (answer["model"], answer["tokens"]) == ("qwen3-8b", {"input": 120, "output": 33})


def test_calls_may_be_numbered():
    """A result goes to the call of its number, whose id is text as everywhere."""
    steps = [
        {"type": "contentBlock", "content": [{"type": "toolCallRequest", "callId": number, "name": f"tool {number}"}]}
        for number in (1, 2)
    ]
    steps.append({"type": "contentBlock", "content": [{"type": "toolCallResult", "callId": 2, "content": "x"}]})
    found = chat({"versions": [{"type": "multiStep", "role": "assistant", "steps": steps}], "currentlySelected": 0})
    assert [(block["id"], bool(block["result"])) for block in blocks(found)] == [("1", False), ("2", True)]


def test_times_are_milliseconds():
    """A chat tells when it began and when somebody last wrote."""
    (conversation,) = conversations("lm-studio")
    assert (conversation["created"], conversation["updated"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:01:11Z")


@pytest.mark.parametrize("chosen", [None, 7, -1, "x", True])
def test_a_choice_that_is_none_is_the_last_version(chosen):
    """Where the chosen version is not told, it is the one that was made last."""
    found = chat({"versions": [said("a"), said("b")], "currentlySelected": chosen})
    assert found["leaf"] == "0.1"


def test_a_result_without_its_call_is_kept():
    """A result that answers nothing in its message is a block of its own."""
    step = {"type": "contentBlock", "content": [{"type": "toolCallResult", "toolCallRequestId": "x", "content": "[1]"}]}
    (block,) = blocks(chat({"versions": [{"type": "multiStep", "role": "assistant", "steps": [step]}]}))
    assert (block["input"], block["result"]["parts"]) == (None, [1])


def test_what_has_no_messages_is_refused():
    """A file without a list of messages is no chat."""
    with pytest.raises(RunError, match="no list 'messages'"):
        imported(samples("lm-studio")[0], {"name": "x", "messages": 5})
