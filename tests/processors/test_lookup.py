"""Lookup and the tables it reads."""

import json
import sqlite3

import pytest

from transmissions import RunError, UsageError
from transmissions.processors.lookup import Lookup

ROWS = [{"code": "de", "name": "Germany"}, {"code": "1", "name": "One"}]


def write_table(path):
    if path.suffix == ".db":
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE [a b] (code, name)")
            database.executemany("INSERT INTO [a b] VALUES (:code, :name)", ROWS)
        database.close()
    elif path.suffix in {".csv", ".tsv"}:
        mark = "," if path.suffix == ".csv" else "\t"
        path.write_text("".join(f"{mark.join(row)}\n" for row in [ROWS[0], *[row.values() for row in ROWS]]))
    elif path.stem == "object":
        path.write_text(json.dumps({row["code"]: {"name": row["name"]} for row in ROWS}))
    else:
        path.write_text(json.dumps(ROWS) if path.suffix == ".json" else "\n".join(map(json.dumps, ROWS)))


def step(name, **settings):
    return Lookup(**{"source_file": name, "key": ("in.land",), "column": ("code",), "target_field": "in.country", **settings})


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.json", "object.json", "t.jsonl", "t.ndjson", "t.db"])
def test_messages_are_enriched_from_tables(bench, name):
    """Of every kind; a number finds the text that it is."""
    write_table(bench.data / name)
    found = bench.through(step(name, table="a b", fields=("name",)), {"in": {"land": "de"}}, {"in": {"land": 1}})
    assert [message["in"]["country"] for message in found] == [{"name": "Germany"}, {"name": "One"}]


def test_names_may_map_to_values(bench):
    """A JSON object of plain values is a table with the columns of the key and `value`."""
    (bench.data / "t.json").write_text('{"de": 49}')
    (message,) = bench.through(step("t.json"), {"in": {"land": "de"}})
    assert message["in"]["country"] == {"value": 49, "code": "de"}


def test_what_is_not_there(bench):
    """An error by default, else null or dropped; null is never there."""
    write_table(bench.data / "t.csv")
    with pytest.raises(RunError, match=r"no row of 't\.csv' has code 'xx'"):
        bench.through(step("t.csv"), {"in": {"land": "xx"}})
    assert bench.through(step("t.csv", missing="keep"), {"in": {"land": None}})[0]["in"]["country"] is None
    assert bench.through(step("t.csv", missing="drop"), {"in": {"land": "xx"}}) == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("t.csv", "code,name\nde\n", r"t\.csv:2: the row has 1 cells where 2 belong"),
        ("t.csv", 'code\n"x"y\n', r"t\.csv:2: .*expected after"),
        ("t.csv", "code\nde\nde\n", r"two rows of .*t\.csv' have code 'de'; row 2 is the second"),
        ("t.csv", "cod\nde\n", "row 1 of the table has no column 'code'; did you mean 'cod'"),
        ("t.csv", "code\na\nb\nc\n", r"more than 2 rows \(:maxRows\)"),
        ("t.jsonl", '{"code": 1}\n{\n', r"t\.jsonl:2:2: not valid JSON"),
        ("t.json", "[1]", r"t\.json: item 0: a row of a table is an object, not 1"),
        ("t.json", "[", "not valid JSON"),
        ("t.xls", "", r"t\.xls' is no table by its name"),
        ("t.db", "no database at all, but text", r"t\.db' is no SQLite database"),
    ],
)
def test_a_table_that_is_not_whole_is_an_error(bench, name, text, fault):
    """It is told before the first message."""
    (bench.data / name).write_text(text)
    with pytest.raises(RunError, match=fault):
        bench.through(step(name, max_rows=2))


def test_a_table_must_be_there(bench):
    """File and table are named, with what there is."""
    with pytest.raises(RunError, match=r"no file 'none\.csv'"):
        bench.through(step("none.csv"))
    write_table(bench.data / "t.db")
    with pytest.raises(RunError, match=r"there is no table 'x\"y' in .*t\.db'; there are a b"):
        bench.through(step("t.db", table='x"y'))


def test_impossible_settings_are_refused():
    """Before anything runs."""
    with pytest.raises(UsageError, match="as many names in :column"):
        step("t.csv", column=("a", "b"))
