"""SHACLValidate."""

import pytest

from transmissions import RunError
from transmissions.processors.graph_shapes import SHACLValidate

OWL, XSD = "http://www.w3.org/2002/07/owl#", "http://www.w3.org/2001/XMLSchema#"
SHAPES = f"""@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix e: <http://e/> . @prefix xsd: <{XSD}> .
e:Shape a sh:NodeShape ; sh:targetClass e:Person ;
  sh:property [ sh:path e:age ; sh:datatype xsd:integer ; sh:maxCount 1 ] ;
  sh:property [ sh:path e:name ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "a person has a name" ] ;
  sh:property [ sh:path [ sh:inversePath e:knows ] ; sh:minCount 0 ] .
"""
GOOD = "@prefix e: <http://e/> . e:a a e:Person ; e:name 'A' ; e:age 5 ."
BAD = "@prefix e: <http://e/> . e:a a e:Person ; e:name 'A' ; e:age 'old' ."
NAMELESS = "@prefix e: <http://e/> . e:a a e:Person ."


@pytest.fixture
def shapes(bench):
    """Put shapes into the app, and return the setting for them."""
    (bench.app / "shapes.ttl").write_text(SHAPES)
    return {"shapes_file": "shapes.ttl"}


def test_a_graph_that_conforms_goes_on(bench, shapes):
    """The shapes are read once."""
    good, bad = bench.through(SHACLValidate(**shapes), {"graph": GOOD}, {"graph": BAD})
    assert good["validation"] == {"conforms": True, "results": []}
    assert bad["validation"]["conforms"] is False


def test_results_say_where_and_why(bench, shapes):
    """Focus node, path, value, message, severity and constraint."""
    (message,) = bench.through(SHACLValidate(**shapes), {"graph": BAD})
    (result,) = message["validation"]["results"]
    assert "Value is not Literal with datatype" in result.pop("message")
    assert result == {
        "focusNode": "http://e/a",
        "path": "http://e/age",
        "value": "old",
        "severity": "Violation",
        "constraint": "DatatypeConstraintComponent",
    }


def test_what_is_only_a_warning_can_conform(bench, shapes):
    """It is listed all the same."""
    for severity, conforms in (("Info", False), ("Warning", False), ("Violation", True)):
        (message,) = bench.through(SHACLValidate(**shapes, severity=severity), {"graph": NAMELESS})
        assert message["validation"]["conforms"] is conforms
        assert [one["message"] for one in message["validation"]["results"]] == ["a person has a name"]


def test_what_does_not_conform_is_dropped_or_fails(bench, shapes):
    """Dropping is counted, with the reason; failing says the first results."""
    said = "does not conform to shapes.ttl: http://e/a http://e/name: a person has a name"
    assert bench.through(SHACLValidate(**shapes, on_invalid="drop"), {"graph": NAMELESS}) == []
    assert said in bench.skipped[0][0]
    with pytest.raises(RunError, match=said):
        bench.through(SHACLValidate(**shapes, on_invalid="fail"), {"graph": NAMELESS})


@pytest.mark.parametrize(
    ("shapes", "fault"),
    [
        (None, "no file 'shapes.ttl' with shapes"),
        ("@prefix sh: <http://www.w3.org/ns/shacl#> .\n[ sh:path ", r"shapes\.ttl:2:"),
        ("[] a sh:NodeShape ; sh:targetNode <http://e/a> ; sh:property [ sh:minCount 1 ] .", "shapes.ttl: "),
        ("[] sh:sparql [ sh:select 'SELECT $this { SERVICE <http://127.0.0.1/> {} }' ] .", "would fetch from the network"),
    ],
)
def test_shapes_that_cannot_be_used_are_errors(bench, shapes, fault):
    """An absent file, no Turtle, no shapes, and what would fetch."""
    if shapes:
        head = "" if "@prefix" in shapes else "@prefix sh: <http://www.w3.org/ns/shacl#> . "
        (bench.app / "shapes.ttl").write_text(head + shapes)
    with pytest.raises(RunError, match=fault):
        bench.through(SHACLValidate(shapes_file="shapes.ttl"), {"graph": GOOD})


def test_imports_are_not_followed(bench, shapes):
    """Neither of the data nor of the shapes."""
    (bench.app / "shapes.ttl").write_text(SHAPES + f"<http://e/> <{OWL}imports> <http://127.0.0.1:1/> .")
    graph = GOOD + f" <http://e/d> <{OWL}imports> <http://127.0.0.1:1/> ."
    assert bench.through(SHACLValidate(**shapes), {"graph": graph})[0]["validation"]["conforms"]


def test_a_graph_too_large_is_an_error(bench, shapes):
    """Validation takes time and memory, so there is a bound."""
    with pytest.raises(RunError, match="has 3 triples; :limit is 2"):
        bench.through(SHACLValidate(**shapes, limit=2), {"graph": GOOD})


def test_all_kinds_of_terms_are_validated(bench, shapes):
    """Languages, blank nodes, ill-typed numbers; a triple as a term is an error."""
    graph = f"_:x a <http://e/Person> ; <http://e/name> 'n'@en ; <http://e/age> 'x'^^<{XSD}integer> ."
    (message,) = bench.through(SHACLValidate(**shapes), {"graph": graph})
    assert [one["focusNode"][:2] for one in message["validation"]["results"]] == ["_:"]
    with pytest.raises(RunError, match="a triple as a term"):
        bench.through(SHACLValidate(**shapes), {"graph": "<a:s> <a:p> <<( <a:s> <a:p> 1 )>> ."})
