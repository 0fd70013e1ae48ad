import hashlib
import json
import os

from transmissions.processors.conversation_ledger import ConversationLedger
from transmissions.processors.ledger import NAME, Known, Ledger

PAGE = "a/Talk ~1.md"
HTML = "a/Talk ~1.html"
ASSET = "a/artifacts/1 x.py"


def record(bench, *paths, page=PAGE, was=PAGE):
    """Record that a run has written these files, each with its path as content, and return what the ledger says then."""
    written = []
    for path in paths:
        content = path.encode()
        (bench.output / path).parent.mkdir(parents=True, exist_ok=True)
        (bench.output / path).write_bytes(content)
        written.append([path, hashlib.sha1(content, usedforsecurity=False).hexdigest(), len(content), True])
    place = {"page": page, "was": was, "updated": "", "digest": "", "wanted": page, "id": "1", "folder": "0001"}
    facts = {"title": "Talk", "created": "", "page": next((path for path in paths if path == page), "")}
    bench.through(ConversationLedger(), {"key": "k:1", "place": place, "facts": facts, "written": written})
    ledger = Ledger(bench.output / NAME)
    known, (facts,) = ledger.known("k:1"), list(map(json.loads, ledger.entries()))
    ledger.close()
    return sorted(known.files), facts["page"]


def files(bench):
    """Return the paths of all files but the ledger's."""
    paths = (path.relative_to(bench.output).as_posix() for path in bench.output.rglob("*") if path.is_file())
    return sorted(path for path in paths if not path.startswith(NAME))


def test_a_page_under_an_old_title_is_removed(bench):
    """A new title moves the page, even one with notes, which stand below the new one; so too the page for browsers."""
    record(bench, PAGE, HTML, was="")
    (bench.output / PAGE).write_text("with notes")
    record(bench, "a/New ~1.md", "a/New ~1.html", page="a/New ~1.md")
    assert files(bench) == ["a/New ~1.html", "a/New ~1.md"]


def test_a_title_that_differs_in_case_removes_no_page(bench):
    """Where small and capital letters are the same to the file system, the page under the old title is the new one."""
    record(bench, PAGE, was="")
    os.link(bench.output / PAGE, bench.output / "a/talk ~1.md")
    record(bench, "a/talk ~1.md", page="a/talk ~1.md")
    assert "a/talk ~1.md" in files(bench)
    assert (bench.output / PAGE).samefile(bench.output / "a/talk ~1.md")


def test_what_is_no_longer_made_is_removed(bench):
    """An artifact that a newer version does not have goes, and with it the folder that is empty now."""
    record(bench, PAGE, ASSET, was="")
    assert record(bench, PAGE) == ([PAGE], PAGE)
    assert files(bench) == [PAGE]
    assert not (bench.output / "a/artifacts").exists()


def test_what_a_user_has_changed_is_never_removed(bench):
    """A file that is not as it was written stays where it is and is known, though no run makes it any more."""
    record(bench, PAGE, ASSET, was="")
    (bench.output / ASSET).write_text("mine")
    for _ in range(2):
        assert record(bench, PAGE) == ([PAGE, ASSET], PAGE)
        assert files(bench) == [PAGE, ASSET]


def test_pages_of_a_target_that_is_off_stay(bench):
    """A run without HTML leaves the HTML pages as they are, and the next run knows them."""
    record(bench, PAGE, HTML, was="")
    assert record(bench, PAGE) == ([HTML, PAGE], PAGE)
    assert record(bench, HTML) == ([HTML, PAGE], PAGE)
    assert files(bench) == [HTML, PAGE]


def test_pages_of_a_target_that_is_off_stay_under_their_old_title(bench):
    """A new title does not move them: they stay in every run until the target is on again."""
    record(bench, PAGE, HTML, was="")
    for was in (PAGE, "a/New ~1.md"):
        record(bench, "a/New ~1.md", page="a/New ~1.md", was=was)
        assert files(bench) == ["a/New ~1.md", HTML]
    record(bench, "a/New ~1.md", "a/New ~1.html", page="a/New ~1.md", was="a/New ~1.md")
    assert files(bench) == ["a/New ~1.html", "a/New ~1.md"]


def test_a_run_without_pages_leaves_everything(bench):
    """A run that writes no page at all removes nothing, and the index still leads to what is there."""
    record(bench, PAGE, ASSET, was="")
    assert record(bench) == ([PAGE, ASSET], PAGE)
    assert files(bench) == [PAGE, ASSET]


def test_another_layout_replaces_the_page(bench):
    """Where the pages are one to a message now, the page of the whole conversation goes."""
    record(bench, PAGE, HTML, was="")
    record(bench, "0001/2026-03-07_m1.md")
    assert files(bench) == ["0001/2026-03-07_m1.md", HTML]


def test_a_page_a_user_wrote_on_outlives_another_layout(bench):
    """It stays beside the pages of single messages, and is known when the layout is the old one again."""
    record(bench, PAGE, was="")
    (bench.output / PAGE).write_text("mine")
    assert record(bench, "0001/2026-03-07_m1.md")[0] == ["0001/2026-03-07_m1.md", PAGE]
    assert (bench.output / PAGE).read_text() == "mine"


def test_facts_are_recorded_as_they_came(bench):
    """Signs of every alphabet, controls and half a surrogate pair come back; JSON is as Python writes it."""
    facts = {"title": 'Größe 😀 "quoted" \x00\x7f\\', "models": ["a", "b"], "tokens": None, "n": {"x": 1.5, "y": -7}}
    halves = {"title": "half \ud83d", "page": ""}
    known = Known("", "", "", PAGE, "", "", {"half \udc80.md": ["aa", 1], "Größe.md": ["bb", 2]})
    ledger = Ledger(bench.output / NAME)
    ledger.record("k:1", known, facts)
    ledger.record("k:2", known, halves)
    ledger.commit()
    first, second = ledger.entries()
    assert ledger.known("k:1") == known
    ledger.close()
    assert first == json.dumps(facts, ensure_ascii=False)
    assert (json.loads(second), second.isascii()) == (halves, True)


def test_what_is_settled_is_in_the_file_itself(bench):
    """A ledger that is settled needs nothing of the log beside it, though others have it open."""
    path = bench.output / NAME
    ledger, other = Ledger(path), Ledger(path)
    ledger.record("k:1", Known("", "", "", PAGE, "", "", {}), {"title": "Talk"})
    ledger.commit()
    ledger.settle()
    ledger.close()
    (bench.output / "copy").write_bytes(path.read_bytes())
    other.close()
    copy = Ledger(bench.output / "copy")
    assert [*copy.entries()] == ['{"title": "Talk"}']
    copy.close()
