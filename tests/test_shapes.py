"""The shapes made from classes accept what the classes accept, and the text says the same as the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pyshacl import validate
from rdflib import RDF, SH, Graph, URIRef
from rdflib.compare import isomorphic

from transmissions import IRI, LessThan, LessThanOrEquals, Pattern, Processor, Range, Record, Secret
from transmissions.shapes import shapes_graph, to_turtle
from transmissions.spec import describe_class

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"

if TYPE_CHECKING:
    from transmissions import Message


class Rename(Record):
    """From and to."""

    pre: str
    post: str = ""


class Shaped(Processor):
    """Have a setting of every kind."""

    name: str
    'What it is called, "quoted".'
    size: Annotated[int, Range(ge=1, lt=10)] = 5
    low: Annotated[int, LessThan("size")] = 1
    high: Annotated[float | None, LessThanOrEquals("size"), Range(gt=0)] = None
    mode: Literal["fast", "slow"] = "fast"
    tags: tuple[Annotated[str, Pattern("[a-z]+")], ...] = ("a", "b")
    rename: tuple[Rename, ...] = ()
    base: IRI | None = None
    key: Secret | None = None
    strict: bool = False
    value: Any = None

    def process(self, message: Message) -> Message:
        return message


class Plain(Processor):
    """Have no setting."""

    iri = "http://example.org/ns#Plain-one"

    def process(self, message: Message) -> Message:
        return message


SPECS = [describe_class(cls, "tests") for cls in (Shaped, Plain)]


def violations(turtle):
    """Return which constraints a node of the effective graph breaks, each with the last part of its path."""
    data = Graph().parse(data=f"{PREFIX}[] a :Shaped ; {turtle} .", format="turtle")
    _, report, _ = validate(data, shacl_graph=shapes_graph(SPECS))
    return {
        (
            str(report.value(result, SH.sourceConstraintComponent)).removesuffix("ConstraintComponent").rpartition("#")[2],
            str(report.value(result, SH.resultPath)).rpartition("/")[2],
        )
        for result in report.subjects(RDF.type, SH.ValidationResult)
    }


def test_what_the_class_takes_conforms():
    """A node with good values of every kind breaks nothing."""
    assert not violations(
        """
        :name "x" ; :size 9 ; :low 8 ; :high 9.0 ; :mode "slow" ; :tags "a", "bc" ; :strict true ; :value 1 ;
        :rename [ :pre "a" ], [ :pre "b" ; :post "c" ] ; :base <http://example.org/> ; :key [ :env "KEY" ]
        """
    )


@pytest.mark.parametrize(
    ("turtle", "component", "path"),
    [
        (":mode 'fast'", "MinCount", "name"),
        (":name 'a', 'b'", "MaxCount", "name"),
        (":nmae 'x'", "Closed", "nmae"),
        (":size 'x'", "Datatype", "size"),
        (":size 0", "MinInclusive", "size"),
        (":size 10", "MaxExclusive", "size"),
        (":high 0.0", "MinExclusive", "high"),
        (":size 3 ; :low 3", "LessThan", "low"),
        (":size 3 ; :high 3.5", "LessThanOrEquals", "high"),
        (":mode 'quick'", "In", "mode"),
        (":tags 'a', 'B'", "Pattern", "tags"),
        (":strict 'yes'", "Datatype", "strict"),
        (":base 'text'", "NodeKind", "base"),
        (":rename 'text'", "NodeKind", "rename"),
        (":rename [ :post 'x' ]", "MinCount", "pre"),
        (":rename [ :pre 'x' ; :past 'y' ]", "Closed", "past"),
        (":key 'open'", "NodeKind", "key"),
        (":key [ :evn 'X' ]", "Closed", "evn"),
    ],
)
def test_each_fault_breaks_its_constraint(turtle, component, path):
    """What the class would not take breaks the constraint that speaks of it, at the right property."""
    assert (component, path) in violations(turtle)


def test_the_text_says_what_the_graph_says():
    """The generated Turtle holds the validating shapes, and the classes beside them."""
    text = Graph().parse(data=to_turtle(SPECS), format="turtle")
    for spec in SPECS:
        text.remove((URIRef(spec.iri), None, None))
    assert isomorphic(text, shapes_graph(SPECS))


def test_the_text_does_not_depend_on_order():
    """The same classes give the same bytes."""
    assert to_turtle(SPECS) == to_turtle(reversed(SPECS))


def test_the_text_is_readable():
    """Terms are prefixed, defaults and descriptions stand in it."""
    text = to_turtle(SPECS)
    assert ":ShapedShape\n    a sh:NodeShape ;\n    sh:targetClass :Shaped ;" in text
    assert 'sh:description "What it is called, \\"quoted\\"."' in text
    assert 'sh:defaultValue "a" ;\n        sh:defaultValue "b"' in text
    assert "<http://example.org/ns#Plain-oneShape>" in text
