"""Settings of the processors that ask models and call tools, as faults of a config."""

import pytest
from examining import examine, make_target, marked, only

PIPE = ":demo a :EntryTransmission ; :pipe ( :a ) .\n"


@pytest.mark.parametrize(("node", "sentence", "place"), [
    (":Chat", "needs the setting model", ":a"),
    (':Chat ; :model "m" ; :provider "mistrl"', "provider must be one of", '"mistrl"'),
    (':Chat ; :model "m" ; :temperature 3', "temperature must be", "3"),
    (':Chat ; :model "m" ; :baseURL "localhost:11434"', "only http and https are fetched", '"localhost:11434"'),
    (':Chat ; :model "m" ; :apiKey "sk-1"', "apiKey", ":apiKey"),
    (":McpClient", "needs either :command or :url", ":a"),
    (':McpClient ; :command ( "find-it" )', "needs :tool", '"find-it"'),
    (':McpClient ; :url "http://x" ; :action "list"', "action must be one of", '"list"'),
    (':McpClient ; :url "http://x" ; :tool "look-up" ; :headers "none"', "not `Name: value`", '"none"'),
])  # fmt: skip
def test_a_fault_is_located(tmp_path, node, sentence, place):
    """Before anything runs, at the setting or at the node; a key is a reference and never stands there itself."""
    problem = only(examine(tmp_path, f"{PIPE}:a a {node} .")[1])
    assert sentence in problem.message
    assert marked(problem.span) == place


@pytest.mark.parametrize(("node", "setting"), [
    *((':Chat ; :model "m"', setting) for setting in ("provider", "baseURL", "apiKey")),
    *((':McpClient ; :url "http://x" ; :action "list-tools"', setting) for setting in ("command", "url", "tool", "env", "uri")),
])  # fmt: skip
def test_a_target_cannot_say_who_is_asked(tmp_path, node, setting):
    """It travels with data."""
    target = make_target(tmp_path, f':a :{setting} [ :env "X" ] .' if setting == "apiKey" else f':a :{setting} "x" .')
    _, problems = examine(tmp_path, f"{PIPE}:a a {node} .", target=target)
    assert "protected-setting" in [problem.code for problem in problems]
