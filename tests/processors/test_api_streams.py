import json

import pytest
from session_logs import about, assert_balanced, gathered

from transmissions import RunError
from transmissions.processors.api_streams import APIStreams
from transmissions.processors.shapes import BY_NAME, find_shape


def convert(*events):
    """Return what the conversations of a stream hold, by kind and text, and the first one."""
    log = "\n".join(map(json.dumps, events))
    assert find_shape(log.encode())[0] is BY_NAME["api-stream"]
    first = APIStreams().convert(gathered(list(events), "log.jsonl"), about())
    for conversation in (first, *first["also"]):
        assert_balanced(conversation)
    told = [
        (block["kind"], block.get("text", block.get("input")))
        for conversation in (first, *first["also"])
        for message in conversation["messages"]
        for block in message["blocks"]
    ]
    return told, first


def chunk(identifier, index=0, **delta):
    return {"id": identifier, "created": 1767225600, "model": "m", "choices": [{"index": index, "delta": delta}]}


def test_chunks_of_chat_completions_are_put_together():
    """Answers that came at the same time are told apart by their ids; thoughts and calls come whole."""
    begun = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a":'}}
    ended = {"index": 0, "function": {"arguments": "1}"}}
    told, first = convert(
        chunk("x", role="assistant", content="", reasoning_content="Hm"),
        chunk("x", content="Hel"),
        chunk("y", content="Other"),
        chunk("x", content="lo"),
        *(chunk("x", tool_calls=[call]) for call in (begun, ended)),
        {"id": "x", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    )
    assert told == [("thinking", "Hm"), ("text", "Hello"), ("tool", {"a": 1}), ("text", "Other")]
    assert (first["created"], first["tokens"]) == ("2026-01-01T00:00:00Z", {"input": 3, "output": 2})


def test_events_of_anthropic_s_api_are_put_together():
    """Each block comes whole, whatever comes between its pieces."""
    told, first = convert(
        {"type": "message_start", "message": {"id": "m", "role": "assistant", "model": "claude", "content": [], "usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "ping"},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "He"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "llo"}},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'}},
        {"type": "message_delta", "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    )
    assert told == [("thinking", "Hm"), ("text", "Hello"), ("tool", {"a": 1})]
    assert (first["id"], first["model"], first["tokens"]) == ("m", "claude", {"input": 0, "output": 7})


@pytest.mark.parametrize("ends", [True, False])
def test_events_of_the_responses_api_are_put_together(ends):
    """The last event has all of an answer; in a log that breaks off, its items are what there is."""
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
    last = {"type": "response.completed", "response": {"id": "r", "model": "m", "output": [item]}}
    told, _ = convert(
        {"type": "response.created", "response": {"id": "r", "model": "m", "output": []}},
        {"type": "response.output_text.delta", "delta": "Hel"},
        {"type": "response.output_item.done", "item": item},
        *([last] if ends else []),
    )
    assert told == [("text", "Hello")]


@pytest.mark.parametrize("events", [[], [5, None], [{"type": "message_stop"}]])
def test_a_stream_without_an_answer_is_refused(events):
    """What holds no piece of an answer is no stream."""
    with pytest.raises(RunError, match="it has no answer"):
        APIStreams().convert({"items": events}, about())
