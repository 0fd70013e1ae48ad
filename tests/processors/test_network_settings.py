"""Settings of the processors that use the network, as faults of a config."""

import pytest
from examining import examine, make_target, marked, only

PIPE = ":demo a :EntryTransmission ; :pipe ( :a ) .\n"


@pytest.mark.parametrize(("node", "sentence", "place"), [
    (':HttpGet ; :url "http://x" ; :urlField "link"', "needs either :url or :urlField", ":a"),
    (':HttpClient ; :url "file:///x"', "only http and https are fetched", '"file:///x"'),
    (':HttpClient ; :url "http://x" ; :method "FETCH"', "method must be one of", '"FETCH"'),
    (':HttpClient ; :url "http://x" ; :headers "none"', "not `Name: value`", '"none"'),
    (":HttpClient ; :headers '{\"Accept\": \"text/html\"}'", "not `Name: value`", """'{"Accept": "text/html"}'"""),
    (":HttpProxy", "needs the setting baseURL", ":a"),
    (':HttpProxy ; :baseURL "http://x/?k="', "has a query", '"http://x/?k="'),
    (':HttpServer ; :basePath "x"', "basePath must match", '"x"'),
    (':GitHubList ; :baseURL "x"', "is no URL; it must begin with http:// or https://", '"x"'),
])  # fmt: skip
def test_a_fault_is_located(tmp_path, node, sentence, place):
    """Before anything runs, at the setting or at the node."""
    problem = only(examine(tmp_path, f"{PIPE}:a a {node} .")[1])
    assert sentence in problem.message
    assert marked(problem.span) == place


@pytest.mark.parametrize("setting", ["url", "urlField", "allow", "headers", "method"])
def test_a_target_cannot_say_where_requests_go(tmp_path, setting):
    """It travels with data."""
    target = make_target(tmp_path, f':a :{setting} "x" .')
    _, problems = examine(tmp_path, f'{PIPE}:a a :HttpClient ; :bodyField "b" .', target=target)
    assert "protected-setting" in [problem.code for problem in problems]
