import pytest
from importing import blocks, conversations, imported, samples

from transmissions import RunError
from transmissions.processors.branches import look


def test_roles_and_times_come_in_several_spellings():
    """`ASSISTANT` is the assistant, and a time in MongoDB's form is a time."""
    first, _ = conversations("grok")
    assert [message["role"] for message in first["messages"]] == ["human", "assistant", "human", "assistant", "assistant"]
    assert first["messages"][0]["created"] == "2026-05-02T10:00:00.123000Z"
    assert first["messages"][1]["model"] == "grok-4"


def test_the_named_leaf_ends_the_conversation():
    """An answer that failed and was asked for again is off the path."""
    first, second = conversations("grok")
    assert look(first).path == frozenset({0, 1, 2, 3})
    assert look(second).path is None


def test_thoughts_searches_and_sources_are_told_apart():
    """What the model thought, what it found and what it cites are blocks of their own kinds."""
    thought, search, posts, answer = conversations("grok")[0]["messages"][1]["blocks"]
    assert (thought["kind"], search["name"], posts["name"]) == ("thinking", "web search", "search on X")
    assert search["result"]["parts"] == [
        {"title": "Delta kites", "url": "https://kites.example/delta", "text": "Fly from 2 to 6 Bft."}
    ]
    assert answer["citations"][0]["url"] == "https://kites.example/delta"


def test_files_are_found_by_their_ids():
    """Each asset is called `content`; its folder tells which one it is, for pictures that were made as well."""
    files = [file for message in conversations("grok")[0]["messages"] for file in message["files"]]
    assert [len(file.get("content", "")) for file in files] == [70, 0, 70]
    assert [file["name"] for file in files][1:] == ["winds.pdf", "image.jpg"]


def test_a_response_that_is_none_is_kept():
    """An item of the list that holds no response stands in the conversation as data."""
    assert blocks(conversations("grok")[1])[-1]["data"] == {"response": "lost"}


def test_sources_without_a_text_are_kept():
    """Cited pages of an answer without words are a block of their own."""
    sample = samples("grok")[0]
    found = imported(sample, {"responses": [{"response": {"sender": "assistant", "cited_web_search_results": [{"url": "u"}]}}]})
    assert blocks(found)[0]["kind"] == "unknown"
    assert found["id"] != ""


def test_what_has_no_responses_is_refused():
    """An element without a list of responses is no conversation."""
    with pytest.raises(RunError, match="no list 'responses'"):
        imported(samples("grok")[0], {"conversation": {}})
