import json
from pathlib import Path

import pytest
from generate_claude import NO_PARENT, make_conversation, make_message, sample, text_block, tool_blocks
from importing import SAMPLES, imported, samples

from transmissions.processors.claude import convert
from transmissions.processors.collector import RecordCollector
from transmissions.processors.conversation_json import ConversationJSONLines
from transmissions.processors.shapes import BY_NAME
from transmissions.processors.spool import Mapped, SpooledList, pieces

SCHEMA = json.loads((Path(__file__).parents[2] / "configs/chat-model.schema.json").read_text())
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}


def strict(line):
    """Return a line of JSON as a parser that follows the standard to the letter does."""
    line.encode("utf-8")

    def refuse(constant):
        raise ValueError(constant)

    return json.loads(line, parse_constant=refuse)


def lines_of(bench, conversation, files=(), **settings):
    """Return the lines of one conversation."""
    given = {
        "conversation": conversation,
        "key": f"claude:{conversation['id']}",
        "place": {"page": "p.md"},
        "files": list(files),
    }
    (message,) = bench.through(ConversationJSONLines(**settings), given)
    content = message.get("records", {}).get("conversations.jsonl", b"")
    return [strict(line) for line in b"".join(pieces(content)).decode().splitlines()]


def check(value, schema, way="line"):
    """Check a value against the few words of JSON Schema that the shipped one uses."""
    if schema is True:
        return
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if isinstance(value, TYPES[one["type"]]))
    if "enum" in schema:
        assert value in schema["enum"], way
        return
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert isinstance(value, tuple(TYPES[kind] for kind in kinds)), way
    assert set(schema.get("required", ())) <= set(value if isinstance(value, dict) else ()), way
    for name, inner in value.items() if isinstance(value, dict) and "properties" in schema else ():
        assert name in schema["properties"], f"{way}.{name}"
        check(inner, schema["properties"][name], f"{way}.{name}")
    for inner in value if isinstance(value, list) and "items" in schema else ():
        check(inner, schema["items"], f"{way}[]")


@pytest.mark.parametrize("provider", sorted(folder.name for folder in SAMPLES.iterdir()))
def test_every_provider_keeps_to_the_model(bench, provider):
    """The lines of all samples fit the schema, and have no field that it does not name."""
    converted = [imported(sample) for sample in samples(provider) if BY_NAME[sample.shape].convert]
    lines = [line for one in converted for line in lines_of(bench, one)]
    assert lines
    for line in lines:
        check(line, SCHEMA)


def branched(*texts):
    """Return a conversation whose first answer was asked for again."""
    first = make_message(1, "human", [text_block("Prompt")], parent_message_uuid=NO_PARENT)
    answers = [
        make_message(number, "assistant", [text_block(text)], parent_message_uuid=first["uuid"])
        for number, text in enumerate(texts, 2)
    ]
    return convert(make_conversation([first, *answers]))


def test_the_model_is_what_its_schema_says(bench):
    """Conversations of every generation are lines that fit, and hold everything there is."""
    for element in sample():
        conversation = convert(element)
        (line,) = lines_of(bench, conversation)
        check(line, SCHEMA)
        assert list(line)[:3] == ["key", "provider", "id"]
        assert line["messages"] == json.loads(json.dumps(conversation["messages"]))


def test_a_file_of_the_archive_is_named(bench):
    """Bytes are not in the line: where they lie is."""

    class Held:
        name = "export.zip/image.png"

        def __len__(self):
            return 7

    held = Held()
    conversation = convert(make_conversation([make_message(1, "human", [])]))
    conversation["messages"][0]["files"] = [
        {"name": "a", "id": "1", "content": held},
        {"name": "b", "id": "2", "content": Held()},
    ]
    (line,) = lines_of(bench, conversation, [("claude/a.png", [held])])
    check(line, SCHEMA)
    expected = {"name": "export.zip/image.png", "size": 7, "path": "claude/a.png"}
    assert [file["content"] for file in line["messages"][0]["files"]] == [expected, {**expected, "path": None}]


def test_content_that_is_made_anew_is_told_by_its_bytes(bench):
    """Messages that do not fit in memory are made anew each time; where their files went is told all the same."""
    conversation = convert(make_conversation([make_message(1, "human", [text_block("x")])]))
    (plain,) = conversation["messages"]
    items = SpooledList()
    items.append(0)
    conversation["messages"] = Mapped(lambda _: {**plain, "files": [{"name": "a", "content": bytes([1, 2, 3])}]}, items)
    (line,) = lines_of(bench, conversation, [("claude/a.png", bytes([1, 2, 3]))])
    assert line["messages"][0]["files"][0]["content"]["path"] == "claude/a.png"


@pytest.mark.parametrize("form", ["model", "messages", "sharegpt", "chunks"])
def test_any_text_makes_a_valid_line(bench, form):
    """Halves of pairs, NUL, numbers that are none and line ends are no fault of the line."""
    text = 'a\ud83d \0 \u2028 \n \x85 "b\\ \udced\udca0\udc80'
    message = make_message(1, "human", [text_block(text), {"type": "odd", "n": float("nan"), "i": float("inf")}])
    conversation = convert(make_conversation([message], name=text))
    given = {"conversation": conversation, "account": {"found": {}, "became": {}}}
    (result,) = bench.through(ConversationJSONLines(form=form), given)
    data = result["records"]["conversations.jsonl"]
    assert data.count(b"\n") == 1
    assert "a\ufffd \0" in json.dumps(strict(data.decode()), ensure_ascii=False).replace("\\u0000", "\0")
    assert result["account"]["became"]["lone surrogate in JSON"]["replaced"] >= 4


@pytest.mark.parametrize(("form", "field"), [("messages", "content"), ("sharegpt", "value")])
def test_training_gets_the_way_the_conversation_went(bench, form, field):
    """An answer that was replaced is not in it."""
    (line,) = lines_of(bench, branched("First answer", "Second answer"), form=form)
    turns = line["messages" if form == "messages" else "conversations"]
    assert [turn[field] for turn in turns] == ["Prompt", "Second answer"]
    assert next(iter(turns[0].values())) == ("user" if form == "messages" else "human")
    assert next(iter(turns[1].values())) == ("assistant" if form == "messages" else "gpt")


def test_training_gets_what_was_said(bench):
    """Thoughts, calls and footnotes are left out; what was made and attached is there, and turns alternate."""
    cited = text_block("Answer.", citations=[{"end_index": 3, "details": {"url": "https://example.org/", "type": "x"}}])
    made = tool_blocks("artifacts", {"id": "a", "command": "create", "title": "T", "content": "x = 1", "language": "python"})
    blocks = [{"type": "thinking", "thinking": "hidden"}, *tool_blocks("run", {"code": "hidden"}, "hidden"), cited, *made]
    attached = {"file_name": "a.txt", "extracted_content": "pasted"}
    messages = [
        make_message(1, "human", [text_block("One")], attachments=[attached]),
        make_message(2, "human", [text_block("Two")]),
        make_message(3, "assistant", blocks),
    ]
    (line,) = lines_of(bench, convert(make_conversation(messages)), form="messages")
    assert line["messages"] == [
        {"role": "user", "content": "One\n\na.txt:\n```\npasted\n```\n\nTwo"},
        {"role": "assistant", "content": "Answer.\n\n```python\nx = 1\n```"},
    ]


def test_a_chunk_is_a_prompt_with_its_answer(bench):
    """Each has ids, title, date and page to lead back."""
    said = [("human", "P1"), ("assistant", "A1"), ("human", "P2"), ("assistant", "A2")]
    messages = [make_message(number, role, [text_block(text)]) for number, (role, text) in enumerate(said, 1)]
    first, second = lines_of(bench, convert(make_conversation(messages)), form="chunks")
    assert (first["prompt"], first["answer"], second["prompt"], second["answer"]) == ("P1", "A1", "P2", "A2")
    assert (second["chunk"], second["date"], second["page"]) == (2, messages[2]["created_at"], "p.md")
    assert second["messages"] == [messages[2]["uuid"], messages[3]["uuid"]]


def edited():
    """Return a conversation in which a file is made, edited twice in one answer, and written anew."""
    files = [
        [("create", {"content": "x = 1", "title": "T", "language": "python"})],
        [("update", {"old_str": "1", "new_str": "2"}), ("update", {"old_str": "2", "new_str": "3"})],
        [("update", {"old_str": "none", "new_str": "4"})],
        [("rewrite", {"content": "x = 5"})],
    ]
    messages = []
    for number, steps in enumerate(files):
        calls = [tool_blocks("artifacts", {"id": "a", "command": command, **given}) for command, given in steps]
        blocks = [text_block(f"A{number}"), *(block for call in calls for block in call)]
        messages.append(make_message(2 * number + 1, "human", [text_block(f"P{number}")]))
        messages.append(make_message(2 * number + 2, "assistant", blocks))
    return convert(make_conversation(messages))


def test_what_was_made_is_in_a_turn_as_it_stands_then(bench):
    """Training sees what an edit led to, once for each turn; an edit that did not fit led to nothing."""
    (line,) = lines_of(bench, edited(), form="messages")
    answers = [turn["content"] for turn in line["messages"] if turn["role"] == "assistant"]
    assert answers == [
        "A0\n\n```python\nx = 1\n```",
        "A1\n\n```python\nx = 3\n```",
        "A2",
        "A3\n\n```python\nx = 5\n```",
    ]


def test_what_was_made_is_in_one_chunk_as_it_is_in_the_end(bench):
    """Retrieval finds no version of an artifact that was replaced."""
    chunks = lines_of(bench, edited(), form="chunks")
    assert [chunk["answer"] for chunk in chunks] == ["A0", "A1", "A2", "A3\n\n```python\nx = 5\n```"]


@pytest.mark.parametrize(("form", "field"), [("messages", "role"), ("sharegpt", "from")])
def test_trainers_get_roles_they_know(bench, form, field):
    """Turns are those of the two who talk and of the system; what others say does not part what one says in a row."""
    roles = ["system", "human", "assistant", "critic", "assistant"]
    conversation = convert(make_conversation([make_message(number, "human", [text_block("x")]) for number in range(1, 6)]))
    for message, role in zip(conversation["messages"], roles, strict=True):
        message["role"] = role
    (line,) = lines_of(bench, conversation, form=form)
    turns = line["messages" if form == "messages" else "conversations"]
    known = ["system", "user", "assistant"] if form == "messages" else ["system", "human", "gpt"]
    assert [turn[field] for turn in turns] == known


def test_where_nothing_was_said_there_is_no_line(bench):
    """A conversation without words is nothing to train with, but one in the model."""
    empty = convert(make_conversation([]))
    assert [len(lines_of(bench, empty, form=form)) for form in ("model", "messages", "sharegpt", "chunks")] == [1, 0, 0, 0]


@pytest.mark.parametrize("form", ["model", "chunks"])
def test_the_collector_finds_the_lines_again(bench, form):
    """A changed conversation replaces its lines and no others, whatever its id."""
    texts = [("a", 'odd "id" \\'), ("b", "plain")]
    talks = [{**branched(text, f"{text} more"), "id": identifier} for text, identifier in texts]

    def collect(*conversations):
        given = [{"conversation": one, "key": f"claude:{one['id']}"} for one in conversations]
        bench.through(RecordCollector(), *bench.through(ConversationJSONLines(form=form), *given))
        return [strict(line) for line in (bench.output / "conversations.jsonl").read_text().splitlines()]

    collect(*talks)
    lines = collect({**talks[0], "title": "Renamed"})
    assert [line["id"] for line in lines] == ['odd "id" \\', "plain"]
    assert [line["title"] for line in lines] == ["Renamed", "A talk"]


def test_a_line_of_another_form_does_not_stay(bench):
    """What has words no more, or nothing in the form that is asked for now, has no line of an earlier run."""
    file = bench.output / "conversations.jsonl"
    for form, title in (("model", "é"), ("messages", "é")):
        given = {"conversation": {**convert(make_conversation([])), "id": title}, "key": f"claude:{title}"}
        bench.through(RecordCollector(), *bench.through(ConversationJSONLines(form=form), given))
        assert file.read_text().count("claude:é") == (form == "model")


@pytest.mark.parametrize("form", ["model", "messages", "chunks"])
def test_a_conversation_too_large_for_memory_is_set_aside(bench, form):
    """Its lines are those it would have had in memory."""
    messages = [make_message(number, "human", [text_block("x" * 9000)]) for number in range(1, 300)]
    small = convert(make_conversation(messages))
    small["messages"] += edited()["messages"]
    spooled = SpooledList()
    for message in json.loads(json.dumps(small["messages"])):
        spooled.append(message)
    large = {**small, "messages": Mapped(lambda message: message, spooled)}
    assert lines_of(bench, large, form=form) == lines_of(bench, small, form=form)


def test_what_has_no_conversation_passes(bench):
    """A message without one goes on as it came."""
    assert bench.through(ConversationJSONLines(), {"key": "a"}) == [{"key": "a"}]
