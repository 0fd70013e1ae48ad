import copy
import json

import pytest
from chat_trees import about, balances, sample
from hypothesis import given, settings
from hypothesis import strategies as st

from transmissions import RunError
from transmissions.processors.chatbot_ui import ChatbotUIConverter
from transmissions.processors.chatgpt import ChatGPTConverter
from transmissions.processors.deepseek import DeepSeekConverter
from transmissions.processors.librechat import LibreChatConverter
from transmissions.processors.open_webui import OpenWebUIConverter
from transmissions.processors.spool import SpooledList

HERE = about()
ELEMENTS = [
    (ChatGPTConverter, sample("chatgpt/conversations-000.json")[0], "mapping"),
    (ChatGPTConverter, sample("chatgpt/conversations-001.json")[0], "mapping"),
    (DeepSeekConverter, sample("deepseek/conversations.json")[0], "mapping"),
    (DeepSeekConverter, sample("deepseek/web-chat.json"), "chat_messages"),
    (OpenWebUIConverter, sample("open-webui/chat-export.json")[0], ""),
    (LibreChatConverter, sample("librechat/tree.json"), "messages"),
    (LibreChatConverter, sample("librechat/flat.json"), "messages"),
    (ChatbotUIConverter, sample("chatbot-ui/history.json")["history"][0], ""),
]
ODD = st.sampled_from(
    [
        *(None, True, 0, -1, 1e300, float("nan"), 10**40, "", "x", "\ud800", "\x00", "text", "code", "tool"),
        *([], [None], ["x", 7, {}], {}, {"x": [1]}, [[["x", {}]]], {"content_type": ["x"]}, {"text": 5}),
        *("data:image/png;base64,?", '{"a": ', "9999-12-31T23:59:59-23:59"),
    ]
)


def places(value):
    """Return every place in a JSON value, as the container and the key in it."""
    found, waiting = [], [value]
    while waiting:
        held = waiting.pop()
        keys = held if isinstance(held, dict) else range(len(held)) if isinstance(held, list) else ()
        for key in keys:
            found.append((held, key))
            waiting.append(held[key])
    return found


@pytest.mark.parametrize("which", range(len(ELEMENTS)))
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_odd_values_anywhere_cost_nothing_else(which, data):
    """Whatever stands in a sample's place, everything counted has a block, or the element is refused as a whole."""
    converter, element, _ = ELEMENTS[which]
    element = copy.deepcopy(element)
    for _ in range(data.draw(st.integers(1, 4))):
        held, key = data.draw(st.sampled_from(places(element)))
        held[key] = copy.deepcopy(data.draw(ODD | st.sampled_from(places(element)).map(lambda place: place[0][place[1]])))
    try:
        conversation = converter().convert(element, HERE)
    except RunError:
        return
    assert balances(conversation)
    json.dumps(conversation, default=repr)


@pytest.mark.parametrize("which", [place for place, (_, _, inner) in enumerate(ELEMENTS) if inner])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_odd_values_in_a_file_cost_nothing_else(which, data):
    """The same holds for what does not fit in memory."""
    converter, element, inner = ELEMENTS[which]
    element = copy.deepcopy(element)
    held, key = data.draw(st.sampled_from(places(element[inner])))
    held[key] = data.draw(ODD)
    spooled = SpooledList()
    for item in map(list, element[inner].items()) if isinstance(element[inner], dict) else element[inner]:
        spooled.append(item)
    assert balances(converter().convert({**element, inner: spooled}, HERE))
