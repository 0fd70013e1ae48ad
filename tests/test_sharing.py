"""What may stand in `:Workers`, what may be said about them, and where they show."""

import json

import pytest
from examining import codes, examine, make_app, make_target, marked, node, only

from transmissions.plan import WorkersPlan, find_workers, from_json, to_json, with_processes

APP = ":demo a :Transmission ; :pipe ( :first :w :last ) . :first a :Plain . :last a :Plain . :a a :Plain . :b a :Widget . "


def workers_of(plan):
    """Return the workers of a plan."""
    return find_workers(plan.transmissions[0].pipe, "demo/w")


def test_nodes_inside_are_named_as_if_outside(tmp_path):
    """A node in workers has the path it would have without them, and `--set` finds it there."""
    plan, problems = examine(tmp_path, APP + ":w a :Workers ; :pipe ( :a :b ) .", overrides=["b.size=5", "demo/b.low=1"])
    assert problems == []
    assert [one.path for one in plan.nodes()] == ["demo/first", "demo/a", "demo/b", "demo/last"]
    assert node(plan, "demo/b").settings.items() >= {"size": 5, "low": 1}.items()
    assert (workers_of(plan).processes, workers_of(plan).key) == (2, None)


def test_workers_need_no_name_of_their_own(tmp_path):
    """Blank workers, and a node that stands outside as well, get names of their own."""
    plan, _ = examine(tmp_path, ":demo a :Transmission ; :pipe ( :a [ a :Workers ; :pipe ( :a ) ] ) . :a a :Plain .")
    assert [one.path for one in plan.nodes()] == ["demo/a", "demo/a-2"]
    assert plan.transmissions[0].pipe[1].path == "demo/workers"


@pytest.mark.parametrize(
    ("config", "options"),
    [(":w :processes 5 ; :key 'user.id' .", {}), (None, {"overrides": ["w.processes=5", "w.key=user.id"]})],
)
def test_settings_come_from_every_layer(tmp_path, config, options):
    """How many processes there are may stand in config.ttl and in `--set`, as settings do."""
    plan, problems = examine(tmp_path, APP + ":w a :Workers ; :pipe ( :a :b ) .", config, **options)
    assert problems == []
    assert workers_of(plan)[1:3] == (5, "user.id")


def test_a_target_may_not_say_how_many(tmp_path):
    """What travels with data does not decide how many processes a machine runs."""
    target = make_target(tmp_path, ":w :processes 64 .")
    _, problems = examine(tmp_path, APP + ":w a :Workers ; :pipe ( :a :b ) .", target=target)
    assert codes(problems) == ["protected-setting"]


@pytest.mark.parametrize(
    ("text", "code", "at", "words"),
    [
        (":processes 0 ; :pipe ( :a )", "range", "0", "processes must be at least 1"),
        (":processes 65 ; :pipe ( :a )", "range", "65", "processes must be at most 64"),
        (":processes 'two' ; :pipe ( :a )", "datatype", "'two'", "processes must be a whole number"),
        (":processes 2, 3 ; :pipe ( :a )", "too-many-values", "3", "processes takes one value, not 2"),
        (":proceses 2 ; :pipe ( :a )", "unknown-setting", ":proceses", "Workers has no setting proceses"),
        (":processes 2", "missing-pipe", ":w", ":w has no :pipe"),
        (":pipe ( )", "empty-pipe", "( )", "the pipe of :w is empty"),
        (":pipe ( :a :w )", "cycle", ":w", ":w contains itself: :w > :w"),
        (
            ":pipe ( :a [ a :Workers ; :pipe ( :b ) ] )",
            "nested-workers",
            "[ a :Workers ; :pipe ( :b ) ]",
            "workers cannot stand in workers",
        ),
        (":pipe ( [ a :Lister ] )", "not-for-workers", "[ a :Lister ]", "Lister cannot stand in :w: it is a Source"),
        (":pipe ( :a [ a :Workerz ] )", "unknown-processor", ":Workerz", "there is no processor :Workerz"),
    ],
)
def test_faults_are_told_where_they_are(tmp_path, text, code, at, words):
    """Whatever is wrong with workers is told at its place."""
    _, problems = examine(tmp_path, APP + f":w a :Workers ; {text} .")
    problem = next(problem for problem in problems if problem.code == code)
    assert marked(problem.span) == at
    assert words in problem.message


def test_near_names_are_offered(tmp_path):
    """A misspelt class or setting of workers gets the right name."""
    _, problems = examine(tmp_path, APP + ":w a :Worker ; :pipe ( :a ) .")
    assert "Workers" in "".join(problem.help or "" for problem in problems)
    _, problems = examine(tmp_path, APP + ":w a :Workers ; :proceses 2 ; :pipe ( :a ) .")
    assert only(problems).help == "did you mean `:processes`?"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("StreamMonitor", "it depends on the order or the number of its messages"),
        ("StreamBufferManager", "it is itself the buffer"),
        ("Closer", "it closes a group"),
        ("Accumulate", "it waits for the ends of groups"),
    ],
)
def test_what_needs_all_messages_is_refused(tmp_path, kind, reason):
    """A step of which each process would see a part only is refused, with the reason and a way out."""
    _, problems = examine(tmp_path, APP + f":w a :Workers ; :pipe ( :a [ a :{kind} ] ) .")
    problem = next(problem for problem in problems if problem.code == "not-for-workers")
    assert f"{kind} cannot stand in :w: {reason}" in problem.message
    assert problem.help == "put it in front of the :Workers, or behind it"


def test_a_nested_source_is_found(tmp_path):
    """A step in a fork or a transmission inside workers is looked at, too."""
    nested = ":t a :Transmission ; :pipe ( [ a :FanOut ; :branches ( ( :a ) ( [ a :Lister ] ) ) ] ) ."
    _, problems = examine(tmp_path, APP + ":w a :Workers ; :pipe ( :t ) . " + nested)
    assert "not-for-workers" in codes(problems)


def test_depths_pass_through(tmp_path):
    """A group that is open in front of workers is open behind them."""
    text = ":demo a :Transmission ; :pipe ( :l :w :c ) . :l a :Lister . :c a :Closer . :a a :Plain ."
    plan, problems = examine(tmp_path, f"{text} :w a :Workers ; :pipe ( :a ) .")
    assert problems == []
    assert [(one.path, one.depth) for one in plan.nodes()] == [("demo/l", 0), ("demo/a", 1), ("demo/c", 1)]


def test_a_plan_travels_whole(tmp_path):
    """Workers are the same after a plan was JSON, wherever they stand."""
    text = APP + ":w a :Workers ; :processes 3 ; :key 'k' ; :pipe ( [ a :FanOut ; :branches ( ( :a ) ( :b ) ) ] ) ."
    plan, _ = examine(tmp_path, text)
    assert from_json(json.loads(json.dumps(to_json(plan)))) == plan
    inside = ":demo a :Transmission ; :pipe ( [ a :FanOut ; :branches ( ( :w ) ( :b ) ) ] ) . :b a :Plain . :a a :Plain ."
    plan, _ = examine(tmp_path, f"{inside} :w a :Workers ; :pipe ( :a ) .")
    (fork,) = with_processes(plan, 7).transmissions[0].pipe
    (found,) = fork.branches[0].pipe
    assert isinstance(found, WorkersPlan)
    assert find_workers((fork,), found.path) == found
    assert found.processes == 7


def test_graph_and_description_show_the_processes(tmp_path, capsys):
    """`trans graph` and `trans describe` say which steps several processes work on."""
    from transmissions.cli import main

    app = make_app(tmp_path, APP + ":w a :Workers ; :processes 3 ; :key 'k' ; :pipe ( :a :b ) .")
    assert main(["graph", str(app.folder)]) == 0
    assert 'n1["a<br/>Plain<br/>3 processes"]' in capsys.readouterr().out
    assert main(["describe", str(app.folder)]) == 0
    assert "  w  in 3 processes, one at a time of each k\n    a  Plain\n    b  Widget\n  last" in capsys.readouterr().out
    assert main(["run", str(app.folder), "--dry-run"]) == 0
    assert "| 3 processes\n" in capsys.readouterr().out
