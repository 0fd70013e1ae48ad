"""What stands in a plan besides nodes: homes, arguments, metrics, dead letters, entries."""

from __future__ import annotations

import json

import pytest
from examining import examine, make_app, node

from transmissions.commands import graph
from transmissions.homes import load_class
from transmissions.plan import Argument
from transmissions.prepare import prepare
from transmissions.validate import check


def plan_of(tmp_path, turtle, **options):
    """Return the plan of an app without problems."""
    plan, problems = examine(tmp_path, turtle, **options)
    assert not problems
    return plan


def test_homes_in_use_travel_with_the_plan(tmp_path):
    """The user home whose class is placed is named, so that a worker can import it."""
    plan = plan_of(tmp_path, ":demo a :Transmission ; :pipe (:a) . :a a :Plain .")
    assert [folder for _, folder in plan.homes] == [str(tmp_path)]
    assert load_class(node(plan).implementation).__name__ == "Plain"


def test_a_bundled_app_needs_no_home(tmp_path):
    """The bundled home is there without being named."""
    assert plan_of(tmp_path, ":demo a :Transmission ; :pipe (:a) . :a a :NOP .").homes == ()


def test_a_class_may_be_named_by_its_path(tmp_path):
    """`:implementedBy` leads to a class that need not be typed."""
    plan = plan_of(tmp_path, ":demo a :Transmission ; :pipe (:a) . :a :implementedBy 'widgets:Needy' ; :template 'x' .")
    assert node(plan).implementation.endswith("widgets:Needy")
    assert node(plan).settings == {"template": "x"}


def test_arguments_are_read_in_order(tmp_path):
    """One argument or a list of them; the field is its name unless said."""
    turtle = """
        :demo a :Transmission ; rdfs:label "Demo" ; :pipe (:a) ; :argument (
            [ :name "files" ; :kind :Path ; :field "path" ; :many true ; :required true ; rdfs:comment "What to read." ]
            [ :name "word" ; :default "x" ] ) .
        :a a :Plain .
        """
    plan = plan_of(tmp_path, turtle)
    assert plan.arguments == (
        Argument("files", "Path", "path", many=True, required=True, help="What to read."),
        Argument("word", "Text", "word", default="x"),
    )
    assert plan.transmissions[0].label == "Demo"


def test_metrics_and_dead_letters_are_the_app_s(tmp_path):
    """Both are said on the entry transmission."""
    said = ":metrics [ :to 'm.json' ; :interval 100 ], [ :format 'log' ] ; :deadLetters 'dead.ndjson'"
    plan = plan_of(tmp_path, f":demo a :Transmission ; :pipe (:a) ; {said} . :a a :Plain .")
    assert [metrics.get("format") for metrics in plan.metrics] == [None, "log"]
    assert plan.dead_letters == "dead.ndjson"


def test_terms_of_a_run_on_a_mere_part_draw_a_warning(tmp_path):
    """Arguments of a transmission that no run starts would be without effect."""
    turtle = ":demo a :Transmission ; :pipe (:in) . :in a :Transmission ; :pipe (:a) ; :deadLetters 'x' . :a a :Plain ."
    plan, problems = examine(tmp_path, turtle)
    assert plan.dead_letters is None
    assert [problem.code for problem in problems] == ["not-an-entry"]


def test_defaults_are_left_to_the_class(tmp_path):
    """A plan holds what was written and what was computed from it, no more."""
    app = make_app(tmp_path, ":demo a :Transmission ; :pipe (:a) . :a a :Widget ; :low 3 .")
    assert node(check(app)[0]).settings == {"low": 3, "share": 5}


LEFT_OUT = ":demo a :Transmission ; :pipe (:a :b) . :a a :Picky ; :settings :set . :b a :Plain ."


def test_a_node_that_is_not_enabled_is_not_in_the_plan(tmp_path):
    """It is left out without being made: what its class would refuse is no fault."""
    plan = plan_of(tmp_path, LEFT_OUT, config=":set :enabled false ; :width 13 .")
    assert [one.path for one in plan.nodes()] == ["demo/b"]
    assert [path for path, _ in plan.transmissions[0].off] == ["demo/a"]


def test_a_node_is_enabled_from_the_command_line(tmp_path):
    """`--set` is the last to say whether a node is in the pipe; the term is no setting of its class."""
    plan = plan_of(tmp_path, LEFT_OUT, config=":set :enabled false .", overrides=["a.enabled=true"])
    assert [(one.path, one.settings) for one in plan.nodes()] == [("demo/a", {}), ("demo/b", {})]
    without = plan_of(tmp_path, LEFT_OUT, config=":set :width 12 .", overrides=["a.enabled=false"])
    assert [one.path for one in without.nodes()] == ["demo/b"]


def test_workers_with_nothing_to_do_are_left_out(tmp_path):
    """Processes are planned only where a step of theirs is enabled."""
    turtle = ":demo a :Transmission ; :pipe (:w :b) . :w a :Workers ; :pipe (:a) . :a a :Plain ; :enabled false . :b a :Plain ."
    (only,) = plan_of(tmp_path, turtle).transmissions[0].pipe
    assert only.path == "demo/b"


def test_a_branch_without_its_node_lets_messages_pass(tmp_path):
    """A fork keeps its branches: what goes that way goes on as it is."""
    plan = plan_of(tmp_path, ROUTE, overrides=["c.enabled=false"])
    fork = plan.transmissions[0].pipe[1]
    assert [branch.pipe for branch in fork.branches] == [()]


ROUTE = """
    :demo a :Transmission ; :pipe ( :a :way :b ) . :a a :Lister . :b a :Plain ; :buffer [ :maxItems 5 ] .
    :way a :Route ; :branches ( [ :when [ :field "kind" ; :equals "x" ] ; :pipe (:c) ] ) . :c a :Plain ; :concurrency 2 .
    """


def draw(tmp_path, monkeypatch, capsys, form):
    """Return what `trans graph` prints."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    app = make_app(tmp_path, ROUTE)
    assert prepare(app).plan
    parser = __import__("argparse").ArgumentParser()
    graph.add_arguments(parser)
    assert graph.call(parser.parse_args([str(app.folder), "--format", form])) == 0
    return capsys.readouterr().out


def test_a_graph_has_nodes_and_edges_as_json(tmp_path, monkeypatch, capsys):
    """Edges carry conditions and buffers; a message no branch takes has a way, too."""
    data = json.loads(draw(tmp_path, monkeypatch, capsys, "json"))["transmissions"][0]
    edges = {(edge["start"], edge["end"]): edge["label"] for edge in data["edges"]}
    assert [node["path"] for node in data["nodes"]] == ["demo/a", "demo/way", "demo/way/1/c", "demo/b"]
    assert edges["demo/way", "demo/way/1/c"] == "kind equals x"
    assert edges["demo/way", "demo/b"].startswith("else, buffer ")
    assert " maxItems=" in edges["demo/way", "demo/b"]  # as in Turtle
    assert ("demo/way/1/c", "demo/b") in edges


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        (
            "mermaid",
            ["flowchart LR", '    t0n0["a<br/>Lister"]', '    t0n1{"way<br/>Route"}', '    t0n1 -->|"kind equals x"| t0n2'],
        ),
        (
            "dot",
            [
                "digraph {",
                '    "demo/a" [label="a\\nLister"];',
                '    "demo/way" -> "demo/way/1/c" [label="kind equals x"];',
                "}",
            ],
        ),
    ],
)
def test_a_graph_is_drawn(tmp_path, monkeypatch, capsys, form, lines):
    """Mermaid and dot show the same nodes and ways."""
    printed = draw(tmp_path, monkeypatch, capsys, form).splitlines()
    assert [line for line in lines if line not in printed] == []
