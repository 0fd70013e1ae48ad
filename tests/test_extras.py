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
