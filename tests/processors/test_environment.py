"""EnvLoader."""

import pytest

from transmissions import RunError
from transmissions.processors.environment import EnvLoader, read_variables


def test_only_variables_that_are_named_come_into_the_message(bench, monkeypatch):
    """The environment wins over the file, and everything else in both stays out."""
    monkeypatch.setenv("TRN_A", "from outside")
    (bench.app / ".env").write_text("TRN_A=from file\nTRN_B=b\nTRN_SECRET=s3cret\n")
    step = EnvLoader(variables=("TRN_A", "TRN_B"), require=("TRN_SECRET",), target_field="run.env")
    assert bench.through(step, {"n": 1}) == [{"n": 1, "run": {"env": {"TRN_A": "from outside", "TRN_B": "b"}}}]
    assert bench.through(EnvLoader(require=("TRN_SECRET",)), {"n": 1}) == [{"n": 1}]


def test_a_missing_variable_stops_the_run_before_it_starts(bench):
    """The error names the variable, and one that is nearly so called."""
    (bench.app / "my.env").write_text("TRN_TOKEN=s3cret\n")
    with pytest.raises(RunError, match=r"TRN_TOKN is not set, and not in 'my.env'; did you mean 'TRN_TOKEN'\?$"):
        bench.through(EnvLoader(file="my.env", require=("TRN_TOKN",)))
    with pytest.raises(RunError, match=r"TRN_X is not set"):
        bench.through(EnvLoader(variables=("TRN_X",)))


def test_a_file_of_variables_is_read_as_shells_do(tmp_path):
    """Quotes, comments, `export`, blanks and empty values; a line that is none is given by its number only."""
    path = tmp_path / ".env"
    path.write_text('\ufeff# c\n\nexport A=1\nB = two words # c\nC=\'# $x\'  # c\nD="a\\n\\"b\\"#"\nE=\nF=a#b\nG=# c\n')
    assert read_variables(path) == {
        "A": "1", "B": "two words", "C": "# $x", "D": 'a\n"b"#', "E": "", "F": "a#b", "G": "",
    }  # fmt: skip
    path.write_text("A=1\ns3cret\n")
    with pytest.raises(RunError, match=r"\.env:2: not a line NAME=value$"):
        read_variables(path)
    assert read_variables(tmp_path / "none") == {}


def test_the_file_must_be_the_runs_own(bench):
    """It is not looked for outside the folders of the run."""
    with pytest.raises(RunError, match="outside the folders"):
        bench.through(EnvLoader(file="/etc/environment"))
