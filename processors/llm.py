"""Language models: Chat asks one for each message."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from transmissions import MISSING, Processor, Protected, Range, RunError, Secret, Term, Unit, UsageError, get_field, set_field

from .access import keep_secret, need, need_text
from .egress import take_apart
from .fetching import check_url
from .llm_model import ModelError, Question, Turn, beginning
from .llm_providers import PROVIDERS
from .structure import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .llm_model import Answer, Model

_FENCED: Final = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL | re.IGNORECASE)
_ROLES: Final = ("user", "assistant")


class Chat(Processor):
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
    :ask a :Chat ; :provider "anthropic" ; :model "claude-sonnet-4-5" ; :maxTokens 1000 ; :system "Answer in one sentence." ;
        :concurrency 4 ; :retry [ :attempts 5 ; :delay 1000 ; :maxDelay 60000 ] .
    :local a :Chat ; :provider "ollama" ; :model "llama3.2" ; :inputField "question" ; :outputField "facts" ; :format "json" .
    ```
    """

    extra = "llm"

    provider: Annotated[
        Literal["anthropic", "claude", "openai", "mistral", "groq", "openrouter", "ollama", "lmstudio", "vllm"], Protected()
    ] = "mistral"
    "Who runs the model; `claude` is another word for `anthropic`."
    base_url: Annotated[str, Protected(), Term("baseURL")] = ""
    "Where the server is, if not where the provider's usually is. As it is yours, it may be in a private network."
    api_key: Annotated[Secret | None, Protected()] = None
    'The key: `[ :env "NAME" ]`.'
    model: str
    "The provider's name of the model."
    system: str = ""
    "What the model is told before the conversation."
    input_field: str = "content"
    "Dotted path of the question."
    messages_field: str = ""
    "Dotted path of a whole conversation, instead."
    output_field: str = "content"
    "Dotted path the reply is written to."
    usage_field: str = ""
    "Dotted path for what the reply cost and why it ended; not written if empty."
    format: Literal["text", "json"] = "text"
    "What the reply is; providers that can be told to answer in JSON are told so."
    max_tokens: Annotated[int | None, Range(ge=1), Unit("tokens")] = None
    "How long a reply may be. Without it the provider decides, and for Anthropic's protocol it is 4096."
    on_cut: Literal["fail", "keep"] = "fail"
    "Whether a reply that did not reach its end is an error."
    temperature: Annotated[float | None, Range(ge=0, le=2)] = None
    "How much is left to chance; without it the provider decides, and some models take none."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 120_000
    "How long a reply may take."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 16 * 2**20
    "How large it may be as it travels."
    _model: Model

    def __post_init__(self) -> None:
        """Refuse a base that is none."""
        self._known = PROVIDERS[self.provider]
        self._url = self.base_url or self._known.base_url
        check_url("baseURL", self._url)
        self._where = take_apart(self._url).shown

    async def __aenter__(self) -> Self:
        key = self._key()
        keep_secret(self.context, key)
        self._model = await asyncio.to_thread(self._open, key)  # Importing the library takes a second.
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._model.close()

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, who would be asked."""
        yield f"asks {self.model} at {self._where}"

    async def process(self, message: Message) -> Message:
        """Ask once."""
        question = self._question(message)
        try:
            async with asyncio.timeout(self.timeout / 1000):
                answer = await self._model.answer(question)
        except TimeoutError as error:
            raise ModelError(f"{self._where}: no reply within {self.timeout / 1000:g} s") from error
        set_field(message, self.output_field, self._value(answer))
        if self.usage_field:
            set_field(message, self.usage_field, _usage(answer))
        return message

    def _key(self) -> str:
        if self.api_key:
            return self.api_key.reveal()
        variable = "" if self.base_url else self._known.key_variable
        if variable and not os.environ.get(variable):
            raise UsageError(f'{self.provider} needs a key: set the variable {variable}, or :apiKey [ :env "…" ]')
        return os.environ[variable] if variable else ""

    def _open(self, key: str) -> Model:
        if self._known.is_anthropic:
            from .llm_anthropic import AnthropicModel

            return AnthropicModel(self._url, key, self.timeout / 1000, self.max_bytes)
        from .llm_openai import OpenAIModel

        return OpenAIModel(self._known, self._url, key, self.timeout / 1000, self.max_bytes)

    def _question(self, message: Message) -> Question:
        turns, systems = [Turn("user", "")], [self.system] if self.system else []
        if self.messages_field:
            turns, own = _conversation(need(message, self.messages_field), self.messages_field)
            systems += own
        else:
            turns = [Turn("user", need_text(message, self.input_field))]
        as_json = self.format == "json"
        return Question(self.model, turns, "\n\n".join(systems), self.max_tokens, self.temperature, as_json)

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


def _conversation(value: Any, path: str) -> tuple[list[Turn], list[str]]:
    """Return the turns of a conversation, and what is said in it by `system`."""
    if not isinstance(value, list) or not value:
        kind = "empty" if value == [] else f"a {type(value).__name__}"
        raise RunError(f"the field '{path}' is {kind}; a conversation is a list of objects with `role` and `content`")
    turns: list[Turn] = []
    systems: list[str] = []
    for number, one in enumerate(value):
        role = get_field(one, "role", MISSING) if isinstance(one, dict) else MISSING
        content = one.get("content") if isinstance(one, dict) else None
        if role == "system" and isinstance(content, str):
            systems.append(content)
        elif role in _ROLES and isinstance(content, str | list):
            turns.append(Turn(str(role), content))
        else:
            raise RunError(f"the field '{path}[{number}]' is no turn of a conversation: `role` is one of user, assistant and "
                           "system, and `content` a text, or a list of parts where it is not the system's")  # fmt: skip
    return turns, systems
