"""DatabaseReader and DatabaseWriter, on real SQLite files."""

import asyncio
import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.schema import CreateTable

from transmissions import NodeFailed, RunError, Secret, UsageError
from transmissions.processors.database_reader import DatabaseReader, Parameter
from transmissions.processors.database_writer import Column, DatabaseWriter
from transmissions.processors.sql_tables import new_table, reader_of
from transmissions.processors.sql_values import plain
from transmissions.testing import bench as lay

URL = "sqlite:///shop.db"


@pytest.fixture
def shop(tmp_path):
    """Make a database with a table, and return what asks it and what runs a step on it."""

    class Shop:
        folder = tmp_path

        def ask(self, statement, *values):
            with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
                return database.execute(statement, *values).fetchall()

        def run(self, step, *messages, **node):
            async def collect():
                async with lay([step], list(messages), tmp_path, **node) as run:
                    return [message async for message in run]

            return asyncio.run(collect())

        def read(self, query, *messages, **settings):
            return self.run(DatabaseReader(url=URL, query=query, **settings), *(messages or ({"m": 1},)))

        def write(self, *messages, on_error="stop", **settings):
            return self.run(DatabaseWriter(**{"url": URL, "table": "item", **settings}), *messages, on_error=on_error)

        def rows(self):
            return self.ask("SELECT * FROM item ORDER BY 1")

    made = Shop()
    made.ask("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL)")
    made.ask("INSERT INTO item VALUES (1, 'a', 1.5), (2, 'b', NULL)")
    return made


@pytest.mark.parametrize("cursor", ["", "id"])
def test_no_more_rows_are_held_than_was_said(bench, shop, cursor):
    """However fast they come, with a cursor and without."""
    shop.ask("INSERT INTO item VALUES " + ", ".join(f"({number}, 'x', 0)" for number in range(3, 10)))
    query = f"SELECT id FROM item {'WHERE id > coalesce(:after, 0) ORDER BY id LIMIT :limit' if cursor else ''}"
    bench.data = shop.folder

    async def sizes():
        async with bench.attach(DatabaseReader(url=URL, query=query, cursor=cursor, fetch=4)) as reader:
            return [len(part) async for part in reader.produce({})]

    assert asyncio.run(sizes()) == [4, 4, 1]


def test_every_row_is_a_message(shop):
    """As it is, or in a field of the incoming message."""
    assert shop.read("SELECT * FROM item") == [{"id": 1, "name": "a", "price": 1.5}, {"id": 2, "name": "b", "price": None}]
    assert shop.read("SELECT id FROM item LIMIT 1", target_field="row.x") == [{"m": 1, "row": {"x": {"id": 1}}}]


def test_values_are_bound_and_never_part_of_the_query(shop):
    """A field of the message stays a value, whatever it says."""
    step = {"parameters": (Parameter(name="n", field="q.name"), Parameter(name="low", value=0))}
    query = "SELECT id FROM item WHERE name = :n AND id > :low"
    assert shop.read(query, {"q": {"name": "b"}}, {"q": {"name": "x' OR '1'='1"}}, **step) == [{"id": 2}]


def test_text_in_another_encoding_is_told_with_its_column(shop):
    """What another program wrote is not shown, but what to ask for instead."""
    shop.ask("UPDATE item SET name = CAST(x'FF' AS TEXT)")
    with pytest.raises(NodeFailed, match=r"the text of column 'name' is not UTF-8; CAST\(name AS BLOB\) in the query gives"):
        shop.read("SELECT name FROM item")


def test_an_object_is_no_parameter(shop):
    """Each driver would say so in its own way, or not at all."""
    with pytest.raises(NodeFailed, match=r"the parameter :n \('q'\) is an object, which no query takes"):
        shop.read("SELECT :n", {"q": {"name": "b"}}, parameters=(Parameter(name="n", field="q"),))


def test_a_step_that_fails_behind_a_reader_ends_it_well(shop):
    """The cursor is closed, and an empty stream asks nothing."""
    steps = [DatabaseReader(url=URL, query="SELECT * FROM item"), DatabaseWriter(url=URL, table="none")]
    with pytest.raises(NodeFailed, match="there is no table 'none'"):
        asyncio.run(_drained(lay(steps, [{}], shop.folder)))
    assert shop.run(DatabaseReader(url="sqlite:///none.db", query="SELECT 1")) == []


async def _drained(run):
    async with run:
        await run.wait()


def test_many_rows_come_through_little_by_little(shop):
    """They are taken from the cursor as they are asked for."""
    with closing(sqlite3.connect(shop.folder / "shop.db")) as database, database:
        database.executemany("INSERT INTO item VALUES (?, 'x', 0)", ((n,) for n in range(10, 5010)))
    assert len(shop.read("SELECT * FROM item", fetch=7)) == 5002


@pytest.mark.parametrize("step", ["reader", "writer"])
def test_t2_08_a_database_that_has_to_be_waited_for_stops_nothing_else(shop, step):
    """Another holds it, and lets go only when the loop has its turn while the step waits."""
    holder = sqlite3.connect(shop.folder / "shop.db")
    made = {"reader": DatabaseReader(url=URL, query="SELECT id FROM item"), "writer": DatabaseWriter(url=URL, table="item")}

    async def let_go():
        await asyncio.sleep(0.3)
        holder.rollback()

    async def main():
        holder.execute("BEGIN EXCLUSIVE")
        letting = asyncio.create_task(let_go())
        async with lay([made[step]], [{"id": 3, "name": "c", "price": 1}], shop.folder) as run:
            found = [message["id"] async for message in run]
        return found, letting.done()

    with closing(holder):
        found, let_go_first = asyncio.run(main())
    assert (found, let_go_first) == ([1, 2] if step == "reader" else [3], True)


def test_a_query_that_takes_long_is_given_up_when_the_run_is_drained(shop):
    """Nobody waits for its end, which this one does not have, and that it was given up is no fault."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

    async def main():
        async with asyncio.timeout(60), lay([DatabaseReader(url=URL, query=endless)], [{}], shop.folder) as run:
            asyncio.get_running_loop().call_later(0.2, run.drain)
            await run.wait()
            return run.result

    result = asyncio.run(main())
    assert (result.drained, [node["failed"] for node in result.figures["nodes"].values()]) == (True, [0])


def test_what_came_before_a_fault_goes_on(shop):
    """Rows that the database gave are not lost with the one it could not give."""
    shop.ask("INSERT INTO item VALUES (3, 'c', 1), (4, 'd', 1)")
    query = "SELECT id, abs(CASE id WHEN 4 THEN -9223372036854775808 ELSE id END) AS n FROM item ORDER BY id"
    found = shop.run(DatabaseReader(url=URL, query=query, fetch=1), {}, on_error="skip")
    assert [row["id"] for row in found] == [1, 2]


def test_a_reader_changes_nothing_and_stays_inside(shop):
    """SQLite refuses to write, and to attach other files."""
    with pytest.raises(NodeFailed, match=r"sqlite:///shop\.db: attempt to write a readonly database"):
        shop.read("DELETE FROM item RETURNING id")
    with pytest.raises(NodeFailed, match="not authorized"):
        shop.read("ATTACH '/tmp/other.db' AS other")
    with pytest.raises(NodeFailed, match="gives no rows"):
        shop.read("CREATE TEMP TABLE t (x)")
    assert len(shop.rows()) == 2


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"query": "SELECT :nme", "parameters": (Parameter(name="name"),)}, "a parameter :nme, which is not .*did you mean"),
        ({"query": "SELECT 1", "parameters": (Parameter(name="x"),)}, "the query has no parameter :x"),
        ({"query": "SELECT * FROM none"}, r"sqlite:///shop\.db: no such table: none"),
        ({"query": "SELECT 1 AS a, 2 AS a"}, "two columns of the query are called 'a'"),
        ({"query": "SELECT 1", "url": "sqlite:///../../x.db"}, "outside the folders of this run"),
        ({"query": "SELECT 1", "url": "sqlite:///none.db"}, r"no database '.*none\.db'"),
        ({"query": "SELECT 1", "url": "sqlite:///x.db?mode=memory"}, "a SQLite database is a file"),
        ({"query": "SELECT 1", "url": "sqlite://"}, "a SQLite database is a file"),
        ({"query": "SELECT 1", "url": "no url"}, "none that SQLAlchemy reads"),
        ({"query": "SELECT 1", "url": "nonesuch+x://u:topsecret@h/d"}, r"the driver of nonesuch\+x is not installed"),
        ({"query": "SELECT 1", "url": "postgres://u:topsecret@h/d"}, r"postgres is not installed; did you mean 'postgresql'"),
        ({"query": "SELECT 1", "url": "mysql+mysqldb://u:topsecret@h/d"}, r"pip install pymysql, and write mysql\+pymysql://"),
        ({"query": "SELECT 1", "url": "postgresql+psycopg://u:top@topsecret@h/d"}, "must be written %40"),
    ],
)
def test_what_cannot_be_asked_is_an_error(shop, settings, fault):
    """Faults name the thing, and never a password."""
    with pytest.raises((NodeFailed, RunError, UsageError), match=fault) as caught:
        shop.run(DatabaseReader(**{"url": URL, **settings}), {})
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("settings", [{}, {"url": URL, "secret_url": Secret(URL)}])
def test_one_url_is_needed(settings):
    """None, or two, are refused."""
    with pytest.raises(UsageError, match="either :url or :secretUrl"):
        DatabaseReader(query="SELECT 1", **settings)


def test_a_url_may_be_secret(shop):
    """It comes from the environment."""
    assert shop.run(DatabaseReader(secret_url=Secret(URL), query="SELECT 1 AS x"), {}) == [{"x": 1}]


def test_a_password_is_nowhere_to_be_seen():
    """Not in what a dry run tells, wherever the URL has it."""
    step = DatabaseReader(url="postgresql+psycopg://u:topsecret@h/d?sslmode=require&sslpassword=topsecret", query="SELECT 1")
    (told,) = step.foresee({})
    assert "h/d?sslmode=require" in told
    assert "topsecret" not in told


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Decimal("1.50"), 1.5), (Decimal(3), 3), (Decimal("12345678901234567.25"), "12345678901234567.25"),
        (Decimal("0.10"), 0.1), (Decimal("Infinity"), float("inf")), (Decimal("1E+400"), "1E+400"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (time(3), "03:00:00"), (timedelta(minutes=1), 60.0), (memoryview(b"x"), b"x"), ({"a": (Decimal(1),)}, {"a": [1]}),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)  # fmt: skip
def test_values_become_plain_data(value, wanted):
    """What drivers give is what JSON can hold, or bytes."""
    assert plain(value) == wanted


def test_messages_become_rows(shop):
    """Fields go where they are told, and messages go on."""
    messages = [{"id": 3, "a": {"b": "c"}, "x": 1}, {"id": 4, "a": {"b": [1]}}]
    columns = (Column(name="id"), Column(name="name", field="a.b"), Column(name="price", field="x"))
    assert shop.write(*messages, columns=columns) == messages
    assert shop.rows()[2:] == [(3, "c", 1.0), (4, "[1]", None)]


def test_half_a_character_is_written_as_in_files(shop):
    """Text that JavaScript has cut within an emoji is no reason to lose its row."""
    shop.write({"id": 3, "name": "x\ud83d"})
    assert shop.rows()[2] == (3, "x\ufffd", None)


def test_rows_of_the_same_key_are_replaced_or_changed(shop):
    """`upsert` adds what is new, `update` must find its row."""
    shop.write({"id": 1, "name": "A"}, {"id": 3, "name": "C"}, {"id": 3, "name": "D"}, mode="upsert", key=("id",))
    assert shop.rows() == [(1, "A", 1.5), (2, "b", None), (3, "D", None)]
    shop.write({"id": 2, "name": "B"}, mode="update", key=("id",))
    assert shop.rows()[1] == (2, "B", None)
    with pytest.raises(NodeFailed, match="no row of 'item' has id 9"):
        shop.write({"id": 9, "name": "x"}, mode="update", key=("id",))
    shop.write({"id": 1}, {"id": 7}, table="keys", mode="upsert", key=("id",), create=True)
    assert shop.ask("SELECT * FROM keys") == [(1,), (7,)]


def test_a_table_is_created_on_request(shop):
    """With types after the first message, and the key as primary key."""
    shop.write({"k": "x", "n": 1, "f": 1.5, "b": True, "d": b"\0", "j": {}}, table="made", create=True, key=("k",))
    (made,) = shop.ask("SELECT sql FROM sqlite_master WHERE name = 'made'")
    assert [line.split()[:2] for line in made[0].splitlines()[1:7]] == [
        ["k", "VARCHAR(255)"], ["n", "BIGINT,"], ["f", "DOUBLE,"], ["b", "BOOLEAN,"], ["d", "BLOB,"], ["j", "TEXT,"],
    ]  # fmt: skip
    assert shop.ask("SELECT * FROM made") == [("x", 1, 1.5, 1, b"\0", "{}")]


def test_only_the_broken_row_fails(shop):
    """The rest of its batch is written, and the dead letter holds the row."""
    messages = [{"id": n, "name": None if n == 12 else "x"} for n in range(10, 20)]
    assert len(shop.write(*messages, on_error="deadLetter")) == 9
    assert len(shop.rows()) == 11
    letter = (shop.folder / "dead-letters.ndjson").read_text()
    assert "NOT NULL constraint failed: item.name" in letter
    assert '"id": 12' in letter


@pytest.mark.parametrize(("commit_rows", "left"), [(0, 2), (1, 1002)])
def test_a_run_that_fails_undoes_what_was_not_committed(shop, commit_rows, left):
    """All of it, if all is committed at the end."""
    messages = [{"id": n, "name": "x"} for n in range(3000, 4000)]
    with pytest.raises(NodeFailed, match="UNIQUE constraint failed"):
        shop.write(*messages, {"id": 1, "name": "again"}, commit_rows=commit_rows)
    assert len(shop.rows()) == left


def test_one_transaction_for_the_run_skips_what_fails(shop):
    """One broken row undoes itself only."""
    messages = [{"id": n, "name": None if n == 12 else "x"} for n in range(10, 20)]
    shop.write(*messages, commit_rows=0, on_error="skip")
    assert len(shop.rows()) == 11


@pytest.mark.parametrize("commit_rows", [0, 1])
def test_a_database_that_undoes_more_than_was_asked_ends_the_run(shop, commit_rows):
    """Rows that had gone on are gone, as with a connection that is lost: no policy for messages makes that a success."""
    shop.ask("CREATE TRIGGER no BEFORE INSERT ON item WHEN new.id = 12 BEGIN SELECT RAISE(ROLLBACK, 'refused'); END")
    messages = [{"id": n, "name": "x"} for n in range(10, 20)]
    if commit_rows:
        shop.write(*messages, commit_rows=1, on_error="skip")
        assert len(shop.rows()) == 11
        return
    with pytest.raises(RunError, match=r"refused; the [12] rows before, not yet committed, are undone"):
        shop.write(*messages, commit_rows=0, on_error="skip")
    assert len(shop.rows()) == 2


def test_few_rows_are_committed_in_time(bench, shop):
    """Others see them while the stream waits for more."""
    bench.output = shop.folder

    async def wait():
        async with bench.attach(DatabaseWriter(url=URL, table="item", commit_seconds=0.01)) as writer:
            writer.process_batch([{"id": 5, "name": "x"}])
            while len(seen := shop.rows()) < 3:
                await asyncio.sleep(0.01)
            return seen

    assert len(asyncio.run(asyncio.wait_for(wait(), 30))) == 3


def test_times_are_given_as_the_column_takes_them(shop):
    """ISO 8601 text goes into a column of times, and what is none is an error."""
    shop.ask("CREATE TABLE at (t DATETIME, n NUMERIC)")
    shop.write({"t": "2026-11-21T10:00:00", "n": 1.5}, table="at")
    assert shop.read("SELECT t FROM at") == [{"t": "2026-11-21 10:00:00.000000"}]
    with pytest.raises(NodeFailed, match="the column 't' takes a DATETIME, and not 'soon'"):
        shop.write({"t": "soon", "n": 1}, table="at")


def test_a_time_with_a_zone_is_kept_as_utc_where_the_column_has_none(shop):
    """Else rows of different zones would stand side by side as if they were of one."""
    shop.ask("CREATE TABLE at (t DATETIME)")
    shop.write({"t": "2026-11-21T10:00:00+02:00"}, {"t": "2026-11-21T08:00:00Z"}, table="at")
    assert {row["t"] for row in shop.read("SELECT t FROM at")} == {"2026-11-21 08:00:00.000000"}


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (sa.ARRAY(sa.Integer()), [1, None], [1, None]),
        (sa.JSON(), [1], [1]),
        (sa.Text(), [1], "[1]"),
        (sa.Interval(), 90.5, timedelta(seconds=90.5)),
        (sa.DateTime(timezone=True), "2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        (sa.Numeric(), 1.1, Decimal("1.1")),
    ],
)
def test_values_become_what_columns_take(kind, value, wanted):
    """What a reader gives, a writer can write: lists of a database that has them, durations in seconds."""
    assert reader_of(sa.Column("x", kind))(value) == wanted


@pytest.mark.parametrize(
    ("dialect", "has"), [(mysql, ["id BIGINT NOT NULL, ", "LONGTEXT", "utf8mb4"]), (postgresql, ["id BIGINT NOT"])]
)
def test_tables_are_created_as_each_database_needs_it(dialect, has):
    """Keys are not counted up in the place of 0, and texts of MySQL hold any letter and more than 64 KiB."""
    table = new_table("made", {"id": 0, "text": "x"}, ("id",))
    text = " ".join(str(CreateTable(table).compile(dialect=dialect.dialect())).split())
    assert [one for one in has if one not in text] == []


@pytest.mark.parametrize(
    ("message", "settings", "fault"),
    [
        ({"id": 1}, {"table": "itme"}, "there is no table 'itme'; did you mean 'item'.*:create true makes it"),
        ({"nme": 1}, {}, "the table 'item' has no column 'nme'; did you mean 'name'"),
        ({}, {}, "no field that could be a column"),
        ({"id": 1}, {"mode": "upsert", "key": ("k",)}, "the key 'k' is no field of the first message"),
        ({"id": 1, "name": "x"}, {}, r"sqlite:///shop\.db: UNIQUE constraint failed"),
        ({"id": 1 << 63, "name": "x"}, {}, "the column 'id' cannot hold a number of 65 bits, only of 64"),
        ({"aB": 1, "Ab": 2}, {"table": "new", "create": True}, "the fields 'aB' and 'Ab' would be one column"),
    ],
)
def test_what_cannot_be_written_is_an_error(shop, message, settings, fault):
    """It names table and column, with the nearest there is."""
    with pytest.raises(NodeFailed, match=fault):
        shop.write(message, **settings)


@pytest.mark.parametrize(
    "settings",
    [{"mode": "upsert"}, {"key": ("x",), "columns": (Column(name="y"),)}, {"url": "sqlite:///../../x.db"}],
)
def test_impossible_settings_are_refused(shop, settings):
    """Before anything is written."""
    with pytest.raises((UsageError, NodeFailed)):
        shop.write({"id": 5, "name": "x"}, **settings)
