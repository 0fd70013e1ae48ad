import pytest
from generate_claude import NO_PARENT, make_conversation, make_message, text_block, tool_blocks

from transmissions import RunError
from transmissions.processors.blobs import Members
from transmissions.processors.branches import look
from transmissions.processors.claude import Claude, convert, convert_message, count
from transmissions.processors.shape import About

PLACEHOLDER = "\n```\nThis block is not supported on your current device yet.\n```\n"


def blocks(*content, sender="assistant", **more):
    return convert_message(make_message(1, sender, list(content), **more))["blocks"]


def test_blocks_win_over_the_flat_text():
    """Where there are blocks, the flat text with its leaked thinking and placeholders is not used."""
    thinking = {"type": "thinking", "thinking": "hm", "summaries": []}
    found = blocks(thinking, text_block("Answer"), text=f"hmAnswer{PLACEHOLDER}")
    assert [(block["kind"], block["text"]) for block in found] == [("thinking", "hm"), ("text", "Answer")]


@pytest.mark.parametrize("content", [None, [], [text_block("")], [text_block("")] * 2])
def test_the_flat_text_is_used_where_there_is_nothing_else(content):
    """Without blocks, or with nothing but empty texts, the flat text speaks, without placeholders."""
    (block,) = convert_message(make_message(1, "assistant", content, text=f"Hello{PLACEHOLDER}there"))["blocks"]
    assert block["text"] == "Hello\nthere"


@pytest.mark.parametrize("identifiers", [("a", "b"), (None, None)])
def test_results_find_their_calls(identifiers):
    """A result belongs to the call whose id it names, or else to the first of its name that waits."""
    first, one = tool_blocks("search", {"q": 1}, "one", identifiers[0])
    second, two = tool_blocks("search", {"q": 2}, "two", identifiers[1])
    results = [one, two] if identifiers[0] is None else [two, one]
    found = blocks(first, second, *results)
    assert [block["result"]["parts"] for block in found] == [[{"text": "one"}], [{"text": "two"}]]
    assert found[0]["sources"] == ("tool_use", "tool_result")


def test_ids_of_calls_are_text():
    """A call whose id is a number has it as text, as the model says, and gets its result."""
    first, one = tool_blocks("search", {"q": 1}, "one", 7)
    second, two = tool_blocks("search", {"q": 2}, "two", 8)
    found = blocks(first, second, two, one)
    assert [(block["id"], block["result"]["parts"][0]["text"]) for block in found] == [("7", "one"), ("8", "two")]


def test_a_result_without_a_call_is_kept():
    """A result that nothing asked for is a block of its own."""
    (block,) = blocks(tool_blocks("search", {}, "found", "x")[1])
    assert (block["input"], block["result"]["parts"], block["sources"]) == (None, [{"text": "found"}], ("tool_result",))


def test_tags_are_taken_out_of_the_text():
    """Artifacts and thoughts in tags become blocks; the line ends next to the tags are not part of the artifact."""
    tag = '<antArtifact identifier="a" type="text/html" title="A &gt; b">\n\n<b>x</b>\n\n</antArtifact>'
    found = blocks(text_block(f"Before\n\n<antThinking>hm</antThinking>\n{tag}\nAfter"))
    assert [block["kind"] for block in found] == ["text", "thinking", "artifact", "text"]
    assert found[2]["artifact"]["content"] == "\n<b>x</b>\n"
    assert [block["sources"] for block in found] == [("text",), (), (), ()]


def test_results_in_a_message_of_their_own_are_not_the_user_s():
    """What a tool gave back is the tool's, whoever sent it; words beside it are the user's."""
    result = tool_blocks("search", {}, "found", "a")[1]
    told = [convert_message(make_message(1, "human", content))["role"] for content in ([result], [result, text_block("So?")])]
    assert told == ["tool", "human"]


def test_pictures_in_results_are_files():
    """A picture that a tool gave back stands behind its call as a file; one that is only named stays in the result."""
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    named, found = {"type": "image", "file_uuid": "f"}, {"text": "a", "title": "t", "url": "u"}
    result = {"type": "tool_result", "content": [picture, named, found]}
    call, file = blocks({"type": "tool_use", "name": "x", "input": {}}, result)
    assert (file["kind"], file["content"], file["sources"]) == ("file", b"\0\0\0", ())
    assert call["result"]["parts"] == [{"text": f"[image: {file['name']}]"}, named, found]


def test_what_only_the_structure_says_is_the_result():
    """A tool may answer with an object alone."""
    asked, said = tool_blocks("rows", {}, "", "a")
    (block,) = blocks(asked, {**said, "content": [], "structured_content": {"rows": [1]}})
    assert block["result"]["parts"] == [{"rows": [1]}]


@pytest.mark.parametrize("shown", ["```xml\n{}z</antArtifact>\n```", "Write `{}` first.", "1. Like\n\n   ~~~\n   {}\n   ~~~"])
def test_a_tag_that_code_shows_is_no_artifact(shown):
    """Who shows in a code block, or between ticks, how a tag is written makes nothing; a real one after that still counts."""
    tag = '<antArtifact identifier="a" type="text/html">'
    found = blocks(text_block(f"{shown.format(tag)}\n\n{tag}<p></antArtifact>"))
    assert [block["kind"] for block in found] == ["text", "artifact"]
    assert found[0]["text"] == shown.format(tag)


def test_an_open_code_block_does_not_cost_an_artifact():
    """A fence that nobody closed, in the text or in an artifact, hides no tag that comes after it."""
    tag = '<antArtifact identifier="a" type="text/markdown">'
    found = blocks(text_block(f"```\n{tag}\n```sh\n</antArtifact>\n{tag}two</antArtifact>"))
    assert [block["kind"] for block in found] == ["text", "artifact", "artifact"]


def test_people_may_write_about_tags():
    """What a person writes is left alone, and so is a tag without attributes."""
    assert [block["kind"] for block in blocks(text_block('<antArtifact identifier="a">x</antArtifact>'), sender="human")] == [
        "text"
    ]
    assert [block["kind"] for block in blocks(text_block("the <antArtifact> tag"))] == ["text"]


def test_unknown_blocks_are_kept_whole():
    """A block of a type nobody knows, or no object at all, is kept as data; text in its place is text."""
    found = blocks({"type": "hologram", "x": [1]}, 7, "plain words", text_block("y"))
    assert [(block["kind"], block.get("data")) for block in found][:2] == [
        ("unknown", {"type": "hologram", "x": [1]}),
        ("unknown", 7),
    ]
    assert found[2]["text"] == "plain words"


@pytest.mark.parametrize(
    "spoilt",
    [
        {"chat_messages": None},
        {"chat_messages": [None, 5, "x", {}]},
        {"chat_messages": [{"attachments": 5, "files": {"a": 1}, "content": [{"type": "text", "text": "x", "citations": 7}]}]},
        {
            "chat_messages": [{"content": [{"type": "thinking", "summaries": 7}, {"type": "voice_note"}]}],
            "project": 5,
            "is_starred": 1,
        },
        {
            "chat_messages": [{"content": {"type": "text", "text": "x"}, "attachments": ["a"], "files": [1]}],
            "name": 5,
            "uuid": None,
        },
        {"chat_messages": [{"content": [{"type": ["x"]}, {"type": "text", "text": 5, "citations": [1]}], "sender": None}]},
        {
            "chat_messages": [
                {"content": [{"type": "tool_use", "input": "x"}, {"type": "tool_result", "content": [None, {"a": 1}]}]}
            ]
        },
    ],
)
def test_odd_values_do_not_stop_the_conversion(spoilt):
    """Values of the wrong type are converted as far as they go, and every block is counted."""
    conversation = convert(spoilt)
    sources = [source for message in conversation["messages"] for block in message["blocks"] for source in block["sources"]]
    assert sorted(sources) == sorted(kind for kind, n in conversation["counts"]["blocks"].items() for _ in range(n))


@pytest.mark.parametrize("element", [{"uuid": "1", "name": "x"}, [], None, "x"])
def test_what_is_no_conversation_is_refused(element):
    """An element without messages is an error that names the file."""
    with pytest.raises(RunError, match=r"no Claude conversation in 'c.json'"):
        Claude().convert(element, About("c.json", Members()))


def test_what_the_web_page_knows_is_kept():
    """A conversation as the web page loads it says its model, its last message, its star and its project."""
    more = {"model": "claude-9", "current_leaf_message_uuid": "m1", "is_starred": True, "project": {"uuid": "p", "name": "P"}}
    found = convert(make_conversation([], **more))
    assert (found["model"], found["leaf"], found["tags"]) == ("claude-9", "m1", ["starred"])
    assert found["links"] == [{"relation": "in project", "id": "p", "title": "P"}]


def test_the_other_blocks_are_known():
    """A voice note is text, a token budget an event, pictures are files, with what is there of them."""
    picture = {"type": "image", "source": {"type": "base64", "data": "AAAA"}}
    found = blocks(
        {"type": "voice_note", "text": "said"},
        {"type": "token_budget", "remaining": 5},
        {"type": "image", "file_uuid": "f"},
        picture,
    )
    assert [block["kind"] for block in found] == ["text", "event", "file", "file"]
    assert (found[2].get("content"), found[3]["content"]) == (None, b"\0\0\0")
    assert [block["sources"] for block in found] == [("voice_note",), ("token_budget",), ("image",), ("image",)]


def test_a_citation_may_say_beside_its_details_what_it_cites():
    """The title and address of a citation stand in its details or beside them."""
    cited = {
        "end_index": 1,
        "title": "T",
        "url": "https://example.org",
        "details": {"type": "web_search_citation", "url": None},
    }
    (found,) = blocks({"type": "text", "text": "a", "citations": [cited]})
    assert found["citations"] == [{"end": 1, "url": "https://example.org", "title": "T"}]


def test_counts_are_of_the_export():
    """The other side of the account is counted from the export itself."""
    messages = [
        make_message(1, "human", [text_block("a"), text_block("b")], files=[{"file_name": "x"}]),
        make_message(2, "human", None),
    ]
    assert count(messages) == {"messages": 2, "blocks": {"text": 2}, "attachments": 0, "files": 1}


def test_times_may_be_numbers():
    """Seconds or thousandths of them, and times of another zone, are told as all others are."""
    told = convert(make_conversation([make_message(1, "human", None)], created_at=1767225600, updated_at=1767225600123))
    assert (told["created"], told["updated"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123000Z")


def test_files_of_both_lists_are_named_once():
    """A file that only the newer list names is not lost."""
    one, two = ({"file_name": name, "file_uuid": name} for name in "ab")
    message = make_message(1, "human", None, files=[one], files_v2=[{**one, "file_kind": "image"}, two])
    assert [file["name"] for file in convert_message(message)["files"]] == ["a", "b"]
    assert count([message])["files"] == 2


def test_what_is_no_message_is_kept():
    """An object with none of a message's keys stands in the conversation as data, and is counted."""
    (block,) = convert_message({"odd": 1})["blocks"]
    assert (block["kind"], block["data"], count([{"odd": 1}])["blocks"]) == ("unknown", {"odd": 1}, {"message": 1})


def tree(*parents, **more):
    """Return how a conversation branches whose messages have these parents, given by position."""
    messages = [make_message(number, "human", [text_block("x")]) for number in range(len(parents))]
    for message, parent in zip(messages, parents, strict=True):
        message["parent_message_uuid"] = messages[parent]["uuid"] if isinstance(parent, int) else parent
    return look(convert(make_conversation(messages, **more)))


def test_the_last_leaf_in_time_ends_the_conversation():
    """An edited prompt leaves the earlier one off the path."""
    found = tree(NO_PARENT, 0, 1, 1, 3)
    assert (found.path, found.left, found.forks) == (frozenset({0, 1, 3, 4}), 1, frozenset({1}))


def test_a_message_whose_parent_is_missing_follows_the_one_before():
    """An orphan does not cut the conversation in two."""
    assert tree(NO_PARENT, 0, "nobody", 2).path is None


def test_an_id_that_two_messages_share_does_not_hide_branches():
    """Edited prompts are told apart though one message stands there twice; what follows it follows the first of the two."""
    asked = [("a", NO_PARENT), ("b", NO_PARENT), ("c", "b"), ("c", "b"), ("d", "c")]
    messages = [make_message(1, "human", [], uuid=name, parent_message_uuid=above) for name, above in asked]
    assert look(convert(make_conversation(messages))).path == frozenset({1, 2, 4})


@pytest.mark.parametrize("parents", [(1, 0), (0,), (NO_PARENT, 2, 1)])
def test_circles_do_no_harm(parents):
    """Parents that lead in a circle end the walk; no message is lost."""
    found = tree(*parents)
    assert found.left + len(found.path or parents) == len(parents)


def test_what_is_said_of_a_document_is_kept():
    """The context a program gives with a document stands below it, in a message and in a tool's result."""
    document = {"type": "document", "source": {"type": "text", "data": "Words."}, "title": "Tides", "context": "From *1911*."}
    (file,) = blocks(document, sender="human")
    assert (file["name"], file["description"]) == ("Tides", "From *1911*.")
    call = {"type": "tool_use", "id": "c", "name": "open", "input": {}}
    _, found = blocks(call, {"type": "tool_result", "tool_use_id": "c", "content": [document]})
    assert found["description"] == "From *1911*."
    assert "description" not in blocks({**document, "context": ""}, sender="human")[0]
