import json

import pytest
from session_logs import about, assert_balanced, blocks_of, gathered, plain, sample, spooled, texts_of

from transmissions import RunError
from transmissions.processors.blobs import Blob, Members
from transmissions.processors.codex import Codex
from transmissions.processors.shape import About
from transmissions.processors.shapes import BY_NAME, find_shape


def item(kind, **payload):
    return {"timestamp": "2026-04-02T09:00:00.000Z", "type": "response_item", "payload": {"type": kind, **payload}}


def event(kind, **payload):
    return {"timestamp": "2026-04-02T09:00:00.000Z", "type": "event_msg", "payload": {"type": kind, **payload}}


def said(text, role="user"):
    return item("message", role=role, content=[{"type": "input_text" if role == "user" else "output_text", "text": text}])


def convert(*records, name="rollout-x.jsonl"):
    conversation = Codex().convert(gathered(list(records), name), about())
    assert_balanced(conversation)
    return conversation


@pytest.fixture
def session():
    name, records = sample("codex", "rollout-2026*.jsonl")
    return convert(*records, name=name)


def test_a_session_has_its_id_model_tokens_and_project(session):
    """The head is told by the records: the last model, the tokens of all answers, the folder's name."""
    assert session["id"] == "0199aa00-5e55-7000-8000-00000000c0de"
    assert (session["model"], session["tags"], session["created"]) == (
        "gpt-5.1-codex",
        ["project:garden"],
        "2026-04-02T09:00:00.000Z",
    )
    assert session["tokens"] == {"input": 5200, "output": 260, "cache_read": 4100, "reasoning": 64}


def test_only_what_people_wrote_is_theirs(session):
    """Instructions, environment and the editor's context are injected; an interruption is an event."""
    human = [message for message in session["messages"] if message["role"] == "human"]
    assert [block["text"] for message in human for block in message["blocks"] if block["kind"] == "text"] == [
        "Wie viel Regen fiel? 🌧 See the chart.",
        "And in April?",
        "Only the event tells of this prompt.",
    ]
    assert [block["source"] for block in blocks_of(session, "injected")] == [
        "instructions",
        "developer",
        "AGENTS.md",
        "environment_context",
        "editor",
    ]


def test_events_that_repeat_items_are_left_out_and_counted(session):
    """A text that came as an item is not shown again; one that only an event tells of is."""
    assert session["skipped"]["block record event_msg user_message"] == {"skipped: repeats an item": 2}
    assert texts_of(session).count("15 mm fell.") == 1


def test_an_answer_is_its_thoughts_calls_and_text(session):
    """All up to the text of an answer is one message; results go to their calls, in any order, and say if they failed."""
    answer = next(message for message in session["messages"] if message["role"] == "assistant")
    assert [block["kind"] for block in answer["blocks"]] == ["thinking", "tool", "tool", "tool", "tool", "text"]
    assert [block["result"] for block in answer["blocks"][1:3]] == [
        {"parts": [{"text": "Monday,3\nFriday,12\n"}], "failed": False},
        {"parts": [{"text": "bash: syntax error"}], "failed": True},
    ]
    assert (answer["model"], answer["tokens"]["output"]) == ("gpt-5-codex", 90)


def test_a_compaction_is_an_event(session):
    """What was kept of the conversation is folded into an event."""
    assert [block["text"] for block in blocks_of(session, "event") if block["title"] == "Compacted"] == [
        "So far: 15 mm in March."
    ]


def test_unknown_items_and_results_without_calls_are_kept(session):
    """An item of a kind that nobody knows is kept as data, a result that nothing asked for as a message of the tool."""
    assert [block["type"] for block in blocks_of(session, "unknown")] == ["hologram"]
    assert [message["blocks"][0]["input"] for message in session["messages"] if message["role"] == "tool"] == [None]


def test_the_logs_of_early_2025_are_converted():
    """Where the items stand bare, the first line has the id, and every item is shown."""
    name, records = sample("codex", "rollout-2025*.jsonl")
    session = convert(*records, name=name)
    assert session["id"] == "5e55a000-0000-4000-8000-00000000c0d3"
    assert texts_of(session) == ["Name three herbs.", "Basil, mint and sage."]
    assert blocks_of(session, "tool")[0]["result"]["parts"] == [{"text": "basil\nmint\nsage"}]


def test_sessions_that_go_on_from_others_are_linked():
    """A fork names the session it continues; a sub-agent its parent."""
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "p"}}}
    meta = {"type": "session_meta", "payload": {"id": "s", "forked_from_id": "f", "source": spawned}}
    assert [(link["relation"], link["id"]) for link in convert(meta)["links"]] == [("continues", "f"), ("sub-agent of", "p")]


def test_the_id_is_that_of_the_file_where_no_record_has_one():
    """A session that lost its first line is called as its file."""
    name = "rollout-2026-04-02T09-00-00-0199aa00-5e55-7000-8000-00000000c0de.jsonl"
    assert convert(said("Hello"), name=name)["id"] == "0199aa00-5e55-7000-8000-00000000c0de"


@pytest.mark.parametrize(
    ("output", "text", "failed"),
    [
        ("Exit code: 1\nno", "Exit code: 1\nno", True),
        ("Exit code: 0\nyes", "Exit code: 0\nyes", False),
        ({"content": "no", "success": False}, "no", True),
        (json.dumps({"output": "x", "metadata": {"exit_code": 3}}), "x", True),
        ("{broken", "{broken", False),
    ],
)
def test_outputs_of_all_forms_tell_whether_they_failed(output, text, failed):
    """Plain text, an object, and an object as text are read alike."""
    conversation = convert(
        item("function_call", name="f", call_id="c"), item("function_call_output", call_id="c", output=output)
    )
    assert blocks_of(conversation, "tool")[0]["result"] == {"parts": [{"text": text}], "failed": failed}


def test_a_session_too_large_for_memory_converts_alike():
    """Spooled records give the same conversation as a list of them."""
    name, records = sample("codex", "rollout-2026*.jsonl")
    records += [item("function_call", name="f", call_id=str(n)) for n in range(500)]
    records += [item("function_call_output", call_id=str(n), output="x") for n in reversed(range(500))]
    small, large = (Codex().convert(gathered(given, name), about()) for given in (records, spooled(records)))
    assert plain(large) == plain(small)


@pytest.mark.parametrize("element", [None, [], {}, {"items": None}, {"items": "x"}])
def test_what_holds_no_records_is_refused(element):
    """An element without records is no session."""
    with pytest.raises(RunError, match="no records"):
        Codex().convert(element, about())


def test_images_of_a_prompt_that_no_item_repeats_are_kept():
    """A prompt that only an event tells of has its images there."""
    prompt = event("user_message", message="look", images=["data:image/png;base64,iVBORw0KGgo=", 7])
    (words, image) = convert(prompt)["messages"][0]["blocks"]
    assert (words["text"], image["kind"], image["content"][:4]) == ("look", "file", b"\x89PNG")


def test_the_first_sessions_were_one_object():
    """Before there were lines, a file held the session's head and its items."""
    items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}]
    element = {"session": {"id": "s", "timestamp": "2025-04-20T10:00:00Z"}, "items": items}
    assert find_shape(json.dumps(element).encode())[0] is BY_NAME["codex-json"]
    session = Codex().convert(element, about())
    assert (session["id"], session["created"][:10], texts_of(session)) == ("s", "2025-04-20", ["Hello"])
    assert_balanced(session)


def test_times_may_be_numbers():
    """A record's time in thousandths of seconds is told as all others are."""
    session = convert({**said("Hello"), "timestamp": 1767225600123})
    assert session["created"] == session["messages"][0]["created"] == "2026-01-01T00:00:00.123000Z"


def test_events_of_a_call_go_to_it_and_say_nothing_twice():
    """What an event adds to a call stands with its result; one that adds nothing is counted there."""
    ended = {"call_id": "c", "command": ["bash", "-lc", "ls"], "stdout": "a.txt", "aggregated_output": "a.txt", "exit_code": 0}
    session = convert(
        item("function_call", name="shell", call_id="c", arguments='{"cmd": "ls"}'),
        event("exec_command_end", **ended, stderr="a warning"),
        item("function_call_output", call_id="c", output="Output:\na.txt"),
        item("function_call", name="shell", call_id="d", arguments='{"cmd": "pwd"}'),
        event("exec_command_end", call_id="d", stdout="/home", formatted_output="/home"),
        said("Done.", "assistant"),
        event("task_complete", turn_id="t", last_agent_message="Done."),
    )
    assert [block["result"]["parts"] for block in blocks_of(session, "tool")] == [
        [{"text": "Output:\na.txt"}, {"stderr": "a warning"}],
        [{"stdout": "/home"}],
    ]
    assert [(block["title"], block["text"]) for block in blocks_of(session, "event")] == [("task complete", "")]


def test_a_thought_and_its_summary_are_both_kept():
    """Models that show their thoughts sum them up as well."""
    summary, content = [{"type": "summary_text", "text": "short"}], [{"type": "reasoning_text", "text": "long"}]
    (thought,) = blocks_of(convert(said("x"), item("reasoning", summary=summary, content=content)), "thinking")
    assert (thought["text"], thought["summaries"]) == ("long", ["short"])


def test_a_name_that_a_user_gave_a_session_is_its_title(tmp_path):
    """It stands in a list beside the sessions, the last one counts; a line nobody can read costs no other."""
    lines = [{"id": "s1", "thread_name": "Old"}, 5, {"id": "s1", "thread_name": "Beds"}]
    (tmp_path / "i").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"id": "s')
    found = About("rollout-x.jsonl", Members([Blob(tmp_path / "i", "codex/session_index.jsonl", 9)]))
    meta = {"type": "session_meta", "payload": {"id": "s1"}}
    assert Codex().convert(gathered([meta, said("Hi")]), found)["title"] == "Beds"
    named = event("thread_name_updated", thread_name="Its own")
    assert Codex().convert(gathered([meta, said("Hi"), named]), found)["title"] == "Its own"


def test_a_picture_that_was_made_is_a_file():
    """It stands in its call, with the prompt that the model made of the user's."""
    drawn = item("image_generation_call", id="ig", status="completed", revised_prompt="A kite", result="iVBORw0KGgo=")
    call, picture = blocks_of(convert(said("Draw."), drawn))[1:]
    assert (call["name"], call["input"]) == ("image_generation", {"revised_prompt": "A kite"})
    assert (picture["type"], picture["content"]) == ("image/png", b"\x89PNG\r\n\x1a\n")


def test_what_a_hook_says_is_not_the_user_s():
    """Tags of what the program puts in may have attributes."""
    (block,) = blocks_of(convert(said('<hook_prompt hook_run_id="x">Go on.</hook_prompt>')))
    assert (block["kind"], block["source"]) == ("injected", "hook_prompt")
