from importing import blocks, conversations, imported, samples

from transmissions.processors.plain_blocks import unpacked


def prompt(*chunks, **more):
    """Return what a prompt with these chunks becomes."""
    (sample,) = samples("ai-studio")
    return imported(sample, {"chunkedPrompt": {"chunks": list(chunks)}, **more})


def test_chunks_of_one_speaker_make_a_message():
    """Thought, words, code and its result of one answer stand together; a file and a question as well."""
    (conversation,) = conversations("ai-studio")
    kinds = [(message["role"], [block["kind"] for block in message["blocks"]]) for message in conversation["messages"]]
    assert kinds == [
        ("system", ["text"]),
        ("human", ["file", "file", "text"]),
        ("assistant", ["thinking", "text", "tool", "text", "tool"]),
        ("human", ["text"]),
        ("assistant", ["event", "unknown"]),
    ]


def test_the_title_is_the_name_of_the_file():
    """A prompt has no title of its own; it knows its model and its tokens."""
    (conversation,) = conversations("ai-studio")
    assert (conversation["title"], conversation["model"]) == ("Tide tables", "gemini-2.5-pro")
    assert conversation["tokens"] == {"input": 337, "output": 44}
    assert (conversation["created"], conversation["updated"]) == ("2026-04-01T05:30:00.250Z", "2026-04-01T05:30:04Z")


def test_code_gets_its_result_and_text_its_sources():
    """Results go to the code before them, pages a search found to the text that rests on them."""
    (conversation,) = conversations("ai-studio")
    tool, answer = (block for block in blocks(conversation)[5:] if block["kind"] in ("tool", "text") and block["sources"][1:])
    assert tool["result"] == {"parts": [{"text": "(0.4, '09:25')\n"}], "failed": False}
    assert answer["citations"] == [{"end": 26, "title": "Tides today", "url": "https://tides.example/today"}]


def test_an_answer_that_has_finished_ends_its_message():
    """Two answers one after the other are two messages."""
    found = prompt({"role": "model", "text": "a", "finishReason": "STOP"}, {"role": "model", "text": "b"})
    assert [message["role"] for message in found["messages"]] == ["assistant", "assistant"]


def test_parts_speak_where_there_is_no_text():
    """What only the parts of a chunk hold is taken from them."""
    parts = [{"text": "hm", "thought": True}, {"text": "b"}, {"inlineData": {"mimeType": "image/png", "data": "AAEC"}}, 5]
    (thought, text, image, odd) = blocks(prompt({"role": "model", "text": "", "parts": parts}))
    assert (thought["kind"], text["text"], image["content"], odd["data"]) == ("thinking", "b", b"\0\1\2", 5)


def test_a_prompt_that_grows_keeps_its_id():
    """The id hangs on the file's name and the first two chunks; another beginning is another conversation."""
    first, more = {"role": "user", "text": "a"}, {"role": "model", "text": "b"}
    assert prompt(first, more)["id"] == prompt(first, more, first)["id"] != prompt(more)["id"]


def test_a_branch_names_what_it_continues():
    """A prompt that began as a branch of another links to it."""
    found = prompt({"role": "user", "text": "a", "branchParent": {"promptId": "prompts/1", "displayName": "Old"}})
    assert found["links"] == [{"relation": "continues", "id": "prompts/1", "title": "Old"}]


def test_data_that_cannot_be_unpacked_is_kept_as_it_is():
    """Text that only claims to be base64 stays in the archive's form."""
    (block,) = blocks(prompt({"role": "user", "inlineImage": {"mimeType": "image/png", "data": "%%"}}))
    assert (block["kind"], block["data"]["data"]) == ("unknown", "%%")
    assert unpacked("AAE") == unpacked(None) == b""


def test_prompts_of_one_name_that_begin_alike_are_two():
    """The first answer tells them apart: one must not be taken for a version of the other."""
    asked = {"text": "Hi", "role": "user"}
    assert prompt(asked, {"text": "a", "role": "model"})["id"] != prompt(asked, {"text": "b", "role": "model"})["id"]


def test_what_was_not_sent_is_kept():
    """A draft is no message, but somebody's words."""
    (sample,) = samples("ai-studio")
    pending = [{"text": "a draft", "role": "user"}, {"text": "", "role": "user"}, None]
    found = imported(sample, {"chunkedPrompt": {"chunks": [], "pendingInputs": pending}})
    assert (found["messages"], found["sections"]) == ([], [{"title": "Not sent", "text": "a draft"}])
