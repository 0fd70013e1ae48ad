import json

import pytest
from generate_claude import make_message, text_block

from transmissions import RunError
from transmissions.processors.archive import ArchiveReader
from transmissions.processors.blobs import Blob, Members
from transmissions.processors.claude_extras import Account, Design, Frame, Memory, Project
from transmissions.processors.importer import ConversationImporter
from transmissions.processors.shape import About

HERE = About("memories/abc.json", Members())
PROJECT = {
    "uuid": "p-1",
    "name": "P",
    "description": "d",
    "prompt_template": "Be brief.",
    "docs": [{"filename": "a.md", "content": "# a"}],
}
MEMORY = {
    "conversations_memory": "likes tea",
    "project_memories": {"p-1": "is late"},
    "memory_files": [{"path": "/x/w.md", "content": "w"}],
}
USER = {"uuid": "u", "full_name": "Ada", "email_address": "ada@example.org", "verified_phone_number": "+1555"}
FRAME = {
    "id": "f-1",
    "active_version": "v2",
    "versions": [{"id": "v1", "title": "Old"}, {"id": "v2", "title": "New", "description": "d"}],
}


def test_a_project_keeps_its_documents():
    """A project has its description and its instructions as sections, and its documents as attachments."""
    found = Project().convert(PROJECT, HERE)
    assert (found["kind"], found["title"], found["id"]) == ("project", "P", "p-1")
    assert [section["text"] for section in found["sections"]] == ["d", "Be brief."]
    assert found["attachments"] == [{"name": "a.md", "type": "", "text": "# a"}]
    assert found["counts"]["attachments"] == 1


def test_a_memory_has_one_id_in_every_export():
    """What is remembered is kept with its files, and the id is of the account, but does not name it."""
    found = Memory().convert(MEMORY, HERE)
    assert [section["title"] for section in found["sections"]] == ["Conversations", "Project p-1"]
    assert [(each["name"], each["text"]) for each in found["attachments"]] == [("w.md", "w")]
    assert found["id"] == Memory().convert({"account_uuid": "abc"}, About("memories.json", Members()))["id"]
    assert "abc" not in found["id"]


def test_an_account_keeps_the_name_only():
    """Of an account the name is kept; that address and number were left out is said."""
    found = Account().convert(USER, HERE)
    assert found["title"] == "Ada"
    assert found["sections"] == [{"title": "Skipped as private", "text": "e-mail address, phone number"}]
    assert not any(secret in json.dumps(found) for secret in ("ada@example.org", "+1555"))


def test_a_frame_has_its_versions_as_files(tmp_path):
    """A published artifact has a file for each version that is in the archive, and names the others."""
    (tmp_path / "v2.html").write_bytes(b"<p>new</p>")
    members = Members([Blob(tmp_path / "v2.html", "artifacts/f-1/versions/v2.html", 10)])
    found = Frame().convert(FRAME, About("artifacts/f-1/artifact.json", members))
    assert (found["kind"], found["title"], found["counts"]["attachments"]) == ("artifact", "New", 2)
    assert "content" not in found["attachments"][0]
    assert b"".join(found["attachments"][1]["content"].blocks()) == b"<p>new</p>"


def test_a_frame_has_what_lies_in_its_folder_only(tmp_path):
    """Versions that no list names and comments belong to a published artifact, those of another one do not."""
    files = {"f-1/versions/v2.html": "two", "f-2/versions/v1.html": "other", "f-2/artifact_comments.json": '["not me"]'}
    files["f-1/artifact_comments.json"] = '[{"author": "Ada", "body": "nice"}]'
    blobs = []
    for number, (name, text) in enumerate(files.items()):
        (tmp_path / str(number)).write_text(text)
        blobs.append(Blob(tmp_path / str(number), f"frames-00{number}.zip/artifacts/{name}", len(text)))
    given = {"id": "f-1", "name": "N", "versions": ["v1"]}
    found = Frame().convert(given, About("frames-000.zip/artifacts/f-1/artifact.json", Members(blobs)))
    assert [(each["name"], "content" in each) for each in found["attachments"]] == [("v1.html", False), ("v2.html", True)]
    assert (found["title"], found["sections"]) == ("N", [{"title": "Comments", "text": "Ada:\n\nnice"}])


@pytest.mark.parametrize(
    "keys", [("messages", "role", "user"), ("turns", "author", "user"), ("chat_messages", "sender", "human")]
)
def test_a_design_chat_is_a_chat(keys):
    """A chat about a design is converted whatever its keys are called."""
    items, sender, human = keys
    message = make_message(1, "human", [text_block("Bigger, please.")])
    del message["sender"]
    found = Design().convert({"id": "d-1", "title": "Logo", items: [{**message, sender: human}]}, HERE)
    assert (found["id"], found["title"], found["tags"]) == ("d-1", "Logo", ["design"])
    assert [(each["role"], each["blocks"][0]["text"]) for each in found["messages"]] == [("human", "Bigger, please.")]


@pytest.mark.parametrize("converter", [Project, Memory, Account, Frame, Design])
def test_odd_values_do_no_harm(converter):
    """Values of the wrong type are taken as far as they go; what is no object is refused."""
    keys = {*PROJECT, *MEMORY, *USER, *FRAME, "messages", "name"}
    for odd in (None, 5, "x", ["x", None, 5, {}], {"a": 1}):
        found = converter().convert(dict.fromkeys(keys, odd), HERE)
        assert found["counts"]["attachments"] == len(found.get("attachments", ()))
        with pytest.raises(RunError, match=r"memories/abc.json"):
            converter().convert(odd if odd.__class__ is not dict else [], HERE)


def test_an_export_is_converted_with_what_lies_beside_the_chats(bench):
    """Each file of an export becomes what it is; a manifest and the history of logins become nothing."""
    values = [[PROJECT], [{"account_uuid": "abc", **MEMORY}], [USER], FRAME, {"login_events": []}]
    for number, value in enumerate(values):
        (bench.data / f"{number}.json").write_text(json.dumps(value))
    start = {}
    messages = bench.through(ConversationImporter(), *bench.through(ArchiveReader(), start))
    assert [message["conversation"]["kind"] for message in messages] == ["project", "memory", "account", "artifact"]
    assert [file.get("reason") for file in start["input"]["files"]] == [None] * 4 + ["holds the history of logins, skipped"]
