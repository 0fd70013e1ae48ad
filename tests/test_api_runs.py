"""What is said of the runs of a server."""

from delivering import make_home, served

from transmissions import api_runs


def test_what_a_run_must_not_tell_is_looked_for_once(tmp_path, monkeypatch):
    """When there is a first text to clean, which most runs never have; every text goes through it."""
    looked_for = []
    monkeypatch.setattr(api_runs, "secrets_of", lambda plan: looked_for.append(plan.app) or ["hunter2-hunter2"])
    make_home(tmp_path, monkeypatch)
    [one] = served("numbers")
    clean = api_runs.Cleaner(one, one.output)
    before = list(looked_for)
    told = [clean(f"{number}: hunter2-hunter2 in {one.output}") for number in range(3)]
    assert told == [f"{number}: … in output" for number in range(3)]
    assert (before, looked_for) == ([], [one.plan.app])
