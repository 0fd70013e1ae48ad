"""Eye, and the reasoner behind it."""

import pyoxigraph
import pytest

from transmissions import RunError
from transmissions.processors.eye import Eye
from transmissions.processors.n3_reasoner import Reasoner
from transmissions.processors.n3_text import read_n3

HEAD = "@prefix : <http://e/> . " + " ".join(
    f"@prefix {name}: <http://www.w3.org/2000/10/swap/{name}#> ." for name in ("math", "string", "list", "log")
)
RDFS = """@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
{ ?a rdfs:subClassOf ?b . ?b rdfs:subClassOf ?c } => { ?a rdfs:subClassOf ?c } .
{ ?a rdfs:subClassOf ?b . ?s a ?a } => { ?s a ?b } .
{ ?p rdfs:domain ?c . ?s ?p ?o } => { ?s a ?c } .
{ ?p owl:inverseOf ?q . ?s ?p ?o } => { ?o ?q ?s } .
{ ?p a owl:TransitiveProperty . ?a ?p ?b . ?b ?p ?c } => { ?a ?p ?c } .
"""


def inferred(text, **bounds):
    """Return what follows from a text, each triple as a line of prefixed terms."""
    known = read_n3(HEAD + text, "data")
    found = Reasoner(**{"limit": 1000, "seconds": 30, **bounds}).reason(known.facts, known.rules)
    return {" ".join(map(_short, triple)) for triple in found}


def _short(term):
    if isinstance(term, tuple):
        return f"({' '.join(map(_short, term))})"
    return term.replace("<http://e/", ":").split("^^")[0].removesuffix(">").replace('"', "")


def test_a_query_is_answered_and_what_follows_is_told(bench):
    """Both are Turtle with the prefixes in use; what was given is answered, but not inferred."""
    data = "@prefix : <http://e/> .\n:S a :Human . { ?s a :Human } => { ?s a :Mortal } ."
    query = "@prefix : <http://e/> . { :S a ?what } => { :S a ?what } ."
    (message,) = bench.through(Eye(), {"data": data, "query": query})
    assert message["result"] == "@prefix : <http://e/> .\n\n:S a :Human, :Mortal .\n"
    assert message["inferred"] == "@prefix : <http://e/> .\n\n:S a :Mortal .\n"


def test_without_a_query_the_answer_is_all_that_follows(bench):
    """Rules may come from a file as well, and lists and blank nodes are written so that they can be read."""
    (bench.app / "rules.n3").write_text(HEAD + "{ ?s :p ?o } => { ?o :q (?s [ :r 1.5 ]) } .")
    (message,) = bench.through(Eye(rules_file="rules.n3"), {"data": HEAD + ":a :p :b ."})
    assert message["result"] == message["inferred"]
    assert len(list(pyoxigraph.parse(message["result"], format=pyoxigraph.RdfFormat.TURTLE))) == 6


def test_classes_and_properties_are_followed():
    """Rule sets in the manner of RDFS and OWL, which put variables in the place of verbs, come to an end with all there is."""
    facts = ":A rdfs:subClassOf :B . :B rdfs:subClassOf :C . :x a :A . :p rdfs:domain :D ; owl:inverseOf :q . :y :p :x ."
    more = ":near a owl:TransitiveProperty . :m :near :n . :n :near :o ."
    found = {line for line in inferred(RDFS + facts + more) if line.startswith((":x", ":y", ":m", ":n "))}
    kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    assert found == {f":x {kind} :B", f":x {kind} :C", f":y {kind} :D", ":x :q :y", ":m :near :o"}


@pytest.mark.parametrize("count", [3, 300])
def test_a_transitive_rule_finds_every_way(count):
    """All n(n+1)/2 pairs of a chain of n steps are found, less those that were given; a circle reaches itself."""
    chain = "".join(f":n{number} :p :n{number + 1} ." for number in range(count))
    rule = "{ ?a :p ?b . ?b :p ?c } => { ?a :p ?c } ."
    assert len(inferred(rule + chain, limit=100_000)) == count * (count - 1) // 2
    assert len(inferred(f"{rule}{chain} :n{count} :p :n0 .", limit=100_000)) == (count + 1) ** 2 - count - 1


def test_a_transitive_rule_works_with_what_other_rules_derive():
    """Steps that come late, from another rule and from a longer way, are taken too."""
    rules = "{ ?a :p ?b . ?b :p ?c } => { ?a :p ?c } . { ?a :q ?b } => { ?a :p ?b } . { :a :p :d } => { :d :q :e } ."
    assert ":a :p :e" in inferred(rules + ":a :p :b . :b :q :c . :c :p :d .")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("(1 2.5) math:sum ?v", "3.5"),
        ("(7 2) math:quotient ?v", "3.5"),
        ("(7 2) math:integerQuotient ?v", "3"),
        ("(2 10) math:exponentiation ?v", "1024"),
        ("2.5 math:rounded ?v", "3"),
        ('("a" 1 :b) string:concatenation ?v', "a1http://e/b"),
        ('("aXXb" "X+" "-") string:replace ?v', "a-b"),
        ("(1 2) list:last ?v", "2"),
        ("((1) (2 3)) list:append ?v", "(1 2 3)"),
        (':x log:uri ?v . ?v string:matches "^http://e/.$"', "http://e/x"),
        ("?v log:equalTo :x", ":x"),
        ('5 log:equalTo ?v . ?v math:greaterThan 4.9 . "b" string:greaterThan "a"', "5"),
        ("?v list:in (3) . 3.0 math:equalTo ?v . ?v log:notEqualTo 4", "3"),
    ],
)
def test_builtins(body, value):
    """What a built-in computes is bound, or compared with what is known."""
    assert inferred(f"{{ {body} }} => {{ :it :is ?v }} .") == {f":it :is {value}"}


@pytest.mark.parametrize(
    "body",
    [
        "2 math:lessThan 1",
        '"x" math:lessThan 1',
        "(1 0) math:quotient ?v",
        "(1 2) math:sum 4",
        ':x string:contains "q"',
        "1 list:in (2)",
    ],
)
def test_a_builtin_that_does_not_hold_lets_nothing_follow(body):
    """Values that do not fit are no error."""
    assert inferred(f"{{ {body} }} => {{ :it :is :so }} .") == set()


def test_lists_are_matched_by_their_shape():
    """A list with variables takes apart lists of the data, also inside lists, in whatever order the facts come."""
    assert inferred("{ ?s :at (?k (?a ?b)) . (?a ?b) math:sum ?c } => { ?k :sum ?c } . :s :at (:x (1 2)), (1 2) .") == {
        ":x :sum 3"
    }


def test_values_that_only_look_alike_are_not_joined():
    """Looking up compares terms: 1 and 1.0 are different ones, whichever comes first."""
    rule = "{ ?a :p ?v . ?b :q ?v } => { ?a :r ?b } ."
    assert inferred(rule + ":a :p 1 . :b :q 1.0 .") == inferred(rule + ":b :q 1.0 . :a :p 1 .") == set()


def test_new_nodes_are_made_once_for_each_binding():
    """Two triples of a head speak of the same new node, and another binding has its own."""
    found = inferred("{ ?s :p ?o } => { ?s :q _:n . _:n :r ?o } . :a :p 1, 2 .")
    nodes = {line.split()[2] for line in found if ":q" in line}
    assert len(found) == 4
    assert {line.split()[0] for line in found if ":r" in line} == nodes
    assert len(nodes) == 2


@pytest.mark.parametrize(
    "rules", ["{ ?x :n ?y } => { ?y :n [] } . :a :n :b .", "{ ?x :n ?y . (?y 1) math:sum ?z } => { ?x :n ?z } . :a :n 1 ."]
)
def test_rules_without_an_end_are_stopped(rules):
    """At the limit of triples, or of time."""
    with pytest.raises(RunError, match="more than 1000 triples follow"):
        inferred(rules)
    with pytest.raises(RunError, match="did not come to an end in 1e-09 s"):
        inferred(rules, seconds=1e-9)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("\n{ :a :b :c } <= { :d :e :f } .", r"data:2:14: backward rules"),
        ("\n:a :b { :c :d :e } .", r"data:2:4: a formula as a term"),
        ("\n:a :b ({ :c :d :e }) .", "a formula in a list"),
        ("{ { :a :b :c } => { :d :e :f } } => { :g :h :i } .", "a rule inside a rule"),
        ("\n:a :b ?x .", "data:2:4: a variable outside a rule"),
        ("@forAll :x .", "write variables as"),
        ("\n{ ?x math:sums ?y } => { ?x :n ?y } .", r"data:2:1: the built-in .* is not known here; did you mean .*math#sum"),
        ("\n{ ?x math:sum ?y } => { ?x :n ?y } .", "data:2:1: nothing in the rule says what .*sum> is to work on"),
        ("{ ?x :n ?y } => { ?y :n ?z } .", r"does not say what \?z is"),
        ("{ ?x :n ?y } => { ?y :m ?x } . :a :n 1 .", "no literal as a subject"),
        ("{ ?x :n ?y } => { ?x ?y 1 } . :a :n _:b .", "only an IRI can be a verb"),
        ("{ ?x :n 1 } => false . :a :n 1 .", "what must never hold"),
        ("{ (9 9999999) math:exponentiation ?x } => { :a :n ?x } .", "too large"),
        (":a :b x:c .", "the prefix 'x:' is not declared"),
        (":a <b> :c .", "relative IRI"),
        (":a :b 'c", 'cannot read "\'c"'),
        (r':a :b "\q" .', "unknown escape"),
        (":a :b", "ends in the middle"),
        (":a :b " + "(" * 99, "64 deep"),
    ],
)
def test_faults_are_located(text, fault):
    """What is no N3, what this reasoner does not do, and rules that cannot work, are errors with their place."""
    with pytest.raises(RunError, match=fault):
        inferred(text)


@pytest.mark.parametrize(
    "text",
    [
        ":s :p 'a\\u00e9\\n'@en , true, -1.5e3, .5, 'x'^^:t .",
        "BASE <http://b/x/> <../s> a 1 . # :no",
        'PREFIX x: <http://x/> :s x:a\\,b """a "quoted" text""" ; .',
    ],
)
def test_turtle_is_read(text):
    """What is read is what pyoxigraph reads."""
    expected = {
        (str(q.subject), str(q.predicate), str(q.object))
        for q in pyoxigraph.parse(HEAD + text, format=pyoxigraph.RdfFormat.TURTLE)
    }
    assert set(read_n3(HEAD + text, "data").facts) == expected


def test_the_short_forms_of_n3_are_read():
    """A verb turned round, a way from term to term, and `=` are statements like others."""
    facts = read_n3(HEAD + ":o is :p of :s . :o <- :p :s . :s!:p :q [ :r () ] . :a = :b .", "data").facts
    assert [fact[0] for fact in facts] == ["<http://e/s>", "<http://e/s>", "<http://e/s>", "_:b2", "_:b1", "<http://e/a>"]


def test_a_query_without_rules_is_an_error(bench):
    """It would ask nothing."""
    with pytest.raises(RunError, match="the field 'query' holds no rule"):
        bench.through(Eye(), {"data": "", "query": "<a:b> <c:d> 1 ."})


def test_absent_data_and_rules_are_errors(bench):
    """The field that is missing, or the file, is named."""
    with pytest.raises(RunError, match="no field 'data'"):
        bench.through(Eye(), {"text": ""})
    with pytest.raises(RunError, match=r"no file 'none\.n3'"):
        bench.through(Eye(rules_file="none.n3"), {"data": ""})
