"""Optional libraries by their extra."""

import sys
from argparse import Namespace
from importlib.metadata import PackageNotFoundError

import pytest

from transmissions import extras
from transmissions.commands import describe


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Stand in a checkout that is not installed, with an extra of two libraries, one of them here."""
    file = tmp_path / "pyproject.toml"
    file.write_text('[project.optional-dependencies]\nloud = ["pytest>=1", "no-such-lib>=2"]\n')
    monkeypatch.setattr(extras, "_CHECKOUT", file)

    def unknown(_):
        raise PackageNotFoundError

    monkeypatch.setattr("transmissions.extras.metadata.requires", unknown)


def test_a_checkout_that_is_not_installed_knows_its_extras(checkout):
    """They are read from pyproject.toml, and what is there already is not asked for."""
    assert extras.absent("loud") == ["no-such-lib>=2"]


@pytest.mark.parametrize(("sign", "wanted"), [("!=", ["l>=1"]), ("==", [])])
def test_a_library_for_some_systems_is_asked_for_on_those(checkout, tmp_path, monkeypatch, sign, wanted):
    """Its marker is no part of the command, in a checkout and where the project is installed."""
    line = f'l>=1; sys_platform {sign} "win32"'
    (tmp_path / "pyproject.toml").write_text(f"[project.optional-dependencies]\nloud = ['{line}']\n")
    assert extras.absent("loud") == wanted
    lines = ["core>=1", 'other>=1; python_version < "4"', f'{line} and extra == "loud"', 'quiet>=1; extra == "quiet"']
    monkeypatch.setattr("transmissions.extras.metadata.requires", lambda _: lines)
    assert extras.absent("loud") == wanted


def test_an_extra_nobody_declares_needs_nothing(checkout):
    """A user's own processor may name an extra of its own distribution."""
    assert extras.absent("quiet") == []


def test_the_command_is_one_that_can_be_copied():
    """It names the Python that lacks the library, and is quoted for a shell."""
    assert extras.install_command(["a>=1", "b"]) == f"{sys.executable} -m pip install 'a>=1' b"
    assert extras.libraries_of(["backports.zstd>=1", "b"]) == "'backports.zstd', 'b'"


def test_a_processor_can_be_read_about_without_its_library(monkeypatch, capsys):
    """It is described with all its settings, and with the command that installs what it needs."""
    monkeypatch.setattr(extras, "_requirements", lambda _: ["no-such-lib>=6"])
    assert describe.call(Namespace(name="YAMLReader", processor=None, json=False)) == 0
    told = capsys.readouterr().out
    assert "Needs libraries that are not installed: " in told
    assert "-m pip install 'no-such-lib>=6'" in told
    assert ":sourceFile" in told
