"""What apps say of the paths they are served at: its rules, its profiles, and what a server makes of it."""

import json

import pytest
from examining import examine, marked, only, write_turtle

from transmissions import UsageError
from transmissions.endpoints import keys_of, parameters_of, refuse_doubles
from transmissions.loader import profiles
from transmissions.plan import from_json, to_json

DEMO = ":demo a :EntryTransmission ; :pipe ( :a ) ; {} . :a a :NOP ."


@pytest.mark.parametrize(
    ("turtle", "code", "at", "sentence"),
    [
        (":endpoint [ :path '/a/{id}' ]", "unknown-argument", "'/a/{id}'", "no :argument 'id' of kind Text"),
        (":argument [ :name 'id' ; :kind :Path ] ; :endpoint [ :path '/{id}' ]", "unknown-argument", "'/{id}'", "kind Text"),
        (":endpoint [ :path '/runs/a' ]", "endpoint", "'/runs/a'", "is the server's own"),
        (":endpoint [ :path '/a' ] , [ :path '/a' ; :protocol 'sse' ]", "two-endpoints", "'/a'", "two endpoints are GET /a"),
        (":endpoint [ :path '/a' ; :protocol 'file' ; :envelope true ]", "endpoint", "true", "no room for envelopes"),
        (":endpoint [ :path '/a' ; :profile 'low-latancy' ]", "unknown-profile", "'low-latancy'", "no profile"),
        (":endpoint [ :path '/a' ; :profile 'low-latency' ; :initial 512 ]", "range", "512", "not be greater than maximum"),
        (":endpoint [ :path '/a' ; :minimum 300 ]", "range", "300", "minimum must not be greater than initial"),
        (":endpoint [ :path '/a' ; :growth 1.0 ]", "range", "1.0", "growth must be greater than 1"),
        (":endpoint [ :path '/a' ; :shrink 1.0 ]", "range", "1.0", "shrink must be less than 1"),
        (":endpoint [ :path '/a' ; :shrink 0.0 ]", "range", "0.0", "shrink must be greater than 0"),
        (":endpoint [ :path '/a' ; :heartbeat 0 ]", "range", "0", "heartbeat must be at least 100 ms"),
        (":endpoint [ :path '/a' ; :streams 0 ]", "range", "0", "streams must be at least 1"),
        (":endpoint [ :path '/a' ; :heartbeat '15s' ]", "datatype", "'15s'", "heartbeat"),
        (":endpoint [ :path 'a' ]", "pattern", "'a'", "path must match"),
        (":endpoint [ :path '/a' ; :method 'PUT' ]", "choice", "'PUT'", "one of GET, POST"),
        (":endpoint [ :method 'GET' ]", "missing-setting", "[ :method 'GET' ]", "needs the setting path"),
        (":endpoint [ :path '/a' ; :heartbeet 1 ]", "unknown-setting", ":heartbeet", "no setting heartbeet"),
    ],
)
def test_tp_06_a_fault_of_an_endpoint_is_told_at_its_place(tmp_path, turtle, code, at, sentence):
    """As any other is."""
    plan, problems = examine(tmp_path, DEMO.format(turtle))
    problem = only(problems)
    assert (plan, problem.code, marked(problem.span)) == (None, code, at)
    assert sentence in problem.message


@pytest.mark.parametrize(
    ("turtle", "write"),
    [
        (":heartbeat '15s'", "ms: write 15000"),
        (":heartbeat '2500ms'", "ms: write 2500"),
        (":grace '0.5 min'", "ms: write 30000"),
        (":largest '1MB'", "bytes: write 1000000"),
        (":memory '16KiB'", "bytes: write 16384"),
        (":heartbeat '16KB'", ""),
        (":heartbeat '0.5ms'", ""),
        (":initial '64kB'", ""),
        (":heartbeat 'often'", ""),
    ],
)
def test_tp_05_a_size_or_time_with_a_unit_is_answered_with_its_plain_number(tmp_path, turtle, write):
    """In the unit of the setting, if it has one of that kind and the number is one it takes."""
    _, problems = examine(tmp_path, DEMO.format(f":endpoint [ :path '/a' ; {turtle} ]"))
    problem = only(problems)
    assert (problem.code, marked(problem.span)) == ("datatype", turtle.partition(" ")[2])
    assert problem.help == (f"a plain number stands for {write}" if write else "")


def endpoint_of(tmp_path, turtle, **options):
    """Return what a plan says of one endpoint."""
    plan, problems = examine(tmp_path, DEMO.format(f":endpoint [ :path '/a' {turtle} ]"), **options)
    assert problems == []
    assert from_json(json.loads(json.dumps(to_json(plan)))).endpoints == plan.endpoints
    return plan.endpoints[0]


def test_tp_01_tp_02_tp_03_profiles_say_what_an_endpoint_does_not(tmp_path):
    """By the figures of the three profiles there are."""
    found = {path.stem: endpoint_of(tmp_path / path.stem, f"; :profile '{path.stem}'") for path in profiles().glob("*.ttl")}
    fields = ("initial", "maximum", "growth", "memory", "heartbeat", "streams")
    shown = {name: [one.get(field) for field in fields] for name, one in found.items()}
    assert shown == {
        "high-throughput": [2048, 4096, 2.0, 131072, None, None],
        "low-latency": [64, 256, 1.2, 32768, 15000, None],
        "memory-optimized": [64, 64, None, 16384, None, 100],
    }


def test_tp_11_an_endpoint_wins_over_its_profile(tmp_path):
    """Property by property."""
    said = endpoint_of(tmp_path, "; :profile 'low-latency' ; :initial 100")
    assert (said["initial"], said["maximum"]) == (100, 256)


def test_an_endpoint_can_stand_on_a_transmission_that_is_no_entry(tmp_path):
    """A request starts that one; the plan says which it is."""
    other = ":other a :Transmission ; :pipe ( :a ) ; :endpoint [ :path '/b' ] ."
    plan, problems = examine(tmp_path, DEMO.format(":deadLetters 'd'") + other)
    assert (problems, plan.endpoints) == ([], ({"transmission": "other", "path": "/b"},))


def test_a_profile_may_speak_of_endpoints_only_by_their_settings(tmp_path, monkeypatch):
    """A misspelt one is told where the profile has it."""
    path = tmp_path / "own.ttl"
    write_turtle(path, ":Endpoint :initail 3 .")
    monkeypatch.setattr("transmissions.loader.profile_file", lambda *_: path)
    _, problems = examine(tmp_path, DEMO.format(":endpoint [ :path '/a' ; :profile 'own' ]"))
    problem = only(problems)
    assert (problem.code, problem.span.file.endswith("own.ttl")) == ("unknown-setting", True)


def test_paths_are_the_same_whatever_their_parts_are_called():
    """And a WebSocket is opened with a GET."""
    assert parameters_of("/a/{id}/{part}") == ["id", "part"]
    socket = {"path": "/a/{name}", "method": "POST", "protocol": "websocket"}
    assert keys_of({"path": "/a/{id}"}) == keys_of(socket) == ["GET /a/{}"]


def test_two_apps_in_one_place_are_not_served_together():
    """The error names both."""
    refuse_doubles([("one", {"path": "/a"}), ("one", {"path": "/b"}), ("two", {"path": "/a", "method": "POST"})])
    with pytest.raises(UsageError, match="GET /a is an endpoint of two apps, one and two"):
        refuse_doubles([("one", {"path": "/a"}), ("two", {"path": "/a"})])
