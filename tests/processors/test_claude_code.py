import copy

import pytest
from session_logs import (
    SESSION,
    about,
    all_of,
    assert_balanced,
    blocks_of,
    gathered,
    plain,
    sample,
    spooled,
    texts_of,
)

from transmissions import RunError
from transmissions.processors.blobs import Blob, Members
from transmissions.processors.branches import look
from transmissions.processors.claude_code import ClaudeCode
from transmissions.processors.shape import About

OTHER = "000000b2-5e55-4000-8000-0000000051b0"


def record(number, kind, content, parent=-1, **more):
    """Return a record; its parent is the one before it, or that of a number; 0 is none."""
    above = number - 1 if parent == -1 else parent
    message = {"role": kind, "content": content} | more.pop("message", {})
    linked = {"uuid": f"u{number}", "parentUuid": f"u{above}" if above else None}
    return {"type": kind, "sessionId": SESSION, "isSidechain": False, **linked, "message": message, **more}


def call(identifier, name="Bash", **given):
    return {"type": "tool_use", "id": identifier, "name": name, "input": given}


def result(identifier, content="done", **more):
    return {"type": "tool_result", "tool_use_id": identifier, "content": content, **more}


def convert(*records, name=f"{SESSION}.jsonl"):
    conversation = ClaudeCode().convert(gathered(list(records), name), about())
    assert_balanced(conversation)
    return conversation


@pytest.fixture
def session():
    name, records = sample("claude-code", f"{SESSION}.jsonl")
    return convert(*records, name=name)


def test_a_session_has_its_title_times_model_and_project(session):
    """The head of a session is told by its records; no path of the machine is in it."""
    assert (session["id"], session["title"], session["tags"]) == (SESSION, "Counting beds", ["project:garden"])
    assert (session["created"][:16], session["updated"][:16]) == ("2026-03-07T12:00", "2026-03-07T12:20")
    assert session["model"] == "claude-sonnet-4-5-20250929"
    assert session["skipped"]["block record custom-title"] == {"rendered: as title": 1}


def test_results_are_no_human_turns(session):
    """What people wrote is theirs alone: no results, commands, reminders nor summaries are among it."""
    human = [message for message in session["messages"] if message["role"] == "human"]
    said = [block["text"] for message in human for block in message["blocks"] if block["kind"] == "text"]
    assert said == [
        "Zähle die Beete 🌱 and write `beds.py`.",
        "Now paint it blue.",
        "Better: ask a helper which beds need water.",
        "Skip the roses, please.",
        "What is left to do?",
    ]


def test_the_records_of_one_answer_are_one_message(session):
    """Records that share the id of their API message are one message; results in between go to their calls."""
    answer = next(message for message in session["messages"] if message["role"] == "assistant")
    assert [block["kind"] for block in answer["blocks"]] == ["thinking", "text", "tool", "tool"]
    assert [block["result"]["parts"] for block in answer["blocks"][2:]] == [
        [{"text": "     1→herbs\n     2→beans\n     3→roses"}],
        [{"text": "3 beds.csv"}],
    ]
    assert answer["tokens"]["output"] == 98


def test_abandoned_prompts_are_a_branch(session):
    """A prompt that the user went back from is off the path; a prompt in the queue and a compaction are on it."""
    messages = session["messages"]
    tree = look(session)
    off = [message["blocks"][0]["text"] for place, message in enumerate(messages) if place not in tree.path]
    assert off == ["Now paint it blue.", "Blue it is."]


def test_a_compaction_is_an_event_with_its_summary(session):
    """The mark of a compaction and the summary after it are one event."""
    (event,) = [block for block in blocks_of(session, "event") if block["title"].startswith("Compacted")]
    assert event["title"] == "Compacted (auto, after 155,000 tokens)"
    assert event["text"].endswith("the beans are dry.")
    assert event["sources"] == ("record system", "text")


def test_what_the_program_put_in_is_told_from_words(session):
    """Commands and their output are events, reminders and the editor's context are injected, colours are gone."""
    titles = [block["title"] for block in blocks_of(session, "event")]
    assert "Command /model" in titles
    assert (
        next(block["text"] for block in blocks_of(session, "event") if block["title"] == "Command output")
        == "Set model to sonnet"
    )
    assert [block["source"] for block in blocks_of(session, "injected")] == ["ide_opened_file", "system-reminder"]


@pytest.mark.parametrize("tag", ['teammate-message teammate_id="b" color="red"', "bash-notification", "new-diagnostics"])
def test_what_others_say_in_the_user_s_place_is_not_the_user_s(tag):
    """Messages of other agents, and of what runs in the background, stand in tags, which may have attributes."""
    said = convert(record(1, "user", f"<{tag}>Done.</{tag.partition(' ')[0]}>Go on."))
    assert [(block["kind"], block["text"]) for block in blocks_of(said)] == [("injected", "Done."), ("text", "Go on.")]


def test_tags_in_the_middle_of_words_are_words():
    """A user may quote what the program writes; only reminders are taken out anywhere, and only if they are closed."""
    quoted = "See <command-name>/x</command-name> and <system-reminder>a"
    (text,) = texts_of(convert(record(1, "user", quoted)))
    assert text == quoted


def test_written_files_are_artifacts(session):
    """A file that was written is an artifact, and an edit of it an update; the patch is shown, the old text is not."""
    made = [block for block in blocks_of(session, "tool") if "artifact" in block]
    assert [(block["artifact"]["command"], block["artifact"]["path"]) for block in made] == [
        ("create", "beds.py"),
        ("update", "beds.py"),
    ]
    assert made[1]["result"]["parts"][1] == {"text": "@@ -1,1 +1,1 @@\n-BEDS = 3\n+BEDS = 4"}
    assert session["skipped"]["original file"] == {"skipped: the change says it": 1}


@pytest.mark.parametrize(
    ("given", "more", "expected"),
    [
        ({"content": "x"}, None, None),
        ({"old_string": "a", "new_string": "b", "replace_all": True}, {"originalFile": "aa"}, ("rewrite", "bb")),
        ({"edits": [{"old_string": "a", "new_string": "b"}, 5]}, {"originalFile": "aa"}, ("rewrite", "ba")),
        ({"edits": [{"old_string": "a", "new_string": "b"}]}, None, None),
    ],
)
def test_edits_that_an_update_cannot_say_are_rewrites(given, more, expected):
    """Where all places or several are edited, the artifact is written anew if the log has the text before it."""
    name = "Write" if "content" in given else "MultiEdit" if "edits" in given else "Edit"
    failed = name == "Write"
    edited = record(3, "assistant", [call("b", name, file_path="f.py", **given)])
    answered = record(4, "user", [result("b", is_error=failed)], toolUseResult=more)
    written = record(1, "assistant", [call("a", "Write", file_path="f.py", content="aa")])
    made = blocks_of(convert(written, record(2, "user", [result("a")]), edited, answered), "tool")[1].get("artifact")
    assert (made and (made["command"], made["content"])) == expected


def test_images_are_files(session):
    """An image in a message is a file with its bytes."""
    (file,) = blocks_of(session, "file")
    assert file["content"].startswith(b"\x89PNG")
    assert (file["type"], file["sources"]) == ("image/png", ("image",))


def test_a_sub_agent_in_a_file_of_its_own_is_linked():
    """The session names its sub-agent with its task, and the sub-agent's conversation names the session."""
    name, records = sample("claude-code", "agent-*.jsonl")
    agent = convert(*records, name=name)
    assert agent["links"] == [{"relation": "sub-agent of", "id": SESSION, "title": ""}]
    assert (agent["id"], next(iter(agent["messages"]))["name"]) == ("a7c3f1d", "Main agent")
    name, records = sample("claude-code", f"{SESSION}.jsonl")
    assert convert(*records, name=name)["links"] == [{"relation": "sub-agent", "id": "a7c3f1d", "title": "Check the water"}]


def test_a_sub_agent_within_the_file_is_a_conversation_of_its_own():
    """Side chains come beside the session, linked both ways, each with its own account."""
    conversation = convert(
        record(1, "user", "Go"),
        record(2, "assistant", [call("a", "Task", prompt="Look", subagent_type="x")]),
        record(3, "user", "Look", parent=0, isSidechain=True),
        record(4, "assistant", [{"type": "text", "text": "Seen"}], isSidechain=True),
        record(5, "user", [result("a")], parent=2),
    )
    (side,) = conversation["also"]
    assert (texts_of(conversation), texts_of(side)) == (["Go"], ["Look", "Seen"])
    assert (conversation["links"][0]["id"], side["links"][0]["id"]) == (side["id"], SESSION)


def test_a_branched_session_leaves_out_what_came_before():
    """What another file of the run has already is counted and linked, not repeated."""
    converter = ClaudeCode()
    first = [record(1, "user", "One"), record(2, "assistant", [{"type": "text", "text": "Two"}])]
    converter.convert(gathered(first), about())
    copied = [{**item, "sessionId": OTHER, "forkedFrom": {"sessionId": SESSION}} for item in first]
    branch = converter.convert(gathered([*copied, record(3, "user", "Three", sessionId=OTHER)], f"{OTHER}.jsonl"), about())
    assert_balanced(branch)
    assert texts_of(branch) == ["Three"]
    assert blocks_of(branch)[0]["title"] == f"2 records as in session {SESSION}"
    assert branch["links"] == [{"relation": "continues", "id": SESSION, "title": ""}]
    assert branch["skipped"] == {"record": {"skipped: in another session already": 2}}


def test_a_copy_of_the_same_session_is_whole():
    """A session that is in the archive twice is not emptied: which of the two is kept is decided elsewhere."""
    converter, records = ClaudeCode(), [record(1, "user", "One"), record(1, "user", "One"), record(1, "user", "Uno")]
    both = [converter.convert(gathered(records), about()) for _ in range(2)]
    assert [texts_of(one) for one in both] == [["One", "Uno"]] * 2
    assert both[1]["skipped"] == {"record": {"skipped: twice in this session": 1}}


def test_a_sub_agent_that_stands_in_its_session_too_is_not_emptied():
    """Its records are in the session and in a file of its own: each of the two conversations under its id is whole."""
    converter = ClaudeCode()
    side = [record(n, "user", text, 0, isSidechain=True, agentId="a1") for n, text in ((7, "Look"), (8, "Go on"))]
    session = converter.convert(gathered([record(1, "user", "One"), *side], f"{SESSION}.jsonl"), about())
    own = converter.convert(gathered(side, "agent-a1.jsonl"), about())
    assert [(one["id"], texts_of(one)) for one in (*session["also"], own)] == [("a1", ["Look", "Go on"])] * 2


def test_a_result_finds_its_call_at_any_distance_and_is_kept_without_one():
    """A result goes to its call however late it comes; one that nothing asked for is a message of the tool."""
    between = [record(number, "user", str(number)) for number in range(2, 200)]
    late = record(200, "user", [result("a", "late"), result("nobody", "lost"), {"type": "text", "text": "And?"}])
    conversation = convert(record(1, "assistant", [call("a")]), *between, late)
    messages = conversation["messages"]
    assert messages[0]["blocks"][0]["result"]["parts"] == [{"text": "late"}]
    assert [message["role"] for message in messages[-2:]] == ["tool", "human"]


def test_a_title_comes_from_a_summary_only_of_this_session():
    """A summary whose leaf is in another file is an event; the session's own is its title."""
    summaries = [{"type": "summary", "summary": text, "leafUuid": leaf} for text, leaf in [("Mine", "u1"), ("Other", "u9")]]
    conversation = convert(*summaries, record(1, "user", "Hello"))
    assert conversation["title"] == "Mine"
    assert [block["title"] for block in blocks_of(conversation, "event")] == ["summary"]
    assert convert(summaries[1])["title"] == ""


def test_events_of_one_kind_are_joined():
    """Hundreds of records of progress are a few events, and none of them is lost."""
    progress = [{"type": "progress", "data": {"type": "hook_progress", "n": n}, "parentUuid": "u1"} for n in range(250)]
    conversation = convert(record(1, "user", "Hello"), *progress)
    events = blocks_of(conversation, "event")
    assert [event["title"] for event in events] == [f"progress: hook_progress ({n} times)" for n in (100, 100, 50)]


@pytest.mark.parametrize("key", ["items", "loglines"])
def test_a_session_too_large_for_memory_converts_alike(key):
    """Spooled records give the same conversations as a list of them, from either form of file."""
    name, records = sample("claude-code", f"{SESSION}.jsonl")
    records += [{**record(90, "user", "side", parent=0), "isSidechain": True}]
    small = ClaudeCode().convert({"name": name, key: records}, about())
    large = ClaudeCode().convert({"name": name, key: spooled(records)}, about())
    assert plain(large) == plain(small)
    assert len(all_of(large)) == 2


def test_a_late_result_in_a_large_session_is_set_aside_until_it_comes():
    """Messages that wait for others are kept in a file, in order."""
    records = [record(1, "assistant", [call("a")]), *(record(n, "user", str(n)) for n in range(2, 300))]
    records.append(record(300, "user", [result("a", "late")]))
    large = ClaudeCode().convert(gathered(spooled(records)), about())
    assert plain(large) == plain(ClaudeCode().convert(gathered(records), about()))
    assert texts_of(large) == [str(n) for n in range(2, 300)]


@pytest.mark.parametrize(
    ("parents", "path"), [([0, 1, 2], None), ([2, 1], None), ([1, 1], None), ([0, 99, 98], None), ([0, 0], {1})]
)
def test_odd_trees_are_converted(parents, path):
    """Cycles, records that follow themselves and parents that are not there cost nothing."""
    conversation = convert(*(record(number, "user", "x", parent=parent) for number, parent in enumerate(parents, 1)))
    assert look(conversation).path == path
    assert len(texts_of(conversation)) == len(parents)


def test_a_chain_of_any_depth_is_converted():
    """Twenty thousand records, one below the other, are as many messages, and one way."""
    conversation = convert(*(record(number, "user", "x") for number in range(1, 20_001)))
    assert look(conversation).path is None
    assert conversation["messages"][-1]["parent"] == "u19999"


@pytest.mark.parametrize("element", [None, 5, [], {}, {"items": None}, {"loglines": {}}, {"items": "x"}])
def test_what_holds_no_records_is_refused(element):
    """An element without records is no session."""
    with pytest.raises(RunError, match="no records"):
        ClaudeCode().convert(element, about())


def test_the_element_is_left_as_it_was():
    """Conversion changes nothing in what was read: it may yet become a dead letter."""
    name, records = sample("claude-code", f"{SESSION}.jsonl")
    before = copy.deepcopy(records)
    ClaudeCode().convert(gathered(records, name), about())
    assert records == before


def test_a_compaction_without_a_mark_follows_what_was_before():
    """Early versions began a new tree with the summary: what was said before stays on the path."""
    summary = record(3, "user", "In short: One.", parent=0, isCompactSummary=True)
    conversation = convert(record(1, "user", "One"), record(2, "assistant", "Two"), summary)
    assert look(conversation).path is None
    assert blocks_of(conversation, "event")[0]["text"] == "In short: One."


def test_times_may_be_numbers():
    """A record's time in seconds is told as all others are."""
    session = convert(record(1, "user", "Hello", timestamp=1767225600))
    assert session["created"] == session["messages"][0]["created"] == "2026-01-01T00:00:00Z"


def test_a_failure_of_the_api_is_no_answer():
    """What the program says in the model's place is an event."""
    failed = record(1, "assistant", [{"type": "text", "text": "API Error: 529"}], isApiErrorMessage=True)
    assert [(block["title"], block["text"]) for block in blocks_of(convert(failed), "event")] == [("Error", "API Error: 529")]


def test_a_prompt_that_waited_is_told_once():
    """What was queued and then sent, and the last prompt, are the user's words once; what was never sent stays."""
    queued = [{"type": "queue-operation", "operation": "enqueue", "content": text} for text in ("And then?", "Never mind")]
    waited = {"type": "attachment", "uuid": "u3", "attachment": {"type": "queued_command", "prompt": "And then?"}}
    session = convert(
        record(1, "user", "Begin."),
        *queued,
        record(2, "assistant", [{"type": "text", "text": "Yes."}]),
        waited,
        {"type": "last-prompt", "lastPrompt": "And then?"},
    )
    assert [block["text"] for block in blocks_of(session, "event")] == ["Never mind"]
    repeated = {"skipped: repeats a prompt": 1}
    assert (session["skipped"]["block record queue-operation"], session["skipped"]["block record last-prompt"]) == (
        repeated,
    ) * 2


@pytest.mark.parametrize("wrap", [list, spooled])
def test_an_output_that_was_too_long_is_a_file(tmp_path, wrap):
    """The session has its beginning only, and says in which file beside it the whole is."""
    place = "C:\\u\\projects\\p\\s\\tool-results\\toolu_1.txt"
    saved = f"<persisted-output>\nOutput too large (45KB). Full output saved to: {place}\n\nPreview:\na\n</persisted-output>"
    records = [record(1, "assistant", [call("a")]), record(2, "user", [result("a", saved)])]
    (tmp_path / "o").write_text("all of it")
    members = Members([Blob(tmp_path / "o", "p/s/tool-results/toolu_1.txt", 9)])
    found = ClaudeCode().convert(gathered(wrap(records)), About("s.jsonl", members))
    assert_balanced(found)
    assert [block["content"].read() for block in blocks_of(found, "file")] == [b"all of it"]
    assert not blocks_of(ClaudeCode().convert(gathered(wrap(records)), about()), "file")


def test_long_outputs_of_two_sessions_may_have_one_name(tmp_path):
    """Each session has its own; one whose file the archive has not got has none, rather than that of another."""
    sessions = [f"0000000{number}-5e55-4000-8000-000000000000" for number in range(3)]
    blobs = []
    for session in sessions[:2]:
        (tmp_path / session).write_text(f"of {session}")
        blobs.append(Blob(tmp_path / session, f"all.zip/p/{session}/tool-results/b1.txt", 39))
    contents = []
    for session in sessions:
        saved = f"<persisted-output>\nFull output saved to: /h/.claude/projects/p/{session}/tool-results/b1.txt\n"
        records = [record(1, "assistant", [call("a")]), record(2, "user", [result("a", saved)])]
        found = ClaudeCode().convert(gathered(records), About(f"{session}.jsonl", Members(blobs)))
        contents.append([block["content"].read().decode() for block in blocks_of(found, "file")])
    assert contents == [[f"of {sessions[0]}"], [f"of {sessions[1]}"], []]


def test_what_the_program_says_itself_is_no_model_s():
    """It calls itself `<synthetic>` where the API gave no answer; the session's models are those that answered."""
    answered = record(2, "assistant", [{"type": "text", "text": "b"}])
    answered["message"]["model"] = "<synthetic>"
    found = ClaudeCode().convert(gathered([record(1, "user", "a"), answered]), about())
    assert [told.get("model") for told in found["messages"]] == [None, None]
