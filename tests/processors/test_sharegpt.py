import json

import pytest
from importing import Sample, blocks, check_account, conversations, imported, samples

from transmissions import RunError
from transmissions.processors.blobs import Members
from transmissions.processors.shapes import BY_NAME, find_shape

PACKED = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\nSo.<|im_end|>\n"


def turns(*pairs, **more):
    """Return what a conversation of these turns becomes."""
    element = {"conversations": [{"from": speaker, "value": value} for speaker, value in pairs], **more}
    return imported(samples("sharegpt")[0], element)


@pytest.mark.parametrize(
    ("speaker", "role"),
    [
        ("human", "human"),
        ("user", "human"),
        ("gpt", "assistant"),
        ("GPT", "assistant"),
        ("system", "system"),
        ("narrator", "narrator"),
    ],
)
def test_speakers_have_roles(speaker, role):
    """The usual names are roles of ours; another name is kept."""
    assert turns((speaker, "x"))["messages"][0]["role"] == role


def test_calls_and_what_they_gave_are_tools():
    """A call is read from its JSON, and what follows as an observation is its result."""
    second = conversations("sharegpt")[1]
    call, answer = (message["blocks"][0] for message in second["messages"][2:4])
    assert (call["name"], call["input"]) == ("weather", {"city": "Łódź"})
    assert (answer["name"], answer["result"]["parts"]) == ("weather", [{"celsius": 21}])
    assert "weather" in second["sections"][0]["text"]


def test_a_call_that_is_no_json_is_text():
    """What claims to be a call and cannot be read is shown as it is."""
    assert blocks(turns(("function_call", "weather(Łódź)")))[0]["text"] == "weather(Łódź)"


def test_a_conversation_without_an_id_is_known_by_its_words():
    """Equal words give an equal id, other words another; an id that is one of its own is taken."""
    assert turns(("human", "a"))["id"] == turns(("human", "a"))["id"] != turns(("human", "b"))["id"]
    assert turns(("human", "a"), id="x1" * 10)["id"] == "x1" * 10


def test_an_older_form_calls_the_list_items():
    """`items` is read as `conversations`; an element with neither is refused."""
    found = imported(samples("sharegpt")[0], {"items": [{"from": "human", "value": "a"}]})
    assert len(found["messages"]) == 1
    with pytest.raises(RunError, match="no list 'conversations'"):
        imported(samples("sharegpt")[0], {"id": "x"})


def test_a_number_is_not_enough_of_an_id():
    """Data sets count from 0: conversations that differ have ids that differ, though their numbers are the same."""
    assert turns(("human", "a"), id=0)["id"] != turns(("human", "b"), id=0)["id"]
    assert turns(("human", "a"), id=0)["id"].startswith("0~")


def test_what_a_model_thought_in_tags_is_no_answer():
    """A thought in front of an answer is told apart in every linear chat; one that is only spoken of is not."""
    found = turns(("gpt", "<think>\nHm.\n</think>\n\nYes."), ("gpt", "Say `<think>x</think>`."), ("human", "<think>I</think>"))
    assert [(block["kind"], block["text"]) for block in blocks(found)] == [
        ("thinking", "Hm."),
        ("text", "Yes."),
        ("text", "Say `<think>x</think>`."),
        ("text", "<think>I</think>"),
    ]


def test_turns_may_be_called_as_an_api_calls_them():
    """Roles and contents in the place of who it is from and its value are the same form."""
    element = {"conversations": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}
    shape, _ = find_shape(json.dumps([element]).encode())
    assert shape is BY_NAME["sharegpt"]
    assert [block["text"] for block in blocks(imported(samples("sharegpt")[0], element))] == ["Why?", "So."]


def test_calls_in_tags_are_calls():
    """As Hermes' data sets have them: several calls in one answer, what tools gave, and words around."""
    one, two = (f'<tool_call>\n{{"name": "tide", "arguments": {{"day": {day}}}}}\n</tool_call>' for day in (1, 2))
    given = '<tool_response>\n{"m": 3}\n</tool_response>\n<tool_response>\nnone\n</tool_response>'
    found = turns(("gpt", f"Hm.\n{one}\n{two}"), ("tool", given), ("gpt", "<tool_call>{]</tool_call>"))
    check_account(found)
    words, tide, again, answer, broken = blocks(found)
    assert (words["text"], tide["name"], tide["input"], again["input"]) == ("Hm.", "tide", {"day": 1}, {"day": 2})
    assert (answer["name"], answer["result"]["parts"]) == ("tide", [{"m": 3}, {"text": "none"}])
    assert broken["text"] == "<tool_call>{]</tool_call>"


def test_a_question_about_tags_is_a_question():
    """What a person writes of calls is what that person writes."""
    said = '<tool_call>{"name": "x"}</tool_call>'
    assert blocks(turns(("human", said)))[0]["text"] == said


@pytest.mark.parametrize("item", [{"from": "human", "value": PACKED}, PACKED])
def test_a_conversation_packed_into_one_turn_is_taken_apart(item):
    """Where the only turn holds marks of several who speak, each of them has a message."""
    found = imported(samples("sharegpt")[0], {"conversations": [item]})
    check_account(found)
    said = [(message["role"], message["blocks"][0]["text"]) for message in found["messages"]]
    assert said == [("system", "Be brief."), ("human", "Why?"), ("assistant", "So.")]


def test_a_turn_that_quotes_a_conversation_is_one_turn():
    """What stands between other turns, or has one mark alone, is what its speaker said."""
    assert [message["role"] for message in turns(("human", PACKED), ("gpt", "I see."))["messages"]] == ["human", "assistant"]
    (message,) = turns(("gpt", "<|im_start|>user\nWhy?"))["messages"]
    assert message["role"] == "assistant"


@pytest.mark.parametrize("packed", [json.dumps, lambda lines: "\n".join(map(json.dumps, lines))])
def test_turns_may_be_a_list_called_data(packed):
    """UltraChat's conversations are an id and bare texts by turns, however long these are."""
    elements = [{"id": f"{number}", "data": ["Why? " * 30, "So.", "Really?", "Yes. " * 30]} for number in range(2)]
    shape, _ = find_shape(packed(elements).encode())
    assert shape is BY_NAME["ultrachat"]
    found = imported(Sample(shape.name, elements[0], "x", Members()))
    check_account(found)
    assert [message["role"] for message in found["messages"]] == ["human", "assistant"] * 2
    assert "sections" not in found


@pytest.mark.parametrize(
    "other",
    [
        {"id": 1, "data": [1, 2]},
        {"id": "x", "data": {"a": ["b"]}},
        {"id": "x", "data": [{"text": "b"}]},
        {"id": "x", "data": ["a"], "count": 1},
        {"data": ["a"]},
    ],
)
def test_other_data_is_no_conversation(other):
    """Numbers, objects, and what has more about it than an id, are not taken for turns."""
    assert find_shape(json.dumps(other).encode())[0] is None


def test_a_second_list_of_turns_is_kept():
    """What has the name of such a list beside the one that is read is shown as data."""
    assert "other words" in turns(("human", "a"), data=["other words"])["sections"][0]["text"]
