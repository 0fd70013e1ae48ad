"""What a message must look like that begins a run: every fault at once, with its path, and a schema of the same."""

from typing import Annotated, Any, Literal

import pytest

from transmissions import Length, LessThan, Pattern, Range, Record, UsageError, read_request
from transmissions.accepted_schema import json_schema


class Options(Record):
    """How."""

    concurrency: Annotated[int, Range(ge=1, le=50)] = 5
    "How many at once."
    cache_mode: Literal["read_write", "bypass"] = "read_write"
    wait: Annotated[float | None, Range(gt=0, lt=2)] = None
    low: Annotated[int, LessThan("high")] = 1
    high: int = 9


class Rule(Record):
    """One rule."""

    name: Annotated[str, Pattern("[a-z]+")]


class Asked(Record):
    """What is asked for."""

    urls: Annotated[tuple[Annotated[str, Length(le=20)], ...], Length(ge=1, le=3)]
    "The URLs."
    options: Options = Options()
    rules: tuple[Rule, ...] = ()
    whole: bool = False
    about: Any = None

    def __post_init__(self) -> None:
        if self.whole and self.rules:
            raise UsageError("rules are for parts")


def test_a_message_becomes_a_record_with_its_defaults():
    """Nested records, lists and what is not said; an integer will do for a number, and null for nothing."""
    asked = read_request(
        Asked, {"urls": ["a", "a"], "options": {"wait": 1, "high": 3}, "rules": [{"name": "x"}], "about": None}
    )
    assert (asked.urls, asked.options.wait, asked.options.concurrency, asked.rules[0].name) == (("a", "a"), 1, 5, "x")
    assert read_request(Asked, {"urls": ["a"], "options": {"wait": None}}).options.wait is None


@pytest.mark.parametrize(
    ("message", "faults"),
    [
        ({}, ["urls: must be given"]),
        ({"urls": []}, ["urls: must have at least 1 value, not 0"]),
        ({"urls": ["a"] * 4}, ["urls: may have at most 3 values, not 4"]),
        ({"urls": "a"}, ["urls: must be a list, not 'a'"]),
        ({"urls": None}, ["urls: must be a list, not null"]),
        ({"urls": ["a" * 21, 3]}, ["urls[0]: may have at most 20 characters, not 21", "urls[1]: must be a text, not 3"]),
        (
            {"urls": ["a"], "options": {"concurrency": 99, "cach_mode": "x"}},
            ["options.cach_mode: no such field; did you mean 'cache_mode'?", "options.concurrency: 99 is more than 50"],
        ),
        (
            {"urls": ["a"], "options": {"cache_mode": "bypas"}},
            ["options.cache_mode: 'bypas' is none of read_write, bypass; did you mean 'bypass'?"],
        ),
        ({"urls": ["a"], "concurrency": 1}, ["concurrency: no such field; did you mean 'options.concurrency'?"]),
        ({"urls": ["a"], "options": []}, ["options: must be an object, not a list"]),
        ({"urls": ["a"], "options": {"concurrency": True}}, ["options.concurrency: must be a whole number, not true or false"]),
        ({"urls": ["a"], "options": {"concurrency": 1.5}}, ["options.concurrency: must be a whole number, not 1.5"]),
        ({"urls": ["a"], "options": {"wait": 2}}, ["options.wait: 2 is not less than 2"]),
        ({"urls": ["a"], "options": {"wait": float("nan")}}, ["options.wait: nan is no number that can be compared"]),
        ({"urls": ["a"], "options": {"low": 9}}, ["options.low: must be less than high"]),
        ({"urls": ["a"], "rules": [{"name": "X"}]}, ["rules[0].name: 'X' does not match [a-z]+"]),
        ({"urls": ["a"], "whole": True, "rules": [{"name": "x"}]}, ["rules are for parts"]),
    ],
)
def test_every_fault_is_told_with_its_path(message, faults):
    """They are one error, which the command line ends with code 2."""
    with pytest.raises(UsageError) as error:
        read_request(Asked, message)
    assert [said for said in faults if said not in str(error.value)] == [], str(error.value)
    assert len(error.value.faults) >= len(faults)


def test_the_schema_says_the_same():
    """Types, bounds, choices, lengths, defaults and descriptions, for a document of endpoints."""
    schema = json_schema(Asked)
    options = schema["properties"]["options"]
    assert schema["required"] == ["urls"]
    assert schema["properties"]["urls"] == {
        "type": "array",
        "items": {"type": "string", "maxLength": 20},
        "minItems": 1,
        "maxItems": 3,
        "description": "The URLs.",
    }
    assert options["properties"]["concurrency"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 50,
        "description": "How many at once.",
        "default": 5,
    }
    assert options["properties"]["cache_mode"]["enum"] == ["read_write", "bypass"]
    assert options["properties"]["wait"] == {"type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 2}
    assert not options["additionalProperties"]


def test_a_setting_may_bound_a_list_below_what_its_record_says():
    """In what is refused, and in what is described."""
    with pytest.raises(UsageError, match="urls: may have at most 1 value, not 2"):
        read_request(Asked, {"urls": ["a", "b"]}, at_most={"urls": 1})
    assert json_schema(Asked, at_most={"urls": 1})["properties"]["urls"]["maxItems"] == 1
