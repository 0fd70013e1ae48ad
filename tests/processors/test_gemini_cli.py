import json

import pytest
from session_logs import SAMPLES, about, all_of, assert_balanced, blocks_of, plain, spooled, texts_of

from transmissions import RunError
from transmissions.processors.blobs import Blob, Members
from transmissions.processors.branches import look
from transmissions.processors.gemini_cli import GeminiCLI
from transmissions.processors.shape import About
from transmissions.processors.shapes import BY_NAME, find_shape


def load(pattern):
    (path,) = (SAMPLES / "gemini-cli").rglob(pattern)
    return json.loads(path.read_text("utf-8"))


def convert(element):
    conversation = GeminiCLI().convert(element, about("logs.json"))
    assert_balanced(conversation)
    return conversation


def test_a_session_has_its_messages_tokens_and_model():
    """Roles, times, tokens and the model are those of the session."""
    session = convert(load("session-*.json"))
    assert [message["role"] for message in session["messages"]] == ["human", *["assistant"] * 2, *["system"] * 3]
    assert (session["model"], session["tokens"]["input"]) == ("gemini-2.5-pro", 14200)


def test_thoughts_calls_and_images_are_blocks():
    """A thought has its subject, a call its result and whether it failed, an image its bytes."""
    session = convert(load("session-*.json"))
    assert blocks_of(session, "thinking")[0]["summaries"] == ["Finding the height"]
    assert [(block["result"]["parts"], block["result"]["failed"]) for block in blocks_of(session, "tool")] == [
        ([{"text": "Up to 30 m."}], False),
        ([{"text": "measure: not found"}], True),
    ]
    assert blocks_of(session, "file")[0]["content"].startswith(b"\x89PNG")


def test_what_the_program_said_is_an_event():
    """Notes and errors of the program are nobody's words; what nobody knows is kept as data."""
    session = convert(load("session-*.json"))
    assert [(block["title"], block["text"]) for block in blocks_of(session, "event")] == [
        ("Info", "Request cancelled."),
        ("Error", "The quota is used up."),
    ]
    assert blocks_of(session, "unknown")[0]["data"] == {"shape": "of a kind nobody knows"}


def test_a_log_of_prompts_is_a_conversation_for_each_session():
    """The prompts of every session stand together, under an id that is not the session's own."""
    first, second = all_of(convert({"name": "logs.json", "items": load("logs.json")}))
    assert (texts_of(first), texts_of(second)) == (["Wie hoch wird Bambus?"], ["/help", "And grass?"])
    assert first["id"] == "5e55beef-0000-4000-8000-0000000a1b2c.prompts"
    assert first["links"][0]["relation"] == "prompts of"


@pytest.mark.parametrize("name", ["ab/chats/session-2026-05-05T10-00-5e55beef.json", "session-2026-05-05T10-00-5e55beef.jsonl"])
def test_prompts_whose_session_is_there_are_left_out(tmp_path, name):
    """The session has its prompts itself; those of others are kept, and the account says what was left out."""
    members = Members([Blob(tmp_path, name, 0)])
    log = {"name": "logs.json", "items": load("logs.json")}
    session = GeminiCLI().convert(log, About("logs.json", members))
    assert_balanced(session)
    assert (texts_of(session), session["also"]) == (["/help", "And grass?"], [])
    assert session["skipped"] == {"message": {"skipped: its session is in the archive": 1}}
    alone = GeminiCLI().convert({**log, "items": log["items"][:1]}, About("logs.json", members))
    assert (alone["left_out"], alone["counts"]["messages"]) == ("skipped: its session is in the archive", 1)


def test_a_session_too_large_for_memory_converts_alike():
    """Spooled messages give the same conversation as a list of them."""
    session = load("session-*.json")
    large = GeminiCLI().convert({**session, "messages": spooled(session["messages"])}, about())
    assert plain(large) == plain(GeminiCLI().convert(session, about()))


@pytest.mark.parametrize("element", [None, [], {}, {"messages": "x"}])
def test_what_holds_no_messages_is_refused(element):
    """An element without messages is no session."""
    with pytest.raises(RunError, match="no messages"):
        GeminiCLI().convert(element, about())


def lines():
    """Return the sample that is written line by line."""
    (path,) = (SAMPLES / "gemini-cli").rglob("session-*.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_lines_that_change_what_was_written_are_followed():
    """A message written anew stands for the earlier one; what was taken back is a branch; the head is brought up to date."""
    session = convert({"name": "x", "items": lines()})
    assert [(message["id"], message["parent"]) for message in session["messages"]] == [("h1", ""), ("h2", "h1"), ("h3", "")]
    assert look(session).path == {2}
    assert (session["summary"], session["updated"]) == ("Heights of plants", "2026-06-01T10:01:00.000Z")
    assert session["skipped"]["message"] == {"skipped: written anew": 1}


def test_a_session_of_lines_too_large_for_memory_converts_alike():
    """Spooled lines give the same conversation as a list of them."""
    large, small = (GeminiCLI().convert({"name": "x", "items": items}, about()) for items in (spooled(lines()), lines()))
    assert plain(large) == plain(small)


SENT = [
    {"role": "user", "parts": [{"text": "Which beds?"}]},
    {"role": "model", "parts": [{"text": "Hm…", "thought": True}, {"functionCall": {"name": "ls", "args": {"path": "."}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "ls", "response": {"error": "no beds"}}}]},
    {"role": "model", "parts": [{"text": "None."}]},
]


@pytest.mark.parametrize("element", [{"name": "c", "items": SENT}, {"history": SENT, "authType": "x"}])
def test_a_chat_that_was_saved_is_what_was_sent(element):
    """`/chat save` writes the parts that went to the API, with neither ids nor times; the name is the title."""
    chat = GeminiCLI().convert(element, about("ab/checkpoint-dry beds.json"))
    assert_balanced(chat)
    told = [(message["role"], block["kind"]) for message in chat["messages"] for block in message["blocks"]]
    answers = [("assistant", kind) for kind in ("thinking", "tool", "text")]
    assert told == [("human", "text"), *answers[:2], ("tool", "tool"), answers[2]]
    assert (chat["title"], blocks_of(chat, "tool")[1]["result"]) == (
        "dry beds",
        {"parts": [{"text": "no beds"}], "failed": True},
    )


def test_a_checkpoint_before_an_edit_is_a_chat_too():
    """What was sent stands beside what was shown; the program's own first message is not the user's."""
    opening = {
        "role": "user",
        "parts": [{"text": "This is the Gemini CLI. We are setting up the context for our chat.\nIt is…"}],
    }
    element = {"history": [{"type": "user", "text": "Which beds?"}], "clientHistory": [opening, *SENT], "commitHash": "0"}
    assert find_shape(json.dumps(element).encode())[0] is BY_NAME["gemini-cli-history"]
    chat = GeminiCLI().convert(element, about("ab/2026.json"))
    assert [(message["role"], message["blocks"][0]["kind"]) for message in chat["messages"][:2]] == [
        ("system", "event"),
        ("human", "text"),
    ]
    assert_balanced(chat)


def test_what_was_typed_is_the_user_s_and_what_it_became_is_not():
    """A command's prompt and the text of files that it names are added by the program; what is the same stands once."""
    typed = {
        "id": "a",
        "type": "user",
        "displayContent": "Explain @a.py",
        "content": [{"text": "Explain @a.py"}, {"text": "x = 1"}],
    }
    (message,) = convert({"sessionId": "s", "messages": [typed]})["messages"]
    assert [(block["kind"], block["text"]) for block in message["blocks"]] == [("text", "Explain @a.py"), ("injected", "x = 1")]


def test_what_somebody_saw_of_a_result_is_kept_where_it_says_more():
    """A note beside a result is part of it; the lines of a command, which the result has, and a change are not."""
    response = [{"functionResponse": {"response": {"output": "Output: 42"}}}]
    shown = ("Read all 3 lines", "42", {"fileDiff": "-a\n+b", "newContent": "b"}, [[{"text": "42", "bold": True}]])
    calls = [{"name": "t", "args": {}, "result": response, "resultDisplay": display} for display in shown]
    session = convert({"sessionId": "s", "messages": [{"id": "a", "type": "gemini", "content": "", "toolCalls": calls}]})
    assert [[part["text"] for part in block["result"]["parts"]] for block in blocks_of(session, "tool")] == [
        ["Output: 42", "Read all 3 lines"],
        *[["Output: 42"]] * 3,
    ]


def test_the_context_of_newer_versions_is_the_program_s():
    """What sets a chat up stands in a tag by now; nobody typed it."""
    setup = "<session_context>\nThis is the Gemini CLI. We are setting up the context for our chat.\nToday is Monday."
    history = [{"role": "user", "parts": [{"text": setup}]}, {"role": "user", "parts": [{"text": "Why?"}]}]
    assert [message["role"] for message in convert({"history": history})["messages"]] == ["system", "human"]


def test_what_a_call_is_said_to_do_is_kept():
    """Where the program says more of a call than its arguments do, that is kept with it."""
    calls = [
        {"name": "web", "args": {"query": "q"}, "description": "Searching the web for q"},
        {"name": "shell", "args": {"command": "ls -l"}, "description": "ls -l"},
    ]
    found = convert({"sessionId": "s", "messages": [{"type": "gemini", "content": "", "toolCalls": calls}]})
    assert [block.get("description") for block in blocks_of(found, "tool")] == ["Searching the web for q", None]


def test_something_odd_in_front_of_a_saved_chat_costs_nothing_of_it():
    """What a chat is, is told by its first message."""
    said = {"role": "model", "parts": [{"text": "words"}]}
    found = GeminiCLI().convert({"history": [7, said]}, about())
    assert [block.get("text", block.get("data")) for told in found["messages"] for block in told["blocks"]] == [7, "words"]
