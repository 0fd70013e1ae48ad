"""Random damage to Turtle files: whatever happens to a file, it is read, or refused in a located sentence."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pyoxigraph
import pytest

from transmissions import located
from transmissions.errors import ConfigError
from transmissions.render import render
from transmissions.turtle import Document

ROOT = Path(__file__).resolve().parent.parent.parent
MUTANTS = 5000 if os.environ.get("TRANS_LONG") else 300
LARGE = 20_000
MARKS = [*"[](){}<>;.,\"'\\@:_^#-+|~", "^^", "<<", "{|", '"""']
PIECES = [*MARKS, "@prefix", "a ", "\n", "\r", "\t", "é", "😀", "\x00", "\u202e", "1e9", "\\ud800"]
CORPUS = r"""
@prefix : <http://purl.org/stuff/transmissions/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
:demo a :EntryTransmission ; rdfs:label "Grüße 😀"@de-AT ;
    :pipe ( :read [ a :FanOut ; :branches ( ( :one :two ) [ :when [ :field "kind" ; :equals 'x' ] ;
        :pipe ( :rest ) ] ) ] :write ) .
:read a :FileReader ; :settings [ :path "a\tb\u00e9" , <../data/x%20y> ; :size 12 , -3.5 , 1.0e6 , true ] .
:write a :FileWriter ; :text '''two
lines "of" text''' ; :limit "5"^^xsd:integer . # done
_:b :x () , _:b .
"""


def bases():
    """Return the texts that are damaged: the bundled Turtle files that are not large, and one with all of the syntax."""
    files = [file for file in sorted(ROOT.glob("[ac]*/**/*.ttl")) if file.stat().st_size < LARGE]
    return [CORPUS, *(file.read_text(encoding="utf-8") for file in files)]


def mutate(text, chance):
    """Return a text with one to three pieces of damage: cut, doubled, moved, inserted."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((1, 1, 1, 3, 20)))
        piece, old = chance.choice(PIECES), text[start:end]
        text = text[:start] + chance.choice((piece, "", old * 2, old[::-1], piece + old)) + text[end:]
    return text


def verdict(text):
    """Return the problems for which a text is refused, or none."""
    try:
        located.load(Document("mutant.ttl", text))
    except ConfigError as error:
        return error.problems
    return ()


def is_turtle(text):
    """Whether the strict parser takes a text."""
    try:
        list(pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.TURTLE, base_iri="http://doc.invalid/mutant.ttl"))
    except SyntaxError:
        return False
    return True


@pytest.mark.timeout(600)
def test_a_damaged_file_is_read_or_refused_at_a_place():
    """No mutant raises anything else, every refusal has a place and can be shown, and nothing is taken that is not Turtle."""
    chance = random.Random(20)
    texts = bases()
    for number in range(MUTANTS):
        text = mutate(texts[number % len(texts)], chance)
        problems = verdict(text)
        assert all(problem.span and problem.span.width and render(problem) for problem in problems), text
        assert problems or is_turtle(text), text


@pytest.mark.timeout(600)
def test_what_is_refused_is_not_turtle_or_beyond_a_limit():
    """A mutant that the strict parser takes is refused only for a limit, an import or RDF 1.2."""
    chance = random.Random(22)
    texts = bases()
    for number in range(MUTANTS):
        text = mutate(texts[number % len(texts)], chance)
        refused = [problem for problem in verdict(text) if problem.code in {"syntax", "unknown-prefix"}]
        refused = [problem for problem in refused if "RDF 1.2" not in problem.message]
        assert not (refused and is_turtle(text)), (text, refused)


def test_an_undamaged_file_is_read():
    """The texts that are damaged are whole to begin with."""
    assert [problems for problems in map(verdict, bases()) if problems] == []
