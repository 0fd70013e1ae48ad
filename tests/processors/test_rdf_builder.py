"""RDFBuilder and TurtleFormatter."""

import pyoxigraph
import pytest

from transmissions import RunError
from transmissions.processors.rdf_builder import RDFBuilder, TurtleFormatter

BASE = "http://e/x/"


def triples(text):
    """Return the triples of a text of Turtle."""
    return {str(quad) for quad in pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.TURTLE)}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ uri(slug) }} <a:p> '{{ title }}' .", "<http://e/x/a%20b> <a:p> 'it\\'s' ."),
        ("<{{ slug | uri }}> <a:p> {{ n }} .", "<http://e/x/a%20b> <a:p> 5 ."),
        ("<a:{{ hash('x') }}> <a:p> \"{{ escape(title) }}\" .", '<a:9dd4e461> <a:p> "it\'s" .'),
        (
            "<a:s> <a:p> '{{ isoDate(0) }}', '{{ '2026-01-02' | isoDate }}' .",
            "'1970-01-01T00:00:00+00:00', '2026-01-02T00:00:00'",
        ),
        ("<a:s> <a:p> {{ title | literal(lang='en') }} .", '"it\'s"@en'),
    ],
)
def test_a_template_gives_rdf(bench, template, text):
    """With helpers, as functions and filters, and values escaped as their place demands."""
    step = RDFBuilder(template=template, base_uri=BASE, data_field="entry")
    (message,) = bench.through(step, {"entry": {"slug": "a b", "title": "it's", "n": 5}})
    assert text in message["rdf"]
    assert triples(message["rdf"])


def test_a_template_can_be_a_file(bench):
    """It names the message's fields, and the time of now."""
    (bench.app / "t.njk").write_text("<{{ baseURI }}> <a:p> '{{ now() }}', '{{ title }}' .")
    (message,) = bench.through(RDFBuilder(template_filename="t.njk", base_uri=BASE), {"title": "T"})
    assert len(triples(message["rdf"])) == 2


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"template": "<a:s> <a:p>\n"}, r"what the template gives:\d:\d"),
        ({"template": "{{ n }} <a:p> 1 ."}, "what the template gives:1:1"),
        ({"template": "{{ uri('x') }} <a:p> 1 ."}, "no absolute IRI"),
        ({"template": "<a:s> <a:p> '{{ isoDate('x') }}' ."}, "<template>:1: Invalid isoformat"),
        ({"template": "x", "data_field": "n"}, "not an object but a int"),
    ],
)
def test_what_is_no_rdf_is_an_error(bench, settings, fault):
    """With its place in the text or in the template."""
    with pytest.raises(RunError, match=fault):
        bench.through(RDFBuilder(**settings), {"n": 5})


def test_an_object_becomes_turtle(bench):
    """Numbers stay numbers, lists are several values, objects are blank nodes, null says nothing."""
    item = {"id": "a/1", "n": 5, "ok": True, "tags": ["x", {"y": 1.5}], "none": None, "it's \n": "\ud800"}
    (message,) = bench.through(TurtleFormatter(base_uri=BASE, vocabulary="http://v/"), {"currentItem": item})
    assert message["targetFile"] == "a-2F1.ttl"
    for said in (":n 5", ":ok true", ':tags "x" , _:b1', '_:b1 :y "1.5"'):
        assert said in message["content"]
    assert len(triples(message["content"])) == 7


@pytest.mark.parametrize(
    ("item", "subject", "file"),
    [
        ({"uri": "http://e/p#it"}, "<http://e/p#it>", "it.ttl"),
        ({"uuid": "u-1", "id": 2}, "<http://e/x/u-1>", "u-1.ttl"),
        ({"a": 1}, "<http://e/x/f9d86028c6e0d64e>", "f9d86028c6e0d64e.ttl"),
    ],
)
def test_subjects_are_named(bench, item, subject, file):
    """By the object's own IRI, its id, or what it says."""
    (message,) = bench.through(TurtleFormatter(base_uri=BASE), {"currentItem": {**item, "a": 1}})
    assert subject in next(iter(triples(message["content"])))
    assert message["targetFile"] == file


@pytest.mark.parametrize(
    ("settings", "item", "fault"),
    [
        ({}, [], "not an object but a list"),
        ({}, {"uri": "no iri"}, "cannot be written as Turtle"),
        ({"vocabulary": "no iri"}, {"a": 1}, "cannot be written as Turtle"),
    ],
)
def test_what_cannot_be_turtle_is_an_error(bench, settings, item, fault):
    """It names the field."""
    with pytest.raises(RunError, match=fault):
        bench.through(TurtleFormatter(**settings), {"currentItem": item})


def test_an_object_that_is_too_deep_is_an_error(bench):
    """Deeper than anything that is meant."""
    item = {}
    for _ in range(100):
        item = {"a": item}
    with pytest.raises(RunError, match="more than 64 objects deep"):
        bench.through(TurtleFormatter(), {"currentItem": item})
