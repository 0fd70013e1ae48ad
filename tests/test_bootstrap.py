"""`./trans` makes its own environment: on first use, once, and again when what it was made for has changed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / ".ci" / "environment.py"
ENTRY = "import sys\nprint(sys.argv[1:], sys.stdin.read())\n"
PROJECT = '[project]\nname = "transmissions"\ndependencies = [{}]\n[dependency-groups]\ndev = []\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give a small checkout whose environment has been made, and what the first start printed."""
    checkout = new_checkout(tmp_path_factory.mktemp("checkout") / "made")
    return checkout, start(checkout, "a", "b c", input="text")


def new_checkout(folder, *dependencies):
    """Lay out the files of a checkout that `./trans` needs, with an entry point that prints its arguments."""
    (folder / "transmissions").mkdir(parents=True)
    (folder / "transmissions" / "__init__.py").touch()
    (folder / "transmissions" / "__main__.py").write_text(ENTRY)
    (folder / ".ci").mkdir()
    shutil.copy(SCRIPT, folder / ".ci")
    shutil.copy(ROOT / "trans", folder)
    (folder / "pyproject.toml").write_text(PROJECT.format(", ".join(map(repr, dependencies))))
    return folder


def start(checkout, *arguments, script="trans", **options):
    """Start `./trans` with this Python as `python3`."""
    path = f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin"
    environment = {**os.environ, "PATH": path, **options.pop("env", {})}
    command = [checkout / script, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=100, **options)


def test_the_first_start_says_one_line_and_runs(made):
    """The first start says on stderr that it sets up, then runs with its arguments and standard input untouched."""
    checkout, first = made
    assert first.stdout == "['a', 'b c'] text\n"
    assert first.stderr == f"setting up {checkout}/.venv (once, about half a minute)\n"


def test_later_starts_are_silent(made, tmp_path):
    """A later start, from anywhere and through a symbolic link, says nothing of its own."""
    (tmp_path / "t").symlink_to(made[0] / "trans")
    later = start(tmp_path, "x", script="t", input="", cwd=tmp_path)
    assert (later.stdout, later.stderr) == ("['x'] \n", "")


def test_the_working_directory_is_not_imported_from(made, tmp_path):
    """A `transmissions.py` or `json.py` in the working directory is not picked up."""
    for name in ("transmissions.py", "runpy.py"):
        (tmp_path / name).write_text("raise SystemExit('picked up')")
    assert start(made[0], input="", cwd=tmp_path).stdout == "[] \n"


def test_the_library_is_found_whatever_finders_came_after(made):
    """`transmissions.processors` can still be imported when a library has put a finder of its own behind Python's."""
    (made[0] / "processors").mkdir()
    late = "import sys; sys.meta_path.append(type('F', (), {'find_spec': lambda *_: None})()); import transmissions.processors"
    assert subprocess.run([made[0] / ".venv" / "bin" / "python", "-c", late]).returncode == 0


@pytest.fixture(scope="module")
def moved(made, tmp_path_factory):
    """Give a checkout that was moved, whose set-up was killed and then begun twice at once, and how those two ended."""
    checkout = shutil.copytree(made[0], tmp_path_factory.mktemp("moved") / "c", symlinks=True)
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    command = [sys.executable, checkout / ".ci" / "environment.py", checkout / ".venv"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as killed:
        killed.stderr.readline()
        while not python.exists() and killed.poll() is None:
            time.sleep(0.01)
        killed.kill()
    pair = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = "".join(process.communicate()[1] for process in pair)
    return checkout, [process.returncode for process in pair], said


def test_interrupted_and_simultaneous_starts(moved):
    """A moved checkout is set up again, also where that was killed; of two starts at once one does it, the other waits."""
    checkout, codes, said = moved
    assert (codes, said.count("setting up")) == ([0, 0], 1)
    later = start(checkout, input="")
    assert (later.stdout, later.stderr) == ("[] \n", "")


def test_what_was_added_by_hand_stays(moved):
    """With another pyproject.toml an environment is brought up to date, and keeps what somebody put in beside that."""
    checkout = moved[0]
    by_hand = next((checkout / ".venv" / "lib").glob("python3*")) / "site-packages" / "by_hand.py"
    by_hand.touch()
    (checkout / "pyproject.toml").write_text(PROJECT.format("") + "# changed")
    assert start(checkout, input="").stderr.count("setting up") == 1
    assert by_hand.exists()
    assert start(checkout, input="").stderr == ""


def test_another_pyproject_is_set_up_again_and_a_dead_network_is_named(moved):
    """A changed pyproject.toml rebuilds; without a network the start fails, says so, and leaves nothing half-made in use."""
    checkout = moved[0]
    (checkout / "pyproject.toml").write_text(PROJECT.format("'no-such-thing-as-this'"))
    dead = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    failed = start(checkout, input="", env=dead)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "fetching the libraries failed; the reason stands above (it looks as if there were no network)" in failed.stderr
    assert not (checkout / ".venv" / "stamp").exists()


@pytest.mark.parametrize(
    ("hide", "sentence"),
    [("ensurepip", "python3-venv is missing: apt install python3-venv"), ("old", "Python 3.11 or later is needed")],
)
def test_what_is_missing_is_named(tmp_path, hide, sentence):
    """A Python without venv, or too old, gets a sentence that says what to do."""
    fakes = {
        "ensurepip": "sys.modules['ensurepip'] = None",
        "old": "sys.version_info = (3, 9, 2)",
    }
    script = (
        f"import sys, runpy; {fakes[hide]}; sys.argv = ['e', '{tmp_path}/v']; runpy.run_path('{SCRIPT}', run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith(f"trans: {sentence}")
    assert not (tmp_path / "v").exists()


def test_no_python_at_all_is_named(made, tmp_path):
    """Without any python3 the script says which packages to install."""
    for tool in ("readlink", "sh"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    result = subprocess.run(["sh", made[0] / "trans"], check=False, capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert result.stderr == "trans: python3 is missing: apt install python3 python3-venv\n"
    assert result.returncode == 1
