import json

import pytest
from importing import Sample, blocks, check_account, imported

from transmissions.processors.blobs import Members
from transmissions.processors.shapes import find_shape
from transmissions.processors.speaker_marks import spoken

MARKS = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\nSo.<|im_end|>\n"
ALPACA = "Below is an instruction that describes a task, paired with an input. Write a response.\n\n"
LLAMA = "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nWhy? [/INST] So. </s>"


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("### Human: Why?### Assistant: So.", [("human", "Why?"), ("assistant", "So.")]),
        ("### Human:\nWhy?\n\n### Assistant:\nSo.\n", [("human", "Why?"), ("assistant", "So.")]),
        ("\n\nHuman: Why?\n\nAssistant: So.", [("human", "Why?"), ("assistant", "So.")]),
        (MARKS, [("system", "Be brief."), ("human", "Why?"), ("assistant", "So.")]),
        ("<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n", [("human", "Why?"), ("assistant", "")]),
        ("<|im_start|>user name=bob\nWhy?", [("human", "Why?")]),
        ("### Human: a\n\n# A heading\n### More", [("human", "a\n\n# A heading\n### More")]),
        ("Say `### Human: x`", []),
        ("<s>[INST] Why? [/INST] So. </s>", [("human", "Why?"), ("assistant", "So.")]),
        ("[INST] Why? [/INST]", [("human", "Why?")]),
        (
            "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nWhy? [/INST] So. </s><s>[INST] Really? [/INST] Yes. </s>",
            [("system", "Be brief."), ("human", "Why?"), ("assistant", "So."), ("human", "Really?"), ("assistant", "Yes.")],
        ),
        ("<s> [INST]a[/INST]b</s>[INST]c[/INST]d", [("human", "a"), ("assistant", "b"), ("human", "c"), ("assistant", "d")]),
        ("[INST] What is <<SYS>>? [/INST] A mark.", [("human", "What is <<SYS>>?"), ("assistant", "A mark.")]),
        ("Say [INST] x [/INST]", []),
        ("### Instruction:\nWhy?\n\n### Response:\nSo.", [("human", "Why?"), ("assistant", "So.")]),
        (
            f"{ALPACA}### Instruction:\nTell.\n\n### Input:\nWhy?\n\n### Response:\n",
            [("system", ALPACA.strip()), ("human", "Tell."), ("human", "Why?"), ("assistant", "")],
        ),
        (ALPACA, []),
        ("The mark <|im_start|>user is one", []),
        ("# Human: no", []),
    ],
)
def test_a_text_is_cut_where_its_marks_say_who_speaks(text, turns):
    """Each kind of mark is known where a text begins with it; a text that only speaks of one is no transcript."""
    assert [(turn["role"], turn["content"]) for turn in spoken(text)] == turns


@pytest.mark.parametrize("key", ["text", "conversation", "conversations", "chat"])
@pytest.mark.parametrize(
    "text", ["### Human: Why? Łódź### Assistant: So.", MARKS, LLAMA, f"{ALPACA}### Instruction:\nWhy?\n\n### Response:\nSo."]
)
def test_a_data_set_of_transcripts_is_known(key, text):
    """Who speaks in a text of a data set is told by its marks, and what else the data set says is kept."""
    element = {"source": "here", key: text}
    shape = find_shape(json.dumps(element).encode())[0]
    assert (shape.name, find_shape(json.dumps([element]).encode())[0]) == ("transcripts", shape)
    found = imported(Sample(shape.name, element, "x", Members()))
    check_account(found)
    assert [(told["role"], told["blocks"][0]["text"]) for told in found["messages"]][-1] == ("assistant", "So.")
    assert "here" in found["sections"][0]["text"]


def test_a_text_without_marks_in_such_a_data_set_is_kept():
    """Nobody knows who says it."""
    found = imported(Sample("transcripts", {"text": "plain"}, "x", Members()))
    assert [(told["role"], told["blocks"][0]["text"]) for told in found["messages"]] == [("unknown", "plain")]


def test_a_text_that_speaks_of_marks_is_no_data_set():
    """A mark below the top of a file, or within its text, makes no transcript of it."""
    for other in ({"a": {"text": "### Human: x### Assistant: y"}}, {"text": "See ### Human: x"}):
        assert find_shape(json.dumps(other).encode())[0] is None


def test_examples_may_be_marked_so_too():
    """A prompt that ends with the mark of the assistant has its answer in another field: no empty answer stands between."""
    element = {"prompt": "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n", "completion": "So."}
    found = imported(Sample("examples", element, "x", Members()))
    check_account(found)
    assert [(told["role"], [block["text"] for block in told["blocks"]]) for told in found["messages"]] == [
        ("human", ["Why?"]),
        ("assistant", ["So."]),
    ]
    assert [block["text"] for block in blocks(found)] == ["Why?", "So."]
