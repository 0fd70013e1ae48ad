"""What every processor of the library says about itself."""

import re

import pyoxigraph
import pytest

import transmissions.processors as library
from transmissions.homes import bundled, load_class
from transmissions.registry import Registry
from transmissions.spec import describe_class
from transmissions.terms import NODE_TERMS

NAMESPACE = "http://purl.org/stuff/transmissions/"
PREFIXES = f"@prefix : <{NAMESPACE}> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


PROCESSORS = [load_class(spec.implementation) for spec in Registry([bundled()]).specs()]


@pytest.mark.parametrize("cls", PROCESSORS, ids=lambda cls: cls.__name__)
def test_the_example_of_a_processor_is_valid(cls):
    """The docstring's Turtle parses, and says of the node only what can be said of one of its class."""
    spec = describe_class(cls, library.__name__)
    (example,) = re.findall(r"```turtle\n(.*?)```", spec.doc, re.DOTALL)
    triples = list(pyoxigraph.parse(PREFIXES + example, format=pyoxigraph.RdfFormat.TURTLE))
    nodes = {quad.subject for quad in triples if quad.predicate.value == TYPE and quad.object.value == spec.iri}
    used = {quad.predicate.value.removeprefix(NAMESPACE) for quad in triples if quad.subject in nodes} - {TYPE}
    assert nodes
    assert used <= NODE_TERMS | {setting.term for setting in spec.settings}


@pytest.mark.parametrize("cls", PROCESSORS, ids=lambda cls: cls.__name__)
def test_every_setting_is_documented(cls):
    """Each setting has a sentence below it."""
    assert [setting.term for setting in describe_class(cls, library.__name__).settings if not setting.doc] == []
