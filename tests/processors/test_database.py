import asyncio
import json
import marshal
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest
from generate_claude import make_conversation, make_message, sample, text_block, tool_blocks

from transmissions import OutputError, RunError
from transmissions.context import Context
from transmissions.json_text import as_json
from transmissions.plan import NodePlan, TransmissionPlan
from transmissions.problem import Where
from transmissions.processors import search_database, search_rows
from transmissions.processors.claude import convert
from transmissions.processors.database import ConversationDatabase, ConversationRows
from transmissions.processors.spool import Mapped, SpooledList

FILE = "archive.db"
HERE = Where("transmissions.ttl", 7, 1)
TABLES = ("conversation", "message", "message_text_docsize", "word")


def talk(number, *texts, name="A talk"):
    """Return the message of a conversation with these texts."""
    messages = [make_message(place, "human", [text_block(text)]) for place, text in enumerate(texts, 1)]
    return given(convert(make_conversation(messages, name, number)))


def given(conversation):
    key = f"claude:{conversation['id']}"
    return {"conversation": conversation, "key": key, "place": {"page": f"claude/{conversation['id'][-1]}.md"}}


def store(bench, *messages, **settings):
    """Keep conversations in the database."""
    return bench.through(ConversationDatabase(**settings), *messages)


def query(bench, sql, *values):
    with sqlite3.connect(bench.output / FILE) as database:
        rows = database.execute(sql, values).fetchall()
    database.close()
    return rows


def hits(bench, words):
    """Return pages and positions where words are found."""
    return query(bench, "SELECT page, position FROM hit WHERE words MATCH ? ORDER BY page, position", words)


def test_words_are_found(bench):
    """A word leads to the page and the message it is in, a title to its conversation; messages pass unchanged."""
    messages = [talk(1, "The quick stream", "größe 数据"), talk(2, "A quick buffer", name="Streams & nodes")]
    assert store(bench, *messages) == messages
    assert hits(bench, "quick") == [("claude/1.md", 1), ("claude/2.md", 1)]
    assert hits(bench, "quick NOT buffer") == [("claude/1.md", 1)]
    assert hits(bench, "grosse OR GROSSE OR größe") == [("claude/1.md", 2)]
    assert hits(bench, "title:nodes") == [("claude/2.md", 0)]
    assert query(bench, "SELECT title, role FROM hit WHERE words MATCH 'stream' ORDER BY rank") == [("A talk", "human")]


def test_the_tables_tell_what_there_is(bench):
    """Every conversation has a row, and every message with its place, one at position 0 for the whole."""
    store(bench, *(given(convert(element)) for element in sample()))
    assert query(bench, "SELECT count(*) FROM conversation") == [(4,)]
    counted = query(bench, "SELECT role, count(*) FROM message GROUP BY role ORDER BY role")
    assert dict(counted)["conversation"] == 4
    assert sum(number for role, number in counted if role != "conversation") == 12
    assert query(bench, "PRAGMA integrity_check") == [("ok",)]


def test_thoughts_and_tools_are_searched_on_request(bench):
    """What Claude thought and tools said is found only where that was asked for; what was made always is."""
    blocks = [{"type": "thinking", "thinking": "pondered"}, *tool_blocks("run", {"code": "given"}, "gotten")]
    made = tool_blocks("artifacts", {"id": "a", "command": "create", "title": "T", "content": "crafted"})
    message = given(convert(make_conversation([make_message(1, "assistant", [*blocks, *made])])))
    for thinking in (False, True):
        shutil.rmtree(bench.output, ignore_errors=True)
        store(bench, message, thinking=thinking)
        assert [bool(hits(bench, word)) for word in ("pondered", "given", "gotten", "crafted")] == [*[thinking] * 3, True]


def test_a_second_run_changes_nothing(bench):
    """The file keeps its bytes and its time, and no journal is left."""
    messages = [talk(1, "one"), talk(2, "two")]
    store(bench, *messages)
    before = (bench.output / FILE).read_bytes()
    os.utime(bench.output / FILE, (1, 1))
    store(bench, *messages)
    store(bench)
    assert (bench.output / FILE).stat().st_mtime == 1
    assert (bench.output / FILE).read_bytes() == before
    assert [path.name for path in bench.output.iterdir()] == [FILE]


def test_a_changed_conversation_is_found_by_its_new_words_only(bench):
    """Its old words lead nowhere, what did not come stays, and row numbers are not given again."""
    store(bench, talk(1, "old"), talk(2, "kept"))
    (before,) = query(bench, "SELECT max(id) FROM message")
    store(bench, talk(1, "new", "more", name="Renamed"))
    assert (hits(bench, "old"), hits(bench, "kept")) == ([], [("claude/2.md", 1)])
    assert hits(bench, "new") == [("claude/1.md", 1)]
    assert query(bench, "SELECT min(id) FROM message WHERE message_id = '' AND id > ?", *before) == [(before[0] + 1,)]
    assert query(bench, "SELECT title FROM conversation ORDER BY id") == [("Renamed",), ("A talk",)]


@pytest.mark.parametrize("many", [1, 3, 2000])
def test_the_latest_version_in_a_run_counts(bench, monkeypatch, many):
    """A conversation that comes twice is there once, whether both are written together or not."""
    monkeypatch.setattr(search_database, "_MANY", many)
    store(bench, talk(1, "old", "older"), talk(2, "other"), talk(1, "new"))
    assert (hits(bench, "old"), hits(bench, "new"), hits(bench, "other")) == ([], [("claude/1.md", 1)], [("claude/2.md", 1)])
    assert query(bench, "SELECT count(*) FROM conversation") == [(2,)]


@pytest.mark.parametrize("text", ["\ud83d half", "a\0half", "\udced\udca0\udc80 half", "half '\"); DROP TABLE message; --"])
def test_hostile_text_is_searched_too(bench, text):
    """Halves of pairs, NUL and SQL do no harm, in texts, titles or ids."""
    message = talk(1, text, name=text)
    message["conversation"]["messages"][0]["id"] = message["key"] = text
    store(bench, message)
    assert len(hits(bench, "half")) == 2
    os.utime(bench.output / FILE, (1, 1))
    store(bench, message)
    assert (bench.output / FILE).stat().st_mtime == 1


def test_a_conversation_too_large_for_memory_is_written_in_parts(bench, monkeypatch):
    """Its messages are all there, and unchanged it is not touched."""
    monkeypatch.setattr(search_database, "_MANY", 7)
    monkeypatch.setattr(search_rows, "_MANY", 3)
    message = talk(1, *(f"word{number}" for number in range(40)))
    spooled = SpooledList()
    for item in message["conversation"]["messages"]:
        spooled.append(item)
    large = {**message["conversation"], "messages": Mapped(lambda item: item, spooled)}
    store(bench, {**message, "conversation": large})
    assert [hits(bench, f"word{number}") for number in (0, 39)] == [[("claude/1.md", 1)], [("claude/1.md", 40)]]
    os.utime(bench.output / FILE, (1, 1))
    store(bench, message)
    assert (bench.output / FILE).stat().st_mtime == 1


@pytest.mark.parametrize(("name", "value"), [("_MANY", 1), ("_MANY", 3), ("_LARGE", 10)])
def test_however_a_conversation_is_divided_the_database_is_the_same(bench, monkeypatch, name, value):
    """Parts of any size, of one written together or not, make the same rows and find the same words."""
    texts = [f"größe word{number} " * number for number in range(9)]
    messages = [talk(1, *texts), talk(2, "", "数据 end"), talk(3, *texts[:4], name="Third")]
    store(bench, *messages)
    expected = [query(bench, f"SELECT * FROM {table}") for table in TABLES]
    shutil.rmtree(bench.output)
    monkeypatch.setattr(search_rows, name, value)
    monkeypatch.setattr(search_database, "_LARGE", 300)
    store(bench, *messages)
    assert [query(bench, f"SELECT * FROM {table}") for table in TABLES] == expected
    assert hits(bench, "word3 AND größe") == [("claude/1.md", 4), ("claude/3.md", 4)]


def test_texts_of_any_size_are_written_in_turn(bench, monkeypatch):
    """Batches larger than what may wait are all written, however many there are."""
    monkeypatch.setattr(search_database, "_LARGE", 10)
    store(bench, *(talk(number, f"word{number} " * number * 5) for number in range(1, 9)))
    assert [hits(bench, f"word{number}") for number in range(1, 9)] == [[(f"claude/{number}.md", 1)] for number in range(1, 9)]


def test_a_run_that_fails_leaves_the_database_as_it_was(bench):
    """Without an end of the stream nothing of it is kept."""
    store(bench, talk(1, "before"))
    before = (bench.output / FILE).read_bytes()

    async def fail():
        async with bench.attach(ConversationDatabase()) as processor:
            await processor.process(talk(2, "after"))

    asyncio.run(fail())
    assert (bench.output / FILE).read_bytes() == before


KILLED = """
import asyncio, os, sys
from pathlib import Path
from transmissions.processors.search_database import SearchDatabase
database = SearchDatabase(Path(sys.argv[1]), "unicode61").start()
async def fill():
    for number in range(400):
        words = b"word%d " % number * 20000
        await database.add((f"k{number}", "", "", "", "", "", "", "", "x"), [('1,"","",""', [len(words)], words)])
asyncio.run(fill())
os.kill(os.getpid(), 9)
"""


def test_a_killed_run_leaves_the_database_as_it_was(bench):
    """Killed in the middle of writing, the database holds what it held, and the next run goes on."""
    store(bench, talk(1, "before"))
    subprocess.run([sys.executable, "-c", KILLED, str(bench.output / FILE)])
    assert query(bench, "SELECT count(*) FROM conversation") == [(1,)]
    store(bench, talk(2, "after"))
    assert (len(hits(bench, "before")), len(hits(bench, "after"))) == (1, 1)
    assert query(bench, "PRAGMA integrity_check") == [("ok",)]


def test_another_file_under_that_name_is_told_of(bench):
    """Neither somebody's notes nor another program's database is written over."""
    bench.output.mkdir()
    (bench.output / FILE).write_text("notes " * 100)
    with pytest.raises(RunError, match="no SQLite database; move it away"):
        store(bench, talk(1, "x"))
    (bench.output / FILE).unlink()
    query(bench, "CREATE TABLE mine (x)")
    with pytest.raises(RunError, match="another program's database"):
        store(bench, talk(1, "x"))
    assert query(bench, "SELECT name FROM sqlite_master") == [("mine",)]


def test_another_tokenizer_needs_a_new_index(bench):
    """Words taken apart in two ways are not mixed."""
    store(bench, talk(1, "streaming"), tokenizer="porter unicode61")
    assert len(hits(bench, "streams")) == 1
    with pytest.raises(RunError, match="not taken apart by 'unicode61'"):
        store(bench, talk(1, "streaming"))


def test_a_database_in_use_is_told_of(bench, monkeypatch):
    """While another program writes, the run ends and says why."""
    store(bench, talk(1, "x"))
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **more: connect(path, timeout=0, **more))
    other = connect(bench.output / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RunError, match="in use by another program"):
        store(bench, talk(2, "y"))
    other.close()


def test_a_full_disk_is_told_and_nothing_lost(bench, monkeypatch):
    """When there is no room the run ends with the code for that, and the database is as it was."""
    store(bench, talk(1, "before"))
    before = (bench.output / FILE).read_bytes()
    connect = sqlite3.connect

    def small(path, **more):
        database = connect(path, **more)
        database.execute("PRAGMA max_page_count = 20")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
    words = " ".join(f"word{number}" for number in range(40000))
    with pytest.raises(OutputError, match="full"):
        store(bench, talk(2, words))
    assert (bench.output / FILE).read_bytes() == before


def test_a_fault_is_told_each_time_and_waits_for_nobody(bench, monkeypatch):
    """After the thread has failed, whoever gives it more is told rather than kept waiting."""
    bench.output.mkdir()
    (bench.output / FILE).write_text("notes " * 100)
    database = search_database.SearchDatabase(bench.output / FILE, "unicode61").start()
    monkeypatch.setattr(search_database, "_MANY", 1)
    told = 0
    for _ in range(20):
        try:
            asyncio.run(database.add(("k",) * 9, [('1,"","",""', [0], b"")]))
        except RunError:
            told += 1
    database.abandon()
    assert told >= 20 - search_database._WAITING


def test_without_search_there_are_the_tables_alone(bench):
    """With `index` none no words are kept."""
    store(bench, talk(1, "x"), index="none")
    names = query(bench, "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name")
    assert names == [("conversation",), ("message",), ("message_of",)]


def test_what_has_no_conversation_passes(bench):
    """A message without one goes on as it came."""
    assert store(bench, {"account": {}}) == [{"account": {}}]


def test_a_dry_run_names_the_database(bench):
    """What would be written is told beforehand."""
    (line,) = bench.attach(ConversationDatabase()).foresee({})
    assert str(bench.output / FILE) in line


def ready(bench, message, **databases):
    """Return a message as it comes out of the workers of a run with these databases, each with its settings."""
    kind = "http://purl.org/stuff/transmissions/ConversationDatabase"
    nodes = tuple(NodePlan(f"main/{name}", kind, "", settings, HERE, {}) for name, settings in databases.items())
    rows = bench.attach(ConversationRows())
    plan = rows.context.plan._replace(transmissions=(TransmissionPlan("main", "", True, nodes, HERE),))
    rows.attach(Context("main/rows", plan, rows.context.folders, rows.context.log, bench))
    (made,) = asyncio.run(_entered(rows, message))
    made = marshal.loads(marshal.dumps(made))
    del made["conversation"]
    return made


async def _entered(processor, message):
    async with processor:
        return [processor.process({**message})]


def test_what_workers_made_ready_is_stored_as_if_it_were_made_here(bench):
    """Rows that have travelled between processes give the same tables, and end where they are written."""
    messages = [talk(1, "The quick stream", "größe 数据"), talk(2, "A quick buffer", name="Streams & nodes")]
    store(bench, *messages)
    expected = [query(bench, f"SELECT * FROM {table}") for table in TABLES]
    shutil.rmtree(bench.output)
    results = store(bench, *(ready(bench, message, it={}) for message in messages))
    assert results == [{"key": one["key"], "place": one["place"]} for one in messages]
    assert [query(bench, f"SELECT * FROM {table}") for table in TABLES] == expected


def test_rows_are_made_as_the_settings_of_each_database_say(bench):
    """Of two databases each gets what it searches, and the other's is left for it."""
    message = given(convert(make_conversation([make_message(1, "assistant", [{"type": "thinking", "thinking": "pondered"}])])))
    made = ready(bench, message, it={}, other={"thinking": True})
    (left,) = store(bench, made)
    assert hits(bench, "pondered") == []
    assert list(left["database_rows"]) == ["main/other"]
    assert b"pondered" in left["database_rows"]["main/other"][1][0][2]


def test_rows_out_of_a_dead_letter_are_stored(bench):
    """A conversation that is tried again is found by its words; one whose rows were set aside is told of."""
    letter = json.loads(as_json(ready(bench, talk(1, "größe 数据"), it={})))
    store(bench, letter)
    assert hits(bench, "größe") == [("claude/1.md", 1)]
    letter = json.loads(as_json(ready(bench, talk(2, "x"), it={})))
    letter["database_rows"]["main/it"][1] = [["", "", ""]]
    with pytest.raises(RunError, match="convert it again"):
        store(bench, letter)


def test_without_a_database_nothing_is_made_ready(bench):
    """A run whose database is off carries no rows about."""
    assert bench.through(ConversationRows(), message := talk(1, "x")) == [message]
    assert "database_rows" not in message
