"""Files that are there whole or not at all."""

import errno
import os

import pytest

from transmissions import OutputError, write_whole


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path, monkeypatch):
    """An output that cannot be written is named, the old file stays, no temporary file remains."""
    path = tmp_path / "out.txt"
    path.write_text("old")

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=rf"cannot write '{path}': no space left on device"):
        write_whole(path, b"new", fsync=True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("out.txt", "old")]


@pytest.mark.parametrize("name", ["plain", "\u00fc" * 120, "\u65e5" * 80, "x" * 255])
def test_a_file_replaces_another_and_its_folder_is_made(tmp_path, name):
    """Any name the file system takes will do, however many bytes its letters have."""
    path = tmp_path / "new" / name
    for data in (b"one", b"two"):
        write_whole(path, data)
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [(name, b"two")]


def test_a_file_in_the_place_of_a_folder_is_an_output_error(tmp_path):
    """What stands in the way is told as such, also when there is nothing to clear away."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match=r"cannot write .*taken/x'"):
        write_whole(tmp_path / "taken" / "x", b"")
