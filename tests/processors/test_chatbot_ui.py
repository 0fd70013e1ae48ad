import pytest
from chat_trees import SAMPLES, about, balances, sample

from transmissions import RunError
from transmissions.processors.chatbot_ui import ChatbotUIConverter


def convert(element):
    return ChatbotUIConverter().convert(element, about(SAMPLES / "chatbot-ui", "history.json"))


def test_the_sample_is_converted_whole():
    """Each item of the history is a conversation, the empty one too; its folder is a tag, its prompt a section."""
    first, second = map(convert, sample("chatbot-ui/history.json")["history"])
    assert (balances(first), balances(second), len(second["messages"])) == (True, True, 0)
    assert (first["title"], first["model"], first["tags"]) == ("Haiku", "gpt-4", ["Poems"])
    assert first["sections"] == [{"title": "System prompt", "text": "You are a poet."}]
    assert "sections" not in second


def test_parts_that_are_no_text_are_kept():
    """Content may be a list; what is no text in it is data."""
    found = convert(
        {
            "messages": [
                {"role": "user", "content": ["a", {"type": "image_url", "image_url": {}}, {"type": "text", "text": "b"}]},
                5,
            ]
        }
    )
    assert [block["kind"] for block in found["messages"][0]["blocks"]] == ["text", "unknown", "text"]
    assert (found["messages"][1]["role"], balances(found)) == ("unknown", True)


@pytest.mark.parametrize("element", [None, 1, {}, {"messages": None}])
def test_what_has_no_messages_is_refused(element):
    """An item without a list of messages is no conversation."""
    with pytest.raises(RunError, match="it has no messages"):
        convert(element)
