import json
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest
from pages import Looked, placed, said, talk

from transmissions import RunError
from transmissions.processors.database import ConversationDatabase
from transmissions.processors.html_index import HTMLIndex
from transmissions.processors.html_pages import ConversationHTML
from transmissions.processors.search_script import SCRIPT
from transmissions.processors.word_store import WordStore
from transmissions.processors.words import words_of


def test_words_are_told_apart():
    """Words are in small letters, without marks; where a script has no spaces, any two characters in a row are one."""
    said_both = said("human", "größe 数据库 x", "Don't STOP: y y a_b1 data:image/png;base64,aa/bb= " + "z" * 50)
    found = ["don", "stop", "größe", "数据", "据库", "b1", "data", "image", "png", "title"]
    assert words_of(talk(said_both, title=""), "Title").split("\n") == sorted(found)


def test_pages_are_found_by_what_the_database_finds(bench):
    """Tags, titles of events and names of files are words of a conversation in every search."""
    event = {"kind": "event", "title": "Compaction", "text": "summed"}
    file = {"kind": "file", "name": "harbour.png", "id": "", "type": "image/png"}
    message = said("human", event, file, files=[{"name": "tides.csv", "id": ""}])
    message["attachments"] = [{"name": "moon.txt", "type": "", "text": "crescent"}]
    conversation = talk(message, title="Sea", tags=["coast"])
    wanted = {"coast", "compaction", "summed", "harbour", "tides", "moon", "crescent"}
    assert wanted <= set(words_of(conversation, "Sea").split("\n"))
    bench.through(ConversationDatabase(), placed(conversation) | {"key": "claude:c1"})
    with closing(sqlite3.connect(bench.output / "archive.db")) as database:
        assert wanted <= {word for (word,) in database.execute("SELECT term FROM word")}


def index_of(bench, *texts, start=1):
    """Run conversations through page and index."""
    for number, text in enumerate(texts, start):
        (message,) = bench.through(ConversationHTML(), placed(talk(said("human", text), title=f"T{number}"), number))
        bench.through(HTMLIndex(), {"key": str(number), "words": message["words"]})
    return {path.name: path.read_text() for path in (bench.output / "search").glob("*.js")}


def find(bench, text):
    """Return the titles that the index page's script finds."""
    load = f"const SEARCH={json.dumps(str(bench.output / 'search'))};{SCRIPT}"
    read = "eval(require('fs').readFileSync(SEARCH + '/' + name + '.js', 'utf8'))"
    run = f"S.load = async name => {{ try {{ {read} }} catch {{}} }};"
    ask = f"S.find({json.dumps(text)}).then(found => console.log(JSON.stringify(found.map(page => page[1]).sort())))"
    done = subprocess.run(["node", "-"], input=f"{load}\n{run}\n{ask}", capture_output=True, text=True, timeout=30, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node to run the page's script")
def test_the_search_finds_pages_by_their_words(bench):
    """All words asked for must be on a page, in any case; the beginning of a word will do."""
    index_of(bench, "Streams of uranium", "A stream, a größe", "数据库 and uranium")
    assert find(bench, "STREAM") == ["T1", "T2"]
    assert find(bench, "uran stream") == ["T1"]
    assert find(bench, "Größe") == find(bench, "gr") == ["T2"]
    assert find(bench, "据库") == ["T3"]
    assert find(bench, "nowhere") == find(bench, "stream nowhere") == find(bench, "?") == []


def test_the_index_grows_with_each_run(bench):
    """Pages of earlier runs stay, words that are gone are gone, and what has not changed is not written again."""
    first = index_of(bench, "alpha beta", "beta gamma")
    times = {path.name: path.stat().st_mtime_ns for path in (bench.output / "search").glob("*.js")}
    second = index_of(bench, "beta delta")
    assert {name for name in first if name not in second} == {"al.js"}
    assert (second["be.js"], second["ga.js"], json.loads(second["de.js"][12:-2])) == (
        first["be.js"],
        first["ga.js"],
        {"delta": [1]},
    )
    unchanged = {name for name in second if times.get(name) == (bench.output / "search" / name).stat().st_mtime_ns}
    assert unchanged == {"be.js", "ga.js", "t1.js", "t2.js", "pages.js"}
    page = (bench.output / "index.html").read_text()
    assert page.index("2026-03") < page.index('<a href="claude/2%20T2.html">T2</a>') < page.index('href="claude/1%20T1.html"')


def test_the_order_of_arrival_does_not_show(bench, tmp_path):
    """Pages may come in any order, as they do from several processes: the index is the same."""
    given = [
        {"key": key, "words": {"page": f"{key}.md", "title": key, "created": key, "words": f"{key * 2}\nword"}} for key in "ab"
    ]
    folders = []
    for order in (given, given[::-1]):
        bench.output = tmp_path / f"out{len(folders)}"
        bench.through(HTMLIndex(), *(dict(message) for message in order))
        folders.append(
            {path.name: path.read_text() for path in bench.output.rglob("*.*s")}
            | {"": (bench.output / "index.html").read_text()}
        )
    assert folders[0] == folders[1]
    assert len(folders[0]) == 5


def test_titles_in_the_index_stay_titles(bench):
    """A title with markup in it is shown, on the page and by the search."""
    conversation = talk(said("human", "x"), title="</script><script>alert(1)</script>", kind="project")
    (message,) = bench.through(ConversationHTML(), placed(conversation))
    bench.through(HTMLIndex(), {"key": "1", "words": message["words"]})
    found = Looked((bench.output / "index.html").read_text())
    assert (found.elements.count("script"), found.elements.count("h2")) == (1, 1)
    assert "alert(1)</script>" in found.text


def test_a_broken_index_is_an_error_that_names_it(bench):
    """A file of words that is none is an error with its name, not a traceback."""
    (bench.output / "search").mkdir(parents=True)
    (bench.output / "search/.words.db").write_bytes(b"no database" * 100)
    with pytest.raises(RunError, match=r"\.words\.db' is no SQLite database; move it away"):
        bench.through(HTMLIndex(), {"key": "1"})


def test_a_run_killed_at_its_first_page_leaves_nothing_half_made(bench):
    """The tables are part of what is written at the end, so that the next run begins as the first did."""
    WordStore(bench.output).close()
    with sqlite3.connect(bench.output / ".words.db") as left:
        assert left.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    left.close()


def test_the_index_page_holds_no_control_character(bench):
    """A NUL in a title is shown as its picture, on the index page and in what the search tells of pages."""
    (message,) = bench.through(ConversationHTML(), placed(talk(said("human", "x"), title="a\0b\x1b")))
    bench.through(HTMLIndex(), {"key": "1", "words": message["words"]})
    for name in ("index.html", "search/pages.js"):
        found = (bench.output / name).read_text()
        assert not any(control in found for control in ("\0", "\x1b", "\\u0000"))
