import json

import pytest
from importing import Sample, check_account, imported

from transmissions import RunError
from transmissions.processors.blobs import Members
from transmissions.processors.langchain import LangChainMessages
from transmissions.processors.shape import About
from transmissions.processors.shapes import find_shape

CALL = {"name": "tide", "args": {"day": 1}, "id": "c"}
HISTORY = [
    {"type": "system", "data": {"content": "Be short."}},
    {"type": "human", "data": {"content": "Tide?", "additional_kwargs": {}, "type": "human"}},
    {"type": "ai", "data": {"content": "", "tool_calls": [CALL], "additional_kwargs": {"tool_calls": [{"id": "c"}]}}},
    {"type": "tool", "data": {"content": "3 m", "tool_call_id": "c"}},
    {"type": "ai", "data": {"content": [{"type": "text", "text": "3 m."}]}},
]
CLASSES = {"system": "SystemMessage", "human": "HumanMessage", "ai": "AIMessageChunk", "tool": "ToolMessage"}
DUMPED = [{"lc": 1, "id": ["langchain", CLASSES[one["type"]]], "kwargs": one["data"]} for one in HISTORY]
STATE = [{"additional_kwargs": {}, **one["data"], "type": one["type"]} for one in HISTORY]


@pytest.mark.parametrize(
    ("text", "element"),
    [
        (json.dumps(HISTORY), {"name": "h.json", "items": HISTORY}),
        (json.dumps(DUMPED), {"name": "h.json", "items": DUMPED}),
        ("\n".join(map(json.dumps, HISTORY)), {"name": "h.json", "items": HISTORY}),
        (json.dumps({"messages": STATE, "next": []}), {"messages": STATE, "next": []}),
        (json.dumps([{"messages": DUMPED}]), {"messages": DUMPED}),
    ],
)
def test_a_history_is_told_by_its_shape_and_converted(text, element):
    """As histories, states and dumps have them: who spoke, what was called, and the result by the name of its call."""
    shape = find_shape(text.encode())[0]
    assert shape is not None
    conversation = imported(Sample(shape.name, element, "h.json", Members()))
    check_account(conversation)
    told = [(said["role"], block["kind"]) for said in conversation["messages"] for block in said["blocks"]]
    assert told == [("system", "text"), ("human", "text"), ("assistant", "tool"), ("tool", "tool"), ("assistant", "text")]
    call, result = (said["blocks"][0] for said in conversation["messages"][2:4])
    assert (call["name"], call["input"], result["name"]) == ("tide", {"day": 1}, "tide")
    assert result["result"]["parts"] == [{"text": "3 m"}]


@pytest.mark.parametrize("odd", [None, 5, "x", [], {"type": 5}, {"data": {}}, {"kwargs": {"content": None}, "id": 3}])
def test_an_odd_message_costs_no_other(odd):
    """Whatever stands among the messages, the others are there."""
    conversation = LangChainMessages().convert({"items": [odd, HISTORY[1]]}, About("h.json", Members()))
    assert conversation["messages"][-1]["blocks"][0]["text"] == "Tide?"


def test_what_holds_no_messages_is_refused():
    """A file that is no list of messages says so."""
    with pytest.raises(RunError, match="no messages of LangChain"):
        LangChainMessages().convert({"items": 5}, About("h.json", Members()))


def test_why_a_call_was_invalid_is_shown():
    """A call whose arguments could not be read failed, and says why; another has no result of its own."""
    wrong = {"name": "tide", "args": "{day: 1", "id": "d", "error": "no valid JSON"}
    said = {"type": "ai", "data": {"content": "", "tool_calls": [CALL], "invalid_tool_calls": [wrong]}}
    conversation = LangChainMessages().convert({"items": [said]}, About("h.json", Members()))
    check_account(conversation)
    good, bad = conversation["messages"][0]["blocks"]
    assert (good["result"], bad["input"]) == (None, "{day: 1")
    assert bad["result"] == {"parts": [{"text": "no valid JSON"}], "failed": True}
