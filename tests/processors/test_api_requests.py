"""Requests and answers as libraries and services log them, each in its own way."""

import json

import pytest
from importing import Sample, blocks, check_account, imported

from transmissions.processors.blobs import Members
from transmissions.processors.shapes import find_shape


def read(element):
    """Return what a file with this one element becomes, told by its shape."""
    shape, holds = find_shape(json.dumps(element).encode())
    assert shape, holds
    found = imported(Sample(shape.name, element, "log.json", Members()))
    check_account(found)
    return found


def told(conversation):
    """Return who says what."""
    return [(said["role"], block["text"]) for said in conversation["messages"] for block in said["blocks"] if "text" in block]


ASKED = [("human", "Why?")]
ANSWERED = [*ASKED, ("assistant", "So.")]
QUESTION = {"role": "user", "content": "Why?"}
ANSWER = {"role": "assistant", "content": "So."}


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"model": "gpt-5", "input": "Why?", "instructions": "Be brief."}, [("system", "Be brief."), *ASKED]),
        ({"model": "gpt-5", "input": [QUESTION]}, ASKED),
        ({"model": "gpt-5", "input": [{"type": "message", **QUESTION}, {"type": "message", **ANSWER}]}, ANSWERED),
        ({"custom_id": "c", "url": "/v1/responses", "body": {"model": "gpt-5", "input": [QUESTION]}}, ASKED),
        ({"id": "t", "input": {"messages": [QUESTION]}, "output": ANSWER}, ANSWERED),
        ({"id": "t", "input": {"messages": [QUESTION]}, "output": "So."}, ANSWERED),
        ({"id": "t", "input": [QUESTION], "output": ANSWER}, ANSWERED),
        ({"request_body": {"messages": [QUESTION]}, "response_body": {"choices": [{"message": ANSWER}]}}, ANSWERED),
        ({"input": "Why?", "output": "So.", "model": "m"}, ANSWERED),
    ],
)
def test_a_request_is_known_wherever_it_stands(element, expected):
    """OpenAI's Responses API, and what services that watch over requests write down."""
    assert told(read(element)) == expected


def test_settings_of_a_program_are_no_conversation():
    """Many have an input and an output, which are files."""
    assert find_shape(b'{"input": "src/a.ts", "output": "a.js", "format": "esm"}')[0] is None


@pytest.mark.parametrize("given", ["words", ["words", "others"], [1, 2]])
def test_what_was_sent_to_be_counted_is_no_conversation(given):
    """Requests for embeddings have an input, too."""
    assert find_shape(json.dumps({"model": "text-embedding-3", "input": given, "dimensions": 256}).encode())[0] is None


def test_what_an_answer_calls_and_thinks_is_read_in_any_wrapping():
    """Ollama's answer is a message below `message`; its calls and thoughts are no less than its words."""
    call = {"function": {"name": "tide", "arguments": {"day": 1}}}
    answer = {"message": {**ANSWER, "tool_calls": [call], "thinking": "Hm."}, "done": True}
    found = read({"request": {"messages": [QUESTION]}, "response": {"model": "llama3", **answer}})
    thought, said, called = found["messages"][1]["blocks"]
    assert (thought["kind"], thought["text"], said["text"]) == ("thinking", "Hm.", "So.")
    assert (called["name"], called["input"]) == ("tide", {"day": 1})


def test_what_an_answer_rests_on_is_read_in_any_wrapping():
    """An answer that is logged as a message alone has the same fields as one among choices."""
    page = {"type": "url_citation", "url_citation": {"url": "https://tides.example", "title": "Tides"}}
    element = {"request": {"messages": [QUESTION]}, "response": {**ANSWER, "annotations": [page]}}
    (said,) = read(element)["messages"][1]["blocks"]
    assert [cited["url"] for cited in said["citations"]] == ["https://tides.example"]


def test_parts_of_the_ai_sdk_are_told_apart():
    """What the model thought is no answer, and what a tool was given and gave is a call."""
    parts = [
        {"type": "step-start"},
        {"type": "reasoning", "text": "Hm.", "state": "done"},
        {"type": "tool-tide", "toolCallId": "c", "state": "output-available", "input": {"day": 1}, "output": {"m": 3}},
        {"type": "dynamic-tool", "toolName": "wind", "toolCallId": "d", "input": {}, "errorText": "none"},
        {"type": "text", "text": "So."},
    ]
    question = {"id": "1", "role": "user", "parts": [{"type": "text", "text": "Why?"}]}
    found = read({"id": "x", "messages": [question, {"id": "2", "role": "assistant", "parts": parts}]})
    kinds = [block["kind"] for block in blocks(found)]
    assert kinds == ["text", "unknown", "thinking", "tool", "tool", "text"]
    tide, wind = (block for block in blocks(found) if block["kind"] == "tool")
    assert (tide["name"], tide["input"], tide["result"]) == ("tide", {"day": 1}, {"parts": [{"m": 3}], "failed": False})
    assert (wind["name"], wind["result"]) == ("wind", {"parts": [{"text": "none"}], "failed": True})


def test_the_state_of_a_thread_holds_its_messages():
    """LangGraph's server gives the values of a state with what belongs to it."""
    messages = [
        {"type": "human", "content": "Why?", "additional_kwargs": {}},
        {"type": "ai", "content": "So.", "additional_kwargs": {}},
    ]
    found = read({"values": {"messages": messages}, "next": [], "created_at": "2026-01-01T00:00:00Z"})
    assert told(found) == ANSWERED
    assert found["created"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "odd", [{"value": {"role": "user", "content": "Why?"}}, {"role": "user", "words": "Why?"}, {"type": 7, "output": "x"}]
)
def test_a_message_of_another_form_is_kept(odd):
    """What has none of the fields that messages have may hold words all the same: it is shown as it stands."""
    found = read({"messages": [{"role": "user", "content": "a"}, odd, {"role": "assistant"}]})
    assert [(block["kind"], block.get("data")) for block in blocks(found)] == [("text", None), ("unknown", odd)]


def test_pages_that_gemini_rests_on_are_kept_without_a_text():
    """An answer that is a call alone cites nothing; what was found for it is a search."""
    parts = [{"functionCall": {"name": "tide", "args": {}}}]
    told = {"groundingChunks": [{"web": {"uri": "https://kites.example", "title": "Kites"}}]}
    found = read(
        {"candidates": [{"content": {"role": "model", "parts": parts}, "groundingMetadata": told}], "modelVersion": "g"}
    )
    assert blocks(found)[1]["result"]["parts"][0]["title"] == "Kites"
