"""The samples of every provider, told by their shape."""

from pathlib import Path

import pytest

from transmissions.processors.outline import outline
from transmissions.processors.shapes import BY_NAME, PROVIDERS, SHAPES, find_shape

SAMPLES = Path(__file__).resolve().parent.parent.parent / "apps/chat-archive/data/samples"
FILES = [file for file in sorted(SAMPLES.rglob("*")) if file.is_file() and file.read_bytes().lstrip()[:1] in (b"[", b"{", b"<")]
FAMILIES = {"api-logs": "api", "gemini-takeout": "gemini"}
"""Folders that are not called like the provider."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SAMPLES).as_posix())
def test_a_sample_is_known_by_its_shape(file):
    """A file is told to be of its provider, and of no other, whatever the order in which shapes are tried."""
    data = file.read_bytes()
    folder = file.relative_to(SAMPLES).parts[0]
    provider = FAMILIES.get(folder, folder)
    assert find_shape(data)[0].provider == provider
    seen = outline(data)
    assert {shape.provider for shape in SHAPES if not shape.html and shape.fits(seen)} <= {provider}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SAMPLES).as_posix())
def test_a_sample_is_known_by_its_beginning(file):
    """A file that is cut off is known by the first half of it, if it is more than a line or two."""
    data = file.read_bytes()
    if len(data) > 2000 and b"\n{" not in data:
        assert find_shape(data[: len(data) // 2]) == find_shape(data)


def test_shapes_have_names_of_their_own():
    """No two shapes share a name, and each provider reads something."""
    assert len(BY_NAME) == len(SHAPES)
    assert {"claude", "chatgpt", "claude-code", "codex", "grok"} <= set(PROVIDERS)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"[]", "empty"),
        (b'{"conversations": [], "projects": [], "tasks": []}', "empty"),
        (b'{"name": "", "createdAt": 1770000000001, "messages": [], "lastUsedModel": {}}', "lm-studio"),
        (b'{"name": "x", "messages": [], "usePerChatPredictionConfig": true}', "lm-studio"),
    ],
)
def test_an_archive_without_chats_is_known(data, name):
    """Who exported nothing, or opened a chat and wrote nothing, has no unknown file."""
    assert find_shape(data)[0].name == name


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'[{"type": "user", "sessionId": "s", "uuid": "u", "parentUuid": null, "message": {}}]', "claude-code"),
        (b'[{"type": "response_item", "payload": {}, "timestamp": "t"}]', "codex"),
        (b'[{"role": "user", "parts": [{"text": "x"}]}]', "gemini-cli-saved"),
        (b'{"history": [{"role": "user", "parts": [{"text": "x"}]}]}', "gemini-cli-history"),
    ],
)
def test_sessions_that_were_saved_whole_are_known(data, name):
    """A log put into a list is told like its lines; what was sent to Gemini's API, in an envelope or not, by its parts."""
    assert [shape.name for shape in SHAPES if not shape.html and shape.fits(outline(data))] == [name]
