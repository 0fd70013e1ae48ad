"""How to tell the archives of linear chats: Gemini, AI Studio, Grok, Le Chat, LM Studio, Perplexity, ShareGPT, API logs."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from .shape import TOPS, Layout, Shape, with_keys, with_tops

if TYPE_CHECKING:
    from .shape import Outline

_OTHERS: Final = ("mapping", "history", "conversationId", "sessionId", "chat", "uuid", "chat_messages", "message")
"""Keys beside `messages` that chats of an app have and what is sent to an API has not."""
_ANSWERS: Final = (
    *("choices[].message", "choices[].text", "response.body.choices", "response.choices"),
    *("result.message.content", "candidates[].content", "response.candidates"),
)
_PIECES: Final = (
    *(("choices[].delta",), ("candidates[].content", "responseId"), ("message.content", "done", "created_at")),
    ("response", "done", "created_at", "model"),
)
"""What the pieces of an answer have: OpenAI's, Gemini's, Ollama's."""
_LM_STUDIO: Final = (
    ("messages[].versions",),
    ("messages", "name", "lastUsedModel"),
    ("messages", "usePerChatPredictionConfig"),
)
"""Ways that tell a chat of LM Studio; one without messages has no versions either."""


def _is_activity(outline: Outline, is_gemini: bool) -> bool:
    if not outline.has("[].header", "[].title", "[].time"):
        return False
    told = [value.lower() for way in ("[].header", "[].products[]") for value in outline.values.get(way, ())]
    return is_gemini == any(name in value for value in told for name in ("gemini", "bard"))


def _is_le_chat(outline: Outline) -> bool:
    return outline.has("[].chatId", "[].role") and not outline.paths.isdisjoint(("[].content", "[].contentChunks"))


def _is_perplexity_list(outline: Outline) -> bool:
    inner = (".conversations[].messages", ".conversations[].entries", ".conversations[].turns")
    return outline.has(".metadata", ".conversations[]") and not outline.paths.isdisjoint(inner)


def _is_perplexity_turns(outline: Outline) -> bool:
    asked = (".conversations[].query", ".conversations[].question", ".conversations[].query_str", ".conversations[].role")
    return outline.has(".metadata", ".conversations[]") and not outline.paths.isdisjoint((*asked, ".conversations[].answer"))


def _is_sharegpt(outline: Outline) -> bool:
    if outline.has(".metadata", ".conversations[].role"):
        return False  # An exporter of Perplexity's has such turns, below a head of its own.
    return any(_holds_turns(outline, f"{top}.{key}[]") for top in TOPS for key in _TURNS)


def _holds_turns(outline: Outline, way: str) -> bool:
    """Whether a list is turns as ShareGPT has them, or as data sets vary that."""
    named = (("from", "value"), ("role", "content"), *_PAIRS)
    if any(outline.has(*(f"{way}.{key}" for key in keys)) for keys in named):
        return True
    return way in outline.values and not any(path.startswith(f"{way}.") for path in outline.paths)


def _is_preference(outline: Outline) -> bool:
    pairs = (("chosen", "rejected"), ("preferred_output", "non_preferred_output"), ("conversation_a", "conversation_b"))
    return any(outline.has_top(*keys) for keys in pairs)


def _is_example(outline: Outline) -> bool:
    # What a question is about may be so long that its answer is not seen.
    pairs = [("instruction", "input"), *((asked, answered) for asked in _QUESTIONS for answered in _REPLIES)]
    beside = any(outline.has_top("input", "output", key) for key in ("model", "system", "history", "metadata"))
    if beside and not any(f"{top}.{key}[]" in outline.paths for top in TOPS for key in ("input", "output")):
        pairs.append(("input", "output"))  # Settings of programs have these two as well.
    found = (f"{top}.{keys[1]}." for keys in pairs for top in outline.tops(*keys))
    return any(not any(path.startswith(way) for path in outline.paths) for way in found)  # An API answers with an object.


def _is_asked(outline: Outline) -> bool:
    """Whether there are messages with roles and contents as requests have them, and nothing that an app would add."""
    for top in TOPS:
        if not outline.paths.isdisjoint(f"{top}.{key}" for key in _OTHERS):
            continue
        if any(_is_request(outline, f"{top}{way}") for way in ("", ".request", ".body", ".params", ".input", ".request_body")):
            return True
    return False


def _is_request(outline: Outline, way: str) -> bool:
    """Whether an object at this way is what is sent to OpenAI, Anthropic or Gemini."""
    if outline.has(f"{way}.contents[].parts") or f"{way}.messages[].role" in outline.paths:
        return True
    if f"{way}.output[].type" in outline.paths:
        return False
    return f"{way}.input[].role" in outline.paths or outline.has(f"{way}.model", f"{way}.input", f"{way}.instructions")


def _is_answered(outline: Outline) -> bool:
    """Whether there are answers: choices, the output of OpenAI's Responses API, candidates, or a message of Anthropic's."""
    sets = (*((end,) for end in _ANSWERS), ("model", "output[].type"), ("response.model", "response.output[].type"))
    message = ("role", "content", "model", "usage")
    return any(outline.has_top(*keys) for keys in (*sets, message))


def _is_streamed(outline: Outline) -> bool:
    """Whether there are answers in pieces, as they came."""
    begins = {"message_start", "content_block_delta", "response.created", "response.output_item.done"}
    if any(outline.has_top(*keys) for keys in _PIECES):
        return True
    return any(begins & outline.values.get(f"{top}.type", set()) for top in TOPS)


def _is_talk(outline: Outline) -> bool:
    """Whether a file is messages and nothing else."""
    roles = {"user", "assistant", "system", "developer", "tool", "human", "model"}
    for top in TOPS:
        found = outline.values.get(f"{top}.role", frozenset())
        if outline.has(f"{top}.content") and found and found <= roles:
            return outline.paths.isdisjoint(f"{top}.{key}" for key in (*_OTHERS, "messages", "chatId", "parentId", "type"))
    return False


_CELLS: Final = re.compile(rb"outer-cell[^<>]*>.{0,600}?header-cell[^<>]*>.{0,200}?(?:Gemini|Bard)", re.DOTALL)
_THREADS: Final = "perplexity:PerplexityThreads"
_ASKED: Final = "api_logs:APIConversations"
_EXAMPLES: Final = "training:TrainingExamples"
_TURNS: Final = ("conversations", "conversation", "items")
_PAIRS: Final = (("human", "assistant"), ("human", "gpt"), ("user", "assistant"), ("user", "bot"), ("user", "model"))
_QUESTIONS: Final = ("instruction", "prompt", "question", "input_text")
_REPLIES: Final = ("completion", "output", "response", "answer", "output_text")
_ANSWERED: Final = Layout(
    is_element=lambda value: (
        value.__class__ is dict and not value.keys().isdisjoint((*_REPLIES, "chosen", "preferred_output", "conversation_a"))
    )
)

SHAPES: Final = (
    Shape(
        "gemini-takeout",
        "gemini",
        "Gemini activities of a Takeout",
        partial(_is_activity, is_gemini=True),
        "takeout:TakeoutActivities",
        Layout(is_element=with_keys("header", "title")),
    ),
    Shape("takeout", "gemini", "activities of a Takeout that are no chats", partial(_is_activity, is_gemini=False)),
    Shape(
        "gemini-takeout-page",
        "gemini",
        "a page of Gemini activities of a Takeout",
        lambda outline: False,  # noqa: ARG005 - it is no JSON
        "takeout:TakeoutPages",
        Layout(start=re.compile(r"<div\s[^<>]*\bouter-cell\b")),
        _CELLS,
    ),
    Shape(
        "ai-studio",
        "ai-studio",
        "a prompt of Google AI Studio",
        with_tops("chunkedPrompt"),
        "ai_studio:AIStudioPrompts",
        Layout(is_element=with_keys("chunkedPrompt")),
    ),
    Shape(
        "grok",
        "grok",
        "Grok conversations",
        lambda outline: outline.has(".conversations[].conversation", ".conversations[].responses"),
        "grok:GrokConversations",
        Layout(
            "conversations",
            "responses",
            is_element=with_keys("responses"),
            start=re.compile(r'\{\s*"conversation"\s*:'),
            beside=("projects", "tasks", "media_posts"),
        ),
    ),
    Shape(
        "grok-conversations",
        "grok",
        "Grok conversations",
        with_tops("conversation", "responses"),
        "grok:GrokConversations",
        Layout("", "responses", is_element=with_keys("responses"), start=re.compile(r'\{\s*"conversation"\s*:')),
    ),
    Shape("le-chat", "le-chat", "a chat of Le Chat", _is_le_chat, "le_chat:LeChatConversations", Layout(gathers=True)),
    Shape(
        "lm-studio",
        "lm-studio",
        "a chat of LM Studio",
        lambda outline: any(outline.has_top(*keys) for keys in _LM_STUDIO),
        "lm_studio:LMStudioChats",
        Layout("", "messages", is_element=with_keys("messages")),
    ),
    Shape(
        "perplexity",
        "perplexity",
        "a thread of Perplexity",
        with_tops("entries[].query_str"),
        _THREADS,
        Layout("", "entries", is_element=with_keys("entries")),
    ),
    Shape(
        "perplexity-threads",
        "perplexity",
        "threads of Perplexity",
        _is_perplexity_list,
        _THREADS,
        Layout("conversations", "messages", is_element=with_keys("title")),
    ),
    Shape(
        "perplexity-turns",
        "perplexity",
        "a thread of Perplexity",
        _is_perplexity_turns,
        _THREADS,
        Layout("", "conversations", is_element=with_keys("conversations")),
    ),
    Shape("preferences", "api", "answers that were preferred to others", _is_preference, _EXAMPLES, _ANSWERED),
    Shape(
        "sharegpt",
        "sharegpt",
        "conversations in ShareGPT's form",
        _is_sharegpt,
        "sharegpt:ShareGPTConversations",
        Layout("", "conversations", is_element=lambda value: any(with_keys(key)(value) for key in _TURNS)),
    ),
    Shape(
        "api", "api", "requests to a model's API", _is_asked, _ASKED, Layout("", "messages", is_element=with_keys("messages"))
    ),
    Shape("examples", "api", "questions with their answers, to train with", _is_example, _EXAMPLES, _ANSWERED),
    Shape(
        "api-stream",
        "api",
        "answers of a model's API, in pieces",
        _is_streamed,
        "api_streams:APIStreams",
        Layout(gathers=True),
    ),
    Shape("api-answers", "api", "answers of a model's API", _is_answered, _ASKED),
    Shape("api-messages", "api", "messages, one after the other", _is_talk, "api_logs:APIMessages", Layout(gathers=True)),
)
