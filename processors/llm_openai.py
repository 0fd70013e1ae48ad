"""Models behind OpenAI's protocol, which most servers speak, by its own library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import openai

from .egress import take_apart
from .llm_model import Answer, ModelError, beginning, check_events, explained, explained_streaming, number_in, odd, parsed
from .sdk_connections import open_client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .llm_model import Question
    from .llm_providers import Provider

_WHOLE: Final = "stop"
_CUT: Final = {"length", "model_length"}
_FILTERED: Final = "content_filter"
_HELD_BACK: Final = "the provider held the reply back"


class OpenAIModel:
    """A connection to one server."""

    def __init__(self, provider: Provider, base_url: str, key: str, timeout: float, max_bytes: int) -> None:
        self._provider = provider
        self._where = take_apart(base_url).shown
        # The client sends these headers and no others that could be a key; see `open_client`.
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=base_url,
            timeout=timeout,
            max_retries=0,
            http_client=open_client(timeout, max_bytes, headers, trim=True),
        )

    async def answer(self, question: Question) -> Answer:
        """Ask."""
        with explained(openai, self._where):
            reply = await self._client.chat.completions.with_raw_response.create(**self._asked(question))
        return _read(reply.http_response.text, self._where)

    async def stream(self, question: Question) -> AsyncGenerator[str | dict[str, Any]]:
        """Ask, and yield the pieces of the reply's text as they come, and why it ended, if not because all was said.

        This protocol has no whole reply then.
        """
        asked = self._client.chat.completions.create(**self._asked(question), stream=True)
        async with explained_streaming(openai, self._where), await asked as chunks:
            await check_events(chunks.response)
            refusal, reason = "", None
            async for chunk in chunks:
                choice = next(iter(chunk.choices or ()), None)
                said = choice.delta if choice else None
                refusal += (said.refusal if said else "") or ""
                if text := _text(said.content if said else ""):
                    yield str(text)
                reason = choice.finish_reason if choice and choice.finish_reason is not None else reason
            if reason is None:
                raise ModelError("the reply has no end")
            if refusal or reason == _FILTERED:
                raise ModelError(f"the model refused to answer: {beginning(refusal or _HELD_BACK)}")
            if reason != _WHOLE:
                yield {"stop_reason": reason}

    def _asked(self, question: Question) -> dict[str, Any]:
        system = [{"role": "system", "content": question.system}] if question.system else []
        asked: dict[str, Any] = {
            "model": question.model,
            "messages": [*system, *(turn._asdict() for turn in question.turns)],
        }
        if question.max_tokens:
            asked[self._provider.length_field] = question.max_tokens
        if question.temperature is not None:
            asked["temperature"] = question.temperature
        if question.as_json and self._provider.has_json_mode:
            asked["response_format"] = {"type": "json_object"}
        return asked

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


def _read(body: str, where: str) -> Answer:
    reply = parsed(body, where)
    choices = reply.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    said = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(said, dict):
        raise odd(body, where)
    text, refusal, reason = _text(said.get("content")), said.get("refusal"), str(choice.get("finish_reason"))
    if reason == _FILTERED:
        refusal = refusal or _HELD_BACK
    if not isinstance(text, str) and not refusal and reason not in _CUT:
        raise odd(body, where) if text is not None else ModelError(f"{where}: the reply has no text ({reason})")
    usage = reply.get("usage")
    return Answer(
        text if isinstance(text, str) else "",
        str(reply.get("model", "")),
        reason,
        number_in(usage, "prompt_tokens"),
        number_in(usage, "completion_tokens"),
        reason in _CUT,
        str(refusal or ""),
    )


def _text(content: Any) -> Any:
    """Return what is said: models that think may give a list of parts, of which only texts are said."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(text for text in texts if isinstance(text, str)) or None
