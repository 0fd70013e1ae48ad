"""The command line: which command is meant, how it ends, what it says."""

import errno
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from transmissions import __version__, cli, failures
from transmissions.errors import ConfigError, OutputError, UsageError
from transmissions.problem import Problem, Span

ROOT = Path(__file__).parent.parent


def trans(*words, **options):
    """Run `trans` in a process of its own."""
    command = [sys.executable, "-P", "-m", "transmissions", *words]
    return subprocess.run(command, check=False, text=True, timeout=100, **{"capture_output": True, **options})


@pytest.fixture
def command(monkeypatch):
    """Put a command in the place of all others that keeps its options, and raises what it is told to."""
    seen = SimpleNamespace(name=None, options=None, error=None)

    def call(options):
        seen.options = options
        if seen.error:
            raise seen.error
        return 0

    def load(name):
        seen.name = name
        return SimpleNamespace(HELP="", call=call, add_arguments=arguments)

    def arguments(parser):
        parser.add_argument("app")
        parser.add_argument("words", nargs="*")
        parser.add_argument("-v", "--verbose", action="store_true")

    monkeypatch.setattr(cli, "_load", load)
    return seen


def test_help_lists_every_command():
    """`--help`, `help` and `-h` list the commands on standard output."""
    result = trans("--help")
    assert result.returncode == 0
    assert [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")] == list(cli.COMMANDS)
    assert trans("help").stdout == trans("-h").stdout == result.stdout


def test_every_command_explains_itself():
    """`trans help COMMAND` and `trans COMMAND --help` print the same usage."""
    for name in cli.COMMANDS:
        assert cli.parser_of(name).format_usage().startswith(f"usage: trans {name} ")
    assert trans("help", "run").stdout == trans("run", "--help").stdout


def test_without_words_there_is_help_and_a_usage_error():
    """A bare `trans` prints the help on standard error and exits with 2."""
    result = trans()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: trans")


def test_version():
    """`--version` prints the version of the package."""
    assert trans("--version").stdout == f"transmissions {__version__}\n"


@pytest.mark.parametrize(
    ("words", "name", "app"),
    [
        (["validate", "x"], "validate", "x"),
        (["x"], "run", "x"),
        (["run", "list"], "run", "list"),
        (["./list"], "run", "./list"),
    ],
)
def test_a_first_word_that_is_no_command_is_an_app(command, words, name, app):
    """`trans APP` is `trans run APP`; an app called like a command is reached with `run` or a path."""
    assert cli.main(words) == 0
    assert (command.name, command.options.app) == (name, app)


@pytest.mark.parametrize("word", ["lis", "validat", "ru"])
def test_commands_are_not_abbreviated(command, word):
    """The beginning of a command's name is an app's name, not the command."""
    cli.main([word])
    assert (command.name, command.options.app) == ("run", word)


def test_words_kept_for_later_are_no_apps(capsys):
    """A word kept for a command to come says how an app of that name is run."""
    assert cli.main(["resume"]) == 2
    assert "an app of that name is `trans run resume` or `trans ./resume`" in capsys.readouterr().err


def test_everything_behind_the_first_dashes_is_left_alone(command):
    """Words behind `--`, options and further dashes among them, reach the command as they are."""
    cli.main(["run", "-v", "x", "a", "--", "ls", "-v", "--", "b"])
    assert command.options.command_line == ["ls", "-v", "--", "b"]
    assert command.options.words == ["a"]


def test_options_may_stand_anywhere(command):
    """Options and words may be mixed."""
    cli.main(["x", "a", "-v", "b"])
    assert (command.options.words, command.options.verbose) == (["a", "b"], True)


def test_option_names_are_not_abbreviated(command, capsys):
    """The beginning of an option's name is an error."""
    assert cli.main(["x", "--verb"]) == 2
    assert capsys.readouterr().err == (
        "trans run: unrecognized arguments: --verb; did you mean '--verbose'?; see `trans run --help`\n"
    )


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UsageError("no app 'x'"), 2, "error: no app 'x'"),
        (OutputError("cannot write 'x'"), 74, "error: cannot write 'x'"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            74,
            "error: cannot write to standard output: no space left on device",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "a.ttl"), 1, "error: 'a.ttl': Permission denied"),
        (KeyError("x"), 1, "error: KeyError: 'x' (this is a fault of trans; run with -v for the traceback)"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_are_one_line_and_an_exit_code(command, monkeypatch, capsys, error, code, sentence):
    """Whatever goes wrong is one line on standard error, and the exit code of its kind."""
    monkeypatch.setattr(failures, "_leave_stdout", lambda: None)
    command.error = error
    assert cli.main(["x"]) == code
    assert capsys.readouterr().err.strip() == sentence


def test_what_an_interruption_made_of_a_library_is_no_fault(command, capsys):
    """argparse, stopped where it cannot be, stumbles over what it has not put back; that is Ctrl-C all the same."""
    command.error = AttributeError("save_nargs")
    command.error.__context__ = KeyboardInterrupt()
    assert (cli.main(["x"]), capsys.readouterr().err) == (130, "")


def test_ctrl_c_while_it_starts_ends_it_quietly():
    """Before there is anything that listens to signals, no traceback of Python is shown."""
    code = "import runpy, transmissions.cli as c\ndef main(): raise KeyboardInterrupt\nc.main = main\n"
    code += "runpy.run_module('transmissions', run_name='__main__')"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_while_an_installed_script_starts_ends_it_quietly():
    """Its libraries are imported where that is known, too."""
    door = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["trans"]
    module, _, name = door.partition(":")
    code = "import sys\nclass Late:\n def find_spec(self, name, *_):\n"
    code += "  if name == 'transmissions.cli': raise KeyboardInterrupt\n"
    code += f"sys.meta_path.insert(0, Late())\nfrom {module} import {name} as door\nsys.exit(door())"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_v_shows_the_traceback_of_a_fault(command, capsys):
    """With `-v` a fault of ours comes with its traceback."""
    command.error = KeyError("x")
    cli.main(["x", "-v"])
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_problems_are_shown_with_their_place(command, capsys):
    """A faulty config shows every problem with file, line, column and a caret, and exits with 2."""
    span = Span("apps/x/config.ttl", 3, 5, 6, "    :reprot 5 .")
    command.error = ConfigError([Problem("error", "unknown-setting", "no setting 'reprot'", span)])
    assert cli.main(["x"]) == 2
    shown = capsys.readouterr().err
    assert "apps/x/config.ttl:3:5" in shown
    assert "^^^^^^" in shown


def test_help_reaches_a_pipe():
    """A pipe is written to in blocks, of which the last is left when the process ends."""
    assert trans("run", "--help", env={**os.environ, "PYTHONUNBUFFERED": ""}).stdout.startswith("usage: trans run")


def test_a_reader_that_goes_away_is_no_failure_to_talk_about():
    """`trans … | head -1` ends quietly."""
    script = f"{sys.executable} -P -m transmissions shapes | head -1"
    result = subprocess.run(["sh", "-c", script], check=False, capture_output=True, text=True)
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_a_fault_in_a_config_that_nobody_reads_to_its_end_has_its_exit_code():
    """`trans … 2>&1 | head -1` ends with 2 where the config is at fault, though that cannot be told whole."""
    call = f"{sys.executable} -P -m transmissions run claude-json-converter --set a.b=1 --set c.d=2"
    script = f"({call} 2>&1; echo $? >&3) | head -0"
    command = ["bash", "-c", f"exec 3>&1; {script}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.stdout, result.stderr) == ("2\n", "")


def test_a_full_disk_behind_stdout_is_an_output_error():
    """Output that cannot be written is exit code 74 and one line."""
    with Path("/dev/full").open("w") as full:
        result = trans("--help", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert result.returncode == 74
    assert result.stderr == "error: cannot write to standard output: no space left on device\n"


def test_help_is_not_slowed_down_by_libraries():
    """`--help` imports no library, no asyncio and none of the commands."""
    code = "import sys; from transmissions.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    for name in (
        "rdflib",
        "pyshacl",
        "pyoxigraph",
        "jinja2",
        "asyncio",
        "logging",
        "transmissions.homes",
        "transmissions.prepare",
    ):
        assert f"'{name}'" not in result.stderr


def test_an_option_that_is_misspelt_is_answered_with_the_one_meant():
    """Words that belong to a command are something else."""
    assert "unrecognized arguments: --jason; did you mean '--json'?; see" in trans("run", "hello", "--jason").stderr
    assert "words that belong to a command go behind `--`" in trans("run", "hello", "-x").stderr
    assert "did you mean '--json'?" in trans("list", "--jsn").stderr


def test_describe_gives_the_usage_as_it_was_asked(tmp_path):
    """The usage line of an app named by its path names the path: by its name another one may be found."""
    (tmp_path / "hello").mkdir()
    app = "@prefix : <http://purl.org/stuff/transmissions/> . :a a :EntryTransmission ; :pipe ( :b ) . :b a :NOP ."
    (tmp_path / "hello" / "transmissions.ttl").write_text(app)
    assert "\nusage: trans run ./hello\n" in trans("describe", "./hello", cwd=tmp_path).stdout


def test_describe_says_which_transmissions_a_run_does_not_start(tmp_path):
    """Whether anything calls one is not known: a message may name it."""
    app = "@prefix : <http://purl.org/stuff/transmissions/> . :b a :NOP . :lone a :Transmission ; :pipe ( :b ) . "
    (tmp_path / "transmissions.ttl").write_text(f"{app} :a a :EntryTransmission ; :pipe ( :b ) .")
    told = trans("describe", ".", cwd=tmp_path).stdout
    assert "\na\n  b  NOP\n" in told
    assert "\nlone (no run starts it by itself)\n" in told


def test_describe_names_both_things_it_looked_for():
    """A name that is neither is said to be neither."""
    assert trans("describe", "nothing-like-it").stderr.startswith("error: no processor or app 'nothing-like-it'")


def test_describe_says_where_an_app_is_found_twice(tmp_path):
    """A name of two apps is not one that is unknown."""
    (tmp_path / "apps" / "hello").mkdir(parents=True)
    (tmp_path / "apps" / "hello" / "transmissions.ttl").touch()
    assert trans("describe", "hello", cwd=tmp_path).stderr.startswith("error: app 'hello' is found twice: ")


def test_describe_knows_the_terms_of_the_engine():
    """A term that is neither processor nor app, such as one for branches, is described by the vocabulary."""
    assert "takes the first branch whose condition holds" in trans("describe", "Route").stdout


@pytest.mark.parametrize("words", [["hello", "--help"], ["run", "hello", "-h"], ["hello", "Ada", "-q", "--help"]])
def test_help_about_an_app_begins_with_its_own_words(words, capsys):
    """What the app is for and the words it takes stand in front of the options of every run."""
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    assert out.index("usage: trans run hello [NAME]\n  name  Text (default world)  who is greeted\n") < out.index("--dry-run")


def test_help_about_an_unknown_app_names_the_nearest(capsys):
    """A misspelt app is an error, not help about something else."""
    assert cli.main(["helo", "--help"]) == 2
    assert "did you mean 'hello'?" in capsys.readouterr().err


def test_words_and_names_are_utf_8_whatever_the_locale_says(tmp_path):
    """An older locale neither garbles the words of a command line nor refuses a name of a file."""
    locale = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    told = trans("hello", "Zoë", "-q", "--json", "--set", "show.enabled=false", cwd=tmp_path, env=locale, encoding="utf-8")
    assert told.stdout == '{"name": "Zoë", "content": "Ciao, Zoë!"}\n'
