"""The apps that watch commands: what their golden tests cannot show, which is how they end."""

import json

import calling

FAILING = "echo building; echo 'a.c:3: error: no such thing' >&2; exit 2"


def trans(folder, *words):
    """Run `trans` in a folder; return its exit code, output and errors."""
    result = calling.trans(folder, "run", *map(str, words))
    return result.returncode, result.stdout, result.stderr


def test_the_monitor_shows_a_command_where_the_user_is(tmp_path):
    """Lines go to standard output, rates and the end to standard error; the exit code is told, and is not the run's."""
    code, out, err = trans(tmp_path, "command-monitor", "--", "sh", "-c", "pwd; echo oops >&2; exit 3")
    assert code == 0
    assert sorted(out.splitlines()) == sorted([str(tmp_path), "oops"])
    assert "command-monitor: exit code 3, 2 lines (" in err
    assert ", 1 on stderr, 0 failed, " in err


def test_the_monitor_may_have_a_time_limit(tmp_path):
    """A command that takes too long is ended, and what it wrote was shown."""
    code, out, err = trans(tmp_path, "command-monitor", "--set", "run.timeout=500", "--", "sh", "-c", "echo begun; sleep 60")
    assert (code, out) == (124, "begun\n")
    assert "failed; the time was up, 1 line" in err


def test_the_log_fails_with_the_command_when_all_is_written(tmp_path):
    """The exit code is 1, the lines were shown, and both files are there."""
    code, out, err = trans(tmp_path, "ci-log", "-o", "out", "--", "sh", "-c", FAILING)
    assert code == 1
    assert "building\n" in out
    assert "'sh' ended with exit code 2" in err
    (event,) = map(json.loads, (tmp_path / "out/events.ndjson").read_text().splitlines())
    assert (event["event"], event["source"], event["about"]["text"]) == ("error", "stderr", "no such thing")
    report = (tmp_path / "out/report.md").read_text()
    assert "The command ended with exit code 2." in report
    assert "| error | 1 |" in report


def test_the_log_may_leave_the_exit_code_alone(tmp_path):
    """A setting makes the command's failure data."""
    code, _, err = trans(tmp_path, "ci-log", "-o", "out", "--set", "run.onExit=any", "--", "sh", "-c", FAILING)
    assert code == 0
    assert "ci-log: exit code 2, 2 lines" in err


def test_the_archive_of_an_agent_grows(tmp_path):
    """Sessions are put behind each other, and what an agent said is shown as it came."""
    script = """echo '{"type": "assistant", "message": {"content": [{"type": "text", "text": "Hello."}]}}'; echo no json >&2"""
    for _ in range(2):
        code, out, _ = trans(tmp_path, "agent-events", "-o", "out", "--", "sh", "-c", script)
        assert code == 0
        assert sorted(out.splitlines()) == ["Hello.", "no json"]
    kept = [json.loads(line) for line in (tmp_path / "out/events.ndjson").read_text().splitlines()]
    assert sorted(one.get("text", "") for one in kept) == ["", "", "no json", "no json"]


def test_an_agent_goes_on_whatever_its_events_are(tmp_path):
    """One that nobody can read is archived as all are, missing from the rest, and told: the agent is not ended for it."""
    odd = (
        {"type": "assistant", "message": {"content": 5}},
        {"type": "result", "num_turns": [1], "duration_ms": "long"},
        {"type": "result", "total_cost_usd": 0.5},
    )
    script = "".join(f"echo '{json.dumps(one)}'; " for one in odd) + """sleep 0.1; echo '{"type": "ping"}'"""
    code, out, err = trans(tmp_path, "agent-events", "-o", "out", "--", "sh", "-c", script)
    assert (code, out.splitlines()[-1]) == (3, "ping")
    assert "num_turns" in err
    kept = [json.loads(line)["event"] for line in (tmp_path / "out/events.ndjson").read_text().splitlines()]
    assert kept == [*odd, {"type": "ping"}]
    summary = (tmp_path / "out/summary.md").read_text()
    assert "Turns: 0, seconds: 0.0, cost: $0.50\n" in summary
    assert "| ping | 1 |" in summary


def test_an_agent_may_be_recorded(tmp_path):
    """Its very bytes are kept, too, and can be played again."""
    recorded = ["agent-events", "-o", "out", "--set", "run.record=session.cast", "--", "echo", '{"type": "ping"}']
    assert trans(tmp_path, *recorded)[:2] == (0, "ping\n")
    assert "ping" in (tmp_path / "out/session.cast").read_text()
