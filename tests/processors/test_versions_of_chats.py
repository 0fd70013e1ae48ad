"""Chats that come several times in one run, and chats too large for memory: what a whole run makes of them."""

import json
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "apps/chat-archive"


def convert(output, *archives, **settings):
    """Run the app as a user would, and return its report."""
    from transmissions.cli import main

    chosen = [word for name, value in settings.items() for word in ("--set", f"{name.replace('_', '.')}={value}")]
    assert main(["run", str(APP), *map(str, archives), "-o", str(output), "--quiet", *chosen]) == 0
    return json.loads((output / "report.json").read_text())


def written(folder, words="", **times):
    """Write a chat of LibreChat's with one id into a folder, and return its file."""
    asked = {"messageId": "q", "isCreatedByUser": True, "text": words or folder.name}
    folder.mkdir()
    told = {"conversationId": "same", "title": "Tides", **times, "messages": [asked]}
    (folder / "chat.json").write_text(json.dumps(told))
    return folder / "chat.json"


def pages(output):
    """Return the texts of all pages by path."""
    return {page.relative_to(output).as_posix(): page.read_text() for page in (output / "librechat").rglob("*.md")}


@pytest.mark.parametrize("newer_first", [True, False])
def test_a_version_that_was_replaced_is_not_counted_as_converted(tmp_path, newer_first):
    """The report says the same of two versions whichever comes first: one was converted, the older one left out."""
    new = written(tmp_path / ("a" if newer_first else "b"), "new words", createdAt="2026-05-01T00:00:00Z")
    old = written(tmp_path / ("b" if newer_first else "a"), "old words", createdAt="2026-04-01T00:00:00Z")
    report = convert(tmp_path / "out", *sorted([new, old]))
    figures = {"found": 2, "converted": 1, "without messages": 0, "skipped: older version": 1}
    assert report["conversations"] == figures
    assert report["messages"] == {"found": 2, "rendered": 1, "skipped: older version conversation": 1}
    assert (report["written"]["pages"], report["balanced"]) == (1, True)
    (page,) = pages(tmp_path / "out").values()
    assert "new words" in page


def test_chats_without_times_that_share_an_id_have_a_page_each(tmp_path):
    """Nobody can tell which would be the newer: neither is lost, and a second run finds both as they are."""
    archives = [written(tmp_path / name, f"words of {name}") for name in ("a", "b", "c")]
    reports = [convert(tmp_path / "out", *archives) for _ in range(2)]
    found = "".join(pages(tmp_path / "out").values())
    assert all(f"words of {name}" in found for name in ("a", "b", "c"))
    assert (reports[0]["conversations"]["converted"], reports[0]["written"]["pages"]) == (3, 3)
    assert reports[1]["written"]["unchanged"] == 3


def tree(folder):
    """Return what a run made, but for its ledger."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.mark.parametrize("provider", ["chatgpt", "sharegpt"])
def test_a_chat_too_large_for_memory_has_the_files_of_any_other(tmp_path, provider):
    """Whether a chat is read whole or message by message, every file is the same: ends of lines, models, the report."""
    (tmp_path / "chat.json").write_text(json.dumps(LARGE[provider]()))
    whole = convert(tmp_path / "whole", tmp_path / "chat.json", web_enabled="true")
    apart = convert(tmp_path / "apart", tmp_path / "chat.json", web_enabled="true", read_largeElement=65536)
    assert whole == apart
    assert tree(tmp_path / "whole") == tree(tmp_path / "apart")
    (page,) = (tmp_path / "whole" / provider).rglob("*.md")
    assert page.stat().st_size > 1 << 20


def _chatgpt():
    mapping = {}
    for number in range(30):
        told = {"author": {"role": "assistant" if number % 2 else "user"}, "create_time": 1_770_000_000 + number}
        told["content"] = {"content_type": "text", "parts": [f"{number} " * 16_000]}
        told["metadata"] = {"model_slug": f"model-{number % 4}"} if number % 2 else {}
        parent = f"n{number - 1}" if number else None
        mapping[f"n{number}"] = {"id": f"n{number}", "parent": parent, "children": [], "message": {"id": f"m{number}", **told}}
    return [{"title": "Large", "id": "x" * 36, "mapping": mapping, "current_node": "n29", "default_model_slug": "model-0"}]


def _sharegpt():
    turns = [{"from": ("human", "gpt")[number % 2], "value": f"{number} " * 16_000} for number in range(30)]
    return [{"id": "x" * 36, "conversations": turns}]


LARGE = {"chatgpt": _chatgpt, "sharegpt": _sharegpt}
