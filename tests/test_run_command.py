"""`trans run`: words, folders, output, signals, and the exit code of each ending."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import calling
import pytest

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
NOTES = (
    PREFIX
    + """
:notes a :EntryTransmission ;
    :argument [ :name "notes" ; :kind :Path ; :field "sourceFile" ; :default "data/notes.ndjson" ; :many true ] ;
    :pipe ( :read :check :write ) .
:read a :JSONLinesReader .
:check a :Check ; :onError "deadLetter" .
:write a :JSONLinesWriter ; :destinationFile "out.ndjson" .
"""
)
CHECK = '''
from transmissions import Processor

class Check(Processor):
    """Refuse messages that are marked as bad."""

    def process(self, message):
        """Check one message."""
        if message.get("bad"):
            raise ValueError("marked as bad")
        return message
'''
ENDLESS = PREFIX + ":endless a :EntryTransmission ; :pipe ( :tick :wait ) . :tick a :Tick . :wait a :Delay ; :delay 1 ."
TICK = '''
from transmissions import Source

class Tick(Source):
    """Count for ever."""

    def produce(self, message):
        """Yield a number each time."""
        number = 0
        while True:
            number += 1
            yield {"number": number}
'''


@pytest.fixture
def home(tmp_path):
    """Give a home with the apps `notes` and `endless`, and processors of their own."""
    files = {
        "apps/notes/transmissions.ttl": NOTES,
        "apps/notes/data/notes.ndjson": '{"text": "one"}\n{"text": "two"}\n',
        "apps/endless/transmissions.ttl": ENDLESS,
        "processors/check.py": CHECK,
        "processors/tick.py": TICK,
        "bad.ndjson": '{"text": "one"}\n{"text": "two", "bad": true}\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def environment(home):
    """Return the environment of a run, with a cache of its own; what it prints is buffered, as it is for users."""
    return {**os.environ, "PYTHONUNBUFFERED": "", "XDG_CACHE_HOME": str(home / "cache"), "NO_COLOR": "1"}


def trans(home, *words):
    """Call `trans` in a home."""
    return calling.trans(home, *words, XDG_CACHE_HOME=str(home / "cache"))


def test_an_app_runs_by_name_and_says_what_it_did(home):
    """The last line counts what came in, went out and failed, and says where the result is; stdout stays empty."""
    result = trans(home, "notes")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith("notes: 2 messages in, 2 out, 0 failed, ")
    assert result.stderr.endswith(" s -> ./apps/notes/data\n")
    assert (home / "apps/notes/data/out.ndjson").read_text().count("\n") == 2


def test_a_run_that_gives_nothing_says_where_it_all_went(home):
    """A source that finds nothing is named in the last line."""
    (home / "empty.ndjson").write_text("")
    assert trans(home, "notes", "empty.ndjson", "-o", "out").stderr.endswith("\nnothing came out: notes/read gave nothing\n")


def test_a_run_that_drops_all_says_where(home):
    """A processor that forgets to return its message is named in the last line."""
    file = home / "processors/check.py"
    file.write_text(file.read_text().replace("return message", "message"))
    assert trans(home, "notes", "-o", "out").stderr.endswith("\nnothing came out: dropped by notes/check (2)\n")


def test_what_a_full_buffer_lets_go_is_told(home):
    """Messages that an overflow drops are counted in a line of their own, with the buffer."""
    (home / "many.ndjson").write_text("{}\n" * 50)
    app = home / "apps/notes/transmissions.ttl"
    app.write_text(
        app.read_text().replace(":check a :Check ;", ':check a :Check ; :buffer [ :maxItems 5 ; :overflow "DropNewest" ] ;')
    )
    told = trans(home, "notes", "many.ndjson", "-o", "out").stderr
    out, dropped = (
        int(re.search(pattern, told)[1]) for pattern in (r"(\d+) out", r"dropped for want of room: notes/check \((\d+)\)\n$")
    )
    assert out + dropped == 50


def test_words_are_what_the_app_declares(home):
    """Files named on the command line are read, each as a message, and outputs go to the folder of `-o`."""
    (home / "more.ndjson").write_text('{"text": "three"}\n')
    result = trans(home, "notes", "more.ndjson", "apps/notes/data/notes.ndjson", "-o", "out", "--json")
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["three", "one", "two"]
    assert json.loads((home / "out/.transmissions").read_text())["app"] == "notes"


def test_dead_letters_are_exit_code_3_and_a_line(home):
    """A run that set messages aside exits with 3 and says how many and where."""
    result = trans(home, "notes", "bad.ndjson", "-o", "out")
    assert result.returncode == 3
    assert "1 set aside, with the reasons, in ./out/dead-letters.ndjson\n" in result.stderr
    assert json.loads((home / "out/dead-letters.ndjson").read_text())["error"] == "ValueError: marked as bad"


def test_letters_of_an_earlier_run_stay_and_are_told_of(home):
    """Its input may have been another; who runs an app again on the same one has to know that they are there."""
    told = [trans(home, "notes", "bad.ndjson", "-o", "out").stderr for _ in range(2)]
    assert [text.partition("dead-letters.ndjson")[2] for text in told] == ["\n", ", behind those of earlier runs\n"]
    assert (home / "out/dead-letters.ndjson").read_text().count("\n") == 2


def test_what_a_step_prints_before_it_fails_is_not_lost(home):
    """To look inside, people use `print`."""
    (home / "processors/check.py").write_text(CHECK.replace("if message", "print(message)\n        if message"))
    command = [sys.executable, "-P", "-m", "transmissions", "notes", "bad.ndjson", "-o", "out", "--set", "check.onError=stop"]
    result = subprocess.run(command, cwd=home, env=environment(home), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "{'text': 'one'}\n{'text': 'two', 'bad': True}\n")


def test_a_failure_names_file_line_node_and_message(home):
    """Where the policy is to stop, one line names the place in Turtle, the node and the error, another the message."""
    result = trans(home, "notes", "bad.ndjson", "-o", "out", "--set", "check.onError=stop")
    assert result.returncode == 1
    assert "apps/notes/transmissions.ttl:5:19: notes/check: ValueError: marked as bad" in result.stderr
    assert f"raised in {home}/processors/check.py:10, process" in result.stderr


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ('return __import__("json").loads("{")', "raised in {}/processors/check.py:9, process"),
        ("return [1]", ""),
        ('return self.context.call("x", message, 1)', "raised in {}/processors/check.py:9, process"),
    ],
)
def test_the_line_that_is_named_is_one_of_the_users(home, code, raised):
    """Not one of the engine, nor of Python's library, though it was raised there."""
    lines = CHECK.splitlines()[:8]
    (home / "processors" / "check.py").write_text("\n".join([*lines, f"        {code}\n"]))
    result = trans(home, "notes", "-o", "out", "--set", "check.onError=stop")
    told = [line.strip() for line in result.stderr.splitlines() if "raised in" in line]
    assert told == ([raised.format(home)] if raised else [])


def test_a_failure_in_a_transmission_that_was_called_names_the_line_of_code_too(home):
    """Behind both nodes, the one that called and the one that failed."""
    app = home / "apps" / "notes" / "transmissions.ttl"
    called = ':go a :GOTO ; :gotoTarget "inner" . :inner a :Transmission ; :pipe ( :check ) .'
    app.write_text(app.read_text().replace(":read :check", ":read :go").replace(':onError "deadLetter"', "") + called)
    result = trans(home, "notes", "bad.ndjson", "-o", "out")
    assert re.search(r"notes/go: \S+: inner/check: ValueError: marked as bad\n", result.stderr)
    assert f"raised in {home}/processors/check.py:10, process" in result.stderr
    assert "message: {'text': 'two', 'bad': True}" in result.stderr
    assert re.match("notes: failed; .*, 1 failed, ", result.stderr)  # counted once, and not by both nodes


def test_a_folder_with_other_files_is_refused(home):
    """`-o` does not take a folder with somebody's files, unless forced; our own it takes again."""
    (home / "out").mkdir()
    (home / "out" / "letter.txt").write_text("mine")
    assert trans(home, "notes", "-o", "out").returncode == 2
    assert trans(home, "notes", "-o", "out", "--force").returncode == 0
    assert trans(home, "notes", "-o", "out").returncode == 0


def test_a_dry_run_does_nothing(home):
    """`--dry-run` shows steps, inputs and outputs on stdout and writes nothing."""
    result = trans(home, "notes", "-o", "out", "--dry-run")
    assert result.returncode == 0
    assert "read (JSONLinesReader) > check (Check, on error: deadLetter) > write (JSONLinesWriter)" in result.stdout
    assert "(a file of 32 B)" in result.stdout
    assert "./out  (new)" in result.stdout
    assert not (home / "out").exists()


FORKS = """
:forks a :EntryTransmission ; :pipe ( :a :choose :both :z ) . :a a :NOP . :z a :NOP .
:choose a :Route ; :branches ( [ :when [ :field "n" ; :greater 3 ] ; :pipe ( :b :c ) ] ( :d ) ) .
:both a :FanOut ; :branches ( ( :e ) ( :f ) ) .
:b a :NOP . :c a :NOP ; :buffer [ :maxItems 10 ] . :d a :NOP . :e a :NOP . :f a :NOP .
"""


def test_a_dry_run_shows_branches_and_when_they_are_taken(home):
    """They stand inside their fork, not one behind the other as if each message went through all."""
    (home / "apps/forks").mkdir()
    (home / "apps/forks/transmissions.ttl").write_text(PREFIX + FORKS)
    told = trans(home, "forks", "--dry-run").stdout
    assert [line for line in told.partition("\nforks\n")[2].partition("\n\n")[0].splitlines() if "at most" not in line] == [
        "  a (NOP)",
        "  choose  to the first that fits of",
        "    1: n greater 3",
        "      choose/1/b (NOP)",
        "      | buffer forks/choose/1/c: 1.0 MB, 10 messages, Block",
        "      choose/1/c (NOP)",
        "    2:",
        "      choose/2/d (NOP)",
        "  both  to all of",
        "    1:",
        "      both/1/e (NOP)",
        "    2:",
        "      both/2/f (NOP)",
        "  z (NOP)",
    ]


def test_v_says_where_the_plan_comes_from(home):
    """`-v` says that the plan came from the cache, or what changed since."""
    assert "plan: validated (first run)" in trans(home, "notes", "-v").stderr
    assert "plan: cached" in trans(home, "notes", "-v").stderr
    with (home / "apps/notes/transmissions.ttl").open("a") as file:
        file.write("# a remark\n")
    assert "transmissions.ttl changed" in trans(home, "notes", "-v").stderr


def test_quiet_says_nothing(home):
    """`-q` leaves only errors on stderr."""
    result = trans(home, "notes", "-q")
    assert (result.stdout, result.stderr) == ("", "")


def test_a_tap_shows_the_first_messages_of_a_node(home):
    """`--tap NODE:N` shows the first N messages that leave the node on stderr."""
    result = trans(home, "notes", "--tap", "check:1", "-o", "out")
    tapped = [line for line in result.stderr.splitlines() if line.startswith("notes/check: ")]
    assert len(tapped) == 1
    assert '"text": "one"' in tapped[0]


def test_metrics_go_where_they_are_told(home):
    """`--metrics` takes a file for JSON lines, and `prometheus:FILE`."""
    trans(home, "notes", "-o", "out", "--metrics", "m.ndjson", "--metrics", "prometheus:m.prom")
    last = json.loads((home / "m.ndjson").read_text().splitlines()[-1])
    assert last["nodes"]["notes/check"]["received"] == 2
    assert 'transmissions_messages_sent_total{node="notes/check"} 2\n' in (home / "m.prom").read_text()


def test_log_lines_can_be_json(home):
    """With `--log-format json` every log line of the run is a JSON object."""
    result = trans(home, "notes", "bad.ndjson", "-o", "out", "-v", "--log-format", "json", "--tap", "read:1")
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [line["message"].partition(" (")[0] for line in lines[:1]] == ["plan: validated"]
    assert lines[1]["message"].startswith('notes/read: {"')
    assert (lines[-1]["event"], lines[-1]["sent"], lines[-1]["dead"]) == ("end", 1, 1)


def test_a_failure_is_a_json_line_too(home):
    """With `--log-format json` the error that ends a run is a JSON object of level error."""
    words = ["notes", "bad.ndjson", "-o", "out", "--log-format", "json", "--set", "check.onError=stop"]
    lines = [json.loads(line) for line in trans(home, *words).stderr.splitlines()]
    assert (lines[-1]["level"], "marked as bad" in lines[-1]["message"]) == ("error", True)


def test_notes_are_for_those_who_ask(home):
    """What is merely noteworthy in a config is shown by `validate` and with `-v`, not by every run."""
    (home / "apps/notes/config.ttl").write_text(PREFIX + ":spare a :ConfigSet ; :text 'x' .")
    assert "unused-settings" not in trans(home, "notes").stderr
    assert "unused-settings" in trans(home, "notes", "-v").stderr
    assert "unused-settings" in trans(home, "validate", "notes").stderr


def test_a_dry_run_of_an_app_with_its_own_data_is_not_refused(home):
    """Only a folder a run would refuse is said to be refused; the data of an app is not."""
    assert "refused" not in trans(home, "notes", "--dry-run").stdout
    (home / "out").mkdir()
    (home / "out" / "letter.txt").write_text("mine")
    assert "./out  (holds other files, refused without --force)" in trans(home, "notes", "-o", "out", "--dry-run").stdout


def test_a_dry_run_names_the_files_that_would_be_written(home):
    """A writer says which file it would write."""
    assert f"  write: writes {home}/out/out.ndjson\n" in trans(home, "notes", "-o", "out", "--dry-run").stdout


def test_an_output_folder_that_cannot_be_is_refused_at_once(home):
    """A folder of `-o` that would lie in a file is refused before anything runs."""
    result = trans(home, "notes", "-o", "bad.ndjson/out")
    assert (result.returncode, "bad.ndjson' is a file" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("closed", "code"), [("2>&-", 0), (">&-", 0), ("2>/dev/full", 0), (">/dev/full", 0), ("--json >&-", 74), ("2>&- >&-", 0)]
)
def test_a_closed_standard_stream_takes_nothing_from_a_run(home, closed, code):
    """A run needs no standard error, and standard output only where it has something to print."""
    command = f"{sys.executable} -P -m transmissions notes -o out {closed}"
    result = subprocess.run(["sh", "-c", command], cwd=home, env=environment(home), capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (code, "")
    assert "Traceback" not in result.stderr
    assert not code or result.stderr.endswith("error: cannot write to standard output: it is closed\n")
    assert code or (home / "out/out.ndjson").read_text() == '{"text": "one"}\n{"text": "two"}\n'


def test_a_step_that_blocks_does_not_outlast_the_timeout(home):
    """Nothing reaches a thread that waits for ever, so the process is ended."""
    step = CHECK.replace("class Check(Processor):", "class Stuck(Processor):").replace(
        "if message", "__import__('time').sleep(600)\n        if message"
    )
    (home / "processors/stuck.py").write_text(step.replace("    def process", '    placement = "thread"\n\n    def process'))
    app = home / "apps/notes/transmissions.ttl"
    app.write_text(app.read_text().replace(":check a :Check", ":check a :Stuck"))
    script = "import transmissions.signals as s; s._PATIENCE = 0.01; from transmissions.cli import main; main()"
    words = [sys.executable, "-P", "-c", script, "notes", "-o", "out", "--timeout", "0.1"]
    result = subprocess.run(words, cwd=home, env=environment(home), capture_output=True, text=True, timeout=60)
    assert (result.returncode, "and does not end; stopped at once" in result.stderr) == (124, True)


def test_too_long_a_run_is_exit_code_124(home):
    """A run that takes longer than `--timeout` is stopped and says so."""
    result = trans(home, "endless", "--timeout", "0.3")
    assert result.returncode == 124
    assert "error: the run took longer than 0.3 s" in result.stderr


def test_a_reader_that_goes_away_ends_the_run(home):
    """`trans … --json | head` ends the run without a word about it."""
    command = f"{sys.executable} -P -m transmissions endless --json | head -2"
    result = subprocess.run(["sh", "-c", command], cwd=home, env=environment(home), capture_output=True, text=True, timeout=60)
    assert result.stdout == '{"number": 1}\n{"number": 2}\n'
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


def test_a_reader_of_shown_messages_that_goes_away_is_no_failure(home):
    """`trans … | head` ends a run that prints its messages with 141 and no error, too."""
    with (home / "apps/endless/transmissions.ttl").open("a") as file:
        file.write(":shown a :Transmission, :EntryTransmission ; :pipe ( :tick [ a :ShowMessage ] ) .")
    command = f"set -o pipefail; {sys.executable} -P -m transmissions endless.shown | head -1"
    result = subprocess.run(
        ["bash", "-c", command], cwd=home, env=environment(home), capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 141
    assert result.stderr.startswith("endless: its reader went away; ")
    assert "error" not in result.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_drains(home, number, code):
    """Ctrl-C, SIGTERM and SIGHUP let messages in flight finish; the last line says what is there."""
    command = [sys.executable, "-P", "-m", "transmissions", "endless", "--json", "-o", "out"]
    with subprocess.Popen(
        command, cwd=home, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        process.send_signal(number)
        rest, err = process.communicate(timeout=60)
    assert (process.returncode, first) == (code, '{"number": 1}\n')
    last = json.loads((first + rest).splitlines()[-1])["number"]
    assert re.search(rf"^endless: stopped; {last} messages? in, {last} out, 0 failed", err, re.MULTILINE)
    assert err.endswith("what is written is complete\n")


def test_watch_runs_again_after_a_change(home):
    """`--watch` runs again when the app changes, not when a file is merely touched, and Ctrl-C ends it."""
    command = [sys.executable, "-P", "-m", "transmissions", "notes", "-o", "out", "--watch"]
    with subprocess.Popen(command, cwd=home, env=environment(home), stderr=subprocess.PIPE, text=True) as process:
        lines = iter(process.stderr.readline, "")
        next(line for line in lines if line.startswith("watching"))
        os.utime(home / "apps/notes/transmissions.ttl")
        time.sleep(0.7)
        (home / "apps/notes/data/notes.ndjson").write_text('{"text": "one"}\n')
        assert next(lines) == "changed: apps/notes/data/notes.ndjson\n"
        assert next(line for line in lines if line.startswith("notes: ")).startswith("notes: 1 message in, 1 out")
        next(line for line in lines if line.startswith("watching"))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_watch_knows_what_an_app_is_built_on(home):
    """A change of the app that this one imports is one of its own."""
    for name, said in {
        "base": ":say a :SetText ; :text '1' .",
        "more": "<> :import 'base' . :more a :Transmission ; :pipe ( :say ) .",
    }.items():
        (home / "apps" / name).mkdir()
        (home / "apps" / name / "transmissions.ttl").write_text(PREFIX + said)
    command = [sys.executable, "-P", "-m", "transmissions", "more", "-o", "out", "--watch"]
    with subprocess.Popen(command, cwd=home, env=environment(home), stderr=subprocess.PIPE, text=True) as process:
        lines = iter(process.stderr.readline, "")
        next(line for line in lines if line.startswith("watching"))
        (home / "apps/base/transmissions.ttl").write_text(f"{PREFIX}:say a :SetText ; :text '2' .")
        assert next(lines) == "changed: apps/base/transmissions.ttl\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in {0, 130}


def test_a_target_brings_its_settings(home):
    """A folder with `tt.ttl`, given to an app that declares no arguments, is its target."""
    (home / "apps/greet").mkdir()
    app = ":greet a :EntryTransmission ; :pipe ( :text ) . :text a :SetText ; :settings :words . :words :text 'app' ."
    (home / "apps/greet/transmissions.ttl").write_text(PREFIX + app)
    (home / "target").mkdir()
    (home / "target" / "tt.ttl").write_text(PREFIX + ":words :text 'target' .")
    assert trans(home, "greet", "--json").stdout == '{"content": "app"}\n'
    assert trans(home, "greet", "target", "--json").stdout == '{"content": "target"}\n'


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nots"], "no app 'nots'; did you mean 'notes'?"),
        (["validat"], "did you mean the command 'validate'?"),
        (["bad.ndjson"], "'bad.ndjson' is a file; an app is a folder with a transmissions.ttl"),
        (["validate", "note/"], "no transmissions.ttl in 'note/'; did you mean 'notes'?"),
        (["notes", "missing.ndjson"], "missing.ndjson"),
        (["notes", "-m", "{'a': 1}"], "-m:1:2: not JSON: expecting property name enclosed in double quotes"),
        (["notes", "-m", "[1]"], "-m: a message is a JSON object"),
        (["notes", "-m", "@missing.json"], "cannot read 'missing.json': no such file or directory"),
        (["notes", "-m", "-"], "not JSON: expecting value; `-m @-` reads standard input"),
        (["notes", "--tap", "chek"], "did you mean 'check'?"),
        (["notes", "--tap", "check:x"], "--tap takes NODE or NODE:N, not 'check:x'"),
        (["notes", "-o", ""], "an empty word names no folder"),
        (["validate", "notes", "--target", "missing"], "no folder 'missing' to work in"),
        (["notes", "--target", "missing"], "no folder 'missing' to work in"),
        (["retry", "bad.ndjson", "--app", "notes", "--target", "missing"], "no folder 'missing' to work in"),
        (["notes", "--set", "check.onEror=skip"], "onError"),
        (["notes.other"], "no transmission 'other'"),
        (["notes", "--timeout", "0"], "--timeout: '0' is no number of seconds above 0"),
        (["notes", "--metrics", "promtheus:m.prom"], "no format 'promtheus'; did you mean 'prometheus'?"),
        (["run"], "trans run: the following arguments are required: APP[.SUBTASK]; see"),
        (["help", "vlidate"], "no command 'vlidate'; did you mean 'validate'?"),
        (["help", "greetings"], "no command 'greetings'; `trans describe greetings`"),
    ],
)
def test_a_faulty_call_is_exit_code_2(home, words, sentence):
    """A call that cannot be meant runs nothing, exits with 2 and says what is wrong."""
    result = trans(home, *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_cached_run_imports_no_parser(home):
    """A run with the plan cached imports neither RDF libraries nor anything else it does not need."""
    trans(home, "notes")
    code = "import sys; from transmissions.cli import main; main(['notes', '-q']); print(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-P", "-c", code], cwd=home, env=environment(home), capture_output=True, text=True)
    loaded = set(result.stdout.split())
    assert "transmissions.session" in loaded
    assert loaded & {"rdflib", "pyshacl", "pyoxigraph", "rich", "jinja2", "msgspec", "ssl", "importlib.metadata"} == set()


def test_what_is_skipped_is_named_with_its_reason(home):
    """Each skipped piece has a line that says where and why; beyond twenty only their number is told."""
    (home / "bad.ndjson").write_text('{"bad": true}\n' * 30)
    result = trans(home, "notes", "bad.ndjson", "-o", "out", "--set", "check.onError=skip")
    assert result.returncode == 3
    assert result.stderr.count("warning: notes/check: skipped: ValueError: marked as bad\n") == 20
    assert result.stderr.endswith("30 skipped\n")
    assert "skipped" not in trans(home, "notes", "bad.ndjson", "-o", "out", "--set", "check.onError=skip", "-q").stderr
