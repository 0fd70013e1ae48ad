import json

import golden
import pytest


@pytest.mark.parametrize("provider", golden.PROVIDERS)
def test_a_sample_becomes_its_tree(tmp_path, provider):
    """Each provider's sample becomes the files kept in `tests/golden` (which `tests/golden.py` writes), its report adds up."""
    assert golden.convert(provider, tmp_path / "out") == 0
    made = golden.tree(tmp_path / "out")
    assert made == golden.tree(golden.GOLDEN / provider)
    assert json.loads(made["report.json"])["balanced"] is True


def test_a_second_run_writes_nothing(tmp_path):
    """Over all samples at once, with every target, a second run changes no file but the report and the ledger."""
    on = [f"--set={node}.enabled=true" for node in ("html", "pagesIndex", "jsonl", "rdf", "database")]
    assert golden.convert("", tmp_path / "out", *on) == 0
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert golden.convert("", tmp_path / "out", *on) == 0
    changed = {file.name for file, time in before.items() if file.stat().st_mtime_ns != time}
    assert changed <= {"report.json", ".state.db", ".words.db", ".transmissions"}
    assert {file for file in (tmp_path / "out").rglob("*") if file.is_file()} == before.keys()
