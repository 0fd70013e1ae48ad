"""`trans new` and `trans init`: what they make runs and passes its own test at once."""

import os
import subprocess
import sys

import pytest
from calling import trans

from transmissions.errors import UsageError
from transmissions.scaffold import lay_out, names_for


def passes(home):
    """Whether the tests in a folder pass."""
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # others' plug-ins take two seconds to import
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    result = subprocess.run(command, cwd=home, env=bare, capture_output=True, text=True)
    return result.returncode == 0 and "passed" in result.stdout


def test_a_new_app_runs_and_passes_its_test(tmp_path):
    """A new app runs by name, is valid, and its test passes."""
    assert trans(tmp_path, "new", "app", "hello-you").returncode == 0
    result = trans(tmp_path, "run", "hello-you", "--json")
    assert [line.partition('"greeting": ')[2] for line in result.stdout.splitlines()] == ['"Hello, Ada!"}', '"Hello, Grace!"}']
    assert trans(tmp_path, "test", "hello-you").stdout == "hello-you/everyone: ok\n1 ok\n"
    assert trans(tmp_path, "validate", "hello-you").stdout == "apps/hello-you: ok, 3 nodes\n"
    assert passes(tmp_path)


def test_a_new_processor_is_found_by_name_and_passes_its_test(tmp_path):
    """A new processor can stand in a pipe of its home by its class name, and its test passes."""
    trans(tmp_path, "new", "app", "greet")
    assert trans(tmp_path, "new", "processor", "Loud").returncode == 0
    assert passes(tmp_path)
    app = tmp_path / "apps" / "greet" / "transmissions.ttl"
    app.write_text(app.read_text().replace(":greet :write", ':greet [ a :Loud ; :field "greeting" ] :write'))
    assert '"HELLO, ADA!!"' in trans(tmp_path, "run", "greet", "--json").stdout


def test_nothing_is_overwritten(tmp_path):
    """Where one of the files is there already, nothing is written."""
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "loud.py").write_text("mine")
    result = trans(tmp_path, "new", "processor", "Loud")
    assert (result.returncode, result.stderr) == (2, "error: 'processors/loud.py' is there already; nothing was written\n")
    assert (tmp_path / "processors" / "loud.py").read_text() == "mine"
    assert not (tmp_path / "tests").exists()


def test_what_cannot_be_written_whole_leaves_no_file(tmp_path):
    """Where one of the files cannot be written the others go too, so that the same command works once it can."""
    (tmp_path / "tests").write_text("a file")
    assert trans(tmp_path, "new", "app", "greet").returncode == 74
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["tests"]
    (tmp_path / "tests").unlink()
    assert trans(tmp_path, "new", "app", "greet").returncode == 0


def test_a_name_that_is_taken_is_refused(tmp_path):
    """A new app is not called like one that would then be found twice."""
    result = trans(tmp_path, "new", "app", "hello")
    assert result.returncode == 2
    assert result.stderr.startswith("error: there is an app 'hello' already, in ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("templater", "there is a processor 'Templater' already"),
        ("Route", "is a word of"),
        ("import", "is a word of"),
        ("None", "is a word of"),
    ],
)
def test_a_processor_is_not_called_like_something_else(tmp_path, name, reason):
    """A new processor takes neither the name of another, which would break every app here, nor a word of Python or Turtle."""
    result = trans(tmp_path, "new", "processor", name)
    assert (result.returncode, reason in result.stderr) == (2, True), result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_word_for_a_node_is_a_name_like_any_other(tmp_path):
    """A term that is no class, `:buffer`, does not keep a processor from being called Buffer."""
    assert trans(tmp_path, "new", "processor", "Buffer").returncode == 0


def test_init_in_the_place_of_a_file_is_a_sentence(tmp_path):
    """A home cannot be made where a file is, and one that cannot be written is exit code 74."""
    (tmp_path / "file").write_text("")
    result = trans(tmp_path, "init", "file")
    assert (result.returncode, result.stderr) == (2, "error: 'file' is a file; a home is a folder\n")
    assert trans(tmp_path, "init", "/proc/home").returncode == 74


def test_init_makes_a_home(tmp_path):
    """`init` makes the folders and a README, and leaves what is there."""
    assert trans(tmp_path, "init", "mine").returncode == 0
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["README.md", "apps", "configs", "processors"]
    (tmp_path / "mine" / "README.md").write_text("changed")
    assert trans(tmp_path, "init", "mine").returncode == 0
    assert (tmp_path / "mine" / "README.md").read_text() == "changed"


NAMES = [
    ("Loud", "loud", "Loud"),
    ("word-count", "word_count", "WordCount"),
    ("WordCount", "word_count", "WordCount"),
    ("a_b2", "a_b2", "AB2"),
]


@pytest.mark.parametrize(("name", "module", "capitals"), NAMES)
def test_a_name_is_a_folder_a_module_and_a_class(name, module, capitals):
    """From one name come the names of the folder, the module and the class."""
    assert names_for(name) == {"name": name, "module": module, "class": capitals}


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a.b", "1a", "a b", "a--b", "-a", "é"])
def test_names_that_cannot_be_all_three_are_refused(name, tmp_path):
    """A name that could lead out of the folder, or be no term, is refused."""
    with pytest.raises(UsageError, match="cannot be a name here"):
        lay_out("app", tmp_path, names_for(name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_options_and_apps(shell):
    """The script of each shell holds the commands, their options and the bundled apps."""
    script = trans(".", "completion", shell).stdout
    for word in ("validate", "dry-run", "hello"):
        assert word in script


def test_the_bash_completion_works(tmp_path):
    """In bash, the beginning of a word is completed to a command or an app of this folder."""
    (tmp_path / "apps" / "valley").mkdir(parents=True)
    (tmp_path / "c").write_text(trans(".", "completion", "bash").stdout)
    script = "source ./c; COMP_WORDS=(trans val); COMP_CWORD=1; _trans; echo ${COMPREPLY[@]}"
    result = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert sorted(result.stdout.split()) == ["validate", "valley"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("new ", "app processor"),
        ("completion f", "fish"),
        ("help va", "validate"),
        ("describe Templ", "Templater"),
        ("describe hello Templ", "Templater"),
        ("describe hello hel", ""),
        ("describe mine Lou", "Loud"),
        ("new app a", ""),
        ("graph hello --format d", "dot"),
        ("run hell", "hello"),
        ("hello --watc", "--watch"),
        ("hello hel", ""),
    ],
)
def test_the_bash_completion_knows_what_each_command_takes(tmp_path, line, words):
    """In bash, what a command or an option can be given at its place is offered, and nothing else."""
    (tmp_path / "apps/mine/processors").mkdir(parents=True)
    (tmp_path / "apps/mine/processors/loud.py").write_text("class Loud(Processor):\n    pass\n")
    (tmp_path / "c").write_text(trans(tmp_path, "completion", "bash").stdout)
    script = f"rm c; COMP_WORDS=(trans {line.replace(' ', ' ')}); [[ '{line}' == *' ' ]] && COMP_WORDS+=(''); "
    script = f"source ./c; {script} COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _trans; echo ${{COMPREPLY[@]}}"
    result = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert result.stdout.split() == words.split()
