"""YAMLReader and YAMLWriter."""

import math

import pytest

from transmissions import RunError
from transmissions.processors.yaml_files import YAMLReader, YAMLWriter

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def read(bench, text, **settings):
    (bench.data / "in.yaml").write_bytes(text.encode())
    return bench.through(YAMLReader(source_file="in.yaml", **settings), {"m": 1})


def write(bench, *messages):
    assert bench.through(YAMLWriter(), *messages) == list(messages)
    return (bench.output / "output.yaml").read_text()


def test_every_document_is_a_message(bench):
    """Objects are messages as they are, other values go into a copy of the incoming one."""
    assert read(bench, "a: 1\n---\n- x\n---\n# nothing\n...\n") == [
        {"a": 1},
        {"m": 1, "content": ["x"]},
        {"m": 1, "content": None},
    ]
    assert read(bench, "a: 1\n", target_field="b.c") == [{"m": 1, "b": {"c": {"a": 1}}}]
    assert read(bench, "") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("012", 12), ("2026-11-21", "2026-11-21"), ("0x1f", 31), ("0o17", 15), ("1e3", 1e3),
        ("-.inf", -math.inf), ("~", None), ("True", True), ("'1'", "1"), ("!!str 1", "1"), ("!!float 1", 1.0),
        ("!!binary aGk=", b"hi"), ("1_0", "1_0"), ("|\n  a\n  b", "a\nb\n"), ("{1: a, null: b}", {"1": "a", "null": "b"}),
        ("[&x {k: 1}, {<<: *x, l: 2}, {<<: [*x, {k: 3, m: 4}]}]", [{"k": 1}, {"k": 1, "l": 2}, {"k": 1, "m": 4}]),
    ],
)  # fmt: skip
def test_values_are_read_by_the_core_schema(bench, text, value):
    """Norway is text, and names of fields are text too."""
    assert read(bench, f"v: {text}\n") == [{"v": value}]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: [\n", r"in\.yaml:3:1: not valid YAML"),
        ("a: 1\n---\n\tb: 1\n", r"in\.yaml:3:1: not valid YAML: found character"),
        ("a: !!python/object/apply:os.system [ls]\n", r"in\.yaml:1:4: a value with the tag '.*os\.system' is no plain data"),
        ("a: !!int x\n", r"in\.yaml:1:4: 'x' with the tag"),
        ("a: &x [*x]\n", r"in\.yaml:1:8: the alias '\*x' stands in what it names"),
        ("a: *x\n", r"in\.yaml:1:4: there is no anchor '&x'"),
        ("a: 1\na: 2\n", r"in\.yaml:2:4: the field 'a' stands there twice"),
        ("? [a]\n: 1\n", "must be text"),
        ("<<: [1]\n", "must be an object"),
        ("a: !!binary x\n", "no Base64"),
        ("a: " + "9" * 5000, "a number is too long"),
        (BOMB, r"in\.yaml:6:\d+: the document has more than 1000000 values"),
        ("[" * 100_000, "not valid YAML|nested deeper than 200"),
        ("- " * 100_000, "nested deeper than 200"),
        ("a: " + "x" * 200_000, r"longer than 1000 bytes"),
        ("a: \x01", "not valid YAML"),
    ],
)
def test_what_is_no_plain_data_is_an_error_with_its_place(bench, text, fault):
    """Broken text, classes, loops, bombs and absurd depth."""
    with pytest.raises(RunError, match=fault):
        read(bench, text, max_document=1000 if len(text) > 150_000 and text[0] == "a" else 10**7)


def test_merges_cannot_multiply_either(bench):
    """What `<<` brings is counted like any alias."""
    text = "- &a {" + ", ".join(f"k{number}: 1" for number in range(50)) + "}\n" + "- {<<: [*a, *a, *a]}\n" * 20
    with pytest.raises(RunError, match="more than 1000 values"):
        read(bench, text, max_values=1000)


def test_messages_are_written_as_documents(bench):
    """What looks like something else is quoted, what stands in two places is written twice, order is kept."""
    shared = ["é"]
    text = write(bench, {"b": shared, "a": shared, "n": "no", "i": "1"}, {"x": None})
    assert text == "---\nb:\n- é\na:\n- é\nn: 'no'\ni: '1'\n---\nx: null\n"


def test_what_was_written_is_read_again(bench):
    """Any plain data survives, half a character pair as a replacement character."""
    texts = ["", "2026-11-21", "0x1f", "a: b\n#", "\x85\u2028\U0001f600"]
    items = [{"a": [1, 1.5, True, None, *texts], "b": {"c": []}}, {"d": b"\x00"}]
    assert read(bench, write(bench, *items)) == items
    assert read(bench, write(bench, {"a": "\ud83d"})) == [{"a": "\N{REPLACEMENT CHARACTER}"}]


def test_what_is_no_data_cannot_be_written(bench):
    """It is an error, and no file appears."""
    with pytest.raises(RunError, match="cannot be written as YAML"):
        write(bench, {"a": object()})
    assert not list(bench.output.iterdir())
