import json

from importing import blocks, conversations, imported, samples


def entry(**fields):
    """Return the blocks of a thread with this one entry."""
    sample = next(sample for sample in samples("perplexity") if sample.shape == "perplexity")
    return blocks(imported(sample, {"entries": [fields]}))


def by_title(title):
    return next(conversation for conversation in conversations("perplexity") if conversation["title"] == title)


def test_an_entry_is_a_question_and_its_answer():
    """Each entry gives two messages, with the model and the time of both."""
    found = by_title("Why is the sea salty?")
    assert [(message["role"], message["id"]) for message in found["messages"]] == [
        ("human", "en-1"),
        ("assistant", "en-1.answer"),
        ("human", "en-2"),
        ("assistant", "en-2.answer"),
    ]
    assert (found["created"], found["model"]) == ("2026-03-03T09:00:00.111", "pplx_pro")
    assert found["url"] == "https://www.perplexity.ai/search/why-is-the-sea-salty-5f0c"


def test_an_answer_that_was_sent_twice_is_shown_once():
    """The sections of an answer say what the whole says; its sources are citations, its search is a tool."""
    search, answer, plan, _ = by_title("Why is the sea salty?")["messages"][1]["blocks"]
    assert search["result"]["parts"][0]["text"] == "Rivers carry salts."
    assert answer["sources"] == ("ask_text", "ask_text_0_markdown", "sources")
    assert answer["citations"][0]["url"] == "https://sea.example/salt"
    assert plan["kind"] == "unknown"


def test_an_answer_in_steps_is_found_in_the_last():
    """Where the text is JSON of steps, the answer is what the last one says."""
    assert by_title("Why is the sea salty?")["messages"][3]["blocks"][0]["text"] == "La pluie n\u2019est pas salée."
    assert entry(query_str="a", text="{not json")[1]["text"] == "{not json"


def test_pages_that_only_the_steps_name_are_citations():
    """What an answer cites by number is told in the JSON of its last step, whether or not the answer stands in blocks."""
    inner = json.dumps({"answer": "So[1].", "web_results": [{"name": "N", "url": "https://n.example"}]})
    steps = json.dumps([{"step_type": "FINAL", "content": {"answer": inner}}])
    shown = [{"intended_usage": "ask_text", "markdown_block": {"answer": "So[1]."}}]
    for more in ({}, {"blocks": shown}):
        answer = entry(query_str="q", text=steps, **more)[1]
        assert (answer["text"], [cited["url"] for cited in answer["citations"]]) == ("So[1].", ["https://n.example"])


def test_sections_alone_are_the_answer():
    """Without the whole, each section is shown."""
    sections = [{"intended_usage": f"ask_text_{n}_markdown", "markdown_block": {"chunks": ["a", str(n)]}} for n in (0, 1)]
    assert [block["text"] for block in entry(query_str="q", blocks=sections)] == ["q", "a0", "a1"]


def test_saved_lists_and_saved_threads_are_both_read():
    """A file of several threads gives each, with its messages; a file of questions and answers is one thread."""
    snow, fog = by_title("Snow"), by_title("Fog")
    assert [block["text"] for block in blocks(snow)] == ["Why is snow white?", "It scatters all colours alike."]
    assert [citation["url"] for citation in blocks(snow)[1]["citations"]] == [
        "https://snow.example/white",
        "https://snow.example/2",
    ]
    assert [message["role"] for message in fog["messages"]] == ["human", "assistant"] * 2


def test_sources_without_an_answer_are_kept():
    """Pages of an entry without an answer stay as data."""
    assert [block["kind"] for block in entry(query_str="q", sources=["https://a.example"])] == ["text", "unknown"]


def test_what_a_source_says_is_kept_with_it():
    """The passage of a page that the search showed stands with its citation."""
    source = {"title": "A", "url": "https://a.org", "snippet": "the passage"}
    found = imported(samples("perplexity")[0], {"entries": [{"query_str": "q", "answer": "a", "sources": [source]}]})
    assert found["messages"][1]["blocks"][0]["citations"] == [
        {"end": 1, "title": "A", "url": "https://a.org", "quote": "the passage"}
    ]
