"""Language models: Chat asks one for each message."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from transmissions import RunError, set_field

from .llm_asking import _Asking
from .llm_model import ModelError, beginning
from .structure import parse_json

if TYPE_CHECKING:
    from transmissions import Message

    from .llm_model import Answer, Model

_FENCED: Final = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL | re.IGNORECASE)


class Chat(_Asking):
    """Ask a language model, and put its reply into the message.

    The question is the text at `inputField`; a Templater in front of this step can make it of anything. Or it is the whole
    conversation at `messagesField`, a list of objects with `role` (`user`, `assistant`, or `system`) and `content`. The
    reply's text goes to `outputField`; with `:format "json"` it is parsed, bare or in one block of code, and anything else
    than JSON is an error. To `usageField` go `model`, `stopReason`, `inputTokens` and `outputTokens`. Only text is taken of a
    reply; one that has none, a refusal, and a reply cut off at `maxTokens` are errors, the last unless `onCut` says otherwise.

    A key is `:apiKey [ :env "NAME" ]`. Without one, that of a known provider is taken from its usual variable
    (`MISTRAL_API_KEY`, …), unless there is a `baseURL`; it is kept out of everything that is told of the run. Any server that
    speaks OpenAI's protocol is `:provider "openai"` with its `:baseURL`. Nothing is tried again here: `:retry` does that,
    and waits as long as the server asks for, up to its `maxDelay`. `:concurrency 4` asks for four messages at once.

    ```turtle
    :ask a :Chat ; :provider "anthropic" ; :model "claude-sonnet-5-5" ; :maxTokens 1000 ; :system "Answer in one sentence." ;
        :concurrency 4 ; :retry [ :attempts 5 ; :delay 1000 ; :maxDelay 60000 ] .
    :local a :Chat ; :provider "ollama" ; :model "llama3.2" ; :inputField "question" ; :outputField "facts" ; :format "json" .
    ```
    """

    output_field: str = "content"
    "Dotted path the reply is written to."
    usage_field: str = ""
    "Dotted path for what the reply cost and why it ended; not written if empty."
    format: Literal["text", "json"] = "text"
    "What the reply is; providers that can be told to answer in JSON are told so."
    on_cut: Literal["fail", "keep"] = "fail"
    "Whether a reply that did not reach its end is an error."
    _model: Model

    async def __aenter__(self) -> Self:
        self._model = await self.open_model()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._model.close()

    async def process(self, message: Message) -> Message:
        """Ask once."""
        question = self.question(message)._replace(as_json=self.format == "json")
        try:
            async with asyncio.timeout(self.timeout / 1000):
                answer = await self._model.answer(question)
        except TimeoutError as error:
            raise ModelError(f"{self.where}: no reply within {self.timeout / 1000:g} s") from error
        set_field(message, self.output_field, self._value(answer))
        if self.usage_field:
            set_field(message, self.usage_field, _usage(answer))
        return message

    def _value(self, answer: Answer) -> Any:
        if answer.refusal:
            raise ModelError(f"the model refused to answer: {beginning(answer.refusal)}")
        if answer.is_cut and self.on_cut == "fail":
            raise ModelError(f"the reply was cut off ({answer.reason}): {beginning(answer.text)}")
        return _json(answer.text) if self.format == "json" else answer.text


def _json(text: str) -> Any:
    fenced = _FENCED.fullmatch(text)
    try:
        return parse_json(fenced[1] if fenced else text, "the reply")
    except RunError as error:
        raise ModelError(f"{error}: {beginning(text)}") from error


def _usage(answer: Answer) -> Message:
    counted = {"inputTokens": answer.tokens_in, "outputTokens": answer.tokens_out}
    return {"model": answer.model, "stopReason": answer.reason, **counted}
