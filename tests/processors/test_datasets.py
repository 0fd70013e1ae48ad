"""DatasetReader, ConfigMap, RDFConfig, EndpointsGenerator."""

import json

import pytest
from sparql_endpoint import sparql_endpoint

from transmissions import IRI, RunError
from transmissions.processors.datasets import ConfigMap, ConfigPattern, DatasetReader, EndpointsGenerator, RDFConfig
from transmissions.processors.sparql import SPARQLSelect

DATA = """@prefix e: <http://e/> .
e:one a e:Feed ; e:url <http://f/1> ; e:every 60 ; e:on true ; e:tags "a", "b" ; e:way ( 1 ( 2 ) () ) ; e:by [ e:name "Ann" ] .
e:two a e:Feed ; e:url <http://f/2> .
"""
ONE = {"type": "http://e/Feed", "url": "http://f/1", "every": 60, "on": True, "tags": ["a", "b"], "way": [1, [2], []]}


def pattern(name, **iris):
    """Return a pattern."""
    return ConfigPattern(name=name, **{key: IRI(value) for key, value in iris.items()})


@pytest.fixture
def message(bench):
    """Return a message with the dataset."""
    (bench.app / "config.ttl").write_text(DATA)
    return bench.through(DatasetReader(dataset_file="config.ttl"), {})[0]


def test_a_config_becomes_a_plain_object(bench, message):
    """Lists, blank nodes and several values are plain data, too."""
    (found,) = bench.through(ConfigMap(), message)
    assert found["configMap"]["one"] == {**ONE, "by": {"name": "Ann"}}
    assert list(found["configMap"]) == ["one", "two"]
    json.dumps(found)


def test_names_that_end_alike_are_written_out(bench):
    """So that neither hides the other."""
    dataset = "<http://e/a> <http://p/x> 1 ; <http://q/x> 2 . <http://f/a> <http://p/x> 3 ."
    (found,) = bench.through(ConfigMap(), {"dataset": dataset})
    assert found["configMap"] == {"http://e/a": {"http://p/x": 1, "http://q/x": 2}, "http://f/a": {"x": 3}}


def test_patterns_look_things_up(bench, message):
    """By class, subject and property; of the setting, and of the message."""
    patterns = (
        pattern("urls", type="http://e/Feed", property="http://e/url"),
        pattern("every", subject="http://e/one", property="http://e/every"),
        pattern("two", subject="http://e/two"),
        pattern("none", type="http://e/None"),
    )
    message["configPatterns"] = [{"name": "on", "property": "http://e/on"}]
    (found,) = bench.through(RDFConfig(patterns=patterns), message)
    two = {"type": "http://e/Feed", "url": "http://f/2"}
    assert found["configMap"] == {"urls": ["http://f/1", "http://f/2"], "every": 60, "two": two, "none": None, "on": True}


def test_patterns_of_a_message_must_be_patterns(bench, message):
    """A list of objects with known members."""
    for told in ([{"nome": "x"}], ["x"], 5):
        with pytest.raises(RunError, match="'configPatterns' is no list of patterns"):
            bench.through(RDFConfig(), {**message, "configPatterns": told})


def test_a_dataset_that_is_absent_or_in_a_circle_is_an_error(bench):
    """And neither hangs."""
    with pytest.raises(RunError, match="no field 'dataset'"):
        bench.through(RDFConfig(), {"a": 1})
    with pytest.raises(RunError, match="in a circle"):
        bench.through(ConfigMap(), {"dataset": "<a:s> <a:p> _:x . _:x <a:p> _:y . _:y <a:p> _:x ."})


def test_a_file_that_cannot_be_read_is_an_error(bench):
    """Absent, of no known suffix, too large, broken."""
    (bench.app / "a.xyz").write_text("x")
    (bench.app / "a.ttl").write_text("<a:b>\n")
    for settings, fault in (
        ({"dataset_file": "none.ttl"}, r"no file 'none\.ttl' with a dataset"),
        ({"dataset_file": "a.xyz"}, r"'\.xyz' is no syntax"),
        ({"dataset_file": "a.ttl", "max_bytes": 1}, ":maxBytes is 1"),
        ({"dataset_file": "a.ttl"}, r"a\.ttl:2:1: "),
    ):
        with pytest.raises(RunError, match=fault):
            bench.through(DatasetReader(**settings), {})


def test_endpoints_are_written_without_a_password(bench, monkeypatch):
    """SPARQLSelect reads them, and takes user and password from the variables."""
    monkeypatch.setenv("SPARQL_USER", "ann")
    monkeypatch.setenv("SPARQL_PASSWORD", "sesame")
    bench.output = bench.app
    with sparql_endpoint("ann:sesame") as endpoint:
        bench.through(EndpointsGenerator(server=endpoint.url, dataset="news"), {})
        written = (bench.app / "endpoints.json").read_text()
        assert "sesame" not in written
        assert [one["url"] for one in json.loads(written)] == [f"{endpoint.url}/news/{kind}" for kind in ("query", "update")]
        (bench.app / "endpoints.json").write_text(written.replace("/news/", "/"))
        (message,) = bench.through(SPARQLSelect(endpoint_settings="endpoints.json", template="ASK {}", plain=True), {})
    assert message["queryResults"] is True
