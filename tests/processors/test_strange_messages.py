"""Messages that have none of the fields their provider gives messages: whoever wrote them, their words are kept."""

import json

import pytest
from importing import Sample, check_account, imported

from transmissions.processors.blobs import Members

ODD = {"value": {"text": "WORDS"}}
ELEMENTS = [
    ("api", {"messages": [{"role": "user", "content": "a"}, ODD]}),
    ("langchain", {"name": "x", "items": [{"type": "human", "data": {"content": "a"}}, {"type": "ai", "data": ODD}]}),
    ("grok-conversations", {"conversation": {}, "responses": [{"response": ODD}]}),
    ("ai-studio", {"chunkedPrompt": {"chunks": [ODD]}}),
    ("ai-studio", {"chunkedPrompt": {"chunks": {"value": ["WORDS"]}}}),
    ("deepseek", {"mapping": {"1": {"id": "1", "message": ODD}}}),
    ("librechat", {"messages": [ODD]}),
    ("oasst", {"message_tree_id": "t", "prompt": {"text": "a", "replies": [ODD]}}),
    ("gemini-cli", {"sessionId": "s", "messages": [ODD]}),
    ("gemini-cli-saved", {"name": "x", "items": [7, {"role": "user", "parts": [{"text": "WORDS"}]}]}),
    ("perplexity-threads", {"title": "t", "messages": [{"content": "WORDS"}]}),
    ("api", {"messages": [{"role": "assistant", "content": "a", "tool_calls": [ODD]}]}),
    ("gemini-cli", {"sessionId": "s", "messages": [{"type": "gemini", "content": "a", "toolCalls": [ODD]}]}),
    (
        "gemini-cli-saved",
        {"name": "x", "items": [{"role": "model", "parts": [{"functionCall": ODD}, {"functionResponse": ODD}]}]},
    ),
    ("le-chat", {"name": "x", "items": [{"chatId": "c", "role": "user", "content": "WORDS", "contentChunks": 7}]}),
]


@pytest.mark.parametrize(("shape", "element"), ELEMENTS, ids=lambda value: value if isinstance(value, str) else "")
def test_words_of_a_strange_message_are_kept(shape, element):
    """They stand in the conversation as data, or as what they are, and are counted."""
    found = imported(Sample(shape, element, "x.json", Members()))
    check_account(found)
    assert "WORDS" in json.dumps([told["blocks"] for told in found["messages"]])
