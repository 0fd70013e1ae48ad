import json
import os
import sqlite3
from contextlib import closing

import pytest
from generate_claude import make_conversation, make_message, text_block
from markdown_it import MarkdownIt

from transmissions import RunError
from transmissions.processors.claude import convert
from transmissions.processors.database import ConversationDatabase
from transmissions.processors.index import ConversationIndex
from transmissions.processors.ledger import NAME, Known, Ledger
from transmissions.processors.statistics import common_words

FILES = ["index.jsonl", "index.md", "statistics.json", "statistics.md"]


def facts(number, created="2026-03-07T12:00:00Z", **more):
    """Return what is known of a conversation."""
    base = {"title": f"Talk {number}", "provider": "claude", "conversation_id": f"c{number}", "kind": "chat", "models": []}
    return {**base, "created": created, "messages": number, "page": f"claude/Talk {number} #1.md", "tokens": None, **more}


def record(bench, *entries):
    """Put entries into the ledger."""
    ledger = Ledger(bench.output / NAME)
    for number, entry in enumerate(entries):
        ledger.record(f"k{number:06}", Known("", "", "", entry["page"], "", "", {}), entry)
    ledger.commit()
    ledger.close()


def index(bench, **settings):
    """Write the index and return the page."""
    bench.through(ConversationIndex(**settings))
    return (bench.output / "index.md").read_text()


def links(text):
    """Return text and target of every link of a Markdown page, as a parser sees them."""
    inlines = [token.children for token in MarkdownIt().parse(text) if token.type == "inline"]
    found = []
    for children in inlines:
        for place, token in enumerate(children):
            if token.type == "link_open":
                found.append((children[place + 1].content, token.attrs["href"]))
    return found


def test_the_latest_stands_first(bench):
    """Conversations are listed by month, the newest at the top, undated ones last."""
    times = ["2025-12-31T23:00:00Z", "2026-03-01T00:00:00Z", "2026-03-07T00:00:00Z", "", "yesterday"]
    record(bench, *(facts(number, time) for number, time in enumerate(times, 1)))
    page = index(bench)
    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## 2026-03", "## 2025-12", "## undated"]
    assert [text for text, _ in links(page)] == ["Statistics", "Talk 3", "Talk 2", "Talk 1", "Talk 5", "Talk 4"]
    assert "- 2026-03-07 [Talk 3](claude/Talk%203%20%231.md) (claude, 3 messages)\n" in page
    assert page.startswith("# Conversations\n\n5 conversations, 15 messages. [Statistics](statistics.md)\n")


def test_what_is_no_chat_is_called_what_it_is(bench):
    """A project has no messages to count, so its line says that it is one."""
    record(bench, {**facts(1), "kind": "project", "messages": 0})
    assert "(claude, project)\n" in index(bench)


TITLES = ["[a](b) *c* `d`", "<script>x</script>", "line\nbreak # no", "a | b]] \\", "nul \0 \ud83d", "&amp; ![i](j)"]


@pytest.mark.parametrize("title", TITLES)
def test_a_title_breaks_no_link(bench, title):
    """Whatever a title looks like, it is the text of its link."""
    record(bench, facts(1, title=title))
    ((_, _), *found) = links(index(bench))
    assert [target for _, target in found] == ["claude/Talk%201%20%231.md"]
    tokens = MarkdownIt().parse((bench.output / "index.md").read_text())
    assert not any(
        token.type == "html_block" or child.type == "html_inline" for token in tokens for child in token.children or ()
    )


@pytest.mark.parametrize("title", TITLES)
def test_obsidian_gets_its_own_links(bench, title):
    """A wiki link holds the path and the title, with nothing in it that ends it early."""
    record(bench, facts(1, title=title))
    (line,) = [line for line in index(bench, flavour="obsidian").splitlines() if line.startswith("- ")]
    inner = line.partition("[[")[2].partition("]]")
    assert inner[0].startswith("claude/Talk 1 #1|")
    assert inner[0].count("|") == 1
    assert inner[2] == " (claude, 1 message)"


def test_many_conversations_have_a_page_for_each_year(bench):
    """Then the index lists the years, and each year's page leads back."""
    record(bench, *(facts(number, f"202{number % 3}-0{number % 9 + 1}-01") for number in range(30)), facts(99, ""))
    page = index(bench, many=30)
    assert [text for text, _ in links(page)] == ["Statistics", "2022", "2021", "2020", "undated"]
    year = (bench.output / "index-2021.md").read_text()
    assert links(year)[0] == ("All years", "index.md")
    assert len(links(year)) == 11
    assert all((bench.output / target).exists() for _, target in links(page))


def test_each_conversation_is_a_line_for_programs(bench):
    """index.jsonl holds all facts in order of time, as valid JSON whatever is in them."""
    record(bench, facts(1, "2026-01-01"), facts(2, "2025-01-01", title="half \ud83d"))
    index(bench)
    lines = [json.loads(line) for line in (bench.output / "index.jsonl").read_text().splitlines()]
    assert lines == [facts(2, "2025-01-01", title="half \ufffd"), facts(1, "2026-01-01")]


def test_many_lines_are_in_order_with_letters_of_every_alphabet(bench):
    """However many conversations there are, each is a line; one that an older ledger holds as escapes is no other."""
    many = [facts(n, f"2025-01-01T00:{n // 60:02}:{n % 60:02}Z", title=f'Größe "数" 😀 {n}') for n in range(100)]
    record(bench, *many)
    index(bench)
    lines = (bench.output / "index.jsonl").read_text()
    assert [json.loads(line) for line in lines.splitlines()] == many
    assert lines.count('Größe \\"数\\" 😀') == len(many)
    with closing(sqlite3.connect(bench.output / NAME)) as ledger, ledger:
        ledger.executemany("UPDATE conversation SET facts = ? WHERE created = ?", [(json.dumps(x), x["created"]) for x in many])
    index(bench)
    assert (bench.output / "index.jsonl").read_text() == lines


def test_an_unchanged_index_is_left_alone(bench):
    """A second run writes none of the files; one more conversation changes them all."""
    record(bench, facts(1))
    index(bench)
    for name in FILES:
        os.utime(bench.output / name, (1, 1))
    index(bench)
    assert {(bench.output / name).stat().st_mtime for name in FILES} == {1}
    record(bench, facts(1), facts(2))
    index(bench)
    assert all((bench.output / name).stat().st_mtime > 1 for name in FILES)


def test_the_figures_add_up(bench):
    """Months, providers, models and tokens are counted, and the longest conversations named."""
    record(
        bench,
        facts(3, models=["m1", "m|2"], tokens={"input": 10, "output": 5}, artifacts=2),
        facts(4, "2026-04-01", provider="chatgpt", models=["m1"], tokens={"input": 1}),
        facts(5, "", kind="project"),
    )
    index(bench)
    figures = json.loads((bench.output / "statistics.json").read_text())
    assert (figures["conversations"], figures["messages"], figures["artifacts"]) == (3, 12, 2)
    assert figures["tokens"] == {"input": 11, "output": 5}
    assert figures["months"]["2026-04"] == {"conversations": 1, "messages": 4}
    assert figures["models"] == {"m1": {"conversations": 2, "messages": 7}, "m|2": {"conversations": 1, "messages": 3}}
    assert [one["messages"] for one in figures["longest"]] == [5, 4, 3]
    assert figures["kinds"] == {"chat": {"conversations": 2, "messages": 7}, "project": {"conversations": 1, "messages": 5}}
    page = (bench.output / "statistics.md").read_text()
    tables = [token for token in MarkdownIt().enable("table").parse(page) if token.type == "tr_open"]
    assert len(tables) == 4 + 3 + 3 + 3
    assert "- input tokens: 11\n" in page


def test_words_come_from_the_database(bench):
    """Words that stand in a tenth of all messages say nothing; the others are counted, if there is a database."""
    messages = [make_message(number, "human", [text_block("the stream" if number < 3 else "the")]) for number in range(1, 40)]
    given = {"conversation": convert(make_conversation(messages, "")), "key": "a"}
    record(bench, facts(1))
    index(bench)
    assert "words" not in json.loads((bench.output / "statistics.json").read_text())
    bench.through(ConversationDatabase(), given)
    index(bench)
    assert json.loads((bench.output / "statistics.json").read_text())["words"] == [
        {"word": "stream", "times": 2, "messages": 2}
    ]
    assert "## Words\n\nstream (2)" in (bench.output / "statistics.md").read_text()
    (bench.output / "archive.db").write_text("no database " * 100)
    with pytest.raises(RunError, match="cannot read the words"):
        index(bench)


def test_words_of_older_versions_are_not_counted(bench):
    """After a conversation has changed, the figures are those of a database that was made anew."""
    for texts in (["stream stream", "stream old", "old"], ["stream buffer", "stream", "buffer buffer", "one"]):
        messages = [make_message(number, "human", [text_block(text)]) for number, text in enumerate([*texts, *["-"] * 30], 1)]
        bench.through(ConversationDatabase(), {"conversation": convert(make_conversation(messages, "")), "key": "a"})
    words = [("buffer", 3, 2), ("stream", 2, 2)]
    for most in (1, 2, 9):
        found = common_words(bench.output / "archive.db", most)
        assert found == [{"word": word, "times": times, "messages": said} for word, times, said in words[:most]]


def test_the_index_may_stand_elsewhere(bench):
    """Links lead up from its folder."""
    record(bench, facts(1))
    bench.through(ConversationIndex(file="about/all.md"))
    assert links((bench.output / "about/all.md").read_text())[1][1] == "../claude/Talk%201%20%231.md"
    assert sorted(path.name for path in (bench.output / "about").iterdir()) == ["all.jsonl", "all.md", *FILES[2:]]


def test_a_dry_run_names_the_page(bench):
    """What would be written is told beforehand."""
    (line,) = bench.attach(ConversationIndex()).foresee({})
    assert str(bench.output / "index.md") in line
