"""The files of an app as layers."""

from __future__ import annotations

from examining import PREFIXES, make_app, make_target, marked
from rdflib import RDF, Literal, URIRef

from transmissions.findings import Findings, did_you_mean, nearest
from transmissions.loader import load, profile_file
from transmissions.placements import TRN
from transmissions.problem import Label, Problem, Span
from transmissions.rdflists import is_list, read_list

SET = TRN.set


def layers_of(tmp_path, transmissions=":set :size 1 .", config=None, target=None, profile=None):
    """Return the layers of an app."""
    findings = Findings()
    layers = load(make_app(tmp_path, transmissions, config), target, profile, findings)
    assert not findings.sorted()
    return layers


def test_layers_are_ordered_by_strength(tmp_path):
    """A target comes before the app, its config after it, a profile last; absent files are no layers."""
    target = make_target(tmp_path, ":set :size 2 .")
    profile = tmp_path / "fast.ttl"
    profile.write_text(PREFIXES)
    roles = [layer.role for layer in layers_of(tmp_path, config="", target=target, profile=profile).all]
    assert roles == ["target", "transmissions", "config", "profile"]
    (tmp_path / "apps" / "demo" / "config.ttl").unlink()
    assert [layer.role for layer in layers_of(tmp_path).all] == ["transmissions"]


def test_values_know_their_places_and_keep_their_order(tmp_path):
    """Several values come in the order they are written, with the places of name and value."""
    values = layers_of(tmp_path, ':set :tags "b", "a" , 3 .').main.values(SET, TRN.tags)
    assert [str(value.term) for value in values] == ["b", "a", "3"]
    assert [marked(value.span) for value in values] == ['"b"', '"a"', "3"]
    assert {marked(value.key) for value in values} == {":tags"}


def test_only_our_own_terms_are_settings(tmp_path):
    """Types, labels and other vocabularies are not looked at."""
    main = layers_of(tmp_path, ":set a :ConfigSet ; rdfs:label 'x' ; :size 5 ; <http://purl.org/dc/terms/title> 'y' .").main
    assert list(main.terms(SET)) == [TRN.size]


def test_relative_iris_are_meant_as_names(tmp_path):
    """Where a text is wanted, an IRI below the file's folder is its relative name."""
    main = layers_of(tmp_path).main
    assert main.text(f"{main.path.parent.as_uri()}/data/x.md") == "data/x.md"
    assert main.text("http://x.org/y") == "http://x.org/y"


def test_files_are_shown_as_seen_from_the_working_directory(tmp_path, monkeypatch):
    """Places are short where that is possible."""
    monkeypatch.chdir(tmp_path)
    assert layers_of(tmp_path).main.span(SET).file == "apps/demo/transmissions.ttl"


def test_an_unreadable_layer_leaves_the_others_but_is_told(tmp_path):
    """So that nothing is missed which may stand in the file that could not be read."""
    findings = Findings()
    layers = load(make_app(tmp_path, ":set :size 1 .", "oops"), None, None, findings)
    assert [layer.role for layer in layers.all] == ["transmissions"]
    assert not layers.complete
    assert findings.failed


def test_a_list_is_read_with_the_places_of_its_members(tmp_path):
    """Members come in order; an empty list is one, too."""
    main = layers_of(tmp_path, ":set :tags (:a 'b') ; :none () .").main
    head, nil = main.values(SET, TRN.tags)[0], main.values(SET, TRN.none)[0]
    assert is_list(main, head)
    assert [(member.term, marked(member.span)) for member in read_list(main, head).members] == [
        (TRN.a, ":a"),
        (Literal("b"), "'b'"),
    ]
    assert read_list(main, nil) == ([], "")


def test_a_list_without_end_is_a_fault(tmp_path):
    """A cell without its rest ends the reading with a sentence."""
    main = layers_of(tmp_path, f":set :tags :l . :l <{RDF.first}> 'a' .").main
    assert "exactly one" in read_list(main, main.values(SET, TRN.tags)[0]).fault


def test_profiles_are_files_of_a_folder(tmp_path):
    """A profile is found by its name; a misspelt one is answered with the nearest."""
    (tmp_path / "low-latency.ttl").write_text("")
    findings = Findings()
    assert profile_file(tmp_path, "low-latency", findings) == tmp_path / "low-latency.ttl"
    assert profile_file(tmp_path, "low-latancy", findings) is None
    assert findings.sorted()[0].help == "did you mean `low-latency`?"


def test_a_fault_is_told_once_and_errors_first():
    """Code and place make a fault; the order is by weight, then by place."""
    span = Span("f", 2, 1, 1, "x")
    findings = Findings()
    findings.report("note", "n", "first", span._replace(line=1))
    findings.report("error", "e", "said", span)
    findings.report("error", "e", "said again", span)
    assert [problem.message for problem in findings.sorted()] == ["said", "first"]


def test_what_is_hidden_is_cut_out_of_every_line():
    """A masked stretch takes the rest of its line with it, wherever the line is shown."""
    secret, other = Span("f", 2, 8, 6, "key = 'sesame' ; more"), Span("f", 2, 1, 3, "key = 'sesame' ; more")
    findings = Findings()
    findings.hide(secret)
    findings.add(Problem("error", "e", "m", other, related=(Label(secret, "there"),)))
    problem = findings.sorted()[0]
    assert problem.span.text == problem.related[0].span.text == "key = '…"
    assert problem.related[0].span.width == 1


def test_the_nearest_name_is_near_enough():
    """Case and small slips do not matter; nothing is offered for a stranger."""
    assert nearest("Filereader", ["FileReader", "FileWriter"]) == "FileReader"
    assert nearest("zebra", ["FileReader"]) == ""
    assert did_you_mean("siez", ["size"]) == "did you mean `:size`?"
    assert URIRef(TRN.set) == SET
