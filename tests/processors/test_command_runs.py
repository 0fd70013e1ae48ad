"""Programs behind `trans`: how runs end, what is left of them, and what nobody may set or see."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from waiting import eventually

from transmissions.cli import main

HEAD = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
APP = (
    HEAD
    + ":main a :EntryTransmission ; :argument [ :name 'command' ; :kind :Command ; :field 'words' ] ; :pipe ( :run {more}) .\n"
)
FAMILY = "trap '' HUP; echo $$; sh -c 'echo $$; sleep 1000 & echo $!; wait' & wait"
"""A script that says its number, and those of a child and a grandchild."""


def app(folder, node=":run a :CommandSource .", more=""):
    """Write an app."""
    (folder / "app/data").mkdir(parents=True, exist_ok=True)
    (folder / "app/transmissions.ttl").write_text(APP.format(more=more) + node)
    return folder / "app"


def trans(*words, **options):
    """Start `trans`."""
    command = [sys.executable, "-P", "-m", "transmissions", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def run(*words, **options):
    """Run `trans` to its end; return its exit code, output and errors."""
    with trans(*words, **options) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def lines_of(text):
    """Return the lines in printed messages."""
    return [message["line"] for message in map(json.loads, text.splitlines()) if "line" in message]


def is_alive(number):
    """Whether a process is there and not only waits to be buried."""
    with suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def assert_gone(numbers):
    """Wait until processes are gone."""
    assert eventually(lambda: not any(map(is_alive, numbers)), 20)


@pytest.fixture
def family(tmp_path):
    """Return a running `trans`, and the numbers of the three processes of its program."""
    with trans("run", app(tmp_path), "--json", "--", "sh", "-c", FAMILY) as process:
        yield process, [json.loads(process.stdout.readline())["line"] for _ in range(3)]
        process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_nothing_is_left_of_a_program(family, number, code):
    """However `trans` is ended, the program and all it started end too."""
    process, members = family
    assert all(map(is_alive, members))
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert_gone(members)


def test_nothing_is_left_after_a_second_signal(tmp_path):
    """A program that ignores SIGTERM ends when `trans` is told twice."""
    script = f"trap '' TERM; {FAMILY}"
    with trans("run", app(tmp_path), "--json", "--", "sh", "-c", script) as process:
        members = [json.loads(process.stdout.readline())["line"] for _ in range(3)]
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline().startswith("stopping")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert_gone(members)


def test_a_time_out_ends_all_and_keeps_what_came(tmp_path):
    """The run fails with exit code 124; what was written is there, in the file too, and is counted."""
    node = ":run a :CommandSource ; :timeout 1500 ; :grace 200 . :out a :JSONLinesWriter ."
    code, out, err = run("run", app(tmp_path, node, ":out "), "--json", "--", "sh", "-c", f"seq 3000; {FAMILY}")
    lines = lines_of(out)
    assert code == 124
    assert "'sh' took longer than 1.5 s" in err
    assert lines[:3000] == [str(number) for number in range(1, 3001)]
    assert lines_of((tmp_path / "app/data/output.ndjson").read_text()) == lines
    assert_gone(lines[3000:])


def test_the_time_out_of_a_run_ends_its_program(tmp_path):
    """With `--timeout` all ends as well."""
    code, out, _ = run("run", app(tmp_path), "--json", "--timeout", "1.5", "--", "sh", "-c", FAMILY)
    assert code == 124
    assert_gone(lines_of(out))


def test_a_failure_elsewhere_ends_the_program(tmp_path):
    """Where a step behind it fails, the program does not go on."""
    node = ":run a :CommandSource . :fail a :CommandStep ; :command ( 'no-such-program' ) ."
    script = f"({FAMILY}) >{tmp_path}/numbers & sleep 0.5; echo now; wait"
    code, _, err = run("run", app(tmp_path, node, ":fail "), "--", "sh", "-c", script)
    assert code == 1
    assert "no program 'no-such-program'" in err
    assert_gone((tmp_path / "numbers").read_text().split())


def test_what_came_before_a_stop_arrives(tmp_path):
    """A stop lets the lines before it arrive, ends steps well, and tells the program's end as stopped."""
    node = ":run a :CommandSource . :out a :JSONLinesWriter ."
    with trans("run", app(tmp_path, node, ":out "), "--json", "--", "sh", "-c", "echo a; sleep 1000") as process:
        assert json.loads(process.stdout.readline())["line"] == "a"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert lines_of((tmp_path / "app/data/output.ndjson").read_text()) == ["a"]


def test_a_reader_that_goes_away_ends_the_program(tmp_path):
    """Behind `| head` the run ends, and the program with it."""
    with trans("run", app(tmp_path), "--json", "--", "sh", "-c", "echo $$; yes") as process:
        member = json.loads(process.stdout.readline())["line"]
        process.stdout.close()
        assert "its reader went away" in process.stderr.read()
    assert_gone([member])


def test_the_exit_code_of_a_program_is_data(tmp_path):
    """A program that fails does not fail the run, unless it is to."""
    assert run("run", app(tmp_path), "--", "false")[0] == 0
    code, _, err = run(
        "run", app(tmp_path, ":run a :CommandSource ; :onExit 'zero' ."), "--", "sh", "-c", "echo why >&2; exit 7"
    )
    assert code == 1
    assert "'sh' ended with exit code 7: why" in err


def test_a_dry_run_starts_nothing(tmp_path):
    """It says what would be run."""
    code, out, _ = run("run", app(tmp_path), "--dry-run", "--", "touch", tmp_path / "a file")
    assert code == 0
    assert f"run: runs touch '{tmp_path}/a file'" in out
    assert not (tmp_path / "a file").exists()


def test_a_secret_is_shown_nowhere(tmp_path):
    """The value of a secret variable is in no output but the program's own."""
    node = (
        ":run a :CommandSource ; :onExit 'zero' ; :env ( [ :name 'KEY' ; :secret [ :env 'MY_KEY' ] ] ) . :show a :ShowConfig ."
    )
    folder = app(tmp_path, node, ":show ")
    environment = {**os.environ, "MY_KEY": "sesame-1234"}
    script = 'test -n "$KEY" && echo same; echo "$KEY is no good" >&2; exit 1'
    code, out, err = run("run", folder, "-v", "--", "sh", "-c", script, env=environment)
    assert code == 1
    assert "sesame" not in err
    assert "sesame" not in out
    folder = app(tmp_path, node.replace(":onExit", ":onError :deadLetter ; :onExit"), ":show ")
    assert run("run", folder, "--", "sh", "-c", script, env=environment)[0] == 3
    assert "sesame" not in (tmp_path / "app/data/dead-letters.ndjson").read_text()
    for words in (["run", folder, "--dry-run", "--", "true"], ["validate", folder], ["describe", folder]):
        assert "sesame" not in "".join(run(*words, env=environment)[1:])


@pytest.mark.parametrize(
    "setting",
    [
        ":command ( 'touch' 'bad' )",
        ":shell true",
        ":env ( [ :name 'A' ; :value 'b' ] )",
        ":clearEnv true",
        ":cwd '/'",
        ":stdin 'inherited'",
        ":input 'bad'",
    ],
)
def test_a_target_cannot_choose_what_is_run(tmp_path, setting, capfd):
    """What travels with data sets neither the program nor what it is given."""
    folder = app(tmp_path, ":run a :CommandSource ; :settings :s . :s :timeout 5000 .")
    (tmp_path / "target").mkdir()
    (tmp_path / "target/tt.ttl").write_text(f"{HEAD}:s {setting} .\n")
    assert main(["run", str(folder), "--target", str(tmp_path / "target"), "--", "true"]) == 2
    assert "tt.ttl:2:" in capfd.readouterr().err


@pytest.mark.parametrize("compat", [[], ["--compat"]])
def test_a_message_cannot_choose_what_is_run(tmp_path, compat):
    """No field of a message is a setting, not even under --compat."""
    folder = app(tmp_path, ":run a :CommandSource ; :command ( 'echo' 'good' ) .")
    message = {"command": ["echo", "bad"], "shell": True, "cwd": "/nowhere", "stdin": "inherited", "env": {"PATH": "/nowhere"}}
    code, out, _ = run("run", folder, *compat, "--json", "-m", json.dumps(message))
    assert (code, lines_of(out)) == (0, ["good"])


def test_bad_settings_are_located(tmp_path, capfd):
    """What cannot be meant is told before anything runs, at its place."""
    for setting, fault in (
        (":shell true", "the first text of :command"),
        (":encoding 'utf-9'", "no encoding"),
        (":modus 'x'", ":mode"),
    ):
        assert main(["validate", str(app(tmp_path, f":run a :CommandSource ; {setting} ."))]) == 2
        err = capfd.readouterr().err
        assert fault in err
        assert "transmissions.ttl:3:" in err


def test_branches_of_a_route_have_buffers_of_their_own(tmp_path):
    """Lines go by output and pattern to readers that each drop or wait as declared, and every line is accounted for."""
    more = """[ a :Route ; :branches (
        [ :when [ :field "source" ; :equals "stderr" ] ; :pipe ( :errors ) ]
        [ :when [ :field "line" ; :matches "7$" ] ; :pipe ( :sevens ) ]
        [ :pipe ( :rest ) ] ) ] :counts """
    node = """:run a :CommandSource .
        :errors a :JSONLinesWriter ; :destinationFile "errors.ndjson" ; :buffer [ :maxItems 10 ] .
        :sevens a :Delay ; :delay 0.1 ; :buffer [ :maxItems 5 ; :overflow "DropOldest" ] .
        :rest a :NOP ; :buffer [ :maxItems 1000 ] . :counts a :ShowCounts ."""
    code, out, _ = run("run", app(tmp_path, node, more), "--", "sh", "-c", "seq 20000; echo oops >&2")
    assert code == 0
    figures = {
        row.split()[0]: [int(word) for word in row.split()[1:5]]
        for row in out.partition("buffer")[0].splitlines()
        if row.startswith("main/")
    }
    assert figures["main/route/1/errors"][:2] == [1, 1]
    assert figures["main/route/3/rest"][:2] == [18000, 18000]
    received, sent, dropped, _ = figures["main/route/2/sevens"]
    assert received == sent + dropped == 2000
    assert dropped > 0
