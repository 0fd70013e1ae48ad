"""ChatStream, against servers on the loopback that speak the two protocols."""

import asyncio
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
    [
        ("told", "the reply broke off: too many"),
        ("ends", "has no end"),
        ("reset", "broke off|connection failed"),
        ("odd", "something else"),
    ],
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


class Glib:
    """A model that has its reply at once."""

    async def stream(self, _question):
        for text in ("a", "b", "c"):
            yield text

    async def close(self):
        """There is nothing to close."""


def test_only_the_model_s_own_time_counts():
    """While others are at work on a piece, nothing of theirs is ended because a reply may take no longer."""

    async def slowly():
        source = ChatStream(model="m", provider="ollama", timeout=20)
        source._model, found = Glib(), []
        async for piece in source.produce({"content": "Who?"}):
            await asyncio.sleep(0.03)
            found.append(piece.get("text"))
        return found

    assert asyncio.run(slowly()) == ["a", "b", "c", None]


def of_gpt(*deltas, reason="stop"):
    choices = [[{"index": 0, **delta}] for delta in deltas]
    end = [{"index": 0, "delta": {}, "finish_reason": reason}]
    return [frame({"id": "c", "choices": choice}) for choice in [*choices, end]]


@pytest.mark.parametrize(
    ("pieces", "fault"),
    [
        (of_gpt({"delta": {"refusal": "I can"}}, {"delta": {"refusal": "not"}}), "refused to answer: I cannot"),
        (of_gpt({"delta": {"content": "a"}}, reason="content_filter"), "the provider held the reply back"),
    ],
)
def test_a_refusal_of_the_model_is_no_empty_reply(pieces, fault):
    """It is told as an error, as Chat does."""
    with pytest.raises(NodeFailed, match=fault):
        ask("openai", pieces)


@pytest.mark.parametrize("reason", ["length", "model_length"])
def test_a_reply_that_was_cut_off_says_so_at_its_end(reason):
    """Where Anthropic's whole message has it, too; its text has gone on by then."""
    _, told = ask("openai", of_gpt({"delta": {"content": "a"}}, reason=reason))
    assert told == [{"type": "text", "text": "a"}, {"type": "done", "message": {"stop_reason": reason}}]


def test_chunks_of_other_servers_are_understood():
    """Those without choices or delta, those whose content is a list of parts, and those that are cut anywhere."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "🌳"}]
    chunks = [frame({"id": "c", "choices": None}), *of_gpt({}, {"delta": None}, {"delta": {"content": parts}})]
    body = b": thinking\n\n" + b"".join(chunks)
    _, told = ask("openai", [body[at : at + 1] for at in range(len(body))])
    assert told == [{"type": "text", "text": "🌳"}, {"type": "done"}]


@both
def test_what_came_instead_of_a_stream_is_told(provider):
    """Some servers give their errors with 200."""
    instead = Page(b'{"error": {"message": "no such model"}}', {"Content-Type": "application/json"})
    with serving(lambda _: instead) as server, pytest.raises(NodeFailed, match="no such model"):
        through(chat(provider, server.url), [dict(TALK)])


@both
def test_an_event_without_end_is_not_kept(provider):
    """Many events may be larger together."""
    with pytest.raises(NodeFailed, match="larger than 4000 bytes"):
        ask(provider, [b"data: ", b"x" * 5000], max_bytes=4000)
    pieces = FRAMES[provider](*["a"] * 50)
    assert sum(map(len, pieces)) > 4000
    ask(provider, pieces, max_bytes=4000)


def test_events_that_make_no_reply_are_told(recwarn):
    """Blocks of kinds that are not known yet are no such thing, and nobody is warned of them."""
    events = claude("a")
    with pytest.raises(NodeFailed, match="something else than a reply"):
        ask("anthropic", [events[0], *events[2:]])
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "of tomorrow"}}
    ask("anthropic", [events[0], frame(block, block["type"]), *events[3:]])
    assert not [one for one in recwarn if one.category is UserWarning]
