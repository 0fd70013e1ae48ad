"""RequiredFields, EntryDeduplicator and FeedUrlDeduplicator."""

import hashlib

import pytest

from transmissions import RunError
from transmissions.processors.entries import EntryDeduplicator, FeedUrlDeduplicator, RequiredFields

ROWS = [
    {"post": {"type": "uri", "value": "urn:1"}, "id": {"type": "literal", "value": "g1"}},
    {"post": {"type": "uri", "value": "urn:2"}, "link": {"type": "uri", "value": "http://a/2"}},
    {"post": {"type": "uri", "value": "urn:3"}, "hash": {"value": hashlib.md5(b"text").hexdigest()}},
]


def sparql(rows):
    """Return the rows as SPARQL's JSON has them."""
    return {"head": {"vars": []}, "results": {"bindings": rows}}


def test_incomplete_messages_are_dropped(bench):
    """Absent, null and empty is missing, zero and false are not; commas separate names."""
    step = RequiredFields(required_fields=("a.b, c", "d"))
    whole = {"a": {"b": 0}, "c": False, "d": "x"}
    broken = [{**whole, "a": {}}, {**whole, "c": None}, {**whole, "d": ""}, {**whole, "httpError": "404"}]
    assert bench.through(step, whole, *broken) == [whole]
    failed = {**whole, "httpError": "404"}
    assert bench.through(RequiredFields(required_fields=("d",), skip_on_http_error=False), failed) == [failed]


def test_an_incomplete_message_may_fail(bench):
    """Then the node's policy decides, and the error names the field."""
    with pytest.raises(RunError, match="the field 'title' is required"):
        bench.through(RequiredFields(required_fields=("title",), missing="fail"), {})


@pytest.mark.parametrize("results", [ROWS, sparql(ROWS), [{name: term["value"] for name, term in row.items()} for row in ROWS]])
def test_known_entries_are_told_by_guid_link_or_content(bench, results):
    """Whatever shape the results have, a duplicate is marked with what it is a duplicate of."""
    step = EntryDeduplicator(skip_duplicates=False, use_content_hash=True)
    entries = [{"guid": "g1"}, {"link": "http://a/2"}, {"content": "text"}, {"guid": "g9"}]
    found = bench.through(step, *({**entry, "queryResults": results} for entry in entries))
    marks = [(message["isDuplicate"], message.get("existingURI"), message.get("matchMethod")) for message in found]
    assert marks == [(True, "urn:1", "guid"), (True, "urn:2", "link"), (True, "urn:3", "content"), (False, None, None)]
    assert found[2]["entryHash"] == hashlib.md5(b"text").hexdigest()


def test_duplicates_are_dropped_and_one_way_to_compare_may_be_chosen(bench):
    """What is not compared does not count."""
    message = {"guid": "g1", "link": "http://new", "queryResults": ROWS}
    assert bench.through(EntryDeduplicator(), dict(message)) == []
    assert bench.through(EntryDeduplicator(check_method="link"), dict(message)) == [{**message, "isDuplicate": False}]
    with pytest.raises(RunError, match="has none of 'guid', 'link' and 'content'"):
        bench.through(EntryDeduplicator(), {"queryResults": []})


def test_each_message_is_compared_with_its_own_results(bench):
    """Results are looked through again when they are others."""
    messages = [{"guid": "x", "queryResults": [["x"], ["y"]][n]} for n in (0, 1, 0)]
    assert len(bench.through(EntryDeduplicator(), *messages)) == 1


def test_known_feeds_are_dropped(bench):
    """Addresses are compared in their normal form, one alone or a list of them."""
    known = sparql([{"feed": {"value": "http://A/feed/"}}, {"feed": {"value": "not a url"}}])
    urls = ["http://a/feed", "http://b/feed", "not a url", ["http://a:80/feed#x"], ["http://a/feed", "http://c"]]
    found = bench.through(FeedUrlDeduplicator(), *({"feedUrl": url, "queryResults": known} for url in urls))
    assert [message["feedUrl"] for message in found] == ["http://b/feed", ["http://c"]]
    step = FeedUrlDeduplicator(existing_field="old", skip_duplicates=False)
    assert bench.through(step, {"feedUrl": "http://a", "old": ["http://a/"]})[0]["isDuplicate"] is True


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"feedUrl": "x"}, "no field 'queryResults'"),
        ({"feedUrl": "x", "queryResults": {"a": 1}}, "neither the results of a query nor a list but a dict"),
        ({"feedUrl": 1, "queryResults": []}, "neither an address nor a list but a int"),
    ],
)
def test_what_cannot_be_compared_fails(bench, message, fault):
    """Results and addresses must be there and of a known shape."""
    with pytest.raises(RunError, match=fault):
        bench.through(FeedUrlDeduplicator(), message)
