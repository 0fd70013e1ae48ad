"""All converters of session logs: shapes, and what they must hold to whatever a log holds."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_logs import SAMPLES, about, all_of, assert_balanced

from transmissions import RunError
from transmissions.processors.claude_code import ClaudeCode
from transmissions.processors.codex import Codex
from transmissions.processors.gemini_cli import GeminiCLI
from transmissions.processors.shapes import find_shape

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(),
    st.sampled_from(["", "u1", "\ud83d", "<command-name>", "tool_result", "compact_boundary", "2026", "{", "message"]),
    st.builds(list),
    st.builds(dict),
    st.just([[None]]),
    st.just({"type": "tool_result", "tool_use_id": "toolu_01"}),
    st.just({"type": ["x"], "text": 5}),
)


def read(path):
    lines = path.read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines] if path.suffix == ".jsonl" else json.loads("".join(lines))
    return {"name": path.name, "items": found} if isinstance(found, list) else found


LOGS = [
    (converter, read(path))
    for folder, converter in (("claude-code", ClaudeCode), ("codex", Codex), ("gemini-cli", GeminiCLI))
    for path in sorted((SAMPLES / folder).rglob("*.json*"))
]


def places(value, way=()):
    """Yield the way to every value within a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*way, key)
        yield from places(item, (*way, key))


def spoil(element, data):
    """Return an element with some values replaced, left out or doubled."""
    element = copy.deepcopy(element)
    ways = list(places(element))
    for _ in range(data.draw(st.integers(1, 8))):
        *above, key = data.draw(st.sampled_from(ways))
        holder = element
        try:
            for step in above:
                holder = holder[step]
            kind = data.draw(st.sampled_from(["replace", "replace", "drop", "double"]))
            if kind == "replace":
                holder[key] = copy.deepcopy(data.draw(ODD))
            elif kind == "drop" or isinstance(holder, dict):
                del holder[key]
            else:
                holder.append(copy.deepcopy(holder[key]))
        except (KeyError, IndexError, TypeError, AttributeError):
            continue
    return element


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_odd_values_anywhere_are_converted_or_refused(data):
    """Whatever stands in a log, it is converted with an account that balances, or refused as a whole."""
    converter, element = data.draw(st.sampled_from(LOGS))
    one = converter()
    for given_ in (element, spoil(element, data)):
        try:
            conversation = one.convert(given_, about())
        except RunError:
            continue
        assert_balanced(conversation)
        for found in all_of(conversation):
            assert {found[key].__class__ for key in ("id", "title", "created", "updated", "model", "leaf")} == {str}
            json.dumps([{**message, "blocks": None} for message in found["messages"]])


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("claude-code/**/*.jsonl", "claude-code"),
        ("codex/2026/**/*.jsonl", "codex"),
        ("codex/2025/**/*.jsonl", "codex-2025"),
        ("gemini-cli/**/session-*.json", "gemini-cli"),
        ("gemini-cli/**/session-*.jsonl", "gemini-cli-lines"),
        ("gemini-cli/**/logs.json", "gemini-cli-log"),
    ],
)
def test_samples_are_told_by_their_shape(pattern, name):
    """Each log is known by its structure."""
    found = [find_shape(path.read_bytes())[0] for path in SAMPLES.glob(pattern)]
    assert found
    assert {shape.name for shape in found} == {name}


@pytest.mark.parametrize(
    "records",
    [
        [{"type": "summary", "summary": "Beds", "leafUuid": "x"}],
        [{"type": "file-history-snapshot", "messageId": "m", "snapshot": {}}],
        [{"type": "queue-operation", "operation": "enqueue", "sessionId": "s"}],
    ],
)
def test_a_claude_code_log_may_begin_with_anything(records):
    """A log is known where no message stands in its head."""
    shape, _ = find_shape("\n".join(map(json.dumps, records)).encode())
    assert shape
    assert shape.name == "claude-code"


def test_the_form_of_the_web_is_known():
    """One object with its records in a list is a session as well."""
    shape, _ = find_shape(json.dumps({"loglines": [{"type": "user", "uuid": "a", "message": {"content": "x"}}]}).encode())
    assert shape
    assert shape.name == "claude-code-web"
