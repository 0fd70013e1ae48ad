"""Models behind Anthropic's protocol, by its own library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anthropic

from .egress import take_apart
from .llm_model import Answer, ModelError, check_events, explained, explained_streaming, number_in, odd, parsed
from .sdk_connections import open_client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .llm_model import Question

_LONGEST: Final = 4096
"""Tokens of a reply, where nothing else is said: the protocol wants a number."""
_CUT: Final = {"max_tokens", "model_context_window_exceeded", "pause_turn"}


class AnthropicModel:
    """A connection to one server."""

    def __init__(self, base_url: str, key: str, timeout: float, max_bytes: int) -> None:
        self._where = take_apart(base_url).shown
        keys: dict[str, str] = {}
        # With a key, a URL and a client of its own, the library takes none of those from the environment.
        self._client = anthropic.AsyncAnthropic(
            api_key=key or "none",
            base_url=base_url,
            timeout=timeout,
            max_retries=0,
            open_telemetry=False,
            http_client=open_client(timeout, max_bytes, keys, trim=True),
        )
        keys.update(self._client.auth_headers if key else {})

    async def answer(self, question: Question) -> Answer:
        """Ask."""
        with explained(anthropic, self._where):
            reply = await self._client.messages.with_raw_response.create(**self._asked(question))
        return _read(reply.http_response.text, self._where)

    async def stream(self, question: Question) -> AsyncGenerator[str | dict[str, Any]]:
        """Ask, and yield the pieces of the reply's text as they come, and the whole message at the end."""
        asked = self._client.messages.stream(**self._asked(question))
        async with explained_streaming(anthropic, self._where), asked as stream:
            await check_events(stream.response)
            ended = False
            async for event in stream:
                if event.type == "text":
                    yield event.text
                ended = ended or event.type == "message_stop"
            if not ended:
                raise ModelError("the reply has no end")
            yield (await stream.get_final_message()).model_dump(mode="json", exclude_none=True, warnings=False)

    def _asked(self, question: Question) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "model": question.model,
            "max_tokens": question.max_tokens or _LONGEST,
            "messages": [turn._asdict() for turn in question.turns],
        }
        if question.system:
            asked["system"] = question.system
        if question.temperature is not None:
            asked["extra_body"] = {"temperature": question.temperature}
        return asked

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


def _read(body: str, where: str) -> Answer:
    reply = parsed(body, where)
    blocks, usage, reason = reply.get("content"), reply.get("usage"), reply.get("stop_reason")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise odd(body, where)
    texts = [block.get("text") for block in blocks if block.get("type") == "text"]
    if not all(isinstance(text, str) for text in texts):
        raise odd(body, where)
    if not texts and reason not in _CUT | {"refusal"}:
        raise ModelError(f"{where}: the reply has no text ({reason})")
    return Answer(
        "".join(map(str, texts)),
        str(reply.get("model", "")),
        str(reason),
        number_in(usage, "input_tokens"),
        number_in(usage, "output_tokens"),
        reason in _CUT,
        _why(reply) if reason == "refusal" else "",
    )


def _why(reply: dict[str, Any]) -> str:
    details = reply.get("stop_details")
    said = details.get("explanation") if isinstance(details, dict) else None
    return str(said or "it does not say why")
