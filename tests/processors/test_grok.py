import pytest
from importing import blocks, check_account, conversations, imported, samples

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


def said(**response):
    """Return the blocks of an answer that has these fields."""
    element = {"conversation": {"id": "c"}, "responses": [{"response": {"sender": "assistant", **response}}]}
    found = imported(samples("grok")[0], element)
    check_account(found)
    return blocks(found)


MARK = '<grok:render card_id="a1" type="render_inline_citation">\n<argument name="citation_id">0</argument></grok:render>'


def test_marks_of_sources_become_citations():
    """A mark whose card has an address is a citation in its place; another stays in the text."""
    (told,) = said(message=f"Up{MARK} high", card_attachments_json=['{"id": "a1", "url": "https://k.example/"}', "{"])
    assert (told["text"], told["citations"]) == ("Up high", [{"end": 2, "title": "", "url": "https://k.example/"}])
    assert said(message=f"Up{MARK} high")[0]["text"] == f"Up{MARK} high"


def test_steps_are_thoughts():
    """What was thought step by step is kept, once; steps without a word are kept as data."""
    steps = [{"tagged_text": {"header": "Look", "summary": ["Kites."]}, "web_search_results": [{"url": "u"}]}]
    assert [(block["kind"], block["text"]) for block in said(steps=steps)] == [("thinking", "Look\n\nKites.")]
    assert [block["text"] for block in said(thinking_trace="Look: Kites.", steps=steps)] == ["Look: Kites."]
    assert [block["kind"] for block in said(steps=[{"n": 1}])] == ["unknown"]


def test_what_was_found_in_steps_is_kept():
    """Pages that only a step tells of are a search; those that the answer lists too are shown there."""
    pages = [{"url": f"https://{name}.example", "title": name, "preview": f"about {name}"} for name in "ab"]
    steps = [{"text": ["Hm."], "web_search_results": pages}, {"text": [], "web_search_results": pages}]
    of_step, of_answer = said(steps=steps, web_search_results=pages[:1])[1:3]
    assert [part["title"] for part in of_step["result"]["parts"]] == ["b"]
    assert [part["title"] for part in of_answer["result"]["parts"]] == ["a"]
    assert [block["kind"] for block in said(steps=steps)] == ["thinking", "tool"]


def test_a_response_of_another_form_is_kept():
    """What has none of the fields that responses have is shown as it stands."""
    odd = {"value": {"message": "words"}}
    sample = samples("grok")[0]
    (block,) = blocks(imported(sample, {"conversation": {}, "responses": [{"response": odd}]}))
    assert (block["kind"], block["data"]) == ("unknown", {"response": odd})


def answer(words, **more):
    """Return the blocks of a conversation of one answer."""
    response = {"sender": "assistant", "message": words, **more}
    return blocks(imported(samples("grok")[0], {"conversation": {}, "responses": [{"response": response}]}))


def test_artifacts_in_tags_are_artifacts():
    """What Grok wrote as a document of its own becomes a file; what it cites goes to the text behind it."""
    tag = '<xaiArtifact artifact_id="k1" title="kite.py" contentType="text/python">\nprint(1)\n</xaiArtifact>'
    before, made, after = answer(f"Here:\n\n{tag}\n\nRun it.", cited_web_search_results=[{"url": "https://k.example"}])
    assert (before["text"], made["artifact"]["key"], made["artifact"]["content"]) == ("Here:", "k1", "print(1)")
    assert (after["text"], [cited["url"] for cited in after["citations"]]) == ("Run it.", ["https://k.example"])


def test_a_page_is_cited_once():
    """A page that a card in the text stands for, and the list of pages names too, is one source."""
    card = '<grok:render card_id="c" card_type="citation_card">x</grok:render>'
    pages = [{"url": "https://k.example"}, {"url": "https://l.example"}]
    (said,) = answer(
        f"So. {card}", card_attachments_json=['{"id":"c","url":"https://k.example"}'], cited_web_search_results=pages
    )
    assert [cited["url"] for cited in said["citations"]] == ["https://k.example", "https://l.example"]


def test_a_post_says_who_wrote_it():
    """What a search on X found has its author's name."""
    found = imported(
        samples("grok")[0],
        {
            "conversation": {"id": "c"},
            "responses": [{"response": {"_id": "r", "xposts": [{"username": "ann", "text": "Up!"}]}}],
        },
    )
    assert blocks(found)[0]["result"]["parts"] == [{"title": "@ann", "url": "", "text": "Up!"}]
