"""What Claude's export holds beside the chats: projects, memories, the account, published artifacts, design chats."""

from __future__ import annotations

import json
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .claude import convert
from .conversation import as_list, as_text, instant
from .spool import Mapped, SpooledList

if TYPE_CHECKING:
    from .blobs import Blob
    from .conversation import Conversation
    from .shape import About

_PRIVATE: Final = {"email_address": "e-mail address", "verified_phone_number": "phone number"}


def _conversation(kind: str, identifier: str, title: str, element: dict[str, Any]) -> Conversation:
    return {
        "provider": "claude",
        "kind": kind,
        "id": identifier,
        "title": title,
        "created": instant(element.get("created_at")),
        "updated": instant(element.get("updated_at")),
        "url": "",
        "summary": "",
        "model": "",
        "leaf": "",
        "sections": [],
        "attachments": [],
        "messages": [],
        "counts": {"messages": 0, "blocks": {}, "attachments": 0, "files": 0},
    }


def _object(element: Any, about: About, what: str) -> dict[str, Any]:
    if element.__class__ is not dict:
        raise RunError(f"no {what} in '{about.file}': it is no object")
    found: dict[str, Any] = element
    return found


def _attach(conversation: Conversation, name: Any, kind: str, text: Any, content: Blob | None = None) -> None:
    attachment = {"name": as_text(name), "type": kind, "text": as_text(text)}
    conversation["attachments"].append(attachment if content is None else {**attachment, "content": content})


def _say(conversation: Conversation, title: str, text: Any) -> None:
    if text := as_text(text):
        conversation["sections"].append({"title": title, "text": text})


def _opaque(word: str) -> str:
    """Return an id that stands for an account without naming it."""
    return sha1(f"claude:{word}".encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


class Project:
    """Converts a project: what it is for, what Claude is told in it, and its documents."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return a conversation of kind `project`."""
        given = _object(element, about, "project")
        identifier = as_text(given.get("uuid"))
        project = _conversation("project", identifier, as_text(given.get("name")), given)
        project["url"] = f"https://claude.ai/project/{identifier}" if identifier.replace("-", "").isalnum() else ""
        _say(project, "Description", given.get("description"))
        _say(project, "Instructions", given.get("prompt_template"))
        documents = as_list(given.get("docs"))
        for document in documents:
            get = document.get if document.__class__ is dict else {"content": document}.get
            _attach(project, get("filename") or get("file_name"), "", get("content"))
        project["counts"]["attachments"] = len(documents)
        return project


class Memory:
    """Converts what Claude remembers: of the conversations, of each project, and in files of its own."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return a conversation of kind `memory`."""
        given = _object(element, about, "memory")
        account = as_text(given.get("account_uuid")) or about.file.rsplit("/", 1)[-1].removesuffix(".json")
        memory = _conversation("memory", _opaque(f"memory {account}"), "Memory", given)
        _say(memory, "Conversations", given.get("conversations_memory"))
        projects: Any = given.get("project_memories")
        for name, text in projects.items() if projects.__class__ is dict else [("", text) for text in as_list(projects)]:
            _say(memory, f"Project {name}".strip(), text)
        files = as_list(given.get("memory_files"))
        for file in files:
            get = file.get if file.__class__ is dict else {"content": file}.get
            _attach(memory, as_text(get("path")).rsplit("/", 1)[-1], "text/markdown", get("content"))
        memory["counts"]["attachments"] = len(files)
        return memory


class Account:
    """Converts an account: the name, and which of its particulars were left out as private."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return a conversation of kind `account`."""
        given = _object(element, about, "account")
        account = _conversation(
            "account", _opaque(f"account {as_text(given.get('uuid'))}"), as_text(given.get("full_name")), given
        )
        account["title"] = account["title"] or "Account"
        _say(account, "Skipped as private", ", ".join(word for key, word in _PRIVATE.items() if given.get(key)))
        return account


class Frame:
    """Converts a published artifact: its versions are files beside it, what was said about it a section."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return a conversation of kind `artifact`."""
        given = _object(element, about, "artifact")
        versions = [version if version.__class__ is dict else {"id": version} for version in as_list(given.get("versions"))]
        shown = next((each for each in versions if _id(each) == as_text(given.get("active_version"))), (versions or [{}])[-1])
        title = as_text(shown.get("title") or given.get("title") or given.get("name"))
        frame = _conversation("artifact", _id(given), title, given)
        frame["created"] = frame["created"] or instant(versions[0].get("created_at") if versions else None)
        _say(frame, "Description", shown.get("description") or given.get("description"))
        beside = _beside(about)
        comments = beside.pop("artifact_comments.json", "")
        _say(frame, "Comments", _comments(about.members.json(comments)) if comments else "")
        _attach_versions(frame, versions, about, beside)
        frame["counts"]["attachments"] = len(frame["attachments"])
        return frame


def _id(given: dict[str, Any]) -> str:
    return as_text(next((given[key] for key in ("id", "uuid", "artifact_id", "version_id") if given.get(key)), ""))


def _beside(about: About) -> dict[str, str]:
    """Return the files of an artifact's folder by their names there; parts of an export have the same folders."""
    folder = "/".join(["", *about.file.split("/")[-3:-1], ""])
    paths = ((f"/{path}".rpartition(folder)[2], path) for path in about.members.names() if folder in f"/{path}")
    return {name: path for name, path in paths if name != about.file.rpartition("/")[2]}


def _attach_versions(frame: Conversation, versions: list[dict[str, Any]], about: About, beside: dict[str, str]) -> None:
    """Attach the versions an artifact lists, whatever their files are called, and those that only lie in its folder."""
    lying = {name.rpartition("/")[2]: path for name, path in beside.items() if name.startswith("versions/")}
    for version in versions:
        listed = _id(version)
        name = next((name for name in lying if listed in (name, name.rpartition(".")[0])), "")
        path = lying.pop(name, "")
        content = about.members.find(path) if path else None
        _attach(frame, name or f"{listed}.html", "", version.get("content"), content)
    for name, path in lying.items():
        _attach(frame, name, "", "", about.members.find(path))


def _comments(told: Any) -> str:
    """Return what people said about an artifact, each with who said it and when."""
    comments = as_list(told.get("comments") if told.__class__ is dict and "comments" in told else told)
    return "\n\n".join(_comment(comment) for comment in comments)


def _comment(comment: Any) -> str:
    if comment.__class__ is not dict:
        return as_text(comment)
    text = next((comment[key] for key in ("body", "text", "content", "comment") if comment.get(key).__class__ is str), None)
    if text is None:
        return json.dumps(comment, ensure_ascii=False)
    author = comment.get("author")
    author = author.get("name") if author.__class__ is dict else author
    head = ", ".join(filter(None, (as_text(author), instant(comment.get("created_at")))))
    return f"{head}:\n\n{text}" if head else text


class Design:
    """Converts a chat about a design; its keys are not the same in every export."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the chat."""
        given = _object(element, about, "design chat")
        items: Any = next((given[key] for key in ("chat_messages", "messages", "turns") if given.get(key)), [])
        messages = Mapped(_message, items) if isinstance(items, SpooledList) else [_message(item) for item in as_list(items)]
        name = given.get("name") or given.get("title")
        chat = convert({**given, "uuid": given.get("uuid") or given.get("id"), "name": name, "chat_messages": messages})
        return {**chat, "url": "", "tags": [*chat.get("tags", ()), "design"]}


def _message(item: Any) -> Any:
    if item.__class__ is not dict:
        return item
    sender = item.get("sender") or item.get("role") or item.get("author")
    return {
        **item,
        "uuid": item.get("uuid") or item.get("id"),
        "sender": "human" if sender == "user" else sender,
        "created_at": item.get("created_at") or item.get("timestamp"),
    }
