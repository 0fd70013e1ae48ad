"""A server described in Turtle, and what the command line adds to it."""

from argparse import ArgumentParser

import pytest
from examining import marked, write_turtle

from transmissions.commands import serve
from transmissions.errors import ConfigError
from transmissions.server_settings import configure, read_server


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
        (":s a :Server . :t a :Server .", "server", ":Server"),
    ],
)
def test_a_fault_is_told_at_its_place(file, turtle, code, at):
    """As in an app."""
    with pytest.raises(ConfigError) as caught:
        read_server(file(turtle))
    [problem] = caught.value.problems
    assert (problem.code, marked(problem.span)) == (code, at)


@pytest.mark.parametrize("turtle", [":s a :Sever .", ":s a"])
def test_a_file_without_a_server_is_an_error(file, turtle):
    """Whether it cannot be read, or describes something else."""
    with pytest.raises(ConfigError):
        read_server(file(turtle))
