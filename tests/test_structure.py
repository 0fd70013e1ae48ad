"""Pipes, nodes, branches and nested transmissions, and what can be wrong with them."""

from __future__ import annotations

import pytest
from examining import codes, examine, marked, node, only

from transmissions.plan import ForkPlan

NODES = ":a a :Plain . :b a :Plain . :c a :Plain . :src a :Lister . :end a :Closer ."


def test_a_list_in_a_pipe_is_no_node(tmp_path):
    """Brackets around nodes are not how they are put together."""
    problem = only(examine(tmp_path, ":demo a :Transmission ; :pipe (:a (:b)) . :a a :Plain . :b a :Plain .")[1])
    assert (problem.code, marked(problem.span)) == ("undeclared-node", "(:b)")
    assert problem.help == "write the members of this list in the pipe itself"


def test_a_pipe_is_laid_out_in_its_order(tmp_path):
    """The nodes of a plan stand in the order of the pipe, each at its own path and place."""
    plan, problems = examine(tmp_path, f":demo a :Transmission ; :pipe (:c :a :b) .\n{NODES}")
    assert not problems
    assert [node.path for node in plan.nodes()] == ["demo/c", "demo/a", "demo/b"]
    assert node(plan, "demo/a").where[1:] == (3, 35)


@pytest.mark.parametrize(
    ("text", "code", "at", "words"),
    [
        (":demo a :Transmission .", "missing-pipe", ":demo", "has no :pipe"),
        (":demo a :Transmission ; :pipe () .", "empty-pipe", "()", "is empty"),
        (":demo a :Transmission ; :pipe :a .", "pipe-not-a-list", ":a", "not a list"),
        (":demo a :Transmission ; :pipe (:a), (:b) .", "two-pipes", "(:b)", "2 pipes"),
        (":demo a :Transmission ; :pipe (:a :b :a) .", "duplicate-node", ":a", "stands twice"),
        (":demo a :Transmission ; :pipe (:a 'b') .", "not-a-node", "'b'", "is a value, not a node"),
        (":demo a :Transmission ; :pipe (:a :bb) .", "undeclared-node", ":bb", "not declared"),
        (":demo a :Transmission ; :pipe (:x) . :x a :Plane .", "unknown-processor", ":Plane", "no processor :Plane"),
        (":demo a :Transmission ; :pipe (:x) . :x a :Plain, :Widget .", "two-types", ":Widget", "both :Plain and :Widget"),
        (":demo a :Transmission ; :pipe (:a :demo) .", "cycle", ":demo", ":demo > :demo"),
        (":demo a :Transmision ; :pipe (:a) .", "not-a-transmission", ":Transmision", "no :Transmission"),
        (
            ":x a :Plain ; :implementedBy 'no.such:Thing' . :demo a :Transmission ; :pipe (:x) .",
            "no-module",
            "'no.such:Thing'",
            "",
        ),
    ],
)
def test_a_fault_of_structure_is_located(tmp_path, text, code, at, words):
    """Each fault is one problem with its code, its sentence and the place at fault."""
    plan, problems = examine(tmp_path, f"{text}\n{NODES}")
    problem = next(problem for problem in problems if problem.code == code)
    assert plan is None
    assert marked(problem.span) == at
    assert words in problem.message


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (":demo a :Transmission ; :pipe (:render) . :rendr a :Plain .", "`:rendr`"),
        (":demo a :Transmission ; :pipe (:a) . :a a :Wigdet .", "`:Widget`"),
        (":demo a :Transmision ; :pipe (:a) . :a a :Plain .", "`:Transmission`"),
    ],
)
def test_the_nearest_right_name_is_offered(tmp_path, text, near):
    """A misspelt name is answered with the one that was probably meant."""
    _, problems = examine(tmp_path, text)
    assert any(problem.help == f"did you mean {near}?" for problem in problems)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (":demo a :Transmission ; :pipe (:b) . :b :a :Plain .", ":b a :Plain"),
        (":demo a :Transmission ; :pipe (:b) . :b :type :Plain .", ":b a :Plain"),
        (":demo :is :EntryTransmission ; :pipe (:b) . :b a :Plain .", ":demo a :EntryTransmission"),
    ],
)
def test_an_a_that_is_misspelt_is_shown_as_it_is_written(tmp_path, text, meant):
    """`:a`, `:is` and `:type` are valid Turtle, and say nothing here."""
    assert only(examine(tmp_path, text)[1]).help == f"write `{meant}`: this `a` has no colon"


def test_a_class_in_a_pipe_is_shown_how_it_is_a_node(tmp_path):
    """Whoever puts the name of a processor into a pipe wants a node of that class."""
    assert only(examine(tmp_path, ":demo a :Transmission ; :pipe (:Plain) .")[1]).help == "write `[ a :Plain ]`"


def test_a_class_nobody_has_is_told_where_it_would_lie(tmp_path):
    """Where no name is near, it was probably meant to be one of the user's own."""
    problem = only(examine(tmp_path, ":demo a :Transmission ; :pipe (:a) . :a a :Zwlp .")[1])
    assert problem.help == f"one of your own is `class Zwlp(Processor)` in {tmp_path}/apps/demo/processors/*.py"
    unnamed = only(examine(tmp_path, ":demo a :Transmission ; :pipe (:x) . :x a [ ] .")[1])
    assert (unnamed.code, unnamed.help) == ("unknown-processor", "")


def test_a_file_without_transmission_is_a_fault(tmp_path):
    """There is nothing to run in a file that declares none."""
    assert only(examine(tmp_path, ":a a :Plain .")[1]).code == "no-transmission"


@pytest.mark.parametrize("wrong", ["http://purl.org/stuff/transmission/", "http://hyperdata.it/transmissions/"])
def test_a_wrong_namespace_is_told_where_it_is_declared(tmp_path, monkeypatch, wrong):
    """A transmission of another namespace is none; the file is named as seen from the working directory."""
    monkeypatch.chdir(tmp_path)
    problem = only(examine(tmp_path, f"@prefix : <{wrong}> .\n:demo a :Transmission ; :pipe (:a) . :a a :Plain .")[1])
    assert (problem.code, marked(problem.span), problem.span.file) == (
        "wrong-namespace",
        f"<{wrong}>",
        "apps/demo/transmissions.ttl",
    )
    assert problem.help == "the namespace is <http://purl.org/stuff/transmissions/>"


def test_a_misspelt_transmission_is_one_fault(tmp_path):
    """That there is no transmission then is only the echo of it."""
    assert only(examine(tmp_path, ":demo a :Transmision ; :pipe (:a) . :a a :Plain .")[1]).code == "not-a-transmission"


def test_all_faults_are_told_at_once(tmp_path):
    """One examination reports structure and settings alike."""
    text = ":demo a :Transmission ; :pipe (:a :x :y) . :a a :Widget ; :size 0 . :y a :Plaine ."
    assert sorted(codes(examine(tmp_path, text)[1])) == ["range", "undeclared-node", "unknown-processor"]


def test_a_palette_node_outside_every_pipe_is_fine(tmp_path):
    """Nodes that are declared but not placed are no fault, even of an unknown class."""
    plan, problems = examine(tmp_path, ":demo a :Transmission ; :pipe (:a) . :a a :Plain . :H a :Halt . :X a :Unheard .")
    assert plan
    assert not problems


def test_a_nested_transmission_is_laid_out_in_place(tmp_path):
    """The nodes of a nested transmission take its place, with its name in their paths; alone it is no entry."""
    text = f":demo a :Transmission ; :pipe (:a :in :c) . :in a :Transmission ; :pipe (:b) .\n{NODES}"
    plan, _ = examine(tmp_path, text)
    assert [node.path for node in plan.transmissions[0].pipe] == ["demo/a", "demo/in/b", "demo/c"]
    assert [transmission.name for transmission in plan.entries()] == ["demo"]
    assert [transmission.name for transmission in plan.transmissions] == ["demo", "in"]


def test_entry_transmissions_are_the_only_entries(tmp_path):
    """Where one transmission is an entry, the others only run when they are called."""
    text = f":one a :EntryTransmission ; :pipe (:a) . :two a :Transmission ; :pipe (:b) .\n{NODES}"
    plan, _ = examine(tmp_path, text)
    assert [transmission.entry for transmission in plan.transmissions] == [True, False]


def test_a_cycle_through_others_is_found(tmp_path):
    """Two transmissions that contain each other are reported with the way round."""
    text = ":demo a :Transmission ; :pipe (:in) . :in a :Transmission ; :pipe (:demo) ."
    assert ":demo > :in > :demo" in only(examine(tmp_path, text)[1]).message


def test_exponential_nesting_is_refused(tmp_path):
    """Transmissions that double at each level are cut off at a limit, and soon."""
    levels = "".join(
        f":t{n} a :Transmission ; :pipe (:x{n} :y{n}) . "
        f":x{n} a :Transmission ; :pipe (:t{n + 1}) . :y{n} a :Transmission ; :pipe (:t{n + 1}) ."
        for n in range(13)
    )
    _, problems = examine(tmp_path, f"{levels} :t13 a :Transmission ; :pipe (:a) . :a a :Plain .")
    assert only(problems).code == "too-many-nodes"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (":r a :Route ; :branches ( ( :r ) ) .", "cycle"),
        (":r a :Route ; :branches ( [ :pipe ( :s ) ] ) . :s a :FanOut ; :branches ( ( :a ) ( :r ) ) .", "cycle"),
        (
            ":r a :FanOut ; :branches ( ( :r0 ) ) . "
            + " ".join(f":r{n} a :FanOut ; :branches ( ( :r{n + 1} ) ) ." for n in range(500)),
            "too-deep",
        ),
    ],
)
def test_forks_that_would_never_end_are_refused(tmp_path, text, code):
    """A fork may stand neither in its own branches nor under very many others."""
    plan, problems = examine(tmp_path, f":demo a :Transmission ; :pipe (:r) . {text}\n{NODES}")
    assert plan is None
    assert codes(problems)[0] == code


def test_a_list_in_a_circle_is_refused(tmp_path):
    """A list written out by hand that never ends is a fault, not a hang."""
    rdf = "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> ."
    text = f"{rdf} :demo a :Transmission ; :pipe _:l . _:l rdf:first :a ; rdf:rest _:l .\n{NODES}"
    assert "broken-list" in codes(examine(tmp_path, text)[1])


def test_nodes_without_names_are_called_by_their_class(tmp_path):
    """Blank nodes in a pipe get paths of their own."""
    plan, _ = examine(tmp_path, ":demo a :Transmission ; :pipe ( [ a :Plain ] [ a :Plain ] ) .")
    assert [node.path for node in plan.nodes()] == ["demo/plain", "demo/plain-2"]


def test_a_fan_out_has_a_pipe_for_each_branch(tmp_path):
    """Branches are lists, nodes with a pipe, or transmissions."""
    text = f"""
        :demo a :Transmission ; :pipe ( [ a :FanOut ; :branches ( (:a) [ :pipe (:b) ] :in ) ] ) .
        :in a :Transmission ; :pipe (:c) . {NODES}
        """
    plan, problems = examine(tmp_path, text)
    fork = plan.transmissions[0].pipe[0]
    assert not problems
    assert isinstance(fork, ForkPlan)
    assert [[node.path for node in branch.pipe] for branch in fork.branches] == [
        ["demo/fanOut/1/a"],
        ["demo/fanOut/2/b"],
        ["demo/fanOut/3/in/c"],
    ]


def test_a_route_has_conditions(tmp_path):
    """A branch's `:when` becomes its condition; one without takes the rest."""
    text = f"""
        :demo a :Transmission ; :pipe ( :way ) .
        :way a :Route ; :branches ( [ :when [ :field "n" ; :greater "3" ] ; :pipe (:a) ] [ :pipe (:b) ] ) . {NODES}
        """
    plan, _ = examine(tmp_path, text)
    fork = plan.transmissions[0].pipe[0]
    assert [branch.condition for branch in fork.branches] == [{"field": "n", "operator": "greater", "value": 3}, None]


@pytest.mark.parametrize(
    ("fork", "code"),
    [
        ("a :Route", "missing-branches"),
        ("a :Route ; :branches ( :nothing )", "not-a-branch"),
        ("a :Route ; :branchs ( (:a) ) ; :branches ( (:a) )", "unknown-setting"),
        ("a :Route ; :branches ( [ :wen [] ; :pipe (:a) ] )", "unknown-setting"),
        ("a :FanOut ; :branches ( [ :when [ :field 'x' ; :exists true ] ; :pipe (:a) ] )", "condition-in-fan-out"),
        ("a :Route ; :branches ( [ :when 'x' ; :pipe (:a) ] )", "bad-condition"),
        ("a :Route ; :branches ( [ :when [ :field 'x' ] ; :pipe (:a) ] )", "bad-condition"),
        ("a :Route ; :branches ( [ :when [ :field 'x' ; :matches '(' ] ; :pipe (:a) ] )", "bad-condition"),
        ("a :Route ; :branches ( [ :when [ :field 'x' ; :matches '^(a+)+$' ] ; :pipe (:a) ] )", "bad-condition"),
        ("a :Route ; :branches ( [ :when [ :equals 1 ] ; :pipe (:a) ] )", "missing-setting"),
        ("a :Route ; :branches ( [ :when [ :field 'x' ; :greater 'y' ] ; :pipe (:a) ] )", "datatype"),
        ("a :FanOut ; :branches ( (:src) (:b) )", "uneven-branches"),
    ],
)
def test_a_fault_of_a_fork_is_reported(tmp_path, fork, code):
    """Forks, branches and conditions are checked like everything else."""
    plan, problems = examine(tmp_path, f":demo a :Transmission ; :pipe ( [ {fork} ] ) .\n{NODES}")
    assert plan is None
    assert only(problems).code == code


def test_a_branch_behind_the_open_one_is_never_taken(tmp_path):
    """A branch without a condition that is not the last draws a warning."""
    text = f":demo a :Transmission ; :pipe ( [ a :Route ; :branches ( (:a) (:b) ) ] ) .\n{NODES}"
    assert only(examine(tmp_path, text)[1]).code == "unreachable-branch"


def test_depths_count_the_open_groups(tmp_path):
    """A Source opens a group, a step that collapses closes it."""
    plan, _ = examine(tmp_path, f":demo a :Transmission ; :pipe (:a :src :b :end :c) .\n{NODES}")
    assert [node.depth for node in plan.nodes()] == [0, 0, 1, 1, 0]


@pytest.mark.parametrize(("compat", "severity"), [(False, "error"), (True, "warning")])
def test_closing_no_group_is_a_fault(tmp_path, compat, severity):
    """A step that collapses with no Source in front of it would drop every message; the original let that pass."""
    plan, problems = examine(tmp_path, f":demo a :Transmission ; :pipe (:a :end) .\n{NODES}", compat=compat)
    assert (plan is not None) == compat
    assert (only(problems).code, only(problems).severity) == ("no-group", severity)


@pytest.mark.parametrize(
    ("statement", "at"),
    [
        (':implementedBy "widgets:Plain", "widgets:Widget"', '"widgets:Widget"'),
        (":implementedBy []", "[]"),
        ("a 'Plain'", "'Plain'"),
    ],
)
def test_a_class_that_is_no_name_is_refused_where_it_is(tmp_path, statement, at):
    """A node's class is one IRI, or one text that leads to it."""
    _, problems = examine(tmp_path, f":demo a :Transmission ; :pipe (:a) . :a {statement} .")
    assert marked(only(problems).span) == at
    assert "blank node" not in only(problems).message


def test_a_transmission_that_is_named_must_exist(tmp_path):
    """GOTO's target is looked up before the run, and the nearest name offered."""
    call = ":a a :GOTO ; :gotoTarget 'claen' . :clean a :Transmission ; :pipe (:p) . :p a :NOP ."
    _, problems = examine(tmp_path, f":demo a :EntryTransmission ; :pipe (:a) . {call}")
    assert (only(problems).code, marked(only(problems).span)) == ("unknown-transmission", "'claen'")
    assert only(problems).help == "did you mean `clean`?"


def test_thousands_of_faults_at_one_node_are_told_in_little_memory(tmp_path):
    """The validator gets no blank node to write out in each of its complaints."""
    terms = " ; ".join(f":term{number} {number}" for number in range(2000))
    plan, problems = examine(tmp_path, f":demo a :Transmission ; :pipe (:a) . :a a :Plain ; {terms} .")
    assert plan is None
    assert len(problems) == 2000


def test_a_route_that_may_pass_must_not_open_groups(tmp_path):
    """Messages no branch takes go on as they are, so the branches must end as deep as they began."""
    branch = "[ :when [ :field 'x' ; :exists true ] ; :pipe (:src) ]"
    text = f":demo a :Transmission ; :pipe ( [ a :Route ; :branches ( {branch} ) ] ) .\n{NODES}"
    assert only(examine(tmp_path, text)[1]).code == "uneven-branches"
