import json

import pytest
from importing import blocks, check_account, conversations, imported, samples

from transmissions import RunError
from transmissions.processors.branches import look
from transmissions.processors.shapes import find_shape

SAMPLE = next(sample for sample in samples("api-logs") if sample.shape == "api")


def by_id(identifier):
    return next(conversation for conversation in conversations("api-logs") if conversation["id"] == identifier)


def log(*messages, **more):
    """Return what a request with these messages becomes."""
    return imported(SAMPLE, {"messages": list(messages), **more})


def test_a_request_and_its_answer_are_one_conversation():
    """What was asked comes first, then what was answered, with the model, the time and the tokens of the answer."""
    found = by_id("chatcmpl-1")
    assert [message["role"] for message in found["messages"]] == [
        "system",
        "human",
        "assistant",
        "tool",
        "assistant",
        "assistant",
    ]
    assert (found["model"], found["created"]) == ("gpt-x-2026", "2026-03-01T21:20:03Z")
    assert found["tokens"] == {"input": 50, "output": 12}


def test_several_choices_are_branches():
    """The first choice goes on with the conversation; others are ways it did not go."""
    assert look(by_id("chatcmpl-1")).path == frozenset({0, 1, 2, 3, 4})


def test_an_answer_of_a_tool_knows_its_call():
    """A result is told by the id of its call which tool gave it; arguments are read from JSON."""
    thought, call, answer = blocks(by_id("chatcmpl-1"))[3:6]
    assert (thought["kind"], call["input"]) == ("thinking", {"city": "Łódź"})
    assert (answer["name"], answer["result"]["parts"]) == ("weather", [{"text": "21 °C"}])


def test_pictures_in_the_request_are_unpacked():
    """An image in a data URL, or in Anthropic's form, is a file with its content."""
    pictures = [block for name in ("chatcmpl-1", "msg_01") for block in blocks(by_id(name)) if block["kind"] == "file"]
    assert [(block["type"], block["content"][1:4]) for block in pictures] == [("image/png", b"PNG")] * 2


def test_anthropic_messages_are_converted_as_claude_s():
    """Thoughts, artifacts and results become what they are in Claude's export; a result is not the user's words."""
    found = by_id("msg_01")
    assert [message["role"] for message in found["messages"]] == ["system", "human", "assistant", "tool", "human", "assistant"]
    assert found["messages"][2]["blocks"][1]["artifact"]["path"] == "hello.py"
    assert found["messages"][3]["blocks"][0]["name"] == "create_file"


def test_the_responses_api_is_read_item_by_item():
    """Reasoning, calls, their results and messages of an output become messages in order."""
    found = by_id("resp_1")
    assert [block["kind"] for block in blocks(found)] == ["text", "text", "thinking", "tool", "tool", "text"]
    assert blocks(found)[4]["name"] == "add"


def test_batches_are_read_on_both_sides():
    """A line of a batch may hold a request, an answer or an error."""
    assert blocks(by_id("chatcmpl-7"))[0]["text"] == "Hello!"
    assert blocks(by_id("msg_02"))[0]["text"] == "Hi there."
    errors = [block for conversation in conversations("api-logs") for block in blocks(conversation) if block["kind"] == "event"]
    assert "Too late." in errors[0]["text"]


@pytest.mark.parametrize(
    "response",
    [
        "Hi",
        {"choices": [{"text": "Hi"}]},
        {"role": "assistant", "content": "Hi"},
        {"body": {"choices": [{"message": {"content": "Hi"}}]}},
    ],
)
def test_answers_come_in_several_wrappings(response):
    """A plain text, a completion, a bare message and a body all give the answer."""
    assert blocks(log({"role": "user", "content": "a"}, response=response))[1]["text"] == "Hi"


def test_documents_keep_their_text():
    """A document with text in it is a file; one that only points elsewhere is named."""
    given = [
        {"type": "document", "title": "n.txt", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
        {"type": "image", "source": {"type": "base64", "data": "%"}},
    ]
    document, picture, broken = blocks(log({"role": "user", "content": given}))
    assert (document["name"], document["content"]) == ("n.txt", b"words")
    assert (picture["id"], broken["kind"]) == ("https://x.example/a.png", "unknown")


def test_a_list_of_messages_is_one_conversation():
    """A file of nothing but messages is read as a whole."""
    found = next(imported(sample) for sample in samples("api-logs") if sample.shape == "api-messages")
    assert [message["role"] for message in found["messages"]] == ["human", "assistant"]


@pytest.mark.parametrize("element", [{}, [], {"messages": []}, {"messages": None, "error": None}, {"response": {"body": 5}}])
def test_what_asks_and_answers_nothing_is_refused(element):
    """An element without messages, answer and error is no conversation."""
    with pytest.raises(RunError, match="request to an API"):
        imported(SAMPLE, element)


def test_what_was_sent_to_gemini_is_read_by_its_parts():
    """Contents of parts are messages, candidates are answers; a call and its result are tools."""
    call = {"functionCall": {"name": "ls", "args": {"path": "."}}}
    element = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Which?"}, {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]},
            {"role": "model", "parts": [{"text": "Hm…", "thought": True}, call]},
            {"role": "user", "parts": [{"functionResponse": {"name": "ls", "response": {"output": "beds"}}}]},
        ],
        "response": {"candidates": [{"content": {"role": "model", "parts": [{"text": "All."}]}, "finishReason": "STOP"}]},
    }
    assert find_shape(json.dumps(element).encode())[0].name == "api"
    found = imported(SAMPLE, element)
    check_account(found)
    told = [(message["role"], [block["kind"] for block in message["blocks"]]) for message in found["messages"]]
    assert told == [
        ("system", ["text"]),
        ("human", ["text", "file"]),
        ("assistant", ["thinking", "tool"]),
        ("tool", ["tool"]),
        ("assistant", ["text"]),
    ]


def answered(*output):
    """Return the blocks of what OpenAI's Responses API answered with these items."""
    return blocks(imported(SAMPLE, {"model": "m", "input": "Look", "output": list(output)}))[1:]


def test_the_provider_s_own_tools_are_calls_with_what_they_gave():
    """A search, code and a picture made in an answer of the Responses API are not lost, and are the assistant's."""
    search = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "tides"}}
    code = {"type": "code_interpreter_call", "id": "ci", "code": "6*7", "outputs": [{"type": "logs", "text": "42"}]}
    drawn = {"type": "image_generation_call", "id": "ig", "result": "iVBORw0KGgo="}
    strange = {"type": "dream", "about": "sheep"}
    searched, ran, picture, dream = answered(search, code, drawn, strange)
    assert (searched["name"], searched["input"]["query"]) == ("web_search", "tides")
    assert (ran["input"], ran["result"]["parts"]) == ({"code": "6*7"}, [{"text": "42"}])
    assert (picture["kind"], picture["content"][1:4], dream["kind"]) == ("file", b"PNG", "unknown")


def test_texts_of_an_answer_keep_their_sources_and_refusals():
    """An annotation of the Responses API is a citation; a refusal is what it says."""
    cited = {"type": "output_text", "text": "So.", "annotations": [{"url": "https://a.example", "title": "A"}]}
    refused = {"type": "refusal", "refusal": "No."}
    said, refusal = answered({"type": "message", "role": "assistant", "content": [cited, refused]})
    assert (said["citations"], refusal["text"]) == ([{"end": 3, "url": "https://a.example", "title": "A"}], "No.")


def test_results_beside_a_user_s_words_are_the_tool_s():
    """They come first, in a message of their own, in Anthropic's API and in Gemini's; the account has both."""
    result = {"type": "tool_result", "tool_use_id": "t", "content": "42"}
    response = {"function_response": {"name": "f", "response": {"output": "42"}}}
    for found in (
        log({"role": "user", "content": [result, {"type": "text", "text": "And now?"}]}),
        imported(SAMPLE, {"contents": [{"role": "user", "parts": [response, {"text": "And now?"}]}]}),
    ):
        check_account(found)
        assert [(told["role"], told["blocks"][0]["kind"]) for told in found["messages"]] == [
            ("tool", "tool"),
            ("human", "text"),
        ]
        assert found["messages"][0]["blocks"][0]["result"]["parts"] == [{"text": "42"}]


def test_files_in_requests_are_unpacked():
    """Pictures in a tool's result, files and sound of OpenAI's API, and data as libraries for Gemini write it, are files."""
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    asked = log(
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [picture]}]},
        {
            "role": "user",
            "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}}],
        },
        {"role": "user", "content": [{"type": "input_file", "filename": "b.pdf", "file_id": "file-1"}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}]},
    )
    sent = imported(
        SAMPLE, {"contents": [{"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "aGk="}}]}]}
    )
    check_account(asked)
    files = [block for found in (asked, sent) for block in blocks(found) if block["kind"] == "file"]
    assert [block.get("content") for block in files] == [b"hi", b"hi", None, b"hi", b"hi"]
    assert [block["name"] for block in files[1:3]] == ["a.pdf", "b.pdf"]


def test_code_that_gemini_runs_is_a_call_with_its_result():
    """The code is what the tool was given; what it printed is the result, which may be a failure."""
    run = {"executableCode": {"language": "PYTHON", "code": "1/0"}}
    ended = {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "ZeroDivisionError"}}
    given, got = blocks(imported(SAMPLE, {"contents": [{"role": "model", "parts": [run, ended]}]}))
    assert given["input"]["code"] == "1/0"
    assert got["result"] == {"parts": [{"text": "ZeroDivisionError"}], "failed": True}


def test_the_prompt_that_a_picture_was_made_with_is_kept():
    """The model revises what it was asked; the picture comes behind that."""
    made = {"type": "image_generation_call", "result": "aGk=", "revised_prompt": "A cat"}
    call, picture = blocks(imported(SAMPLE, {"response": {"model": "m", "output": [made]}}))
    assert (call["input"], picture["content"]) == ({"revised_prompt": "A cat"}, b"hi")


def test_a_request_of_a_batch_that_failed_is_kept_with_its_reason():
    """Its answer is an error below `body`; without a question it goes by the id it was given."""
    answer = {"status_code": 400, "body": {"error": {"message": "no such model"}}}
    found = imported(SAMPLE, {"id": "b", "custom_id": "question-7", "response": answer, "error": None})
    check_account(found)
    assert found["title"] == "question-7"
    assert "no such model" in blocks(found)[0]["text"]


@pytest.mark.parametrize("end", ["expired", "canceled"])
def test_a_request_that_a_batch_never_came_to_is_kept(end):
    """Anthropic's batches end after a day: the request is told of with that, and is no fault of the archive."""
    found = imported(SAMPLE, {"custom_id": "r", "result": {"type": end}})
    check_account(found)
    assert [(said["role"], end in said["blocks"][0]["text"]) for said in found["messages"]] == [("error", True)]


def test_what_gemini_rests_on_is_cited():
    """Pages and searches of a grounded answer, its model and its tokens are kept."""
    grounding = {"webSearchQueries": ["kites"], "groundingChunks": [{"web": {"uri": "https://a.org", "title": "A"}}]}
    candidate = {"content": {"role": "model", "parts": [{"text": "So."}]}, "groundingMetadata": grounding}
    answer = {
        "candidates": [candidate],
        "modelVersion": "gemini-x",
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4},
    }
    found = imported(SAMPLE, {"request": {"contents": [{"role": "user", "parts": [{"text": "Why?"}]}]}, "response": answer})
    check_account(found)
    _, said, searched = blocks(found)
    assert said["citations"] == [{"end": 3, "title": "A", "url": "https://a.org"}]
    assert (searched["title"], searched["text"]) == ("Searched for", "- kites")
    assert (found["model"], found["tokens"]) == ("gemini-x", {"input": 3, "output": 4})


def test_tools_that_anthropic_runs_are_tools():
    """A search on the server has its question and the pages it found, without their encrypted content."""
    page = {"type": "web_search_result", "title": "A", "url": "https://a.org", "page_age": "1 day", "encrypted_content": "zz"}
    content = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "kites"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [page]},
    ]
    (found,) = blocks(log({"role": "assistant", "content": content}))
    assert (found["name"], found["sources"]) == ("web_search", ("server_tool_use", "web_search_tool_result"))
    assert found["result"]["parts"] == [{"title": "A", "url": "https://a.org", "text": "1 day"}]


def test_what_a_log_says_of_a_request_is_shown():
    """Metadata is no word of the conversation, and is kept as data."""
    found = log({"role": "user", "content": "a"}, metadata={"run": "7"})
    assert '"run": "7"' in found["sections"][0]["text"]


def test_a_prompt_in_words_is_a_question():
    """Requests for completions have a text in the place of messages; a thought may stand beside an answer."""
    answer = {"id": "cmpl-1", "choices": [{"text": "A"}]}
    for element in ({"request": {"prompt": "Q"}, "response": answer}, {"prompt": "Q", "response": answer}):
        shape, _ = find_shape(json.dumps(element).encode())
        found = imported(SAMPLE._replace(shape=shape.name), element)
        assert [block["text"] for block in blocks(found)] == ["Q", "A"]
    thought, said = blocks(log({"role": "assistant", "content": "A", "thinking": "Hm"}))
    assert (thought["kind"], thought["text"], said["text"]) == ("thinking", "Hm", "A")


@pytest.mark.parametrize("image", ["iVBORw==", {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}])
def test_pictures_beside_the_words_are_files(image):
    """Ollama is sent pictures so, and models that paint answer so."""
    words, picture = blocks(log({"role": "user", "content": "a", "images": [image]}))
    assert (words["text"], picture["content"]) == ("a", b"\x89PNG")


@pytest.mark.parametrize(
    "pages", [{"citations": ["https://a.org"]}, {"search_results": [{"title": "A", "url": "https://a.org"}]}]
)
def test_pages_of_an_answer_are_cited(pages):
    """Perplexity's API tells the pages beside its choices."""
    found = imported(
        SAMPLE, {"id": "r", "model": "sonar", "choices": [{"message": {"role": "assistant", "content": "So."}}], **pages}
    )
    check_account(found)
    assert [cited["url"] for cited in blocks(found)[0]["citations"]] == ["https://a.org"]
