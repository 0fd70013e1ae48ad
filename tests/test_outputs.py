"""Output folders: whose files they hold, and the marker."""

import contextlib
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from transmissions import outputs
from transmissions.errors import OutputError, UsageError
from transmissions.outputs import MARKER, claim, is_free, marked, refuse_impossible


def test_missing_and_empty_folders_are_free(tmp_path):
    """A folder that is not there yet, or holds nothing, may be written into."""
    assert is_free(tmp_path)
    assert is_free(tmp_path / "new")


def test_a_folder_with_files_is_refused(tmp_path):
    """A folder with somebody's files is refused with a sentence that names it and both ways out."""
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"no run of ours made; choose another folder with -o, or add --force"):
        claim(tmp_path, force=False)


def test_a_marker_that_is_a_link_is_not_ours(tmp_path):
    """What a link under the marker's name leads to is never written, by force neither."""
    victim, folder = tmp_path / "victim", tmp_path / "out"
    victim.write_text("precious")
    folder.mkdir()
    (folder / MARKER).symlink_to(victim)
    assert not is_free(folder)
    with marked(folder, "app", "1"):
        pass
    assert victim.read_text() == "precious"


def test_force_takes_any_folder(tmp_path):
    """`--force` takes a folder whatever it holds, and leaves that alone."""
    (tmp_path / "letter.txt").write_text("mine")
    claim(tmp_path, force=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("letter.txt", "mine")]


def test_a_file_is_never_an_output_folder(tmp_path):
    """A file in the place of the folder, or on the way to it, is an error."""
    (tmp_path / "out").write_text("a file")
    for folder in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(UsageError, match="out' is a file"):
            refuse_impossible(folder)
    refuse_impossible(tmp_path / "new" / "deeper")


def test_what_a_run_wrote_is_marked_and_free_again(tmp_path):
    """A folder that a run wrote into carries its marker, so that the next run may write there too."""
    out = tmp_path / "out"
    with marked(out, "demo", "1.0"):
        (out / "a.md").write_text("text")
    assert json.loads((out / MARKER).read_text()).items() >= {"app": "demo", "version": "1.0"}.items()
    claim(out, force=False)


def test_nothing_written_leaves_nothing(tmp_path):
    """A run that writes no file leaves neither marker nor folder."""
    with marked(tmp_path / "out", "demo", "1.0"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_killed_run_can_be_repeated(tmp_path):
    """The marker is there before the first file, so a killed run's folder needs no `--force`."""
    out = tmp_path / "out"
    if os.fork() == 0:
        with marked(out, "demo", "1.0"):
            (out / "half.md").write_text("half")
            os._exit(9)
    os.wait()
    claim(out, force=False)
    assert (out / "half.md").exists()


@pytest.mark.parametrize(("flag", "words"), [(0, "permission denied"), (os.ST_RDONLY, "read-only file system")])
def test_a_folder_that_cannot_be_written_into_is_refused_with_the_reason(tmp_path, monkeypatch, flag, words):
    """A file system that nobody may write to is no matter of permissions."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flag))
    with pytest.raises(OutputError, match=f"cannot write into '{tmp_path}': {words}"):
        refuse_impossible(tmp_path / "new")


def test_who_waits_for_another_run_says_so_at_once(tmp_path, monkeypatch, caplog):
    """Once, before it waits."""
    monkeypatch.setattr(outputs, "PATIENCE", 0.1)
    with marked(tmp_path, "demo", "1.0"), pytest.raises(UsageError), marked(tmp_path, "demo", "1.0"):
        pass
    assert caplog.messages == [f"another run is writing to '{tmp_path}'; waiting up to 0.1 s for its end"]


def test_two_runs_do_not_write_into_one_folder(tmp_path, monkeypatch):
    """While a run holds the folder another one is refused; when it has ended the next may."""
    monkeypatch.setattr(outputs, "PATIENCE", 0.1)
    with marked(tmp_path, "demo", "1.0"):
        (tmp_path / "a.md").touch()
        with pytest.raises(UsageError, match=f"another run is writing to '{tmp_path}'"), marked(tmp_path, "demo", "1.0"):
            pass
    with marked(tmp_path, "demo", "2.0"):
        assert json.loads((tmp_path / MARKER).read_text())["version"] == "2.0"


def test_a_process_that_was_given_the_lock_holds_it(tmp_path, monkeypatch):
    """The folder stays locked until the last process with the descriptor is gone; who comes meanwhile waits for that."""
    monkeypatch.setattr(outputs, "PATIENCE", 0.1)
    with contextlib.ExitStack() as stack:
        lock = stack.enter_context(marked(tmp_path, "demo", "1.0"))
        (tmp_path / "a.md").touch()
        code = "import sys; sys.stdin.read()"
        other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=(lock,))
    with pytest.raises(UsageError, match="another run"), marked(tmp_path, "demo", "1.0"):
        pass
    monkeypatch.setattr(outputs, "PATIENCE", 60)
    other.stdin.close()
    with marked(tmp_path, "demo", "1.0"):
        assert other.wait() == 0


def test_a_marker_that_was_taken_away_is_made_again(tmp_path, monkeypatch):
    """Who waited for a run that left nothing locks the folder's own marker, not the one that is gone."""
    out = tmp_path / "out"
    holder = marked(out, "demo", "1.0")
    holder.__enter__()
    monkeypatch.setattr(outputs.time, "sleep", lambda _: holder.__exit__(None, None, None))
    with marked(out, "demo", "2.0"):
        assert json.loads((out / MARKER).read_text())["version"] == "2.0"


def test_a_folder_that_cannot_be_made_has_no_lock(tmp_path):
    """Where no marker can be written the run goes on; whoever writes there says what is wrong."""
    (tmp_path / "file").touch()
    with marked(tmp_path / "file" / "out", "demo", "1.0") as lock:
        assert lock is None
