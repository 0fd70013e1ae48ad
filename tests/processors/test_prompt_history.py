import base64
import json

import pytest
from session_logs import about, assert_balanced, texts_of

from transmissions import RunError
from transmissions.processors.archive import ArchiveReader
from transmissions.processors.importer import ConversationImporter
from transmissions.processors.prompt_history import PromptHistory

OLD, NEW = "0199aaaa-1111-7222-8333-444444444444", "0199bbbb-1111-7222-8333-555555555555"
CODEX = [
    {"session_id": OLD, "ts": 1760000000, "text": "first"},
    {"session_id": NEW, "ts": 1760000100, "text": "in the session too"},
    {"session_id": OLD, "ts": 1760000200, "text": "second"},
]
PASTED = {"1": {"id": 1, "type": "text", "content": "long text"}, "2": {"id": 2, "type": "text", "contentHash": "abcdef12"}}
CLAUDE = [
    {"display": "do [Pasted text #1]", "pastedContents": PASTED, "timestamp": 1760000000123, "project": "/home/u/garden"},
    {"display": "and this", "pastedContents": {}, "timestamp": 1760000300000, "project": "/home/u/garden", "sessionId": OLD},
]


def converted(bench, records, **files):
    """Return what a folder's `history.jsonl` becomes, and its account."""
    (bench.data / "home").mkdir()
    (bench.data / "home/history.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    for name, text in files.items():
        (bench.data / f"home/{name}").write_text(text)
    start = {"archive": "home"}
    (message,) = bench.through(ArchiveReader(), start)
    return bench.through(ConversationImporter(), message)


def test_prompts_of_sessions_that_are_gone_are_kept(bench):
    """Each session of Codex that is not in the archive is a conversation of its prompts, linked to it; the rest is counted."""
    (message,) = converted(bench, CODEX, **{f"rollout-2026-{NEW}.jsonl": ""})
    found = message["conversation"]
    assert_balanced(found)
    assert (found["provider"], found["id"], texts_of(found)) == ("codex", f"{OLD}.prompts", ["first", "second"])
    assert found["links"] == [{"relation": "prompts of", "id": OLD, "title": ""}]
    assert (found["created"], found["updated"]) == ("2025-10-09T08:53:20Z", "2025-10-09T08:56:40Z")
    assert found["skipped"] == {"message": {"skipped: its session is in the archive": 1}}


def test_prompts_whose_sessions_are_there_are_left_out(bench):
    """Where nothing is lost there is no page, and the account says why."""
    (message,) = converted(bench, CODEX[:1], **{f"{OLD}.jsonl": ""})
    assert "conversation" not in message
    assert message["account"]["became"] == {"conversation": {"skipped: its session is in the archive": 1}}
    assert message["account"]["found"]["messages"] == 1


def test_prompts_without_a_session_are_those_of_a_project(bench):
    """Claude Code told no session once: its prompts are kept by project, with what was pasted into them."""
    messages = converted(bench, CLAUDE, **{"abcdef12.txt": "longer text"})
    first, second = (message["conversation"] for message in messages)
    assert (first["provider"], first["title"], second["tags"]) == ("claude-code", "Prompts in garden", ["project:garden"])
    assert [attachment["text"] for attachment in first["messages"][0]["attachments"]] == ["long text", "longer text"]
    assert (texts_of(second), second["id"]) == (["and this"], f"{OLD}.prompts")
    for found in (first, second):
        assert_balanced(found)


def test_a_pasted_picture_is_a_file(bench):
    """Where the history holds its bytes they are kept."""
    pasted = {"1": {"type": "image", "mediaType": "image/png", "content": base64.b64encode(b"png").decode()}}
    (message,) = converted(bench, [{"display": "see", "pastedContents": pasted, "timestamp": 1, "project": "p"}])
    assert message["conversation"]["messages"][0]["blocks"][1]["content"] == b"png"


@pytest.mark.parametrize("odd", [None, 0, "", "x", [], [None], {}, {"type": 5}, "\ud800"])
@pytest.mark.parametrize("key", ["display", "pastedContents", "timestamp", "project", "sessionId"])
def test_odd_prompts_cost_no_other(bench, key, odd):
    """Whatever stands in a field, every prompt is there and counted."""
    message, *others = converted(bench, [{**CLAUDE[0], key: odd}, CLAUDE[1]])
    found = [message["conversation"], *(other["conversation"] for other in others)]
    for one in found:
        assert_balanced(one)
    assert sum(len(one["messages"]) for one in found) == 2


def test_no_list_is_refused():
    """An element that is no history says so."""
    for element in ({}, {"items": 2.5}, None):
        with pytest.raises(RunError, match="not a history of prompts: it has no list 'items'"):
            PromptHistory().convert(element, about())
