"""The folders of a run confine what its nodes may touch."""

from __future__ import annotations

import logging
from unittest.mock import Mock

import pytest

from transmissions import Context, RunError
from transmissions.context import Folders
from transmissions.plan import Plan


@pytest.fixture
def context(tmp_path):
    """Give a node of an app with a data folder, an output folder and one file named on the command line."""
    for name in ("app/data", "out", "named"):
        (tmp_path / name).mkdir(parents=True)
    folders = Folders(tmp_path / "app", tmp_path / "app/data", tmp_path / "out", None, (tmp_path / "named/file.json",))
    return Context("t/n", Plan("app", str(folders.app), (), ()), folders, logging.getLogger("test"), services=Mock())


def test_input_is_looked_up_in_data_then_app(context):
    """A relative name is found in the working folder first, then in the app's."""
    (context.folders.app / "both.txt").write_text("app")
    assert context.input_path("both.txt") == context.folders.app / "both.txt"
    (context.folders.data / "both.txt").write_text("data")
    assert context.input_path("both.txt") == context.folders.data / "both.txt"


def test_a_missing_input_is_named_in_the_working_folder(context):
    """A name found nowhere stands for the place where it was expected."""
    assert context.input_path("none.txt") == context.folders.data / "none.txt"


def test_a_run_with_an_output_folder_of_its_own_finds_what_it_wrote(context):
    """Such a folder comes first; without one, outputs are not looked at for inputs."""
    (context.folders.output / "made.txt").write_text("made")
    assert context.input_path("made.txt") == context.folders.data / "made.txt"
    context.folders = context.folders._replace(own_output=True)
    assert context.input_path("made.txt") == context.folders.output / "made.txt"
    assert context.input_path("none.txt") == context.folders.data / "none.txt"


def test_a_root_from_the_command_line_may_be_a_file(context):
    """A file named on the command line may be read, its neighbours may not."""
    (context.folders.roots[0]).write_text("{}")
    assert context.input_path(context.folders.roots[0]) == context.folders.roots[0]
    with pytest.raises(RunError, match="outside the folders"):
        context.input_path(context.folders.roots[0].with_name("other.json"))


@pytest.mark.parametrize("name", ["../escape.txt", "/etc/passwd", "a/../../escape.txt", "../out-of-it/x"])
def test_output_never_leaves_the_output_folder(context, name):
    """Neither dots nor absolute names lead outside, nor into a folder whose name begins alike."""
    with pytest.raises(RunError, match="outside the folders"):
        context.output_path(name)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_name_no_file_can_have_is_refused(context, name):
    """Whether it is to be read or written."""
    for ask in (context.input_path, context.output_path):
        with pytest.raises(RunError, match="the name of no file"):
            ask(name)


def test_a_symbolic_link_leads_nowhere_outside(context, tmp_path):
    """A link inside the output folder that points out of it is refused."""
    (tmp_path / "elsewhere").mkdir()
    (context.folders.output / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="outside the folders"):
        context.output_path("link/file.txt")


def test_what_a_retry_tells_of_itself_takes_the_place_of_nothing(context):
    """The report of the run stays beside that of the retry."""
    assert context.output_path("a/report.json", of_run=True) == context.folders.output / "a/report.json"
    context.folders = context.folders._replace(again=True)
    assert context.output_path("a/report.json", of_run=True) == context.folders.output / "a/report-retry.json"
