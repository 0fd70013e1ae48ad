"""MermaidRenderer, with a real server and a real program."""

import sys

import pytest
from local_server import Page, serving

from transmissions import RunError, UsageError
from transmissions.processors.mermaid import MermaidRenderer

SVG = b"<?xml version='1.0'?>\n<svg>\n\n<text>%s</text></svg>\n"
MARKDOWN = (
    "# T\n\n```mermaid\ngraph A\n```\n\n- x\n- ```mermaid\n  graph B\n  ```\n\n"
    "> ~~~mermaid\n> graph C\n> ~~~\n\n```\nmermaid\n```\n"
)


def answer(seen):
    """Draw as Kroki does."""
    is_asked_well = (seen.method, seen.path) == ("POST", "/k/mermaid/svg") and seen.headers["content-type"].startswith(
        "text/plain"
    )
    if not is_asked_well or b"bad" in seen.body:
        return Page(b"Error 400: Syntax error\nin graph", {}, 400)
    return Page(SVG % seen.body.strip(), {"Content-Type": "image/svg+xml"})


@pytest.fixture
def program(tmp_path):
    """Return a program that draws what is on its standard input, unless that is `bad`, `slow` or `text`."""
    path = tmp_path / "mmdc"
    path.write_text(
        f"#!{sys.executable}\nimport sys, time\ntext = sys.stdin.read().strip()\n"
        "if text == 'bad': sys.exit('Parse error\\n  on line 1')\n"
        "if text == 'slow': time.sleep(60)\n"
        "print('nothing' if text == 'text' else f\"<svg>{sys.argv[1]} {text}</svg>\")\n"
    )
    path.chmod(0o755)
    return str(path)


def test_a_server_draws(bench):
    """The diagram is the body; an answer of failure is an error with the server's reason."""
    with serving(answer) as server:
        step = MermaidRenderer(server=f"{server.url}/k/")
        (message,) = bench.through(step, {"content": "graph ü"})
        with pytest.raises(
            RunError, match=r"'content' cannot be drawn, says the server \(400\): Error 400: Syntax error in graph"
        ):
            bench.through(step, {"content": "bad"})
    assert message["svg"] == "<svg>\n\n<text>graph ü</text></svg>"


def test_a_program_draws(bench, program):
    """Its arguments are those of the config, whatever the diagram says."""
    step = MermaidRenderer(command=(program, "-x;y"), source_field="a.b", destination_field="c.d")
    assert bench.through(step, {"a": {"b": "graph $(z)"}})[0]["c"] == {"d": "<svg>-x;y graph $(z)</svg>"}


def test_diagrams_in_markdown_are_drawn_in_place(bench, program):
    """Each is one line of HTML, in a list and a quotation too; other code stays."""
    (message,) = bench.through(MermaidRenderer(command=(program, "-")), {"content": MARKDOWN})
    drawn = '<div class="mermaid"><svg>- graph {}</svg></div>\n'
    assert message["svg"] == (
        f"# T\n\n{drawn.format('A')}\n\n- x\n- {drawn.format('B')}\n\n> {drawn.format('C')}>\n\n```\nmermaid\n```\n"
    )
    assert bench.through(MermaidRenderer(command=(program,), source="markdown"), {"content": "bad"})[0]["svg"] == "bad"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("bad", "the field 'content' cannot be drawn, says '.*mmdc': Parse error on line 1"),
        ("slow", "the field 'content' could not be drawn in 1000 ms"),
        ("text", r"the field 'content' became no SVG but 'nothing\\n'"),
        ("x\n\n```mermaid\nbad\n```\n", "the diagram in line 3 of the field 'content' cannot be drawn"),
        (1, "neither text nor bytes but a int"),
        ("graph " * 100, r"became more than 200 bytes of SVG \(:maxSize\)"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(bench, program, text, fault):
    """It says which diagram, and why."""
    with pytest.raises(RunError, match=fault):
        bench.through(MermaidRenderer(command=(program, "-"), timeout=1000, max_size=200), {"content": text})


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"server": "http://a", "command": ("b",)}, "either a :server or a :command"),
        ({"server": "ftp://a"}, "'ftp://a' is no address of the web"),
    ],
)
def test_somebody_must_draw(settings, fault):
    """Two, or what is no server, is refused before anything runs."""
    with pytest.raises(UsageError, match=fault):
        MermaidRenderer(**settings)


def test_a_program_that_is_not_there_is_an_error(bench):
    """The error names it."""
    with pytest.raises(RunError, match="no-such-mmdc"):
        bench.through(MermaidRenderer(command=("no-such-mmdc",)), {"content": "graph"})


def test_where_nobody_draws_messages_go_on(bench, caplog):
    """They are as they were, and a warning says what to set."""
    caplog.set_level("WARNING")
    assert bench.through(MermaidRenderer(), {"content": "graph TD"}) == [{"content": "graph TD"}]
    assert "nothing is drawn: set :server" in caplog.text
