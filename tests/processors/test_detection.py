import json
from itertools import combinations

import pytest
from importing import SAMPLES

from transmissions.processors.inputs import Archive
from transmissions.processors.shapes import SHAPES, find_shape
from transmissions.processors.zip_archive import Limits

PROVIDER = {"gemini-takeout": "gemini", "api-logs": "api"}
FOLDERS = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())


def provider_of(folder):
    """Return whose conversations a folder of samples holds."""
    return PROVIDER.get(folder, folder)


@pytest.mark.parametrize("folder", FOLDERS)
def test_samples_are_told_by_shape_alone(folder, tmp_path):
    """A file of a sample is of its provider under any name, and each sample holds something to convert."""
    files = sorted(path for path in (SAMPLES / folder).rglob("*") if path.is_file())
    for number, path in enumerate(files):
        (tmp_path / f"{number}.bin").write_bytes(path.read_bytes())
    parts = Archive(tmp_path, Limits()).parts
    found = {part.blob.name: part.shape for part in parts if part.shape and part.shape.provider}
    assert {shape.provider for shape in found.values()} == {provider_of(folder)}
    assert any(shape.convert for shape in found.values())


@pytest.mark.parametrize("folder", FOLDERS)
def test_shapes_do_not_depend_on_how_json_is_written(folder):
    """A sample with its spaces taken out, or its keys in another order, is of the same shape."""
    for path in (SAMPLES / folder).rglob("*.json"):
        data = path.read_bytes()
        value = json.loads(data)
        before = find_shape(data)[0]
        for written in (json.dumps(value, separators=(",", ":")), json.dumps(value, sort_keys=True, indent="\t")):
            assert find_shape(b"\xef\xbb\xbf\n" + written.encode())[0] == before, path


def test_no_two_shapes_share_a_name():
    """A shape is looked up by its name."""
    assert not [pair for pair in combinations(SHAPES, 2) if pair[0].name == pair[1].name]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "x", "version": "1.0.0", "scripts": {}}',
        '[{"id": 1, "title": "a", "text": "b"}]',
        '{"messages": ["a", "b"]}',
        '{"conversations": [1, 2]}',
        '{"metadata": {}, "conversations": []}',
        '{"choices": ["red", "blue"]}',
        '[{"role": "admin", "content": "x"}]',
        '[{"header": "YouTube", "title": "Watched a film", "time": "2026-01-01T00:00:00Z"}]',
        "<html><body><p>Gemini</p></body></html>",
        "[]",
    ],
)
def test_what_is_no_chat_is_none(text):
    """JSON and pages that only look a little like a chat are not converted."""
    shape = find_shape(text.encode())[0]
    assert shape is None or not shape.convert


def test_a_list_of_claude_s_chats_may_lie_in_an_object():
    """So do tools write it that save chats from the web page."""
    shape = find_shape(b'{"exported": 1, "conversations": [{"uuid": "u", "chat_messages": []}]}')[0]
    assert shape is not None
    assert (shape.provider, shape.layout.wrapper) == ("claude", "conversations")
