import json

import pytest
from chat_trees import sample

from transmissions.processors.shapes import BY_NAME, find_shape

CHATGPT = {
    "title": None,
    "create_time": 1.5,
    "mapping": {"a": {"id": "a", "message": None, "parent": None, "children": []}},
    "current_node": "a",
}


def shape(value):
    return getattr(find_shape(json.dumps(value).encode())[0], "name", None)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("chatgpt/conversations-000.json", "chatgpt"),
        ("chatgpt/conversations-001.json", "chatgpt"),
        ("chatgpt/export_manifest.json", "chatgpt-manifest"),
        ("chatgpt/conversation_asset_file_names.json", "chatgpt-names"),
        ("chatgpt/user.json", "chatgpt-user"),
        ("chatgpt/group_chats.json", "chatgpt-no-groups"),
        ("deepseek/conversations.json", "deepseek"),
        ("deepseek/web-chat.json", "deepseek-web"),
        ("open-webui/chat-export.json", "open-webui"),
        ("librechat/tree.json", "librechat"),
        ("librechat/flat.json", "librechat"),
        ("chatbot-ui/history.json", "chatbot-ui"),
    ],
)
def test_each_sample_is_told_by_its_structure(file, name):
    """Nothing but what is in a file says whose it is."""
    assert shape(sample(file)) == name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (CHATGPT, "chatgpt"),
        ([{"mapping": {}, "conversation_id": "c"}], "chatgpt"),
        ({"conversations": [CHATGPT]}, "chatgpt-list"),
        ({"chats": [CHATGPT]}, "chatgpt-groups"),
        ([{"mapping": [{"id": "a", "message": {"author": {}}}]}], "chatgpt"),
        ({"mapping": {"a": {"message": {"fragments": []}}}}, "deepseek"),
        ({"conversations": [{"inserted_at": "x", "mapping": {}}]}, "deepseek-list"),
        ({"data": {"biz_data": {"chat_session": {}, "chat_messages": []}}}, "deepseek-web"),
        ([{"chat_messages": [{"message_id": 1, "role": "USER"}]}], "deepseek-web"),
        ([{"chat_messages": [{"uuid": "1", "sender": "human"}], "uuid": "c"}], "claude"),
        ({"title": "x", "history": {"messages": {}, "currentId": "a"}, "models": []}, "open-webui"),
        ([{"id": "1", "chat": {"messages": []}}], "open-webui"),
        ({"conversationId": "1", "messages": [{"messageId": "2", "text": "x"}]}, "librechat"),
        ([{"id": "1", "name": "x", "messages": [{"role": "user"}], "folderId": None}], "chatbot-ui-1"),
        ([{"id": "1", "conversation_id": "2", "rating": "thumbs_up"}], "chatgpt-feedback"),
        ([{"id": "1", "conversation_id": "2", "is_anonymous": True}], "chatgpt-shared"),
        ({"mapping": {"a": 1}}, None),
    ],
)
def test_variants_are_told_apart(value, name):
    """Lists, single objects and wrapped lists of each provider are theirs and nobody else's."""
    assert shape(value) == name


def test_the_page_of_an_export_holds_nothing_new():
    """The page beside the JSON is known, and left."""
    found, words = find_shape(b"<html><head><title>ChatGPT Data Export</title>")
    assert (found.name, found.convert, words) == (
        "chatgpt-page",
        "",
        "ChatGPT conversations as a page; the JSON holds the same",
    )


def test_an_element_is_told_from_what_lies_in_it():
    """After a broken stretch, a node is not taken for a conversation."""
    layout = BY_NAME["chatgpt"].layout
    assert layout.is_element(CHATGPT)
    assert not layout.is_element(CHATGPT["mapping"]["a"])
    assert layout.start.match('{"title": "a \\" b", "create_time": 1')
    assert not layout.start.match('{"id": "a", "message": null')
