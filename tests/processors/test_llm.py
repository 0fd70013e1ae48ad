"""Chat, against servers on the loopback that speak the two protocols."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from local_server import Page, redirect, serving

from transmissions import NodeFailed, Secret, UsageError
from transmissions.processors.llm import Chat
from transmissions.testing import assert_contract, through

KEY = "sk-0123456789abcdef"
MESSAGE = {"content": "Où est la 🦔 ?"}


def claude(*blocks, reason="end_turn", **fields):
    usage = {"input_tokens": 7, "output_tokens": 3}
    content = [{"type": "text", "text": one} if isinstance(one, str) else one for one in blocks]
    return page({"type": "message", "model": "m-1", "content": content, "stop_reason": reason, "usage": usage, **fields})


def gpt(content, reason="stop", **said):
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": content, **said}}
    return page({"model": "m-1", "choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})


def page(body, status=200, **headers):
    return Page(json.dumps(body).encode(), {"Content-Type": "application/json", **headers}, status)


REPLY = {"anthropic": claude, "openai": gpt}
PATH = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions"}
both = pytest.mark.parametrize("provider", REPLY)


def chat(provider, url, **settings):
    base = url if provider == "anthropic" else f"{url}/v1"
    return Chat(**{"provider": provider, "base_url": base, "api_key": Secret(KEY), "model": "m", **settings})


def ask(provider, answer, message=None, **settings):
    with serving(answer if callable(answer) else lambda _: answer) as server:
        (reply,) = through(chat(provider, server.url, **settings), [dict(message or MESSAGE)])
    return server.seen, reply


@both
def test_a_reply_takes_the_place_of_the_question(provider):
    """With the key, the model and no more than was set; what it cost goes where it is wanted."""
    seen, reply = ask(provider, REPLY[provider]("Là-bas — 🌳"), usage_field="llm.usage")
    usage = {
        "model": "m-1",
        "stopReason": "end_turn" if provider == "anthropic" else "stop",
        "inputTokens": 7,
        "outputTokens": 3,
    }
    assert reply == {"content": "Là-bas — 🌳", "llm": {"usage": usage}}
    assert (seen[0].path, seen[0].headers["authorization"]) == (PATH[provider], f"Bearer {KEY}")
    limit = {"max_tokens": 4096} if provider == "anthropic" else {}
    assert json.loads(seen[0].body) == {"model": "m", "messages": [{"role": "user", "content": MESSAGE["content"]}], **limit}


@both
def test_a_whole_conversation_goes_as_it_is(provider):
    """With the system's words where the protocol has them, and the figures of the settings."""
    talk = [
        {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"}, {"role": "user", "content": [{"type": "text", "text": "Who?"}]},
    ]  # fmt: skip
    settings = {"messages_field": "talk", "output_field": "said", "system": "Be brief.", "max_tokens": 9, "temperature": 0.5}
    seen, reply = ask(provider, REPLY[provider]("I"), {"talk": talk}, **settings)
    sent = json.loads(seen[0].body)
    system = "Be brief.\n\nBe kind."
    if provider == "openai":
        assert sent["messages"].pop(0) == {"role": "system", "content": system}
        assert sent["max_completion_tokens"] == 9
    else:
        assert (sent["system"], sent["max_tokens"]) == (system, 9)
    assert (sent["messages"], sent["temperature"]) == (talk[1:], 0.5)
    assert reply == {"talk": talk, "said": "I"}


@pytest.mark.parametrize("text", ['{"a": [1]}', '```json\n{"a": [1]}\n```', ' {"a": [1]}\n'])
@both
def test_json_is_asked_for_and_parsed(provider, text):
    """Also where the model puts it into a block of code."""
    seen, reply = ask(provider, REPLY[provider](text), format="json", output_field="facts")
    assert reply["facts"] == {"a": [1]}
    assert json.loads(seen[0].body).get("response_format") == ({"type": "json_object"} if provider == "openai" else None)


def test_only_text_is_taken_of_a_reply():
    """Thinking and calls of tools are left out."""
    thinking, call = {"type": "thinking", "thinking": "hm"}, {"type": "tool_use", "id": "1", "name": "t", "input": {}}
    assert ask("anthropic", claude(thinking, "A", call, "B", reason="tool_use"))[1]["content"] == "AB"
    assert ask("openai", gpt("AB", "tool_calls", tool_calls=[{"id": "1"}]))[1]["content"] == "AB"


FAULTS = [
    (page({"error": {"type": "authentication_error", "message": f"invalid key {KEY}"}}, 401),
     r"answered 401 Unauthorized: invalid key …$"),
    (page({"error": {"message": "slow down"}}, 429, **{"Retry-After": "7"}),
     r"429 Too Many Requests: slow down \(retry-after: 7\)"),
    (Page(b"<h1>no</h1>", {}, 500), "500 Internal Server Error: <h1>no</h1>"),
    (redirect("http://127.0.0.1:1/"), "answered 302 Found"),
    (Page(b"{", {"Content-Type": "application/json"}), "1:2: not valid JSON"),
    (Page(b"<html>", {"Content-Type": "text/html"}), "1:1: not valid JSON"),
    (page([1]), r"something else than a reply of a model: \[1\]"),
    (page({"id": "1"}), "something else than a reply of a model"),
    (page({"content": 7, "choices": []}), "something else than a reply of a model"),
    (page({"content": [{"type": "text"}], "choices": [{"message": {"content": 7}}]}), "something else than a reply"),
    (Page(b"x" * 70000), "the answer is larger than 65536 bytes"),
    (Page(b"\x1f\x8b", {"Content-Encoding": "gzip"}), "encoded as 'gzip', which was not asked for"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "the connection failed"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "fault"), FAULTS)
@both
def test_what_is_no_reply_is_an_error_that_says_why(provider, answer, fault):
    """And never tells the key."""
    with pytest.raises(NodeFailed, match=fault) as caught:
        ask(provider, answer, max_bytes=65536)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("provider", "answer", "fault"), [
    ("anthropic", claude(reason="refusal", stop_details={"type": "refusal", "explanation": "bio"}), "answer: bio"),
    ("anthropic", claude("half", reason="max_tokens"), r"cut off \(max_tokens\): half"),
    ("anthropic", claude({"type": "tool_use"}, reason="tool_use"), r"the reply has no text \(tool_use\)"),
    ("openai", gpt(None, refusal="I can't"), "refused to answer: I can't"),
    ("openai", gpt("", "content_filter"), "refused to answer: the provider held the reply back"),
    ("openai", gpt("half", "length"), r"cut off \(length\): half"),
    ("openai", gpt(None, "tool_calls"), r"the reply has no text \(tool_calls\)"),
    ("openai", gpt("Sure! Here it is: {" + "x" * 500), r"the reply:1:1: not valid JSON: .*: Sure! Here it is: \{x+…$"),
])  # fmt: skip
def test_a_reply_that_is_none_of_what_was_asked_for_is_an_error(provider, answer, fault):
    """A refusal, half a reply, calls of tools alone, words around the JSON."""
    with pytest.raises(NodeFailed, match=fault):
        ask(provider, answer, format="json")


@both
def test_a_reply_that_was_cut_off_can_be_kept(provider):
    """Where half is enough."""
    half = claude("half", reason="max_tokens") if provider == "anthropic" else gpt("half", "length")
    assert ask(provider, half, on_cut="keep")[1]["content"] == "half"


@both
def test_a_server_that_says_nothing_is_given_up(provider):
    """After the time-out, as a whole or for the connection."""
    release = threading.Event()

    def silent(_):
        release.wait(10)
        yield b""

    with serving(silent) as server:
        try:
            with pytest.raises(NodeFailed, match=r"no reply within 0\.2 s|nothing came in time"):
                through(chat(provider, server.url, timeout=200), [MESSAGE])
        finally:
            release.set()


def test_a_server_is_left_alone_as_long_as_it_asks():
    """Retry-After is the least a retry waits, up to its longest wait; the library itself tries nothing again."""
    answers = iter([page({}, 429, **{"Retry-After": "1"}), page({}, 529), gpt("ok")])
    times = []

    def busy(_):
        times.append(time.monotonic())
        return next(answers)

    with serving(busy) as server:
        (reply,) = through(chat("openai", server.url), [MESSAGE], retry={"attempts": 3, "delay": 1})
    assert reply["content"] == "ok"
    assert times[1] - times[0] >= 0.9


def test_several_are_asked_at_once():
    """As many as `:concurrency` says, and the replies keep their order."""
    meeting = threading.Barrier(4)

    def echo(seen):
        meeting.wait(20)
        return gpt(json.loads(seen.body)["messages"][0]["content"].upper())

    with serving(echo) as server:
        replies = through(chat("openai", server.url), [{"content": one} for one in "abcdefgh"], concurrency=4)
    assert [one["content"] for one in replies] == list("ABCDEFGH")


@both
def test_the_environment_adds_nothing(provider, monkeypatch):
    """No proxy, no other server, no further key or header, and nothing about this machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("ANTHROPIC_CUSTOM_HEADERS", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "Authorization: Bearer other\nX-Other: 1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other")
    seen, _ = ask(provider, REPLY[provider]("ok"))
    known = {"accept", "accept-encoding", "anthropic-version", "authorization", "connection", "content-length", "content-type"}
    assert set(seen[0].headers) - {"anthropic-version"} == known - {"anthropic-version"} | {"host", "user-agent"}
    assert (seen[0].headers["authorization"], seen[0].headers["user-agent"][:14]) == (f"Bearer {KEY}", "transmissions/")


def test_a_key_is_taken_from_the_usual_variable_only_for_the_usual_server(monkeypatch):
    """A server of one's own gets none it was not given."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    seen, _ = ask("openai", gpt("ok"), api_key=None)
    assert "authorization" not in seen[0].headers
    assert Chat(provider="openai", model="m")._key() == KEY
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(NodeFailed, match="openai needs a key: set the variable OPENAI_API_KEY"):
        through(Chat(provider="openai", model="m"), [MESSAGE])


@pytest.mark.parametrize(("value", "fault"), [
    ("hi", "'talk' is a str; a conversation is a list"), ([], "'talk' is empty"), ([7], r"'talk\[0\]' is no turn"),
    ([{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}], r"'talk\[1\]' is no turn"),
    ([{"role": "user", "content": None}], r"'talk\[0\]' is no turn"), ([{"role": [], "content": "a"}], "no turn"),
])  # fmt: skip
def test_what_is_no_conversation_is_not_sent(value, fault):
    """The error says which turn is none."""
    with serving({}) as server, pytest.raises(NodeFailed, match=fault):
        through(chat("openai", server.url, messages_field="talk"), [{"talk": value}])
    assert server.connections == 0


def test_a_question_must_be_text():
    """And there."""
    with pytest.raises(NodeFailed, match="the field 'content' is not text but a int"):
        ask("openai", gpt("x"), {"content": 7})


def test_a_base_that_is_none_is_refused():
    """Before anything runs."""
    with pytest.raises(UsageError, match=":baseURL 'ftp://x'"):
        Chat(model="m", base_url="ftp://x")


@both
def test_the_contract_is_kept(provider):
    """With a server that answers."""
    with serving(lambda _: REPLY[provider]("ok")) as server:
        assert_contract(lambda: chat(provider, server.url), [MESSAGE, {"content": ""}])


def test_a_start_pays_for_no_library_of_a_provider():
    """They are imported when a run begins that asks."""
    code = "import sys, transmissions.processors.llm; print(*{'anthropic', 'openai', 'httpx2', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.strip() == ""
