import copy
import json

import pytest
from chat_trees import SAMPLES, about, balances, chain, message, node, sample, text

from transmissions import RunError
from transmissions.processors.branches import look
from transmissions.processors.chatgpt import ChatGPTConverter
from transmissions.processors.chatgpt_files import expected_files, id_of
from transmissions.processors.plain_blocks import parsed
from transmissions.processors.shapes import BY_NAME, find_shape
from transmissions.processors.spool import SpooledList


def convert(element, folder=None):
    return ChatGPTConverter().convert(element, about(folder))


def blocks(*messages, place=0):
    return convert(chain(*messages))["messages"][place]["blocks"]


@pytest.mark.parametrize(("file", "messages", "left"), [("conversations-000.json", 13, 5), ("conversations-001.json", 2, 0)])
def test_the_sample_is_converted_whole(file, messages, left):
    """Everything the sample holds has a block, and its ways are those of the tree."""
    (element,) = sample(f"chatgpt/{file}")
    conversation = convert(element, SAMPLES / "chatgpt")
    assert balances(conversation)
    assert len(conversation["messages"]) == messages
    assert sum(1 for node in element["mapping"].values() if node["message"]) == messages + left
    assert conversation["leaf"] == conversation["messages"][-1]["id"]


def test_what_is_told_of_a_conversation_is_kept():
    """Title, times, address, model and tags come from the element."""
    (element,) = sample("chatgpt/conversations-000.json")
    found = convert(element)
    assert (found["title"], found["created"], found["updated"]) == (
        "Täler und Flüsse",
        "2026-03-07T12:00:00Z",
        "2026-03-07T12:00:30Z",
    )
    assert found["url"] == f"https://chatgpt.com/c/{element['id']}"
    assert (found["model"], found["tags"]) == ("o4-mini", ["archived", "gpt:g-geo"])


def test_the_way_that_was_left_is_off_the_path():
    """An edited prompt and its answer stay in the conversation, beside the way that ends at the current node."""
    (element,) = sample("chatgpt/conversations-000.json")
    conversation = convert(element)
    off = set(range(13)) - look(conversation).path
    assert [conversation["messages"][place]["blocks"][0]["text"] for place in sorted(off)] == [
        "How do valleys form?",
        "By erosion.",
    ]


def test_a_missing_current_node_and_title_do_no_harm():
    """Without them the title is empty and the last message ends the conversation."""
    found = convert({"title": None, "mapping": {"a": node(None, message("user", text("x")))}})
    assert (found["title"], found["leaf"], len(found["messages"])) == ("", "", 1)


@pytest.mark.parametrize("element", [None, [], {}, {"mapping": None}, {"mapping": "x"}, {"title": "x"}])
def test_what_has_no_mapping_is_refused(element):
    """An element without a tree is no conversation."""
    with pytest.raises(RunError, match="it has no mapping"):
        convert(element)


def test_a_result_goes_to_the_call_it_follows():
    """The answer of a tool becomes the result of the call, and its own message is left out of the count with a reason."""
    call = message("assistant", {"content_type": "code", "language": "python", "text": "1+1"}, recipient="python")
    answer = message("tool", {"content_type": "execution_output", "text": "2"}, name="python")
    found = convert(chain(call, answer))
    (block,) = found["messages"][0]["blocks"]
    assert (block["name"], block["input"], block["result"]) == (
        "python",
        {"language": "python", "code": "1+1"},
        {"parts": [{"text": "2"}], "failed": False},
    )
    assert (len(found["messages"]), found["leaf"], balances(found)) == (1, "m0", True)
    assert found["skipped"] == {"message": {"skipped: the call above holds its result": 1}}


@pytest.mark.parametrize("asked", [True, False])
def test_pages_that_a_search_found_are_its_result(asked):
    """They stand beside the content of the tool's message, which holds nothing else."""
    entry = {"url": "https://tide.example", "title": "Tides", "snippet": "They rise."}
    found = message("tool", text(""), name="web.run", search_result_groups=[{"entries": [entry, {}, 5]}, None])
    call = message("assistant", {"content_type": "code", "text": "{}"}, recipient="web.run")
    told = convert(chain(call if asked else message("user", text("Hi")), found))
    result = next(block["result"] for one in told["messages"] for block in one["blocks"] if block["kind"] == "tool")
    assert result["parts"] == [{"title": "Tides", "url": "https://tide.example", "text": "They rise."}]
    assert balances(told)


@pytest.mark.parametrize("beside", [1, 2])
def test_pages_that_a_tool_told_are_not_told_again_beside_the_answer(beside):
    """The answer often has all that was found among its metadata: what is new there is a search of its own."""
    pages = [{"url": f"https://tide.example/{n}", "title": f"Tide {n}", "snippet": ""} for n in range(3)]
    found = message("tool", text(""), name="web.run", search_result_groups=[{"entries": pages[:1]}])
    answer = message("assistant", text("3 m."), search_result_groups=[{"entries": pages[:beside]}])
    told = convert(chain(message("user", text("Tide?")), found, answer))
    results = [block["result"]["parts"] for one in told["messages"] for block in one["blocks"] if block["kind"] == "tool"]
    assert [page["url"] for parts in results for page in parts] == [page["url"] for page in pages[:beside]]
    assert balances(told)


def test_an_odd_address_in_a_result_costs_nothing():
    """What code gave may hold anything under the name of an address."""
    odd = message("tool", {"content_type": "citable_code_output", "output_str": "x", "url": {"a": []}}, name="python")
    assert balances(convert(chain(message("user", text("Hi")), odd)))


def test_a_result_nobody_asked_for_stands_alone():
    """The answer of another tool than the one called, and a second answer, keep their messages."""
    call = message("assistant", text('search("x")'), recipient="browser")
    answers = [message("tool", text(word), name=name) for word, name in (("a", "python"), ("b", "browser"))]
    found = convert(chain(call, *answers))["messages"]
    assert found[0]["blocks"][0]["result"] is None
    assert [block["result"]["parts"] for told in found[1:] for block in told["blocks"]] == [[{"text": "a"}], [{"text": "b"}]]


def test_code_that_draws_keeps_its_images_with_the_answer():
    """The output goes to the call; the image that was drawn stays where it came."""
    call = message("assistant", {"content_type": "code", "language": "python", "text": "plot()"}, recipient="python")
    drawn = {"messages": [{"message_type": "image", "image_url": "file-service://file-Plot1234"}, {"message_type": "stream"}]}
    answer = message("tool", {"content_type": "execution_output", "text": ""}, name="python", aggregate_result=drawn)
    found = convert(chain(call, answer))
    (file,) = found["messages"][1]["blocks"]
    assert (file["kind"], file["id"], balances(found)) == ("file", "file-Plot1234", True)


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (
            {"content_type": "thoughts", "thoughts": [{"summary": "S", "content": "C"}, {"summary": "", "chunks": ["D"]}]},
            "thinking",
            "**S**\n\nC\n\nD",
        ),
        ({"content_type": "reasoning_recap", "content": "Thought"}, "event", ""),
        ({"content_type": "model_editable_context", "model_set_context": "M", "repository": None}, "injected", "M"),
        (
            {"content_type": "multimodal_text", "parts": [{"content_type": "audio_transcription", "text": "said"}]},
            "text",
            "said",
        ),
        ("plain words", "text", "plain words"),
        ({"text": "no type"}, "text", "no type"),
    ],
)
def test_contents_become_blocks(content, kind, expected):
    """Each type of content has its kind of block."""
    (block,) = blocks(message("assistant", content))
    assert (block["kind"], block["text"]) == (kind, expected)


@pytest.mark.parametrize(
    ("content", "part", "failed"),
    [
        ({"content_type": "system_error", "name": "Timeout", "text": "too slow"}, {"text": "Timeout: too slow"}, True),
        (
            {"content_type": "sonic_webpage", "url": "u:1", "title": "T", "snippet": "S"},
            {"title": "T", "url": "u:1", "text": "S"},
            False,
        ),
        ({"content_type": "tether_browsing_display", "result": "R", "summary": "R", "assets": None}, {"text": "R"}, False),
        ({"content_type": "citable_code_output", "output_str": "O"}, {"text": "O"}, False),
        (
            {"content_type": "computer_output", "computer_id": "1", "state": {"a": 1}},
            {"computer_id": "1", "state": {"a": 1}},
            False,
        ),
    ],
)
def test_results_of_every_kind_are_kept(content, part, failed):
    """What tools give back becomes a result, whoever asked for it."""
    (block,) = blocks(message("tool", content, name="t"))
    assert (block["result"]["parts"], block["result"]["failed"]) == ([part], failed)


def test_what_is_hidden_is_not_what_somebody_said():
    """Messages that the app hides are injected; an empty one has no block at all."""
    (block,) = blocks(message("system", text("Be kind."), is_visually_hidden_from_conversation=True))
    assert (block["kind"], block["source"]) == ("injected", "hidden system message")
    found = convert(chain(message("system", text("")), message("user", text("hi"))))
    assert [told["parent"] for told in found["messages"]] == [""]
    assert found["skipped"] == {"message": {"skipped: empty": 1}}


def test_the_words_somebody_replies_to_are_kept():
    """A passage that a person picked out of an answer to ask about stands before the question."""
    quoted, asked = convert(chain(message("user", text("why?"), targeted_reply="so it is")))["messages"][0]["blocks"]
    assert (quoted["kind"], quoted["text"], asked["text"]) == ("event", "so it is", "why?")


def test_files_are_found_under_their_ids(tmp_path):
    """An upload is found by its id in any folder, and has the name that the message or a sidecar knows."""
    for name in ("file-Abc123.dat", "user-x/file-Def456-cat.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "conversation_asset_file_names.json").write_text('{"dog.png": "file-Abc123.dat"}')
    parts = [
        {"content_type": "image_asset_pointer", "asset_pointer": f"{kind}://{name}"}
        for kind, name in (("sediment", "file-Abc123"), ("file-service", "file-Def456"), ("sediment", "file-Abc12"))
    ]
    found = convert(chain(message("user", {"content_type": "multimodal_text", "parts": parts})), tmp_path)["messages"][0][
        "blocks"
    ]
    assert [(block["name"], "content" in block) for block in found] == [("dog.png", True), ("cat.png", True), ("", False)]
    assert found[0]["content"].read() == b"file-Abc123.dat"


def test_an_id_of_any_length_is_read_in_one_pass():
    """An id without `://` is taken as it is, though it could begin an address at each of its letters."""
    long = "a" * 1_000_000
    assert [id_of(pointer) for pointer in (long, f"sediment://{long}?x#y", "x y://z", None)] == [long, long, "x y://z", ""]


def test_uploads_and_links_into_the_sandbox_are_files():
    """A file that a block shows has its content there; one of the sandbox is only named, once."""
    said = text("[a](sandbox:/mnt/data/t.csv) and `sandbox:/mnt/data/t.csv`, [c](sandbox:/mnt/data/two words.csv)")
    found = convert(chain(message("assistant", said, attachments=[{"id": "file-1", "name": "n.pdf"}, "odd"])))
    assert [(file["name"], file["id"]) for file in found["messages"][0]["files"]] == [
        ("n.pdf", "file-1"),
        ("odd", ""),
        ("t.csv", "sandbox:/mnt/data/t.csv"),
        ("two words.csv", "sandbox:/mnt/data/two words.csv"),
    ]
    assert balances(found)


def test_a_manifest_names_its_shards():
    """Whatever its layout, the numbered files in a manifest are expected."""
    assert expected_files(sample("chatgpt/export_manifest.json")) == ["conversations-000.json", "conversations-001.json"]
    for layout in ({"files": ["conversations-000.json"]}, {"shards": {"chats": [{"name": "conversations-000.json"}]}}):
        assert find_shape(json.dumps(layout).encode())[0] is BY_NAME["chatgpt-manifest"]
    odd = {"a": ["x/conversations-012.json", "user.json", 7, None], "shared-001.json": {"deep": [[1]]}}
    assert sorted(expected_files(odd)) == ["shared-001.json", "x/conversations-012.json"]


def test_a_conversation_too_large_for_memory_is_told_alike():
    """Nodes that lie in a file give the same messages as those in memory."""
    (element,) = sample("chatgpt/conversations-000.json")
    pairs = SpooledList()
    for pair in element["mapping"].items():
        pairs.append(list(pair))
    plain, large = convert(copy.deepcopy(element)), convert({**element, "mapping": pairs})
    assert list(large["messages"]) == list(large["messages"]) == plain["messages"]
    assert large["counts"] == plain["counts"]


def test_messages_in_a_list_follow_each_other():
    """A list of messages without a tree around them is one way from the first to the last."""
    found = convert({"id": "g", "messages": [{"id": word, **message("user", text(word))} for word in "abc"]})
    assert [(told["id"], told["parent"]) for told in found["messages"]] == [("a", ""), ("b", "a"), ("c", "b")]


def research(report):
    """Return a conversation in which a tool holds a report."""
    told = message("tool", text("working"), chatgpt_sdk={"widget_state": json.dumps({"report_message": report})})
    return chain(message("user", text("Research tea")), told)


def test_the_report_of_a_research_is_the_answer():
    """It is kept in the state of the window that shows it, on the message of a tool, with sources of its own."""
    mark = "\ue200cite\ue202turn0search1\ue201"
    cited = {"matched_text": mark, "type": "webpage", "items": [{"title": "Tea", "url": "https://example.org/tea"}]}
    conversation = convert(
        research({"content": {"parts": [f"# Tea\n\nIt grows{mark}."]}, "metadata": {"content_references": [cited]}})
    )
    assert balances(conversation)
    answer = conversation["messages"][1]
    assert (answer["role"], [block["kind"] for block in answer["blocks"]]) == ("assistant", ["tool", "text"])
    assert answer["blocks"][1]["text"] == "# Tea\n\nIt grows."
    assert answer["blocks"][1]["citations"][0]["url"] == "https://example.org/tea"


def test_a_report_is_read_once_to_be_counted_and_once_to_be_told(monkeypatch):
    """It is long, and lies as JSON in JSON."""
    read = []

    def counted(state):
        read.extend([state] if state else ())
        return parsed(state)

    monkeypatch.setattr("transmissions.processors.chatgpt_parts.parsed", counted)
    convert(research({"content": {"parts": ["It grows."]}}))
    assert len(read) == 2
