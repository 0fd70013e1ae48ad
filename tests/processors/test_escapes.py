"""Escaper."""

import html
import json
import shlex
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pyoxigraph
import pytest

from transmissions import RunError
from transmissions.processors.escapes import Escaper

NASTY = "a\"b'c\\d\n\r\t\b\fé🙂<&>$`|\x01\x7f %/?#{}"


def escaped(bench, form, text=NASTY):
    """Return a text escaped for a format."""
    return bench.through(Escaper(format=form), {"content": text})[0]["content"]


@pytest.mark.parametrize("quote", ['"', "'", '"""'])
def test_turtle_and_sparql_read_back_what_was_escaped(bench, quote):
    """Whatever quotes it stands in, an escaped text is one string with the same letters."""
    literal = quote + escaped(bench, "Turtle") + quote
    (triple,) = pyoxigraph.parse(f"<a:s> <a:p> {literal} .", format=pyoxigraph.RdfFormat.TURTLE)
    assert triple.object.value == NASTY
    literal = quote + escaped(bench, "SPARQL") + quote
    (row,) = pyoxigraph.Store().query(f"SELECT ({literal} AS ?x) {{}}")
    assert row["x"].value == NASTY


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("JSON", lambda text: json.loads(f'"{text}"')),
        ("HTML", html.unescape),
        ("URL", unquote),
        ("shell", lambda text: shlex.split(f"echo {text} x")[1]),
    ],
)
def test_other_formats_read_back_what_was_escaped(bench, form, read):
    """JSON, HTML, URL and shell give the same text back."""
    assert read(escaped(bench, form)) == NASTY


def test_xml_replaces_what_it_cannot_hold(bench):
    """A control character becomes U+FFFD, in text and in attributes."""
    text = escaped(bench, "XML", "a<\x01>\"'&")
    assert ET.fromstring(f"<e>{text}</e>").text == ET.fromstring(f"<e a='{text}'/>").get("a") == "a<\ufffd>\"'&"


def test_fields_are_chosen_and_bad_text_is_named(bench):
    """The result may go elsewhere; half a pair is replaced, and NUL is no word of a shell."""
    step = Escaper(input_field="a.b", output_field="c")
    assert bench.through(step, {"a": {"b": 'x"\ud83d'}}) == [{"a": {"b": 'x"\ud83d'}, "c": 'x\\"\ufffd'}]
    with pytest.raises(RunError, match="NUL character"):
        escaped(bench, "shell", "a\0")
    with pytest.raises(RunError, match=r"'a\.b' is not text but a int"):
        bench.through(step, {"a": {"b": 1}})
