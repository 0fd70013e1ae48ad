import pytest
from chat_trees import about, balances, sample

from transmissions import RunError
from transmissions.processors.branches import look
from transmissions.processors.deepseek import DeepSeekConverter
from transmissions.processors.spool import SpooledList


def convert(element):
    return DeepSeekConverter().convert(element, about())


def answer(*fragments, **more):
    """Return the blocks of a conversation of one message."""
    held = {"fragments": list(fragments), **more}
    return convert({"mapping": {"1": {"parent": None, "children": [], "message": held}}})["messages"][0]


def test_the_export_is_converted_whole():
    """Both answers to one request are there, the last one ends the conversation, and times are those of UTC."""
    (element,) = sample("deepseek/conversations.json")
    conversation = convert(element)
    assert balances(conversation)
    assert [told["role"] for told in conversation["messages"]] == ["human", "assistant", "assistant"]
    assert look(conversation).path == frozenset({0, 2})
    assert (conversation["created"], conversation["updated"]) == ("2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z")


def test_fragments_become_blocks():
    """Thoughts, searches and answers are told apart; a fragment of a type nobody knows is kept."""
    (element,) = sample("deepseek/conversations.json")
    last = convert(element)["messages"][-1]["blocks"]
    assert [block["kind"] for block in last] == ["tool", "thinking", "text", "unknown"]
    assert last[0]["input"] == {"queries": ["tea at night"]}
    assert last[0]["result"]["parts"] == [{"title": "Tea", "url": "https://example.org/tea", "text": "Less caffeine."}]


def test_citations_find_the_pages_of_the_search():
    """A mark becomes a citation where it stood; one that no page belongs to stays in the text."""
    (element,) = sample("deepseek/conversations.json")
    block = convert(element)["messages"][-1]["blocks"][2]
    assert block["text"] == "Green tea has less caffeine, so green tea at night [citation:9]."
    assert block["citations"] == [{"end": 27, "title": "Tea", "url": "https://example.org/tea"}]


@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: {"code": 0, "data": {"biz_data": it}}, lambda it: {"biz_data": it}])
def test_replies_of_the_web_api_are_conversations(wrap):
    """Messages that name their parents are a tree; the envelope of the reply does not matter."""
    conversation = convert(wrap(sample("deepseek/web-chat.json")))
    assert balances(conversation)
    assert (conversation["leaf"], look(conversation).path) == ("4", frozenset({2, 3}))
    assert [block["kind"] for block in conversation["messages"][1]["blocks"]] == ["thinking", "text"]


def test_messages_may_lie_in_a_file():
    """Messages that do not fit in memory are told alike."""
    element = sample("deepseek/web-chat.json")
    spooled = SpooledList()
    for item in element["chat_messages"]:
        spooled.append(item)
    large = convert({**element, "chat_messages": spooled})
    assert list(large["messages"]) == convert(element)["messages"]


def test_tools_keep_what_they_were_given_and_gave():
    """A fragment of a tool is a call with its result, whatever the fields are called."""
    (called, searched) = answer(
        {"type": "TOOL_OPEN", "content": '{"url": "u:1"}', "result": "page"}, {"type": "SEARCH", "results": [7]}
    )["blocks"]
    assert (called["name"], called["input"], called["result"]["parts"]) == ("tool_open", {"url": "u:1"}, [{"text": "page"}])
    assert (searched["input"], searched["result"]["parts"]) == (None, [7])


@pytest.mark.parametrize("element", [None, [], {}, {"mapping": 5}, {"chat_session": {}}, {"data": {"biz_data": {}}}])
def test_what_has_no_messages_is_refused(element):
    """An element with neither kind of messages is no conversation."""
    with pytest.raises(RunError, match="neither mapping nor chat_messages"):
        convert(element)


def test_an_export_of_early_2025_tells_no_roles():
    """Its messages have no fragments: what follows a question is an answer, and what the model thought is its own."""
    asked = {"content": "Why green?", "reasoning_content": None}
    said = {"content": "Chlorophyll.", "reasoning_content": "Leaves…"}
    again = {"content": "Colours.", "reasoning_content": None}
    mapping = {
        "root": {"parent": None, "children": ["1"], "message": None},
        "1": {"parent": "root", "children": ["2", "3"], "message": asked},
        "2": {"parent": "1", "children": ["4"], "message": said},
        "3": {"parent": "1", "children": [], "message": again},
        "4": {"parent": "2", "children": [], "message": asked},
    }
    conversation = convert({"mapping": mapping})
    roles = {told["id"]: told["role"] for told in conversation["messages"]}
    assert roles == {"1": "human", "2": "assistant", "3": "assistant", "4": "human"}
    assert [block["kind"] for block in conversation["messages"][1]["blocks"]] == ["thinking", "text"]
    assert balances(conversation)


def test_the_text_of_a_file_is_an_attachment():
    """What was read of an upload is kept; a file of which there is only the name is named."""
    told = answer(
        {"type": "REQUEST", "content": "q"}, files=[{"file_name": "a.pdf", "content": "words"}, {"file_name": "b.png"}]
    )
    assert [(attached["name"], attached["text"]) for attached in told["attachments"]] == [("a.pdf", "words")]
    assert [file["name"] for file in told["files"]] == ["b.png"]


def test_the_site_of_a_page_is_shown():
    """The title of a page that was found names its site, in the result and in the citation, unless it does already."""
    pages = [{"url": "https://a.example", "title": "Tea", "site_name": "Leaves"}]
    pages += [{"url": "https://b.example", "title": "Tea of Leaves", "site_name": "Leaves"}]
    pages += [{"url": "https://c.example", "site_name": "Leaves"}]
    search, words = answer({"type": "SEARCH", "results": pages}, {"type": "RESPONSE", "content": "So.[citation:1]"})["blocks"]
    assert [part["title"] for part in search["result"]["parts"]] == ["Tea (Leaves)", "Tea of Leaves", "Leaves"]
    assert [cited["title"] for cited in words["citations"]] == ["Tea (Leaves)"]
