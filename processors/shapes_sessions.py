"""The shapes of coding agents' session logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .shape import Layout, Shape, with_keys

if TYPE_CHECKING:
    from .shape import Outline

_CLAUDE_KEYS: Final = ("type", "sessionId", "uuid", "parentUuid")
_CLAUDE_RECORDS: Final = frozenset({"user", "assistant", "system", "attachment", "progress"})
_CODEX_RECORDS: Final = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})


def _holds(seen: Outline, path: str, words: frozenset[str]) -> bool:
    return not words.isdisjoint(seen.values.get(path, ()))


def _is_claude_code(seen: Outline) -> bool:
    if any(_holds(seen, f"{top}.type", _CLAUDE_RECORDS) for top in seen.tops(*_CLAUDE_KEYS)):
        return True
    if not seen.has(".type") or seen.has(".payload"):
        return False
    kinds = seen.values.get(".type", frozenset())
    if "summary" in kinds and seen.has(".summary", ".leafUuid"):
        return True
    return ("file-history-snapshot" in kinds and seen.has(".snapshot", ".messageId")) or (
        bool(kinds & {"queue-operation", "ai-title", "custom-title", "last-prompt", "permission-mode"})
        and seen.has(".sessionId")
    )


def _is_claude_web(seen: Outline) -> bool:
    return seen.has(".loglines[].type") and (seen.has(".loglines[].uuid") or seen.has(".loglines[].message"))


def _is_codex(seen: Outline) -> bool:
    return any(_holds(seen, f"{top}.type", _CODEX_RECORDS) for top in seen.tops("type", "payload", "timestamp"))


def _is_old_codex(seen: Outline) -> bool:
    # The first line has an id and the instructions; those that follow are items of the API, or states between them.
    return seen.has(".id", ".timestamp", ".instructions") and (
        seen.has(".type", ".role", ".content") or seen.has(".record_type") or not seen.has(".type")
    )


def _is_first_codex(seen: Outline) -> bool:
    return seen.has(".session.id", ".items[].type")


def _is_gemini(seen: Outline) -> bool:
    return seen.has(".sessionId", ".messages") and (seen.has(".projectHash") or seen.has(".startTime", ".lastUpdated"))


def _is_gemini_lines(seen: Outline) -> bool:
    return seen.has(".sessionId", ".projectHash", ".startTime") and not seen.has(".messages")


def _is_gemini_log(seen: Outline) -> bool:
    return seen.has("[].sessionId", "[].messageId", "[].type", "[].message")


def _is_codex_history(seen: Outline) -> bool:
    return seen.has(".session_id", ".ts", ".text")


def _is_claude_history(seen: Outline) -> bool:
    return seen.has(".display", ".pastedContents") and not seen.has(".type")


_PROMPTS: Final = "prompt_history:PromptHistory"

SHAPES: Final = (
    Shape(
        "claude-code",
        "claude-code",
        "Claude Code sessions",
        _is_claude_code,
        "claude_code:ClaudeCode",
        Layout(gathers=True),
    ),
    Shape(
        "claude-code-web",
        "claude-code",
        "Claude Code sessions of the web",
        _is_claude_web,
        "claude_code:ClaudeCode",
        Layout(inner="loglines", is_element=lambda value: value.__class__ is dict and "loglines" in value),
    ),
    Shape("codex-history", "codex", "Codex CLI prompts", _is_codex_history, _PROMPTS, Layout(gathers=True)),
    Shape("claude-code-history", "claude-code", "Claude Code prompts", _is_claude_history, _PROMPTS, Layout(gathers=True)),
    Shape("codex", "codex", "Codex CLI sessions", _is_codex, "codex:Codex", Layout(gathers=True)),
    Shape("codex-2025", "codex", "Codex CLI sessions of early 2025", _is_old_codex, "codex:Codex", Layout(gathers=True)),
    Shape(
        "codex-json",
        "codex",
        "Codex CLI sessions of early 2025",
        _is_first_codex,
        "codex:Codex",
        Layout(is_element=with_keys("session", "items")),
    ),
    Shape(
        "gemini-cli",
        "gemini-cli",
        "Gemini CLI sessions",
        _is_gemini,
        "gemini_cli:GeminiCLI",
        Layout(inner="messages", is_element=with_keys("sessionId", "messages")),
    ),
    Shape(
        "gemini-cli-lines",
        "gemini-cli",
        "Gemini CLI sessions",
        _is_gemini_lines,
        "gemini_cli:GeminiCLI",
        Layout(gathers=True),
    ),
    Shape(
        "gemini-cli-log",
        "gemini-cli",
        "Gemini CLI prompts",
        _is_gemini_log,
        "gemini_cli:GeminiCLI",
        Layout(gathers=True),
    ),
    Shape(
        "gemini-cli-saved",
        "gemini-cli",
        "chats saved in the Gemini CLI",
        lambda seen: seen.has("[].role", "[].parts"),
        "gemini_cli:GeminiCLI",
        Layout(gathers=True),
    ),
    Shape(
        "gemini-cli-history",
        "gemini-cli",
        "chats saved in the Gemini CLI",
        lambda seen: any(seen.has(f".{key}[].role", f".{key}[].parts") for key in ("history", "clientHistory")),
        "gemini_cli:GeminiCLI",
        Layout(is_element=with_keys("history")),
    ),
)
