"""The hand-written Turtle in configs/ says the same as the code."""

from __future__ import annotations

import pytest
from pyshacl import validate
from rdflib import RDF, RDFS, SH, Graph, Namespace

from transmissions import homes, nodeterms
from transmissions.findings import Findings
from transmissions.loader import load
from transmissions.server_file import server_spec
from transmissions.terms import NAMESPACE, NODE_TERMS

TRN = Namespace(NAMESPACE)
CONFIGS = homes.bundled().folder / "configs"
VOCABULARY = Graph().parse(CONFIGS / "vocabulary.ttl")
SHAPES = Graph().parse(CONFIGS / "shapes.ttl")
APPS = sorted((homes.bundled().folder / "apps").glob("*/transmissions.ttl"))


def settings_below(settings):
    """Return settings and the fields of their records, however deep."""
    return [found for setting in settings for found in (setting, *settings_below(setting.fields))]


def spoken_terms():
    """Return every term the code knows that is no processor's own setting."""
    about = (
        *nodeterms.node_settings(),
        *nodeterms.transmission_spec().settings,
        *nodeterms.condition_spec().settings,
        *nodeterms.workers_spec().settings,
        *server_spec().settings,
    )
    structure = {"Transmission", "EntryTransmission", "FanOut", "Route", "Workers", "pipe", "branches", "when", "env"}
    return structure | NODE_TERMS | {setting.term for setting in settings_below(about)}


def shape_bounds(name):
    """Return the bounds a shape of shapes.ttl sets, by term."""
    bounds = {}
    for node in SHAPES.objects(TRN[name], SH.property):
        term = str(SHAPES.value(node, SH.path)).removeprefix(NAMESPACE)
        values = [SHAPES.value(node, path) for path in (SH.minInclusive, SH.minExclusive, SH.maxInclusive, SH.maxExclusive)]
        bounds[term] = tuple(value if value is None else float(value) for value in values)
    return bounds


def test_every_term_is_explained():
    """Whatever can be written about a node or an app has a label and a comment."""
    missing = [
        term
        for term in sorted(spoken_terms())
        if not (VOCABULARY.value(TRN[term], RDFS.label) and VOCABULARY.value(TRN[term], RDFS.comment))
    ]
    assert missing == []


def test_every_term_about_a_node_is_reserved():
    """No processor can have a setting that would be taken for what is said about its node."""
    assert {setting.term for setting in nodeterms.node_settings()} <= NODE_TERMS


def test_everything_defined_is_explained():
    """No subject of the vocabulary is without label and comment."""
    subjects = set(VOCABULARY.subjects(RDF.type))
    assert [str(s) for s in subjects if not (VOCABULARY.value(s, RDFS.label) and VOCABULARY.value(s, RDFS.comment))] == []


def test_the_shapes_speak_only_of_defined_terms():
    """No path of shapes.ttl is a word the vocabulary does not have."""
    paths = {str(path) for path in SHAPES.objects(predicate=SH.path) if str(path).startswith(NAMESPACE)}
    assert paths <= {str(subject) for subject in VOCABULARY.subjects(RDF.type)}


@pytest.mark.parametrize(
    ("shape", "record"),
    [
        ("BufferShape", "buffer"),
        ("RetryShape", "retry"),
        ("MetricsShape", "metrics"),
        ("EventsShape", "events"),
        ("EndpointShape", "endpoint"),
        ("ArgumentShape", "argument"),
    ],
)
def test_a_record_has_the_same_fields_in_shape_and_code(shape, record):
    """The closed shapes of shapes.ttl allow exactly the fields the code reads, with its bounds."""
    settings = (*nodeterms.node_settings(), *nodeterms.transmission_spec().settings)
    fields = next(setting.fields for setting in settings if setting.term == record)
    assert shape_bounds(shape) == {field.term: (field.ge, field.gt, field.le, field.lt) for field in fields}


def test_a_condition_has_the_same_operators_in_shape_and_code():
    """The shape of `:when` allows exactly what the code reads."""
    assert shape_bounds("ConditionShape").keys() == {setting.term for setting in nodeterms.condition_spec().settings}


def test_workers_have_the_same_fields_in_shape_and_code():
    """The shape of `:Workers` allows what the code reads, with its bounds."""
    fields = {field.term: (field.ge, field.gt, field.le, field.lt) for field in nodeterms.workers_spec().settings}
    assert shape_bounds("WorkersShape") == {"pipe": (None,) * 4, **fields}


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.parent.name)
def test_bundled_apps_conform(app):
    """Every bundled app keeps the structural rules, with what it imports."""
    layers = load(homes.find_app(str(app)), None, None, Findings())
    conforms, _, text = validate(layers.main.graph, shacl_graph=SHAPES)
    assert conforms, text


@pytest.mark.parametrize(
    ("turtle", "component"),
    [
        (":t a :Transmission .", "MinCount"),
        (":t a :Transmission ; :pipe 'no list' .", "Node"),
        (":t a :Transmission ; :pipe ( :a ) .", "Node"),
        (":t a :Transmission ; :pipe ( [ a :NOP ; :concurrency 0 ] ) .", "Node"),
        (":t a :Transmission ; :pipe ( [ a :NOP ] ) ; :argument [ :nmae 'x' ] .", "Xone"),
        (":t a :Transmission ; :pipe ( [ a :NOP ] ) ; :argument ( [ :name 'x' ] [ :kind 'Pth' ] ) .", "Node"),
        ("[] a :Route .", "MinCount"),
        ("[] a :Workers .", "MinCount"),
        ("[] a :Workers ; :processes 65 ; :pipe ( [ a :NOP ] ) .", "MaxInclusive"),
        ("[] a :Route ; :branches ( [ :when [ :field 'x' ] ; :pipe () ] ) .", "Node"),
    ],
)
def test_broken_structure_breaks_a_shape(turtle, component):
    """Missing pipes, undeclared nodes and misspelt records are found by the shapes alone."""
    data = Graph().parse(data=f"@prefix : <{NAMESPACE}> . {turtle}", format="turtle")
    _, report, _ = validate(data, shacl_graph=SHAPES)
    components = {str(item).rpartition("#")[2] for item in report.objects(predicate=SH.sourceConstraintComponent)}
    assert f"{component}ConstraintComponent" in components
