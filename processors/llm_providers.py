"""The providers of language models that are known by name: where they are, and how they differ."""

from __future__ import annotations

from typing import Final, NamedTuple


class Provider(NamedTuple):
    """One provider."""

    base_url: str
    key_variable: str = ""
    """The environment variable its key is usually in; empty if it needs none."""
    is_anthropic: bool = False
    """Whether it speaks Anthropic's protocol; else it speaks OpenAI's."""
    has_json_mode: bool = True
    """Whether it can be told to answer in JSON without being given a schema."""
    length_field: str = "max_tokens"
    """How the protocol calls the most tokens of a reply."""


_ANTHROPIC: Final = Provider("https://api.anthropic.com", "ANTHROPIC_API_KEY", is_anthropic=True, has_json_mode=False)

PROVIDERS: Final = {
    "anthropic": _ANTHROPIC,
    "claude": _ANTHROPIC,
    "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY", length_field="max_completion_tokens"),
    "mistral": Provider("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "ollama": Provider("http://localhost:11434/v1"),
    "lmstudio": Provider("http://localhost:1234/v1", has_json_mode=False),
    "vllm": Provider("http://localhost:8000/v1"),
}
"""By the names of the setting `provider`."""
