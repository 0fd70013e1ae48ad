"""Classes are found in source text, imported when asked for, and told apart."""

from __future__ import annotations

import sys
import textwrap
from importlib.metadata import EntryPoint

import pytest

from transmissions import homes
from transmissions.errors import ConfigError
from transmissions.registry import Registry
from transmissions.terms import NAMESPACE

SHOUT = '''
from transmissions import Processor


class Shout(Processor):
    """Say it louder."""

    mark: str = "!"
    "What is put behind."

    def process(self, message):
        return {**message, "text": message["text"].upper() + self.mark}
'''


@pytest.fixture
def home(tmp_path):
    """Make a user's home with one app, `mine`."""
    (tmp_path / "processors").mkdir()
    (tmp_path / "apps" / "mine").mkdir(parents=True)
    (tmp_path / "apps" / "mine" / "transmissions.ttl").write_text("")
    return tmp_path


def write(home, name, source):
    """Write a module of the home."""
    (home / "processors" / f"{name}.py").write_text(textwrap.dedent(source).lstrip())


def registry_of(home):
    """Return what the app `mine` of a home can see."""
    return Registry.for_app(homes.find_app("mine", home))


def is_imported(registry, module):
    """Whether a module of one of the registry's homes was imported."""
    return any(f"{package}.{module}" in sys.modules for package in registry._packages)


def test_ten_lines_of_a_user_are_a_processor(home):
    """A class in a user's own folder is found by name, described and usable."""
    write(home, "loud", SHOUT)
    spec = registry_of(home).get(NAMESPACE + "Shout")
    assert (spec.summary, spec.settings[0].doc) == ("Say it louder.", "What is put behind.")
    assert homes.load_class(spec.implementation)().process({"text": "a"}) == {"text": "A!"}


def test_a_users_module_may_be_called_like_ours(home):
    """A user's files.py hides none of ours, nor ours his."""
    write(home, "flow", SHOUT)
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout").package != "transmissions.processors"
    assert registry.get(NAMESPACE + "NOP").implementation == "transmissions.processors.flow:NOP"


def test_names_are_known_without_an_import(home):
    """What there is can be listed for a suggestion before anything of it runs."""
    write(home, "loud", "1 / 0\n" + SHOUT)
    registry = registry_of(home)
    assert {"Shout", "NOP"} <= set(registry.names())
    assert not is_imported(registry, "loud")


def test_only_the_module_in_use_is_imported(home):
    """Asking for one class leaves its neighbours alone."""
    write(home, "loud", SHOUT)
    write(home, "other", SHOUT.replace("Shout", "Whisper"))
    registry = registry_of(home)
    registry.get(NAMESPACE + "Shout")
    assert (is_imported(registry, "loud"), is_imported(registry, "other")) == (True, False)


def test_two_classes_of_one_iri_are_an_error_naming_both(home):
    """Neither wins silently: both places are in the problem."""
    write(home, "loud", SHOUT)
    write(home, "quiet", SHOUT)
    registry = registry_of(home)
    registry.get(NAMESPACE + "Shout")
    (problem,) = registry.problems
    assert problem.is_error
    assert f"{home}/processors/loud.py:4:1" in problem.message
    assert f"{home}/processors/quiet.py:4:1" in problem.message
    assert NAMESPACE + "Shout" in registry.failed


def test_a_class_cannot_take_a_bundled_name(home):
    """A user's NOP clashes with ours, and is told so."""
    write(home, "loud", SHOUT.replace("Shout", "NOP"))
    registry = registry_of(home)
    registry.get(NAMESPACE + "NOP")
    assert [problem.code for problem in registry.problems] == ["two-classes"]


def test_a_class_of_another_kind_is_no_clash(home):
    """A record or a plain class may have the name of a processor."""
    write(home, "loud", SHOUT)
    write(home, "records", "from transmissions import Record\n\nclass Shout(Record):\n    pass\n")
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout")
    assert registry.problems == []


def test_what_ends_in_class_hides_no_class_statement(home):
    """A decorator, or a remark, in front of the statement is not taken for its beginning."""
    write(
        home, "loud", SHOUT.replace("class Shout", "from dataclasses import dataclass\n# a new class\n@dataclass\nclass Shout")
    )
    assert registry_of(home).get(NAMESPACE + "Shout").summary == "Say it louder."


def test_an_iri_of_its_own_is_the_name(home):
    """`iri` decides, and the class name is then no name in our namespace."""
    write(home, "loud", SHOUT.replace("    mark:", '    iri = "http://example.org/ns#Loud"\n    mark:'))
    registry = registry_of(home)
    assert registry.get("http://example.org/ns#Loud").name == "Loud"
    assert registry.get(NAMESPACE + "Shout") is None
    assert "Loud" in registry.names()


def test_classes_are_known_through_their_bases(home):
    """A class derived from a user's own processor is one; a private base is not offered."""
    write(home, "loud", SHOUT.replace("Shout", "_Base") + "\n\nclass Louder(_Base):\n    'Derive.'\n")
    names = registry_of(home).names()
    assert "Louder" in names
    assert "_Base" not in names


def test_a_broken_module_nobody_uses_is_a_note(home):
    """What is broken elsewhere does not stop an app, but is said."""
    write(home, "loud", SHOUT)
    write(home, "broken", "def :\n")
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout")
    assert [(problem.severity, problem.span.line) for problem in registry.problems] == [("note", 1)]
    assert registry.failed == set()


def test_a_broken_module_in_use_is_an_error(home):
    """A class that stands in a module that is not Python cannot be used, and the line says why."""
    write(home, "loud", SHOUT + "\ndef :\n")
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout") is None
    assert [problem.severity for problem in registry.problems] == ["note", "error"]
    assert NAMESPACE + "Shout" in registry.failed


@pytest.mark.parametrize("fault", ["raise SystemExit(0)", "class Odd(Exception): ...\nraise Odd", "next(iter(()))"])
def test_whatever_a_module_raises_is_an_error_at_its_line(home, fault):
    """A module in use may exit or raise what it likes: that is told, at the line that did."""
    write(home, "loud", SHOUT)
    with (home / "processors" / "loud.py").open("a") as file:
        file.write(fault)
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout") is None
    assert registry.problems[0].code == "broken-module"
    assert registry.problems[0].span.text == fault.splitlines()[-1]


def test_what_a_module_prints_when_it_is_imported_is_no_data(home, capsys):
    """Standard output is for data: a forgotten print at the top of a module goes to standard error."""
    write(home, "loud", f"print('here')\n{SHOUT}")
    assert registry_of(home).get(NAMESPACE + "Shout")
    assert capsys.readouterr() == ("", "here\n")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("from transmissions import Procesor", "there is no 'Procesor' in transmissions; did you mean 'Processor'?"),
        ("from transmissions import Sink", "there is no 'Sink' in transmissions"),
        ("from .helper import x", "there is no module 'helper' beside this file"),
        ("import Processor", "Shout needs 'Processor', not installed here | write `from transmissions import Processor`"),
        ("from transmission import Processor", "'transmission', not installed here | write `from transmissions import …`"),
    ],
)
def test_an_import_that_leads_nowhere_is_answered_with_what_was_meant(home, statement, told):
    """A name of ours that is misspelt, a module that is not there, and the ways to miss where Processor comes from."""
    write(home, "loud", f"{statement}\n{SHOUT}")
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout") is None
    problem = registry.problems[0]
    assert told in f"{problem.message} | {problem.help}"
    assert (problem.span.line, "did you mean" in problem.message) == (1, "did you mean" in told)


@pytest.mark.parametrize("statement", ["from processors.helper import x", "from helper import x", "import helper"])
def test_an_import_of_what_lies_beside_is_answered_with_its_form(home, statement):
    """A module beside the file is looked for where the file is, and not among what is installed."""
    write(home, "loud", f"{statement}\n{SHOUT}")
    write(home, "helper", "x = 1")
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout") is None
    assert registry.problems[0].help == "it lies beside this file: write `from .helper import …`"


def test_a_class_that_its_decorator_took_away_is_told(home):
    """It is not said to lack the base it has."""
    write(home, "loud", SHOUT.replace("class Shout", "@print\nclass Shout"))
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout") is None
    assert "does what decorates it give the class back" in registry.problems[0].help
    assert not registry.strangers


def test_a_folder_that_may_not_be_looked_into_is_told(home, monkeypatch):
    """Its processors are missing for a reason, which stands beside what asks for them."""

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.iterdir", refused)
    assert f"no processor of {home / 'processors'} is seen: permission denied" in [
        problem.message for problem in registry_of(home).problems if problem.severity == "note"
    ]


def test_a_module_with_a_byte_order_mark_is_read(home):
    """Python reads such a file, and so do we."""
    write(home, "loud", "\ufeff" + SHOUT.lstrip())
    assert registry_of(home).get(NAMESPACE + "Shout").name == "Shout"


def test_what_only_looks_like_a_module_is_none(home):
    """An editor's lock is a link to nowhere that ends in .py."""
    write(home, "loud", SHOUT)
    (home / "processors" / ".#loud.py").symlink_to("nobody@nowhere.1")
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout")
    assert not registry.problems


def test_a_wrong_declaration_is_an_error(home):
    """A class that declares itself wrongly is not taken; its problems are kept."""
    write(home, "loud", SHOUT.replace("mark: str", "mark: dict[str, str]"))
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout") is None
    assert "Shout.mark has type dict[str, str]" in registry.problems[0].message


@pytest.mark.parametrize("reference", ["loud:Shout", "loud.Shout"])
def test_a_class_is_found_by_dotted_path(home, reference):
    """`:implementedBy` names a module of the home, whatever the class's IRI is."""
    write(home, "loud", SHOUT)
    assert registry_of(home).implemented_by(reference).name == "Shout"


def test_a_dotted_path_reaches_installed_packages(home):
    """A package that is installed needs no home."""
    spec = registry_of(home).implemented_by("transmissions.processors.flow:NOP")
    assert (spec.name, spec.package) == ("NOP", "transmissions.processors")


@pytest.mark.parametrize(
    ("reference", "fault"),
    [
        ("loud", "no module:Class"),
        ("nowhere:Thing", "no module 'nowhere'"),
        ("../loud:Shout", "no module:Class"),
        ("..loud:Shout", "no module:Class"),
        ("a." * 3000 + "b:C", "no module:Class"),
        ("loud:Shoot", "no class 'Shoot' in module 'loud'"),
        ("transmissions:Processor", "no processor class"),
        ("os:system", "no processor class"),
    ],
)
def test_a_dotted_path_that_leads_nowhere_is_an_error(home, reference, fault):
    """What is wrong with the path is said."""
    write(home, "loud", SHOUT)
    with pytest.raises(ConfigError, match=fault):
        registry_of(home).implemented_by(reference)


@pytest.mark.parametrize("value", ["offered.loud:Shout", "offered.loud", "offered:Shout"])
def test_installed_distributions_offer_classes_and_modules(tmp_path, monkeypatch, value):
    """An entry point may name a class, where it stands or where it is handed on, or a whole module."""
    package = tmp_path / "site" / "offered"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from .loud import Shout\n")
    (package / "loud.py").write_text(SHOUT)
    monkeypatch.syspath_prepend(str(package.parent))
    registry = Registry([homes.bundled()], [EntryPoint("x", value, "transmissions.processors")])
    assert registry.get(NAMESPACE + "Shout").implementation == "offered.loud:Shout"
    for name in ("offered", "offered.loud"):
        sys.modules.pop(name, None)


def test_an_offer_of_nothing_is_a_note():
    """A distribution whose module is gone hides no other class."""
    registry = Registry([homes.bundled()], [EntryPoint("gone", "gone.away:Thing", "transmissions.processors")])
    assert [(problem.severity, problem.code) for problem in registry.problems] == [("note", "no-module")]


def test_the_files_a_class_depends_on_are_known(home):
    """A module and the siblings it imports decide what its classes are."""
    write(home, "base", "MARK = '!'\n")
    write(home, "loud", "from .base import MARK\n" + SHOUT)
    write(home, "other", SHOUT.replace("Shout", "Whisper"))
    registry = registry_of(home)
    files = registry.module_files([registry.get(NAMESPACE + "Shout")])
    own = [file.name for file in files if file.is_relative_to(home)]
    assert own == ["base.py", "loud.py"]


def test_a_class_without_its_base_is_pointed_to(home):
    """What has the name of a processor and is none is no fault, but known, for whoever meant it."""
    write(home, "loud", SHOUT.replace("class Shout(Processor)", "class Shout"))
    registry = registry_of(home)
    assert registry.get(NAMESPACE + "Shout") is None
    assert registry.problems == []
    told = registry.strangers[NAMESPACE + "Shout"]
    assert told == f"{home / 'processors/loud.py'} has a class Shout: write `class Shout(Processor)`"


def test_the_whole_library_describes_itself():
    """Every bundled class is a processor without a fault."""
    registry = Registry([homes.bundled()])
    names = [spec.name for spec in registry.specs()]
    assert registry.problems == []
    assert names == registry.names()
