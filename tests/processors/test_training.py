import io
import json

import pytest
from importing import Sample, blocks, check_account, imported

from transmissions import RunError
from transmissions.processors.blobs import Members
from transmissions.processors.branches import look
from transmissions.processors.json_stream import Broken, read_elements
from transmissions.processors.shapes import find_shape
from transmissions.processors.spoken import on_path


def made(element):
    """Return what a line of a data set becomes, told by its shape."""
    shape, _ = find_shape(json.dumps(element).encode())
    found = imported(Sample(shape.name, element, "train.jsonl", Members()))
    check_account(found)
    return found


def said(conversation):
    """Return roles and words in order."""
    return [(message["role"], block["text"]) for message in conversation["messages"] for block in message["blocks"]]


@pytest.mark.parametrize(
    "element",
    [
        {"instruction": "Q", "input": "", "output": "A"},
        {"instruction": "Q", "response": "A"},
        {"prompt": "Q", "completion": "A"},
        {"prompt": [{"role": "user", "content": "Q"}], "completion": [{"role": "assistant", "content": "A"}]},
        {"question": "Q", "answer": "A"},
        {"conversation": [{"human": "Q", "assistant": "A"}]},
        {"conversations": [{"user": "Q"}, {"assistant": "A"}]},
        {"conversations": ["Q", "A"]},
        {"conversation": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]},
        {"items": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
    ],
)
def test_questions_and_answers_of_data_sets_are_chats(element):
    """Whatever a data set calls them, a question is the human's and its answer the assistant's."""
    assert said(made(element)) == [("human", "Q"), ("assistant", "A")]


def test_what_was_said_before_and_what_a_question_is_about_are_kept():
    """The system's words and earlier turns come first; the text a question is about stands below it."""
    given = {"system": "S", "history": [["q", "a"]], "instruction": "Q", "input": "About", "output": "A"}
    assert [text for _, text in said(made(given))] == ["S", "q", "a", "Q\n\nAbout", "A"]


@pytest.mark.parametrize(
    "element",
    [
        {"prompt": "Q", "chosen": "A", "rejected": "B"},
        {"chosen": "\n\nHuman: Q\n\nAssistant: A", "rejected": "\n\nHuman: Q\n\nAssistant: B"},
        {
            "prompt": "Q",
            "chosen": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}],
            "rejected": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "B"}],
            "messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}],
        },
        {
            "conversations": [{"from": "human", "value": "Q"}],
            "chosen": {"from": "gpt", "value": "A"},
            "rejected": {"from": "gpt", "value": "B"},
        },
        {
            "input": {"messages": [{"role": "user", "content": "Q"}]},
            "preferred_output": [{"role": "assistant", "content": "A"}],
            "non_preferred_output": [{"role": "assistant", "content": "B"}],
        },
    ],
)
def test_an_answer_that_was_rejected_is_a_branch(element):
    """The question is there once, the preferred answer is the way the conversation went, the other is kept beside it."""
    found = made(element)
    assert said(found) == [("human", "Q"), ("assistant", "A"), ("assistant", "B")]
    assert [message["parent"] for message in found["messages"]] == ["", "0", "0"]
    assert [message["blocks"][0]["text"] for message in on_path(found)] == ["Q", "A"]
    assert "sections" not in found


def test_what_a_data_set_says_of_an_example_is_shown():
    """Labels, scores and categories are no words of the conversation, and are kept as data."""
    found = made({"id": 3, "prompt": "Q", "completion": "A", "label": False, "score": 0.5})
    assert found["id"].startswith("3~")
    assert '"label": false' in found["sections"][0]["text"]
    assert '"score": 0.5' in found["sections"][0]["text"]
    assert '"category": "x"' in made({"conversation": ["Q"], "category": "x"})["sections"][0]["text"]


def test_what_an_example_is_about_may_be_very_long():
    """The answer may stand beyond what is looked at to tell the shape; what Ollama was asked is an example too."""
    assert said(made({"instruction": "Q", "input": "x" * 300_000, "output": "A"}))[1] == ("assistant", "A")
    asked = {"model": "m", "prompt": "Q", "response": "A", "created_at": "2026-03-07T12:00:00Z", "done": True}
    assert said(made(asked)) == [("human", "Q"), ("assistant", "A")]


def test_a_broken_example_is_one_piece():
    """Messages within it are no examples of their own; reading goes on with the next one."""
    good = {"prompt": "Q", "chosen": [{"role": "assistant", "content": "A"}], "rejected": []}
    text = f"[{json.dumps(good)[:-1]} oops, {json.dumps(good['chosen'])}}}, {json.dumps(good)}]"
    shape, _ = find_shape(text.encode())
    broken, whole = read_elements(io.BytesIO(text.encode()), shape.layout)
    assert (isinstance(broken, Broken), whole.value) == (True, good)


def test_an_example_without_an_answer_is_refused():
    """A line of a data set that lacks what the others have is set aside, and says why."""
    with pytest.raises(RunError, match="it has no answer"):
        imported(Sample("examples", {"prompt": "Q"}, "train.jsonl", Members()))
    assert not imported(Sample("examples", {"output": []}, "train.jsonl", Members()))["messages"]
    assert blocks(imported(Sample("examples", {"prompt": None, "completion": "A"}, "t", Members())))[0]["text"] == "A"


@pytest.mark.parametrize("odd", [None, 0, "", "x", [], [None], [[]], {}, {"type": 5}, "\ud800"])
@pytest.mark.parametrize("key", ["prompt", "chosen", "rejected", "history", "system", "input", "messages"])
def test_odd_values_cost_no_example(key, odd):
    """Whatever stands in a field, the example is converted and every item is counted."""
    element = {"prompt": "Q", "chosen": "A", "rejected": "B", key: odd}
    check_account(imported(Sample("preferences", element, "train.jsonl", Members())))


@pytest.mark.parametrize(("winner", "words"), [("model_a", "So."), ("model_b", "Because."), ("tie", "So.")])
def test_what_two_models_said_is_a_branch(winner, words):
    """Chatbot Arena compares answers: the one that won ends the conversation, and who won is told."""
    said = [[{"role": "user", "content": "Why?"}, {"role": "assistant", "content": answer}] for answer in ("So.", "Because.")]
    element = {"question_id": "q" * 32, "model_a": "m", "model_b": "n", "winner": winner}
    element |= {"conversation_a": said[0], "conversation_b": said[1]}
    shape, _ = find_shape(json.dumps(element).encode())
    found = imported(Sample(shape.name, element, "x", Members()))
    check_account(found)
    ends = {told["id"]: told["blocks"][0]["text"] for told in found["messages"]}
    assert (shape.name, found["id"], ends[found["leaf"]], look(found).left) == ("preferences", "q" * 32, words, 1)
    assert winner in found["sections"][0]["text"]
