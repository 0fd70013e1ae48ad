import json
from contextlib import closing

import pytest
from chats import arriving, chat

from transmissions import RunError, UsageError
from transmissions.processors.conversation_ledger import ConversationLedger
from transmissions.processors.conversation_places import ConversationPlaces, aside, names_of_whole
from transmissions.processors.ledger import Ledger
from transmissions.processors.places import Place

OTHER = "99999999-2222-4333-8444-0000000000aa"


def placed(bench, *conversations, **settings):
    """Return what places conversations get that come from one file, one after the other."""
    messages = [arriving(one, digest=f"d{number}") for number, one in enumerate(conversations)]
    return bench.through(ConversationPlaces(**settings), *messages)


def run(bench, *messages, **settings):
    """Let messages through as a run does whose writer wrote one page for each, and return what came of them."""
    placed = bench.through(ConversationPlaces(**settings), *messages)
    for message in placed:
        if "place" in message:
            page = message["place"]["page"]
            (bench.output / page).parent.mkdir(parents=True, exist_ok=True)
            (bench.output / page).write_text("page")
            message["written"] = [[page, "sha", 4, True]]
    return bench.through(ConversationLedger(), *[dict(message) for message in placed]) and placed


def outcome(message):
    """Return why a conversation was left out; None if it was not."""
    return None if "conversation" in message else next(iter(message["account"]["became"]["conversation"]))


def test_a_place_says_where_page_and_files_go(bench):
    """Page and files are named after provider, date, title and the last digits of the id."""
    (message,) = placed(bench, chat())
    place = Place.of(message["place"])
    assert place.page == "claude/2026/03/2026-03-07 A talk ~000000aa.md"
    assert place.take("artifacts", "x y.py") == ("claude/2026/03/artifacts/000000aa x y.py", "artifacts/000000aa%20x%20y.py")
    assert place.take("artifacts", "X y.py")[0] == "claude/2026/03/artifacts/000000aa X y-2.py"
    assert message["key"] == "claude:11111111-2222-4333-8444-0000000000aa"
    assert message["facts"]["title"] == "A talk"


@pytest.mark.parametrize("created", ["", "yesterday", "0000-01-01T00:00:00Z", "2026-13-01", "2026-03-32"])
def test_a_time_that_is_none_makes_no_folder(bench, created):
    """What has no date that can be is kept under its other date, or as undated."""
    (other,) = placed(bench, chat(created=created))
    assert other["place"]["page"].startswith("claude/2026/03/2026-03-07 ")
    (none,) = placed(bench, chat(created=created, updated=created))
    assert none["place"]["page"] == "claude/undated/undated A talk ~000000aa.md"


def test_what_is_no_chat_has_its_files_beside_it(bench):
    """A project's page is not among the chats, and its files are in a folder beside it."""
    (message,) = placed(bench, chat(kind="project", title="Garden"))
    place = Place.of(message["place"])
    assert place.page == "claude/projects/Garden ~000000aa.md"
    assert place.take("attachments", "plan.txt") == ("claude/projects/Garden ~000000aa/plan.txt", "Garden%20~000000aa/plan.txt")


def test_ids_with_equal_ends_are_told_apart(bench):
    """The second of two ids with the same last digits goes by its full id."""
    pages = [message["place"]["page"] for message in placed(bench, chat(), chat(OTHER))]
    assert pages[1] == "claude/2026/03/2026-03-07 A talk ~999999992222433384440000000000aa.md"


def test_titles_that_differ_in_case_or_composition_get_two_pages(bench):
    """Twins for a file system that cares for neither case nor composition do not share a page."""
    titles = ["Café", "CAFÉ", "Cafe\u0301"]
    chats = [chat(f"{number}1111111-2222-4333-8444-00000000000{number}", title) for number, title in enumerate(titles)]
    pages = {message["place"]["page"].lower() for message in placed(bench, *chats, page_name="{title}")}
    assert len(pages) == 3


def test_equal_ones_are_converted_once(bench):
    """A conversation that comes again, alike, is counted as a duplicate and goes no further."""
    first, again = bench.through(ConversationPlaces(), arriving(chat()), arriving(chat(), file="other.json"))
    assert (outcome(first), outcome(again)) == (None, "skipped: duplicate")


@pytest.mark.parametrize("newer_first", [True, False])
@pytest.mark.parametrize("files", [("new.json", "old.json"), ("c.json", "c.json")])
def test_the_newest_version_wins(bench, newer_first, files):
    """Of versions in two files, or in two archives, the newer is there in the end, whichever comes first, in one place."""
    new = arriving(chat(updated="2026-05-01T00:00:00Z"), "d2", files[0])
    old = arriving(chat(updated="2026-04-01T00:00:00Z"), "d1", files[1])
    new["source"]["archive"], old["source"]["archive"] = "new", "old"
    found = bench.through(ConversationPlaces(), *([new, old] if newer_first else [old, new]))
    if newer_first:
        assert outcome(found[1]) == "skipped: older version"
    else:
        assert found[0]["place"]["page"] == found[1]["place"]["page"]
        assert found[1]["known"] == {}


def test_of_two_that_are_equally_old_the_same_one_wins_in_every_run(bench):
    """Two files with one id and one time that differ cost a page once; later runs know which of them lost."""

    def come(*digests):
        return [outcome(message) for message in run(bench, *(arriving(chat(), digest, f"{digest}.json") for digest in digests))]

    assert come("d1", "d2") == [None, None]
    for _ in range(2):
        assert come("d1", "d2") == ["skipped: older version", None]
    assert come("d1", "d2", "d3") == ["skipped: older version", None, None]
    assert come("d1", "d2", "d3") == ["skipped: older version", "skipped: older version", None]
    assert come("d3", "d2") == [None, "skipped: older version"]


def test_what_is_changed_back_is_written(bench):
    """A chat without a new time that becomes again what it once was is no version that lost."""
    found = [run(bench, arriving(chat(), digest))[0] for digest in ("d1", "d2", "d1")]
    assert [outcome(message) for message in found] == [None, None, None]


def test_two_in_one_file_with_one_id_are_both_kept(bench):
    """Conversations of one file that share an id and differ are no versions: each gets a page."""
    first, second = placed(bench, chat(), chat(title="Another"))
    assert first["key"] != second["key"]
    assert first["place"]["page"] != second["place"]["page"]


def test_a_later_run_finds_its_pages_again(bench):
    """What was given a place keeps it in the next run, in any order, and knows what was written."""
    first = run(bench, arriving(chat(), "d1"), arriving(chat(OTHER), "d2"))
    second = run(bench, arriving(chat(OTHER), "d2"), arriving(chat(), "d1"))
    assert [m["place"]["page"] for m in reversed(second)] == [m["place"]["page"] for m in first]
    assert second[0]["known"] == {first[1]["place"]["page"]: ["sha", 4]}


def test_a_new_title_leaves_one_page(bench):
    """A conversation that was renamed gets a page under its new title, and the old page goes."""
    run(bench, arriving(chat()))
    (message,) = run(bench, arriving(chat(title="a TALK"), "d2"))
    assert message["place"]["was"].endswith("A talk ~000000aa.md")
    pages = [file.name for file in bench.output.rglob("*.md")]
    assert pages == ["2026-03-07 a TALK ~000000aa.md"]


def test_a_name_that_was_given_up_goes_to_nobody_else_in_that_run(bench):
    """A page under an old title may be there still, with a user's notes: the next chat of that title gets another name."""
    one, other = chat(title="One"), chat(OTHER, title="Two")
    run(bench, arriving(one), arriving(other, "d2"), page_name="{title}")
    changed = [arriving({**other, "title": "Three"}, "d3"), arriving({**one, "title": "Two"}, "d4")]
    pages = [m["place"]["page"] for m in run(bench, *changed, page_name="{title}")]
    assert pages == ["Three.md", "Two ~000000aa.md"]
    assert [m["place"]["page"] for m in run(bench, *changed, page_name="{title}")] == pages


def test_an_older_export_does_not_undo_a_newer_one(bench):
    """What is older than what an earlier run wrote is left out; a second run over the same is not."""
    run(bench, arriving(chat(updated="2026-05-01T00:00:00Z"), "d2"))
    (older,) = run(bench, arriving(chat(updated="2026-04-01T00:00:00.5Z"), "d1"))
    (same,) = run(bench, arriving(chat(updated="2026-05-01T00:00:00Z"), "d2"))
    assert (outcome(older), outcome(same)) == ("skipped: older than what is there", None)


def test_projects_come_from_a_file(bench):
    """A file says which project a conversation belongs to, by id or title; names and facts have it."""
    (bench.app / "projects.json").write_text(json.dumps({"A talk": "Garden/Shed"}))
    (message,) = placed(bench, chat(), projects="projects.json", page_name="{project}/{title}")
    assert message["place"]["page"] == "Garden-Shed/A talk.md"
    assert message["facts"]["project"] == "Garden/Shed"
    (bench.app / "projects.json").write_text("[1]")
    with pytest.raises(RunError, match="must be a JSON object"):
        placed(bench, chat(), projects="projects.json")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"page_name": "{titel}"}, r"there is no \{titel\}; there are"),
        ({"page_name": "a/../b"}, "is no relative path"),
        ({"asset_name": "{id}"}, r"needs \{name\}"),
        ({"asset_name": "{name}"}, r"needs \{id\} or \{fullId\}"),
        ({"page_name": "{"}, "a template of ConversationPlaces is wrong"),
    ],
)
def test_a_wrong_template_is_refused_at_once(settings, said):
    """A template that names what is not there, or leads out, is an error before anything runs."""
    with pytest.raises(UsageError, match=said):
        ConversationPlaces(**settings)


def test_a_ledger_that_is_none_is_an_error(bench):
    """A file that is no ledger, or one of another version, is named rather than overwritten."""
    bench.output.mkdir()
    (bench.output / ".state.db").write_text("no database, but text that is long enough to be looked at " * 20)
    with pytest.raises(RunError, match=r"'.*\.state\.db' is no SQLite database; move it away"):
        placed(bench, chat())


def test_half_a_surrogate_does_no_harm(bench):
    """Ids, titles and times with lone surrogates are recorded and found again."""
    odd = chat("\ud800-id", "t\udfff", updated="\ud83d")
    run(bench, arriving(odd))
    (message,) = run(bench, arriving(odd))
    assert message["known"] != {}
    with closing(Ledger(bench.output / ".state.db")) as ledger:
        (entry,) = map(json.loads, ledger.entries())
    assert entry["title"] == "t\udfff"


@pytest.mark.parametrize(
    ("page", "title", "path"),
    [
        ("{title}", "index", "index_.md"),
        ("{title}", "Statistics", "Statistics_.md"),
        ("{title}", "index-2026", "index-2026_.md"),
        ("{title}", "index of all", "index of all.md"),
        ("{title}/{id}", "index.md", "index_.md/000000aa.md"),
        ("{title}/{id}", "search", "search_/000000aa.md"),
        ("{provider}/{title}", "index", "claude/index.md"),
    ],
)
def test_no_page_has_the_name_of_what_is_made_of_the_whole(bench, page, title, path):
    """Index and statistics would be written over a conversation, or could not be written at all."""
    (message,) = placed(bench, chat(title=title), page_name=page)
    assert message["place"]["page"] == path


def test_files_about_the_whole_may_be_called_otherwise():
    """What a setting calls them is no page's name, nor is that of the page for a browser."""
    names = names_of_whole([{"file": "Home.html"}, {"file": "lists/All.md"}, {"rate": 5}])
    assert [aside(name, names) for name in ("home.md", "lists/all.md", "lists/x.md")] == [
        "home_.md",
        "lists/all_.md",
        "lists/x.md",
    ]


def test_a_place_is_clear_where_nothing_can_be(bench):
    """Only in a folder that was empty when the run began, for the first version of a conversation, nothing is there."""
    bench.output.mkdir()
    (bench.output / ".transmissions").write_text("{}")
    versions = [arriving(chat(updated=f"2026-03-0{day}T12:00:00Z"), digest=f"d{day}", file=f"{day}.json") for day in (7, 8)]
    first, again = run(bench, *versions)
    assert [first["place"]["clear"], again["place"]["clear"]] == [True, False]
    (later,) = run(bench, arriving(chat(id=OTHER), digest="d9"))
    assert later["place"]["clear"] is False


@pytest.mark.parametrize("name", ["Talk.md", "talk.MD", "Talk.html"])
def test_no_file_of_a_conversation_has_the_path_of_its_page(name):
    """Whatever the templates say: neither that of the Markdown page nor that of the HTML page beside it."""
    place = Place("a/Talk.md", "a/\1")
    stem, extension = name.split(".")
    assert place.take("artifacts", name) == (f"a/{stem}-2.{extension}", f"{stem}-2.{extension}")
