"""ChatStream, against servers on the loopback that speak the two protocols."""

import json
import threading
import time

import pytest
from local_server import Page, ResetNow, serving

from transmissions import NodeFailed, Processor, Secret
from transmissions.processors.llm_stream import ChatStream
from transmissions.testing import through

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
TALK = {"messages": [{"role": "user", "content": "Who?"}]}
both = pytest.mark.parametrize("provider", ["anthropic", "openai"])


def frame(data, event=""):
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def claude(*texts, end=True):
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m-1", "content": [], "stop_reason": None}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    events = [{"type": "message_start", "message": {**message, "usage": {"input_tokens": 7, "output_tokens": 1}}}, block]
    events += [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": one}} for one in texts]
    ending = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    return [frame(event, event["type"]) for event in events + (ending if end else [])]


def gpt(*texts, end=True):
    def chunk(delta, reason=None):
        return frame({"id": "c", "model": "m-1", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    pieces = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": one}) for one in texts)]
    return pieces + ([chunk({}, "stop"), frame("[DONE]")] if end else [])


FRAMES = {"anthropic": claude, "openai": gpt}


def chat(provider, url, **settings):
    base = url if provider == "anthropic" else f"{url}/v1"
    fields = {
        "provider": provider,
        "base_url": base,
        "api_key": Secret("sk-0123456789"),
        "model": "m",
        "messages_field": "messages",
    }
    return ChatStream(**{**fields, **settings})


def ask(provider, pieces, **settings):
    with serving(lambda _: iter([HEAD, *pieces])) as server:
        return server.seen, through(chat(provider, server.url, **settings), [dict(TALK)])


@both
def test_each_piece_of_a_reply_is_a_message(provider):
    """Then comes `done`, with the whole message where the protocol has one; empty pieces are none."""
    seen, (one, two, done) = ask(provider, FRAMES[provider]("Là-", "bas 🌳"))
    assert [one, two] == [{"type": "text", "text": "Là-"}, {"type": "text", "text": "bas 🌳"}]
    assert json.loads(seen[0].body)["stream"] is True
    if provider == "openai":
        assert done == {"type": "done"}
        return
    assert done["type"] == "done"
    assert done["message"]["content"] == [{"type": "text", "text": "Là-bas 🌳"}]
    assert (done["message"]["stop_reason"], done["message"]["usage"]["output_tokens"]) == ("end_turn", 3)


class Gate(Processor):
    """Opens when a message comes."""

    def __post_init__(self):
        self.opened = threading.Event()

    def process(self, message):
        self.opened.set()
        return message


@both
def test_a_piece_is_there_before_the_reply_ends(provider):
    """The server goes on only when the first piece has come out of the pipe."""
    gate = Gate()

    def slowly(_):
        yield HEAD
        for piece in FRAMES[provider]("a", "b"):
            yield piece
            if b'"a"' in piece and not gate.opened.wait(10):
                return

    with serving(slowly) as server:
        *_, done = through([chat(provider, server.url), gate], [dict(TALK)])
    assert done["type"] == "done"


def broken(provider, how):
    pieces = FRAMES[provider]("a", end=False)
    if how == "told":
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "too many"}}
        pieces.append(frame(error, "error"))
    if how == "odd":
        pieces.append(frame("{", "message_start"))

    def sent():
        yield HEAD
        yield from pieces
        if how == "reset":
            time.sleep(0.1)
            raise ResetNow

    return sent()


@both
@pytest.mark.parametrize(
    ("how", "fault"),
    [("told", "too many"), ("ends", "has no end"), ("reset", "broke off|connection failed"), ("odd", "something else")],
)
def test_a_reply_that_breaks_off_is_an_error(provider, how, fault):
    """However it does, though text has come."""
    with serving(lambda _: broken(provider, how)) as server, pytest.raises(NodeFailed, match=fault):
        through(chat(provider, server.url), [dict(TALK)])


@both
def test_a_refusal_of_the_server_is_an_error(provider):
    """It says what the server said."""
    said = Page(json.dumps({"error": {"message": "no such model"}}).encode(), {"Content-Type": "application/json"}, 404)
    with serving(lambda _: said) as server, pytest.raises(NodeFailed, match="404 Not Found: no such model"):
        through(chat(provider, server.url), [dict(TALK)])


def test_a_reply_that_is_too_long_is_an_error():
    """The pieces are weighed together."""
    with pytest.raises(NodeFailed, match="larger than 5 bytes"):
        ask("openai", gpt("abc", "def"), max_bytes=5)


def test_no_key_is_needed_before_a_question_is_there(monkeypatch):
    """And then its lack is told as an error of the message."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    asking = {"provider": "anthropic", "model": "m", "messages_field": "messages"}
    assert through(ChatStream(**asking), []) == []
    with pytest.raises(NodeFailed, match="ANTHROPIC_API_KEY"):
        through(ChatStream(**asking), [dict(TALK)])
