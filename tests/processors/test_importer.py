import json

import pytest
from generate_claude import Numbers, sample, write_layouts

from transmissions import RunError
from transmissions.processors.archive import ArchiveReader
from transmissions.processors.blobs import Members
from transmissions.processors.importer import ConversationImporter


def test_an_element_becomes_a_conversation(bench):
    """What the reader gives becomes a conversation of the common model; place and digest stay."""
    (bench.data / "c.json").write_text(json.dumps(sample()))
    messages = bench.through(ConversationImporter(), *bench.through(ArchiveReader(archive="c.json"), {}))
    assert [set(message) for message in messages] == [{"conversation", "source", "digest"}] * 4
    assert messages[2]["conversation"]["title"] == "A pipe, drawn"


def test_what_cannot_be_converted_keeps_its_fields(bench):
    """An element that is none of its shape, or of no shape, is an error, and the message is as it was."""
    for shape, words in (("claude", "no chat_messages"), ("claud", "did you mean 'claude'")):
        message = {"element": {"uuid": "1"}, "shape": shape, "members": Members(), "source": {"file": "c.json"}}
        before = dict(message)
        with pytest.raises(RunError, match=words):
            bench.through(ConversationImporter(), message)
        assert message == before


def test_a_shape_without_conversations_is_not_offered_in_its_own_place(bench):
    """Who hands over what holds no conversations is offered a shape that does."""
    with pytest.raises(RunError, match="nothing converts elements of shape 'claude-users2'; did you mean 'claude-users'"):
        bench.through(ConversationImporter(), {"element": {}, "shape": "claude-users2"})
    with pytest.raises(RunError, match="'chatgpt-names'; did you mean 'chatgpt-list'"):
        bench.through(ConversationImporter(), {"element": {}, "shape": "chatgpt-names"})


def test_an_export_is_the_same_in_every_layout(bench):
    """File, folder, ZIP and manifest with parts give the same conversations, with the same digests."""
    numbers = Numbers(3)
    made = sample() + [numbers.conversation(number) for number in range(10, 20)]
    found = []
    for path in write_layouts(bench.data, made):
        messages = bench.through(ConversationImporter(), *bench.through(ArchiveReader(archive=str(path)), {}))
        found.append({message["conversation"]["id"]: (message["digest"], message["conversation"]) for message in messages})
    alone, folder, packed, parts = found
    assert len(alone) == len(made)
    assert len(folder) == len(made) + 3
    assert folder == packed == folder | alone
    assert {key: value[1] for key, value in parts.items()} == {key: value[1] for key, value in folder.items()}
    assert parts == parts | alone
