"""A server described in Turtle, and what the command line adds to it."""

from argparse import ArgumentParser

import pytest
from examining import marked, write_turtle

from transmissions.commands import serve
from transmissions.errors import ConfigError
from transmissions.server_environment import with_environment
from transmissions.server_settings import RateLimit, ServerSettings, configure, read_server


def options(*words):
    """Return the options of a command line, completed."""
    parser = ArgumentParser()
    serve.add_arguments(parser)
    found = parser.parse_args(words)
    configure(found)
    return found


@pytest.fixture
def file(tmp_path):
    """Return what writes a file of a server."""

    def written(turtle):
        path = tmp_path / "server.ttl"
        write_turtle(path, turtle)
        return path

    return written


def test_without_a_file_the_defaults_hold():
    """The port is another where whole answers are served."""
    told = options()
    assert (told.host, told.port, told.concurrent, told.timeout, told.apps) == ("127.0.0.1", 8080, 64, 60.0, [])
    assert options("--api").port == 4500


def test_a_file_says_what_is_served_and_the_command_line_wins(file):
    """Option by option, even where it says the default; files are beside the file that names them."""
    path = file(':s a :Server ; :app "a", "b" ; :port 9000 ; :timeout 5000 ; :concurrent 3 ; :tokenFile "t" ; :allowHost "h" .')
    told = options("--config", str(path), "--concurrent", "64")
    assert (told.apps, told.port, told.timeout, told.concurrent, told.allow_host) == (["a", "b"], 9000, 5.0, 64, ["h"])
    assert told.token_file == str(path.parent / "t")
    assert options("--config", str(file(":s a :Server ; :header 'A: b', 'C: d' ."))).header == ("A: b", "C: d")
    assert options("--config", str(path), "c", "--no-token").apps == ["c"]


def test_tp_03_a_profile_speaks_of_servers_too(file):
    """What the file says itself wins."""
    told = read_server(file(':s a :Server ; :profile "memory-optimized" ; :concurrent 7 .'))
    assert (told.memory, told.concurrent) == (10485760, 7)


@pytest.mark.parametrize(
    ("turtle", "code", "at"),
    [
        (":s a :Server ; :ap 'x' .", "unknown-setting", ":ap"),
        (":s a :Server ; :port 65536 .", "range", "65536"),
        (":s a :Server ; :timeout '25ms' .", "datatype", "'25ms'"),
        (":s a :Server ; :profile 'fast' .", "unknown-profile", "'fast'"),
        (":s a :Server ; :rateLimit [ :rate 0 ] .", "range", "0"),
        (":s a :Server ; :rateLimit [ :action 'wait' ] .", "choice", "'wait'"),
        (":s a :Server ; :bufferSize 4096 .", "range", "4096"),
        (":s a :Server ; :header 'X-Evil' .", "pattern", "'X-Evil'"),
        (":s a :Server ; :header 'X: a\\r\\nSet-Cookie: b' .", "pattern", "'X: a\\r\\nSet-Cookie: b'"),
        (":s a :Server . :t a :Server .", "server", ":Server"),
    ],
)
def test_a_fault_is_told_at_its_place(file, turtle, code, at):
    """As in an app."""
    with pytest.raises(ConfigError) as caught:
        read_server(file(turtle))
    [problem] = caught.value.problems
    assert (problem.code, marked(problem.span)) == (code, at)


def test_a_value_above_another_is_said_to_be(file):
    """With the other, and where that stands."""
    with pytest.raises(ConfigError) as caught:
        read_server(file(":s a :Server ; :bufferSize 4096 ."))
    assert caught.value.problems[0].label == "4096 is greater than 2048 (bufferMost, default)"


@pytest.mark.parametrize("turtle", [":s a :Sever .", ":s a"])
def test_a_file_without_a_server_is_an_error(file, turtle):
    """Whether it cannot be read, or describes something else."""
    with pytest.raises(ConfigError):
        read_server(file(turtle))


def test_tp07_the_environment_wins_over_the_file(file, monkeypatch):
    """And the command line over it; times are in seconds there, what is empty says nothing."""
    for name, value in {"STREAM_BUFFER_SIZE": "512", "STREAM_MAX_CONCURRENT": "7", "WS_PING_INTERVAL": "1.5"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STREAM_BUFFER_MAX_SIZE", "")
    path = str(file(":s a :Server ; :concurrent 3 ; :bufferMost 1024 ."))
    told = options("--config", path)
    assert (told.buffer_size, told.buffer_most, told.concurrent, told.ping) == (512, 1024, 7, 1500)
    assert options("--config", path, "--concurrent", "9").concurrent == 9


def test_tp07_each_variable_sets_what_it_is_named_for():
    """Sizes in events and bytes, the rest in seconds and requests."""
    said = {
        "STREAM_BUFFER_SIZE": "100",
        "STREAM_BUFFER_MAX_SIZE": "200",
        "WS_MAX_MESSAGE_SIZE": "16777216",
        "STREAM_DEFAULT_TIMEOUT": "5",
        "STREAM_RATE_LIMIT_ENABLED": "TRUE",
        "STREAM_RATE_LIMIT_RPS": "2.5",
    }
    told = with_environment(ServerSettings(), said)
    assert (told.buffer_size, told.buffer_most, told.message_size, told.timeout) == (100, 200, 1 << 24, 5000)
    assert (told.rate_limit.rate, told.rate_limit.burst, told.rate_limit.action) == (2.5, 20, "error")
    limited = ServerSettings(rate_limit=RateLimit(burst=3))
    assert with_environment(limited, {"STREAM_RATE_LIMIT_ENABLED": "0"}).rate_limit is None
    assert with_environment(limited, {"STREAM_RATE_LIMIT_ENABLED": "1"}).rate_limit.burst == 3


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"STREAM_BUFFER_SIZE": "abc"}, "STREAM_BUFFER_SIZE is a whole number from 1 on, not 'abc'"),
        ({"STREAM_BUFFER_SIZE": "0"}, "from 1 on, not '0'"),
        ({"STREAM_MAX_CONCURRENT": "1.5"}, "a whole number from 1 on, not '1.5'"),
        ({"WS_MAX_MESSAGE_SIZE": "99999999999"}, "from 1024 to 16777216, not"),
        ({"WS_PING_INTERVAL": "-1"}, "WS_PING_INTERVAL is a number from 1 on, not '-1'"),
        ({"STREAM_DEFAULT_TIMEOUT": "\uff11"}, "a number from 0.001 on"),
        ({"STREAM_RATE_LIMIT_RPS": "0"}, "a number above 0, not '0'"),
        ({"STREAM_RATE_LIMIT_ENABLED": "maybe"}, "is true or false, not 'maybe'"),
        ({"STREAM_BUFFER_SIZE": "4096"}, "a buffer of 4096 events cannot grow to 2048"),
    ],
)
def test_tp07_a_value_that_is_none_is_told_with_its_place(said, sentence):
    """As the text it is, marked in its variable."""
    with pytest.raises(ConfigError) as caught:
        with_environment(ServerSettings(), said)
    [problem] = caught.value.problems
    [(name, text)] = said.items()
    assert sentence in problem.message
    assert (problem.span.file, problem.span.text, marked(problem.span)) == ("environment", f"{name}={text}", text)


def test_tp07_all_faults_of_the_environment_are_told_at_once():
    """As everywhere."""
    with pytest.raises(ConfigError) as caught:
        with_environment(ServerSettings(), {"STREAM_BUFFER_SIZE": "x", "WS_PING_INTERVAL": "y"})
    assert len(caught.value.problems) == 2


def test_tp08_a_limit_of_the_rate_is_part_of_a_server(file):
    """With the usual figures where nothing is said of it but that there is one."""
    assert read_server(file(":s a :Server .")).rate_limit is None
    told = read_server(file(":s a :Server ; :rateLimit [ :burst 5 ; :action 'delay' ] .")).rate_limit
    assert (told.rate, told.burst, told.action) == (10.0, 5, "delay")
