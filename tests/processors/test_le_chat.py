import pytest
from importing import blocks, conversations, imported, samples
from session_logs import spooled

from transmissions.processors.branches import look
from transmissions.processors.conversation import title_of


def chunks(*given):
    """Return the blocks of an answer with these chunks."""
    (sample,) = samples("le-chat")
    item = {"id": "m", "chatId": "c", "role": "assistant", "content": "flat", "contentChunks": list(given)}
    return blocks(imported(sample, {"name": "chat-c.json", "items": [item]}))


def test_messages_are_put_in_the_order_of_time():
    """A file lists its messages in any order; the first words are the title."""
    (conversation,) = conversations("le-chat")
    assert [message["id"] for message in conversation["messages"]] == ["m1", "m2", "m3", "m4", "m5"]
    assert title_of(conversation) == "Which colours do bees see? 🐝"
    assert conversation["updated"] == "2026-01-20T12:01:30.000Z"


def test_an_answer_that_was_repeated_is_a_branch():
    """Two answers to one message are two ways, of which the later one is the conversation's."""
    assert look(conversations("le-chat")[0]).path == frozenset({0, 1, 2, 4})


def test_files_lie_in_the_folder_of_the_chat():
    """A file is found in the folder named after the chat; one that is not there is only named."""
    files = conversations("le-chat")[0]["messages"][0]["files"]
    assert [(file["name"], "content" in file) for file in files] == [("garden notes.txt", True), ("gone.pdf", False)]


def test_references_stand_in_the_sentence_they_interrupt():
    """Text before and after a reference is one text with a citation in its place."""
    text = next(block for block in blocks(conversations("le-chat")[0]) if block["sources"][:1] == ("text",))
    assert text["text"] == "Bees see blue and ultraviolet, but no red."
    assert text["citations"] == [{"end": 29, "title": "Bee eyes", "url": "https://bees.example/eyes"}]


def test_calls_come_with_what_they_gave():
    """A tool call holds its arguments, read from JSON text, and its result."""
    (call,) = (block for block in blocks(conversations("le-chat")[0]) if block["kind"] == "tool")
    assert (call["name"], call["input"]) == ("web_search", {"query": "bees colours"})
    assert call["result"]["parts"][0]["url"] == "https://bees.example/eyes"


def test_chunks_win_over_the_flat_text():
    """The flat text is used only where there are no chunks."""
    assert [block["text"] for block in chunks({"type": "text", "text": "rich"})] == ["rich"]
    assert [block["text"] for block in chunks()] == ["flat"]


def test_chunks_of_no_known_type_are_kept():
    """References to nothing, chunks of new types and things that are no chunk stay as data."""
    found = chunks({"type": "reference", "referenceIds": [3]}, {"type": "waves", "n": 1}, 7)
    assert [block["kind"] for block in found] == ["unknown"] * 3
    assert found[1]["data"] == {"type": "waves", "n": 1}


def test_pieces_of_a_text_are_one_text():
    """What is cut in the middle of a sentence is no two paragraphs."""
    (block,) = chunks({"type": "text", "text": "salut "}, {"type": "text", "text": "humain"})
    assert (block["text"], block["sources"]) == ("salut humain", ("text", "text"))


def test_versions_of_a_message_are_ways_of_their_own():
    """An edited question keeps its id and gets a version; its answer names both. Only the last way is the conversation's."""
    (sample,) = samples("le-chat")
    facts = [("q", 0, None, 0), ("a", 0, "q", 0), ("q", 1, None, 0), ("a", 1, "q", 1)]
    items = [
        {"id": name, "version": version, "chatId": "c", "role": "user" if name == "q" else "assistant", "content": "x"}
        | {"parentId": parent, "parentVersion": above, "createdAt": f"2026-01-20T12:00:0{place}Z"}
        for place, (name, version, parent, above) in enumerate(facts)
    ]
    found = imported(sample, {"name": "chat-c.json", "items": items})
    assert [message["id"] for message in found["messages"]] == ["q", "a", "q.1", "a.1"]
    assert look(found).path == frozenset({2, 3})


@pytest.mark.parametrize("chunks", [None, [], 7, "x"])
def test_words_are_kept_beside_chunks_that_are_none(chunks):
    """A text counts unless chunks say the same in parts."""
    item = {"id": "1", "chatId": "c", "role": "user", "content": "words", "contentChunks": chunks}
    sample = samples("le-chat")[0]
    assert blocks(imported(sample, {"name": "x", "items": [item]}))[0]["text"] == "words"


@pytest.mark.parametrize("make", [list, spooled])
def test_messages_are_in_the_order_of_their_times(make):
    """Exports begin with any of them; a chat too large for memory is put in order as well."""
    (sample,) = samples("le-chat")
    items = [
        {
            "id": f"{second}",
            "chatId": "c",
            "role": "user",
            "content": f"\ud800 {second}",
            "createdAt": f"2026-01-20T12:00:0{second}Z",
        }
        for second in (3, 1, 2)
    ]
    found = imported(sample, {"name": "chat-c.json", "items": make(items)})
    assert [message["id"] for message in found["messages"]] == ["1", "2", "3"]
    undated = imported(sample, {"name": "chat-c.json", "items": make([*items, {"id": "0", "chatId": "c", "role": "user"}])})
    assert [message["id"] for message in undated["messages"]] == ["3", "1", "2", "0"]
