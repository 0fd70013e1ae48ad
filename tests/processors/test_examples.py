"""What every processor of the library says about itself."""

import importlib
import pkgutil
import re

import pyoxigraph
import pytest

import transmissions.processors as library
from transmissions import Processor
from transmissions.spec import describe_class
from transmissions.terms import NODE_TERMS

NAMESPACE = "http://purl.org/stuff/transmissions/"
PREFIXES = f"@prefix : <{NAMESPACE}> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def processors():
    """Return every processor class of the library."""
    modules = [importlib.import_module(f"{library.__name__}.{found.name}") for found in pkgutil.iter_modules(library.__path__)]
    return [
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Processor) and thing.__module__ == module.__name__
        if not thing.__name__.startswith("_")
    ]


@pytest.mark.parametrize("cls", processors(), ids=lambda cls: cls.__name__)
def test_the_example_of_a_processor_is_valid(cls):
    """The docstring's Turtle parses, and says of the node only what can be said of one of its class."""
    spec = describe_class(cls, library.__name__)
    (example,) = re.findall(r"```turtle\n(.*?)```", spec.doc, re.DOTALL)
    triples = list(pyoxigraph.parse(PREFIXES + example, format=pyoxigraph.RdfFormat.TURTLE))
    nodes = {quad.subject for quad in triples if quad.predicate.value == TYPE and quad.object.value == spec.iri}
    used = {quad.predicate.value.removeprefix(NAMESPACE) for quad in triples if quad.subject in nodes} - {TYPE}
    assert nodes
    assert used <= NODE_TERMS | {setting.term for setting in spec.settings}


@pytest.mark.parametrize("cls", processors(), ids=lambda cls: cls.__name__)
def test_every_setting_is_documented(cls):
    """Each setting has a sentence below it."""
    assert [setting.term for setting in describe_class(cls, library.__name__).settings if not setting.doc] == []
