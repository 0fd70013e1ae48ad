"""The history that chatbot-ui (up to version 4 of its export) keeps, turned into the common model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transmissions import RunError

from .conversation import as_list, as_text, type_of
from .plain_blocks import first, text, unknown
from .plain_turns import chat, identity, message, no_message, role_of, sections_of, shelves, tally

if TYPE_CHECKING:
    from .conversation import Block, ChatMessage, Conversation
    from .shape import About


class ChatbotUIConverter:
    """Turns the conversations of a chatbot-ui export into the common model. Their folders become tags."""

    def __init__(self) -> None:
        self._file = ""
        self._folders: dict[str, str] = {}

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation one item of `history` holds.

        Raises:
            RunError: it has no messages.

        """
        items = element.get("messages") if isinstance(element, dict) else None
        if not isinstance(element, dict) or not isinstance(items, list):
            raise RunError("not a conversation of chatbot-ui: it has no messages")
        model, prompt = element.get("model"), element.get("prompt")
        also = self._look_at(about)
        folder = self._folders.get(as_text(element.get("folderId")))
        kinds = [kind for item in items for kind in _types_of(item)]
        conversation = chat(
            "chatbot-ui",
            as_text(element.get("id")) or identity(element.get("name"), items),
            [_message(item) for item in items],
            tally(len(items), kinds),
            title=as_text(element.get("name")),
            model=as_text(first(model, "id", "name") if isinstance(model, dict) else model),
            tags=[folder] if folder else [],
            **({"also": also} if also else {}),
        )
        return conversation | sections_of({"System prompt": prompt})

    def _look_at(self, about: About) -> list[Conversation]:
        """Learn the names of the folders that an export tells of beside its history, and return its prompts the first time."""
        if about.file == self._file:
            return []
        self._file = about.file
        export = about.members.json(about.file)
        folders = as_list(export.get("folders")) if isinstance(export, dict) else []
        told = [folder for folder in folders if folder.__class__ is dict and folder.get("id") is not None]
        self._folders = {as_text(folder["id"]): as_text(folder.get("name")) for folder in told}
        return shelves("chatbot-ui", export, {"prompts": "Prompts"})


def _parts(item: dict[str, Any]) -> list[Any]:
    return [part for part in as_list(item.get("content")) if part not in (None, "")]


def _types_of(item: Any) -> list[str]:
    if item.__class__ is not dict:
        return ["message"]
    return ["text" if part.__class__ is str else type_of(part) for part in _parts(item)]


def _message(item: Any) -> ChatMessage:
    if item.__class__ is not dict:
        return no_message(item)
    return message(role_of(item.get("role")) or "unknown", [_block(part) for part in _parts(item)])


def _block(part: Any) -> Block:
    if part.__class__ is str:
        return text(part, "text")
    kind = type_of(part)
    return text(part["text"], kind) if part.__class__ is dict and part.get("text").__class__ is str else unknown(kind, part)
