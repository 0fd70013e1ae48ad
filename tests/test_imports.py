"""An app that is built on another."""

from __future__ import annotations

import shutil

import pytest
from examining import PREFIXES, node

from transmissions.cli import main
from transmissions.errors import ConfigError
from transmissions.homes import find_app, load_class
from transmissions.plan import walk
from transmissions.prepare import prepare
from transmissions.validate import check

BASE = """
:base a :EntryTransmission ; :pipe ( :first :middle :last :unused ) .
:middle a :Transmission ; :endpoint [ :path "/base" ; :protocol "ndjson" ] ; :pipe ( :inner ) .
:first a :SetField ; :settings :set ; :field "first" .
:inner a :SetField ; :field "inner" ; :value "of base" .
:last a :SetField ; :field "last" ; :value "of base" .
:unused a :NoSuchProcessor .
"""
OWN = """
<> :import "base" .
:own a :EntryTransmission ; :pipe ( :first :middle :last ) .
:last :value "own" .
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Give a function that writes an app's files, and change to the folder that holds them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def write(name, main, config=None):
        folder = tmp_path / "apps" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "transmissions.ttl").write_text(PREFIXES + main)
        if config is not None:
            (folder / "config.ttl").write_text(PREFIXES + config)
        return folder

    return write


def problems(name="own"):
    return [(p.code, p.span.file if p.span else "", p.message) for p in check(find_app(name))[1]]


def plan(name="own"):
    return prepare(find_app(name)).plan


def test_an_app_has_what_it_refers_to_of_another(write):
    """Nodes, nested transmissions and settings come; an entry, endpoints, and what is not referred to do not."""
    write("base", BASE, ':set :value "of config" . :nobody :value 1 .')
    write("own", OWN)
    found = plan()
    assert [one.name for one in found.transmissions] == ["own", "middle"]
    assert [step.path for step in found.nodes() if step.path.startswith("own")] == ["own/first", "own/middle/inner", "own/last"]
    assert node(found, "own/first").settings["value"] == ["of config"]
    assert node(found, "own/last").settings.items() >= {"field": "last", "value": ["own"]}.items()
    assert found.endpoints == ()


def test_what_an_app_says_itself_is_stronger(write):
    """Property by property, and altogether what it gives a class: nothing that was said of that before holds."""
    write("base", BASE, ':set :value "of config" ; :field "of config" . :inner :value "of config" .')
    write("own", f"{OWN} :inner a :NOP . :middle :pipe ( :inner :last ) .", ':set :value "own config" .')
    found = plan()
    assert node(found, "own/middle/inner").type.endswith("/NOP")
    assert node(found, "own/middle/last").settings["value"] == ["own"]
    assert node(found, "own/first").settings["value"] == ["own config"]
    assert node(found, "own/first").settings["field"] == "first"


def test_the_pipe_of_an_entry_can_be_nested(write):
    """Of the other app's entry comes its pipe: no arguments, nothing that only runs heed, and no warning of that."""
    base = BASE.replace(":pipe ( :first", ':argument [ :name "n" ] ; :pipe ( :first').replace(" :unused )", " )")
    write("base", base)
    write("own", ':set :value 1 . <> :import "base" . :own a :EntryTransmission ; :pipe ( :base ) . :last a :NOP .')
    assert problems() == []
    (entry,) = plan().entries()
    assert [step.path for step in walk(entry.pipe)] == ["own/base/first", "own/base/middle/inner", "own/base/last"]
    assert plan().arguments == ()


def test_an_app_may_be_built_on_several_and_those_on_others(write):
    """The first named is the strongest; one that is reached on two ways is read once; a path leads from the app's folder."""
    write("deep", ':z a :SetField ; :field "z" ; :value "deep" . :set :value "deep" .')
    write("one", '<> :import "deep" . :x a :SetField ; :field "x" ; :value "one" . :set :value "one" .')
    write("two", '<> :import "../deep" . :x a :NOP . :y a :SetField ; :field "y" ; :settings :set .')
    write("own", '<> :import "one" , "two" . :own a :Transmission ; :pipe ( :x :y :z ) .')
    found = plan()
    assert [step.settings["value"] for step in found.nodes()] == [["one"], ["one"], ["deep"]]


def test_processors_of_the_other_app_are_had_too(write):
    """They lie in its own `processors/`, which the app itself cannot see."""
    base = write("base", BASE.replace(":inner a :SetField", ":inner a :Shout"))
    (base / "processors").mkdir()
    (base / "processors" / "loud.py").write_text(
        "from transmissions import Processor\n\n\nclass Shout(Processor):\n"
        '    """Shouts."""\n\n    field: str = "x"\n    "Where."\n    value: str = ""\n    "What."\n\n'
        "    def process(self, message):\n        return message\n"
    )
    write("own", OWN, ":set :value 1 .")
    assert node(plan(), "own/middle/inner").type.endswith("/Shout")


LOUD = """
from transmissions import Processor

class {name}(Processor):
    \"\"\"Raise the voice.\"\"\"

    voice: str = "{voice}"
    "Whose."

    def process(self, message):
        return message
"""


def test_a_class_of_an_app_replaces_that_of_the_other(write):
    """As what it says of a step does; two of its own are an error."""
    own = '<> :import "base" . :own a :Transmission ; :pipe ( :loud ) .'
    for name, statement in (("base", ":loud a :Loud ."), ("own", own)):
        folder = write(name, statement) / "processors"
        folder.mkdir()
        (folder / "loud.py").write_text(LOUD.format(name="Loud", voice=name))
    assert load_class(node(plan(), "own/loud").implementation)().voice == "own"
    (folder / "again.py").write_text(LOUD.format(name="Loud", voice="again"))
    assert [code for code, *_ in problems()] == ["two-classes"]


def test_a_class_of_the_other_is_described_as_seen_by_the_app(write, capsys):
    """`trans describe own Loud` tells of what a step of `own` is."""
    (write("base", ":loud a :Loud .") / "processors").mkdir()
    (find_app("base").folder / "processors/loud.py").write_text(LOUD.format(name="Loud", voice="base"))
    write("own", '<> :import "base" . :own a :Transmission ; :pipe ( :loud ) .')
    assert main(["describe", "own", "Loud"]) == 0
    assert capsys.readouterr().out.startswith("Loud (processor, ")


def test_every_file_of_the_other_app_is_an_input_of_the_plan(write, monkeypatch):
    """A change, a config that appears, another class: the app is examined again, and the file is named."""
    base = write("base", BASE, ":set :value 1 .")
    write("own", OWN)
    app = find_app("own")
    prepare(app)
    assert prepare(app).cached
    (base / "config.ttl").write_text(f"{PREFIXES}:set :value 2 .")
    again = prepare(app)
    assert again.why == "apps/base/config.ttl changed"
    assert node(again.plan, "own/first").settings["value"] == [2]
    (base / "transmissions.ttl").write_text(f"{PREFIXES}{BASE} #")
    assert prepare(app).why == "apps/base/transmissions.ttl changed"
    shutil.rmtree(base)
    with pytest.raises(ConfigError, match="no app 'base'"):
        prepare(app)


def test_a_fault_is_told_where_it_stands(write):
    """In whichever file that is; where the other app cannot be read, nothing else is said of what is missing."""
    write("base", BASE.replace(':field "last"', ':field "last" ; :feild 1'), ":set :value 1 .")
    write("own", OWN)
    assert [found[:2] for found in problems()] == [("unknown-setting", "apps/base/transmissions.ttl")]
    write("base", f"{BASE} :broken :pipe ( .")
    assert {found[1] for found in problems()} == {"apps/base/transmissions.ttl"}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ('"bsae"', "no app 'bsae'; did you mean 'base'?"),
        ('"../nothing"', "there is no app at '../nothing', seen from /"),
        ('"base.middle"', "'base.middle' names a part of an app; import the app"),
        ("<../base>", "an import is written as a text"),
        ("3", "no app '3'"),
        ('"own"', "'own' is built on itself: own > own"),
        ('"."', "'own' is built on itself: own > own"),
    ],
)
def test_an_import_that_leads_nowhere_is_an_error_there(said, sentence, write):
    """With the nearest name, and nothing else that is only its echo."""
    write("base", BASE)
    write("own", OWN.replace('"base"', said))
    ((code, file, message),) = problems()
    assert (code, file) == ("import", "apps/own/transmissions.ttl")
    assert sentence in message


def test_what_is_certainly_wrong_is_told_beside_an_import_that_cannot_be_had(write):
    """But not what the other app may have brought: nodes, classes, settings."""
    own = ":own a :Transmission ; :pipe ( :x :last :odd ) . :x a :SetField ; :feild 1 ; :settings :there . :odd a :Odd ."
    write("own", f'<> :import "nowhere" . {own}', ":there :value 1 , 2 ; ]")
    assert sorted(found[0] for found in problems()) == ["import", "syntax", "unknown-setting"]


def test_either_of_its_files_is_stronger_than_those_of_the_other(write):
    """Also its `config.ttl` than the other's `transmissions.ttl`; and of several imports the first in all."""
    write("base", BASE, ":set :value 1 .")
    write("more", BASE.replace("of base", "of more"), ":set :value 2 .")
    write("own", OWN.replace('"base"', '"more" , "base"').replace(':last :value "own" .', ""), ':last :value "own" .')
    found = plan()
    assert node(found, "own/last").settings["value"] == ["own"]
    assert node(found, "own/first").settings["value"] == [2]
    assert node(found, "own/middle/inner").settings["value"] == ["of more"]


def test_a_transmission_may_be_referred_to_by_a_text(write):
    """As where to go to."""
    write("base", ':jump a :GOTO ; :gotoTarget "there" . :there a :Transmission ; :pipe ( :x ) . :x a :NOP .')
    write("own", '<> :import "base" . :own a :EntryTransmission ; :pipe ( :jump ) .')
    assert problems() == []
    assert [one.name for one in plan().transmissions] == ["own", "there"]


def test_a_path_leads_from_where_the_app_really_lies(write, tmp_path):
    """A link to it does not change what it is built on."""
    write("base", BASE, ":set :value 1 .")
    write("own", OWN.replace('"base"', '"../base/"'))
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "link").symlink_to(tmp_path / "apps" / "own")
    assert problems(str(tmp_path / "deep" / "er" / "link")) == []


def test_rules_of_its_own_hold_for_what_it_has_of_another(write):
    """`shapes.ttl` sees the imported nodes that are in use, with what the app says of them."""
    write("base", BASE, ":set :value 1 .")
    folder = write("own", OWN)
    (folder / "shapes.ttl").write_text(
        f"@prefix sh: <http://www.w3.org/ns/shacl#> .\n{PREFIXES}"
        '[] sh:targetClass :SetField ; sh:property [ sh:path :value ; sh:in ( "of base" ) ] .'
    )
    assert [(code, file) for code, file, _ in problems()] == [("shape", "apps/own/transmissions.ttl")]


def test_what_is_nearly_said_is_told(write):
    """A misspelt import, a misspelt node, and an app that declares nothing: each has its sentence."""
    write("base", BASE, ":set :value 1 .")
    write("own", OWN.replace(":import", ":imports"))
    assert ("unknown-setting", "apps/own/transmissions.ttl", "a file has no setting :imports") in problems()
    write("own", f"{OWN} :lsat :value 1 .")
    assert problems() == [("unused-settings", "apps/own/transmissions.ttl", "no node uses the settings :lsat")]
    write("own", '<> :import "base" .')
    (found,) = check(find_app("own"))[1]
    assert (found.code, ":pipe ( :base )" in found.help) == ("no-transmission", True)


def test_an_app_is_stronger_than_all_it_is_built_on(write):
    """Also where a third one imports both."""
    write("d", ":x a :SetField ; :field 'x' ; :settings :s . :s :value 'd' .")
    write("b", "<> :import 'd' .")
    write("c", "<> :import 'd' . :s :value 'c' .")
    write("own", "<> :import 'b' , 'c' . :own a :Transmission ; :pipe ( :x ) .")
    assert node(plan(), "own/x").settings["value"] == ["c"]


def test_a_run_starts_only_the_apps_own(write):
    """Though a text of it may be the name of a transmission of the other one."""
    write("base", BASE, ":set :value 1 .")
    write("own", '<> :import "base" . :own a :Transmission ; :pipe ( :x ) . :x a :SetField ; :field "k" ; :value "middle" .')
    assert [one.name for one in plan().entries()] == ["own"]


def test_a_remark_on_settings_takes_no_class_away(write):
    """`a :ConfigSet` in the app's config says what its settings are for, even of a node."""
    write("base", BASE, ":set :value 1 .")
    write("own", OWN, ':last a :ConfigSet ; :value "config" .')
    assert problems() == []


def test_an_iri_for_a_text_is_relative_in_every_app(write):
    """`<data/x>` is `data/x`, whichever app says so."""
    write("base", BASE.replace('"of base"', "<data/x>"), ":set :value 1 .")
    write("own", OWN.replace(':last :value "own" .', ""))
    assert node(plan(), "own/last").settings["value"] == ["data/x"]


def test_a_node_cannot_import(write):
    """The file does; and what else is said of the file is only warned of under --compat."""
    write("base", BASE, ":set :value 1 .")
    write("own", f'{OWN} :last :import "base" .')
    assert [found[0] for found in problems()] == ["import"]
    write("own", f'{OWN} <> :label "x" .')
    found = check(find_app("own"), compat=True)[1]
    assert [(problem.severity, problem.message) for problem in found] == [("warning", "a file has no setting :label")]


def test_apps_that_are_built_on_each_other_are_an_error(write):
    """It names the way round."""
    write("base", f'<> :import "own" . {BASE}')
    write("own", OWN)
    assert [found[2] for found in problems()] == ["'own' is built on itself: own > base > own"]


def test_only_the_file_that_links_nodes_may_import(write):
    """In `config.ttl` it has no effect, and is an error."""
    write("base", BASE)
    write("own", ":own a :Transmission ; :pipe ( :x ) . :x a :NOP .", '<> :import "base" .')
    assert ("misplaced-link", "apps/own/config.ttl") in [found[:2] for found in problems()]
