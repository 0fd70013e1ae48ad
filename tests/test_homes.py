"""Apps are found by name or path, and code is loaded from homes only."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from transmissions import Processor, homes
from transmissions.errors import ConfigError, UsageError


def make_app(folder):
    """Make a folder an app."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transmissions.ttl").write_text("")
    return folder


def make_module(home, name, source):
    """Put a module into a home's processors."""
    (home / "processors").mkdir(parents=True, exist_ok=True)
    (home / "processors" / f"{name}.py").write_text(textwrap.dedent(source))


def make_distribution(root, name, group, value):
    """Lay out what installing a distribution with one entry point leaves behind."""
    info = root / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """Install a distribution that offers the package `offering` as a home, with one app."""
    root = tmp_path / "site"
    make_distribution(root, "offering", "transmissions.homes", "offering")
    make_app(root / "offering" / "apps" / "remote")
    (root / "offering" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(root))
    return root / "offering"


def test_an_app_of_the_working_directory_is_found_by_name(tmp_path):
    """`apps/NAME` below the working directory is the app, and that directory its home."""
    folder = make_app(tmp_path / "apps" / "mine")
    app = homes.find_app("mine", tmp_path)
    assert (app.name, app.folder, app.subtask) == ("mine", folder, None)
    assert (app.home.folder, app.home.kind) == (tmp_path, "user")


def test_a_subtask_follows_a_dot(tmp_path):
    """NAME.SUBTASK asks for one transmission; a name with a dot of its own wins."""
    make_app(tmp_path / "apps" / "mine")
    make_app(tmp_path / "apps" / "v1.2")
    assert homes.find_app("mine.first", tmp_path).subtask == "first"
    assert homes.find_app("v1.2", tmp_path).subtask is None


@pytest.mark.parametrize("reference", ["./here", "here", "sub/../here", "here/", "here/transmissions.ttl"])
def test_a_path_leads_to_an_app(tmp_path, reference):
    """A folder with transmissions.ttl is an app wherever it lies, and then its own home."""
    folder = make_app(tmp_path / "here")
    (tmp_path / "sub").mkdir()
    app = homes.find_app(reference, tmp_path)
    assert (app.name, app.folder, app.home.folder) == ("here", folder, folder)


def test_the_working_directory_itself_may_be_the_app(tmp_path):
    """A dot means here."""
    assert homes.find_app(".", make_app(tmp_path / "here")).name == "here"


def test_a_name_found_twice_is_an_error_naming_both(tmp_path):
    """Neither of two apps of one name silently wins."""
    first, second = make_app(tmp_path / "apps" / "twin"), make_app(tmp_path / "twin")
    with pytest.raises(UsageError) as caught:
        homes.find_app("twin", tmp_path)
    assert str(first) in str(caught.value)
    assert str(second) in str(caught.value)


def test_one_app_reached_by_a_link_is_not_two(tmp_path):
    """What counts is the folder, not the way to it."""
    folder = make_app(tmp_path / "apps" / "mine")
    (tmp_path / "mine").symlink_to(folder)
    assert homes.find_app("mine", tmp_path).folder == folder


def test_an_unknown_app_names_the_nearest_and_the_places(tmp_path):
    """The message offers the right name and says where homes were searched."""
    make_app(tmp_path / "apps" / "converter")
    with pytest.raises(UsageError, match="no app 'convertor'; did you mean 'converter'") as caught:
        homes.find_app("convertor", tmp_path)
    assert str(tmp_path / "apps") in str(caught.value)
    assert str(homes.bundled().folder / "apps") in str(caught.value)


def test_a_folder_without_config_is_no_app(tmp_path):
    """A path is answered with what is missing there, not with names."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no transmissions\.ttl in '\./empty'"):
        homes.find_app("./empty", tmp_path)


def test_an_app_is_missed_where_it_is_known_to_be(tmp_path):
    """A folder of that name in ./apps is said to lack its file, and an app of a folder above is pointed to."""
    make_app(tmp_path / "apps" / "mine")
    (tmp_path / "below" / "apps" / "begun").mkdir(parents=True)
    with pytest.raises(UsageError, match=f"no app 'mine' here, but there is one in {tmp_path}: start there"):
        homes.find_app("mine", tmp_path / "below")
    with pytest.raises(UsageError, match=r"no transmissions\.ttl in '.*/below/apps/begun'"):
        homes.find_app("begun", tmp_path / "below")


def test_an_installed_distribution_offers_a_home(tmp_path, offered):
    """Its apps are found by name, and its processors keep the package's own name."""
    app = homes.find_app("remote", tmp_path)
    assert app.home == homes.Home(offered, "installed", "offering.processors")


def test_all_apps_are_listed_by_name(tmp_path, offered):
    """The working directory's and the installed ones stand side by side."""
    make_app(tmp_path / "apps" / "zebra")
    (tmp_path / "apps" / "no-app").mkdir()
    names = [app.name for app in homes.apps(tmp_path)]
    assert {"remote", "zebra"} <= set(names)
    assert "no-app" not in names
    assert names == sorted(names)


def test_an_app_sees_processors_of_its_folder_and_its_home(tmp_path):
    """Bundled, app folder and home: each is a package of its own."""
    folder = make_app(tmp_path / "apps" / "mine")
    make_module(tmp_path, "shared", "")
    make_module(folder, "own", "")
    seen = homes.homes_for(homes.find_app("mine", tmp_path))
    assert [home.folder for home in seen] == [homes.bundled().folder, folder, tmp_path]
    assert len({home.package for home in seen}) == 3


@pytest.mark.parametrize("name", ["link", "apps/link"])
def test_an_app_that_is_a_link_sees_what_it_sees_where_it_lies(tmp_path, name):
    """By whatever way it is reached, its own home is one of those it sees."""
    folder = make_app(tmp_path / "there" / "apps" / "mine")
    make_module(tmp_path / "there", "shared", "")
    (tmp_path / "here" / name).parent.mkdir(parents=True)
    (tmp_path / "here" / name).symlink_to(folder)
    seen = homes.homes_for(homes.find_app("./" + name, tmp_path / "here"))
    assert [home.folder for home in seen] == [homes.bundled().folder, tmp_path / "there"]


def test_two_homes_may_have_modules_of_one_name(tmp_path):
    """A user's files.py is imported beside another's, and relative imports stay inside."""
    pairs = []
    for name in ("one", "two"):
        make_app(tmp_path / name)
        make_module(tmp_path / name, "base", f"WHO = '{name}'")
        make_module(
            tmp_path / name,
            "files",
            """
            from transmissions import Processor
            from .base import WHO

            class Reader(Processor):
                'Read.'
                who = WHO
            """,
        )
        pairs.append((homes.home_of(tmp_path / name).package, str(tmp_path / name)))
    homes.install_homes(pairs)
    readers = [homes.load_class(f"{package}.files:Reader") for package, _ in pairs]
    assert [reader.who for reader in readers] == ["one", "two"]
    assert all(issubclass(reader, Processor) for reader in readers)


def load_from(tmp_path, source, name="Thing"):
    """Load a class from a home with one module, and return the problem it makes."""
    make_app(tmp_path / "app")
    make_module(tmp_path / "app", "things", source)
    home = homes.home_of(tmp_path / "app")
    homes.install_homes([(home.package, str(home.folder))])
    with pytest.raises(ConfigError) as caught:
        homes.load_class(f"{home.package}.things:{name}")
    return caught.value.problems[0]


def test_a_missing_optional_library_is_installed_by_its_extra(tmp_path, monkeypatch):
    """What is known of the extra is a command that can be copied."""
    monkeypatch.setattr("transmissions.extras.metadata.requires", lambda _: ['no-such-library>=1; extra == "terminal"'])
    problem = load_from(
        tmp_path,
        """
        import no_such_library.part
        from transmissions import Processor

        class Thing(Processor):
            "Need a library."
            extra = "terminal"
        """,
    )
    assert problem.message == "Thing needs 'no-such-library', not installed here"
    assert problem.help == f"install it: {sys.executable} -m pip install 'no-such-library>=1'"
    assert problem.span.line == 2


def test_a_module_that_lies_beside_is_not_one_to_install(tmp_path):
    """It is imported by its relative name."""
    make_module(tmp_path / "app", "beside", "")
    problem = load_from(tmp_path, "from beside import thing\nclass Thing: pass\n")
    assert problem.help == "it lies beside this file: write `from .beside import …`"


def test_a_module_that_fails_is_named_with_its_line(tmp_path):
    """An error at import is a problem at the line that raised it."""
    problem = load_from(tmp_path, "first = 1\nsecond = 1 / 0\n")
    assert "cannot be imported: ZeroDivisionError: division by zero" in problem.message
    assert (problem.span.line, problem.span.text) == (2, "second = 1 / 0")


def test_a_module_that_is_not_python_is_named_with_its_line(tmp_path):
    """A syntax error is located too."""
    problem = load_from(tmp_path, "first = 1\nclass Thing(:\n")
    assert (problem.code, problem.span.line) == ("broken-module", 2)


def test_what_is_no_processor_is_refused(tmp_path):
    """A class of another kind, or none at all, cannot stand in a pipe."""
    assert "is no processor class" in load_from(tmp_path, "class Thing: pass").message
    with pytest.raises(ConfigError, match=r"there is no class 'Popcorn' in module 'subprocess'"):
        homes.load_class("subprocess:Popcorn")
    with pytest.raises(ConfigError, match=r"there is no module 'no_such_module\.part'"):
        homes.load_class("no_such_module.part:Thing")


def test_importing_homes_costs_little():
    """What a cached start does without is not loaded by looking for an app either."""
    code = """
        import sys
        from transmissions import homes
        try:
            homes.find_app("no-such-app")
        except Exception:
            pass
        heavy = {"rdflib", "pyshacl", "pyoxigraph", "importlib.metadata", "rich", "jinja2"}
        print(sorted(heavy & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_that_may_not_be_looked_into_is_passed_over(tmp_path, monkeypatch):
    """One such folder among the apps is no fault of the others; asked for by its path it is told, as is a name too long."""
    make_app(tmp_path / "apps" / "mine")
    make_app(tmp_path / "apps" / "locked").chmod(0)
    monkeypatch.setattr("os.path.isfile", lambda path: "locked" not in str(path) and Path(path).is_file())
    monkeypatch.setattr("os.access", lambda path, _mode: "locked" not in str(path))
    assert "mine" in [app.name for app in homes.apps(tmp_path)]
    with pytest.raises(UsageError, match="cannot read 'apps/locked': permission denied"):
        homes.find_app("apps/locked", tmp_path)
    monkeypatch.undo()
    with pytest.raises(UsageError, match="no app 'xxx"):
        homes.find_app("x" * 300, tmp_path)
