"""The shapes of chats that are kept as trees: ChatGPT, DeepSeek, Open WebUI, LibreChat, chatbot-ui."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .shape import TOPS, Layout, Outline, Shape, with_keys, with_tops

if TYPE_CHECKING:
    from collections.abc import Callable

_NODE: Final = (".children", ".parent", ".message", ".message.author", ".message.content")
_TITLED: Final = re.compile(r'\{\s*"(?:title|id)"\s*:\s*(?:null|"(?:[^"\\]|\\.)*")\s*,\s*"(?!parent|children|message)')


def _ends(seen: Outline, top: str, *ends: str) -> bool:
    """Whether a way below the nodes of a mapping ends like one of these."""
    return any(path.startswith((f"{top}.mapping.", f"{top}.mapping[].")) and path.endswith(ends) for path in seen.paths)


def _is_deepseek_tree(seen: Outline, top: str) -> bool:
    if f"{top}.mapping" not in seen.paths:
        return False
    return f"{top}.inserted_at" in seen.paths or _ends(seen, top, ".message.fragments", ".message.inserted_at")


def _is_chatgpt_tree(seen: Outline, top: str) -> bool:
    if f"{top}.mapping" not in seen.paths or _is_deepseek_tree(seen, top):
        return False
    keys = ("current_node", "conversation_id", "create_time")
    return any(f"{top}.{key}" in seen.paths for key in keys) or _ends(seen, top, *_NODE)


def _trees(test: Callable[[Outline, str], bool], *tops: str) -> Callable[[Outline], bool]:
    return lambda seen: any(test(seen, top) for top in tops)


def _is_group(seen: Outline) -> bool:
    top = ".chats[]"
    return _is_chatgpt_tree(seen, top) or f"{top}.messages[].author" in seen.paths


def _is_reply(seen: Outline) -> bool:
    """Whether a file is what DeepSeek's web API replies: one conversation, in its envelope or without."""
    tops = (*TOPS, ".data.biz_data", "[].data.biz_data", ".biz_data")
    ways = (("chat_session", "chat_messages"), ("chat_messages[].message_id",), ("chat_messages[].fragments",))
    return any(seen.has(*(f"{top}.{key}" for key in keys)) for top in tops for keys in ways)


def _is_open_webui(seen: Outline) -> bool:
    if seen.has_top("chat.history") or seen.has_top("chat.messages"):
        return True
    return seen.has_top("history.messages") and not seen.has_top("mapping")


def _is_reply_of_webui(seen: Outline) -> bool:
    """Whether a file is the list of chats as the API of a site made of Open WebUI gives it: Qwen's export is such a reply."""
    return seen.has(".data[].chat.history") or seen.has(".data[].chat.messages")


def _is_librechat(seen: Outline) -> bool:
    if seen.has_top("messages[].messageId") or seen.has_top("messagesTree[].messageId"):
        return True
    return any(seen.has_top("conversationId", "messages", key) for key in ("endpoint", "recursive", "branches"))


def _is_chatbot_ui(seen: Outline) -> bool:
    return any(seen.has(".history[].messages", key) for key in (".version", ".folders", ".prompts"))


def _is_old_chatbot_ui(seen: Outline) -> bool:
    return any(seen.has_top("messages[].role", "name", key) for key in ("folderId", "prompt"))


def _is_asset_list(seen: Outline) -> bool:
    tops = [path for path in seen.paths if path.startswith((".file-", ".file_"))]
    return bool(tops) and not any(path.startswith("[]") for path in seen.paths)


def _is_library(seen: Outline) -> bool:
    return seen.has_top("origination_message_id") or seen.has_top("files[].origination_message_id")


_SHARD: Final = re.compile(r"(?:[^\s:]*/)?conversations-\d{3,}\.json")


def _is_manifest(seen: Outline) -> bool:
    if seen.has(".export_files") or seen.has(".logical_files"):
        return True
    return any(_SHARD.fullmatch(value) for values in seen.values.values() for value in values)


_MAPPING: Final = Layout(inner="mapping", is_element=with_keys("mapping"), start=_TITLED)
_WRAPPED: Final = _MAPPING._replace(wrapper="conversations")
_CHATGPT: Final = "chatgpt:ChatGPTConverter"
_DEEPSEEK: Final = "deepseek:DeepSeekConverter"
_OPEN_WEBUI: Final = "open_webui:OpenWebUIConverter"
_CHATBOT_UI: Final = "chatbot_ui:ChatbotUIConverter"

_TREE: Final = _trees(_is_chatgpt_tree, *TOPS)
_DEEPSEEK_TREE: Final = _trees(_is_deepseek_tree, *TOPS)
_LIST: Final = ".conversations[]"
_CHAT: Final = Layout(is_element=lambda value: with_keys("chat")(value) or with_keys("history")(value))
_MESSAGES: Final = Layout(is_element=with_keys("messages"))
_PAGE: Final = re.compile(rb"<title>ChatGPT Data Export</title>|var jsonData\s*=")

SHAPES: Final = (
    Shape("deepseek", "deepseek", "DeepSeek conversations", _DEEPSEEK_TREE, _DEEPSEEK, _MAPPING),
    Shape("deepseek-list", "deepseek", "DeepSeek conversations", _trees(_is_deepseek_tree, _LIST), _DEEPSEEK, _WRAPPED),
    Shape("deepseek-web", "deepseek", "DeepSeek conversations", _is_reply, _DEEPSEEK, Layout(inner="chat_messages")),
    Shape("chatgpt", "chatgpt", "ChatGPT conversations", _TREE, _CHATGPT, _MAPPING),
    Shape("chatgpt-list", "chatgpt", "ChatGPT conversations", _trees(_is_chatgpt_tree, _LIST), _CHATGPT, _WRAPPED),
    Shape("chatgpt-groups", "chatgpt", "ChatGPT group chats", _is_group, _CHATGPT, Layout(wrapper="chats")),
    Shape("open-webui", "open-webui", "Open WebUI chats", _is_open_webui, _OPEN_WEBUI, _CHAT),
    Shape("open-webui-list", "open-webui", "Open WebUI chats", _is_reply_of_webui, _OPEN_WEBUI, _CHAT._replace(wrapper="data")),
    Shape(
        "librechat", "librechat", "LibreChat conversations", _is_librechat, "librechat:LibreChatConverter",
        _MESSAGES._replace(inner="messages"),
    ),
    Shape(
        "chatbot-ui", "chatbot-ui", "chatbot-ui conversations", _is_chatbot_ui, _CHATBOT_UI,
        _MESSAGES._replace(wrapper="history"),
    ),
    Shape("chatbot-ui-1", "chatbot-ui", "chatbot-ui conversations", _is_old_chatbot_ui, _CHATBOT_UI, _MESSAGES),
    Shape("chatgpt-user", "chatgpt", "the user of ChatGPT", with_tops("chatgpt_plus_user")),
    Shape("chatgpt-feedback", "chatgpt", "feedback on answers of ChatGPT", with_tops("conversation_id", "rating")),
    Shape("chatgpt-shared", "chatgpt", "links to shared ChatGPT conversations", with_tops("conversation_id", "is_anonymous")),
    Shape("chatgpt-no-groups", "chatgpt", "no ChatGPT group chats", lambda seen: seen.paths == {".chats", ".chats[]"}),
    Shape("chatgpt-names", "chatgpt", "the original names of files", _is_asset_list),
    Shape("chatgpt-library", "chatgpt", "the library of files", _is_library),
    Shape("chatgpt-manifest", "chatgpt", "the list of an export's files", _is_manifest),
    Shape("chatgpt-page", "chatgpt", "ChatGPT conversations as a page; the JSON holds the same", lambda _: False, html=_PAGE),
)  # fmt: skip
