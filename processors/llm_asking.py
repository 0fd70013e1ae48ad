"""What is to be known of a language model to ask it: the settings, the connection, and the question in a message."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import MISSING, Processor, Protected, Range, RunError, Secret, Term, Unit, UsageError, get_field

from .access import keep_secret, need, need_text
from .egress import take_apart
from .fetching import check_url
from .llm_model import Question, Turn
from .llm_providers import PROVIDERS
from .records import replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .llm_model import Model

_ROLES: Final = ("user", "assistant")


class _Asking(Processor):
    """Asks a language model."""

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
    max_tokens: Annotated[int | None, Range(ge=1), Unit("tokens")] = None
    "How long a reply may be. Without it the provider decides, and for Anthropic's protocol it is 4096."
    temperature: Annotated[float | None, Range(ge=0, le=2)] = None
    "How much is left to chance; without it the provider decides, and some models take none."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 120_000
    "How long a reply may take."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 16 * 2**20
    "How large it may be as it travels."

    def __post_init__(self) -> None:
        """Refuse a base that is none."""
        self._known = PROVIDERS[self.provider]
        self._url = self.base_url or self._known.base_url
        check_url("baseURL", self._url)
        self.where = take_apart(self._url).shown

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, who would be asked."""
        yield f"asks {self.model} at {self.where}"

    async def open_model(self) -> Model:
        """Connect."""
        key = self._key()
        keep_secret(self.context, key)
        return await asyncio.to_thread(self._open, key)  # Importing the library takes a second.

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

    def question(self, message: Message) -> Question:
        """Return what a message asks."""
        turns, systems = [Turn("user", "")], [self.system] if self.system else []
        if self.messages_field:
            turns, own = _conversation(need(message, self.messages_field), self.messages_field)
            systems += own
        else:
            turns = [Turn("user", _text(need_text(message, self.input_field)))]
        return Question(self.model, turns, "\n\n".join(systems), self.max_tokens, self.temperature)


def _text(text: str) -> str:
    """Return a text as UTF-8 can hold it."""
    return replace_surrogates(text)[0]


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
            turns.append(Turn(str(role), _text(content) if isinstance(content, str) else content))
        else:
            raise RunError(f"the field '{path}[{number}]' is no turn of a conversation: `role` is one of user, assistant and "
                           "system, and `content` a text, or a list of parts where it is not the system's")  # fmt: skip
    return turns, systems
