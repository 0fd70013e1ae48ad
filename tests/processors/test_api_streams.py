import json

import pytest
from session_logs import about, assert_balanced, gathered

from transmissions import RunError
from transmissions.processors.api_streams import APIStreams
from transmissions.processors.inputs import Archive
from transmissions.processors.reading import read_part
from transmissions.processors.shapes import BY_NAME, find_shape
from transmissions.processors.zip_archive import Limits


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


def read(tmp_path, text):
    """Return what is read of a file of server-sent events."""
    (tmp_path / "answer.txt").write_text(text)
    (part,) = Archive(tmp_path, Limits()).parts
    assert part.shape is BY_NAME["api-stream"]
    return list(read_part(part.blob, part.shape, 1 << 22))


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
def test_server_sent_events_are_read_as_they_came_over_the_wire(tmp_path, end):
    """Names of events, comments and the mark of the end are no part of the answer."""
    events = [f"data: {json.dumps(chunk('x', content=word))}" for word in ("Hel", "lo")]
    (element,) = read(
        tmp_path, end.join([": open", f"event: chunk{end[: len(end) // 2]}{events[0]}", events[1], "data: [DONE]", ""])
    )
    told, _ = convert(*element.value["items"])
    assert told == [("text", "Hello")]


def test_a_broken_event_is_set_aside_where_it_stands(tmp_path):
    """The dead letter has the broken object and the byte it begins at; the answer has the rest."""
    text = f'data: {json.dumps(chunk("x", content="Hi"))}\n\ndata: {{"id": \n\n'
    broken, element = read(tmp_path, text)
    assert (broken.offset, broken.fragment) == (text.index('{"id": \n'), '{"id":')
    assert len(element.value["items"]) == 1


def test_other_events_are_not_taken_for_answers():
    """A stream that nobody knows is named with its keys, and text that only looks like one is no JSON."""
    assert find_shape(b'data: {"temperature": 3}\n\n') == (None, "a stream of something else with the keys 'temperature'")
    assert find_shape(b"data: none of this\n") == (None, "no JSON")


def gemini(text, **more):
    part = {"text": text, **more}
    return {"candidates": [{"content": {"role": "model", "parts": [part]}}], "responseId": "r", "modelVersion": "gemini"}


def test_pieces_of_gemini_s_api_are_put_together():
    """What it thinks and what it says are two texts, however many pieces they come in."""
    told, first = convert(gemini("Hm", thought=True), gemini("m.", thought=True), gemini("Hel"), gemini("lo"))
    assert told == [("thinking", "Hmm."), ("text", "Hello")]
    assert (first["id"], first["model"]) == ("r", "gemini")
    assert convert(gemini("Hel"), gemini("lo"))[0] == [("text", "Hello")]


def test_pieces_of_ollama_are_put_together():
    """They have no ids: the last piece of an answer says that it is the last. So in the plain form."""
    pieces = [("Hel", False), ("lo", True), ("Yes", False), (".", True)]
    events = [
        {"model": "m", "created_at": "2026-03-01T00:00:00Z", "message": {"role": "assistant", "content": text}, "done": done}
        for text, done in pieces
    ]
    assert convert(*events)[0] == [("text", "Hello"), ("text", "Yes.")]
    plain = [{**event, "response": event.pop("message")["content"]} for event in events]
    assert convert(*plain)[0] == [("text", "Hello"), ("text", "Yes.")]


def test_an_answer_that_breaks_off_has_what_had_come():
    """No item of it is whole; what was streamed is its text."""
    begun = {"type": "response.created", "response": {"id": "r", "model": "m", "output": []}}
    pieces = [{"type": "response.output_text.delta", "delta": text} for text in ("Hel", "lo")]
    assert convert(begun, *pieces)[0] == [("text", "Hello")]


def test_what_went_wrong_on_the_way_is_told():
    """An error that ends a stream is kept behind what had come, and one that came alone is kept too."""
    begun = {"type": "message_start", "message": {"id": "m", "role": "assistant", "model": "c", "content": []}}
    said = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "He"}}
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    _, first = convert(begun, said, error)
    assert "Overloaded" in json.dumps([message["blocks"] for message in first["messages"]])
    failed = {"id": "r", "model": "m", "status": "failed", "output": [], "error": {"message": "no room"}}
    _, first = convert({"type": "response.created", "response": failed}, {"type": "response.failed", "response": failed})
    assert "no room" in json.dumps([message["blocks"] for message in first["messages"]])


def test_citations_come_in_pieces_too_and_events_that_say_nothing_are_counted():
    """What an answer of Anthropic's cites is kept with its words; a ping and ends of blocks are left out, and told."""
    cited = {"type": "web_search_result_location", "url": "https://a.org", "title": "A", "cited_text": "the words"}
    _, first = convert(
        {"type": "message_start", "message": {"id": "m", "role": "assistant", "model": "c", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": cited}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "So."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "ping"},
    )
    (block,) = first["messages"][0]["blocks"]
    assert block["citations"] == [{"end": 3, "url": "https://a.org", "title": "A", "quote": "the words"}]
    assert first["skipped"] == {"event": {"skipped: says nothing of an answer": 2}}
