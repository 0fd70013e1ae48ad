import os

import pytest
from chats import chat

from transmissions import RunError
from transmissions.processors.conversation_writer import ConversationWriter
from transmissions.processors.notes import notes_marker

PAGE = "a/Talk ~1.md"
MARK = notes_marker("1")


def page(words):
    """Return the bytes of a page."""
    return f"# Talk\n\n{words}\n\n{MARK}\n".encode()


def write(bench, content, known=None, path=PAGE, was="", again=False, page=""):
    """Write one page and return what is told of it, as the next run will know it."""
    place = {"page": page or path, "was": was or path, "again": again}
    message = {"conversation": chat(), "files": [(path, content)], "known": known or {}, "place": place}
    (result,) = bench.through(ConversationWriter(), message)
    assert not {"conversation", "files", "known"} & result.keys()
    return {path: [digest, size] for path, digest, size, _ in result["written"]}, result["written"][0][3]


def test_what_has_not_changed_is_left_alone(bench):
    """A page whose content is the same is not written, even if a user has edited it since."""
    known, _ = write(bench, page("one"))
    (bench.output / PAGE).write_text("mine")
    _, changed = write(bench, page("one"), known)
    assert changed is False
    assert (bench.output / PAGE).read_text() == "mine"


def test_the_latest_version_of_a_run_stays_whoever_wrote_the_one_before(bench):
    """Of two versions in one run another process may have written the first: that the ledger knows the second is not enough."""
    known, _ = write(bench, page("two"))
    write(bench, page("one"), known)
    assert write(bench, page("two"), known, again=True)[1] is True
    assert (bench.output / PAGE).read_bytes() == page("two")
    assert write(bench, page("two"), known, again=True)[1] is False


def test_a_page_that_stayed_while_its_target_was_off_is_known(bench):
    """The ledger marks it; that is no change, and a user's edits above its last line are told from it as ever."""
    known, _ = write(bench, page("one"))
    marked = {PAGE: [*known[PAGE], "off"]}
    assert write(bench, page("one"), marked)[1] is False
    assert write(bench, page("two"), marked)[1] is True
    assert [found.name for found in (bench.output / PAGE).parent.iterdir()] == ["Talk ~1.md"]


def test_where_nothing_was_nothing_is_looked_for(bench):
    """A run that began with a clear folder writes a page without asking what is there; other runs keep what is."""
    write(bench, page("one"))
    place = {"page": PAGE, "was": "", "again": False, "clear": True}
    message = {"conversation": chat(), "files": [(PAGE, page("two"))], "known": {}, "place": place}
    bench.through(ConversationWriter(), message)
    assert [found.name for found in (bench.output / PAGE).parent.iterdir()] == ["Talk ~1.md"]
    write(bench, page("three"))
    assert (bench.output / "a/Talk ~1 (edited).md").read_bytes() == page("two")


def test_a_file_with_the_path_of_its_page_does_not_replace_it(bench):
    """Where templates give both one path, the page is kept beside it, in a clear folder too."""
    place = {"page": PAGE, "was": "", "again": False, "clear": True}
    files = [(PAGE, page("one")), (PAGE, b"an artifact")]
    bench.through(ConversationWriter(), {"conversation": chat(), "files": files, "known": {}, "place": place})
    kept = {found.name: found.read_bytes() for found in (bench.output / PAGE).parent.iterdir()}
    assert kept == {"Talk ~1.md": b"an artifact", "Talk ~1 (edited).md": page("one")}


def test_what_is_missing_is_written_again(bench):
    """A page that is gone is written, whatever the ledger says."""
    known, _ = write(bench, page("one"))
    (bench.output / PAGE).unlink()
    assert write(bench, page("one"), known)[1] is True


def test_a_page_that_is_no_file_is_not_read(bench):
    """A pipe where a page was would be waited for; it is replaced."""
    (bench.output / PAGE).parent.mkdir(parents=True)
    os.mkfifo(bench.output / PAGE)
    assert write(bench, page("one"), {PAGE: ["d", 1]})[1] is True
    assert (bench.output / PAGE).read_bytes() == page("one")


@pytest.mark.parametrize("pieces", [False, True])
def test_notes_below_the_line_are_kept(bench, pieces):
    """What a user wrote below the last line is below the new page, time and again."""
    known, _ = write(bench, page("one"))
    with (bench.output / PAGE).open("a") as file:
        file.write("my note\n")
    for words in ("two", "three"):
        known, _ = write(bench, [page(words)[:9], page(words)[9:]] if pieces else page(words), known)
    assert (bench.output / PAGE).read_bytes() == page("three") + b"my note\n"
    assert [file.name for file in bench.output.rglob("*.md")] == ["Talk ~1.md"]


def test_notes_move_with_a_new_title(bench):
    """A page under a new title has the notes of the old one; had the run been killed in between, those of the new one."""
    known, _ = write(bench, page("one"))
    (bench.output / PAGE).write_bytes(page("one") + b"note")
    for _ in range(2):
        write(bench, page("two"), known, path="a/New ~1.md", was=PAGE)
        assert (bench.output / "a/New ~1.md").read_bytes() == page("two") + b"note"
        (bench.output / PAGE).unlink(missing_ok=True)


def test_a_page_that_was_edited_by_hand_is_not_lost(bench):
    """If the conversation has changed and so has the page, the user's page is kept beside the new one."""
    known, _ = write(bench, page("one"))
    edited = page("one, as I see it") + b"note"
    (bench.output / PAGE).write_bytes(edited)
    write(bench, page("two"), known)
    assert (bench.output / "a/Talk ~1 (edited).md").read_bytes() == edited
    assert (bench.output / PAGE).read_bytes() == page("two") + b"note"


def test_each_page_that_was_edited_is_kept(bench):
    """A second page that was edited by hand does not take the place of the first."""
    known, _ = write(bench, page("one"))
    for words in ("two", "three"):
        (bench.output / PAGE).write_bytes(page(f"before {words}, as I see it"))
        known, _ = write(bench, page(words), known)
    kept = {file.name: file.read_bytes() for file in bench.output.rglob("*edited*")}
    assert kept == {
        "Talk ~1 (edited).md": page("before two, as I see it"),
        "Talk ~1 (edited 2).md": page("before three, as I see it"),
    }


def test_what_a_killed_run_wrote_is_no_edit_by_hand(bench):
    """A page that is as it shall be, though the ledger does not know, is not taken for a user's."""
    known, _ = write(bench, page("one"))
    write(bench, page("two"), known)
    with (bench.output / PAGE).open("ab") as file:
        file.write(b"note")
    write(bench, page("two"), known)
    assert [file.name for file in bench.output.rglob("*.md")] == ["Talk ~1.md"]
    assert (bench.output / PAGE).read_bytes() == page("two") + b"note"


def test_without_a_ledger_notes_are_kept_too(bench):
    """A page that is there although nothing is known of it gives its notes to the new one."""
    write(bench, page("one"))
    (bench.output / PAGE).write_bytes(page("one") + b"note")
    write(bench, page("two"))
    assert (bench.output / PAGE).read_bytes() == page("two") + b"note"


def test_an_artifact_that_was_edited_by_hand_is_not_lost(bench):
    """People work on with what was made for them: where a newer version changes it too, theirs is kept beside it."""
    known, _ = write(bench, b"one", path="a/x.py", page=PAGE)
    (bench.output / "a/x.py").write_bytes(b"mine")
    write(bench, b"one", known, path="a/x.py", page=PAGE)
    write(bench, b"two", known, path="a/x.py", page=PAGE)
    assert {file.name: file.read_bytes() for file in bench.output.rglob("*.py")} == {"x.py": b"two", "x (edited).py": b"mine"}
    write(bench, b"three", known, path="a/x.py", page=PAGE, again=True)
    assert len(list(bench.output.rglob("*.py"))) == 2


@pytest.mark.parametrize("end", [f"{MARK}\n", ""])
def test_without_a_ledger_an_edit_is_not_lost(bench, end):
    """A page that nobody knows and that is not as it is to be is kept beside the new one; one that came in this run is not."""
    mine = f"# Talk\n\none, as I see it\n\n{end}".encode()
    write(bench, mine)
    two = f"# Talk\n\ntwo\n\n{end}".encode()
    write(bench, two)
    assert (bench.output / "a/Talk ~1 (edited).md").read_bytes() == mine
    assert (bench.output / PAGE).read_bytes() == two
    write(bench, page("three"), again=True)
    assert len(list(bench.output.rglob("*.md"))) == 2


@pytest.mark.parametrize("known", [{}, {"a/Old ~1.md": ["d", 1]}])
def test_a_page_that_is_none_of_ours_is_not_lost(bench, known):
    """What somebody wrote where a page is to be is kept beside it, and the notes of the old page come all the same."""
    write(bench, b"my own", path=PAGE)
    write(bench, page("one") + b"note", path="a/Old ~1.md")
    write(bench, page("two"), known, was="a/Old ~1.md")
    assert (bench.output / "a/Talk ~1 (edited).md").read_bytes() == b"my own"
    assert (bench.output / PAGE).read_bytes() == page("two") + b"note"


def test_notes_outlive_a_page_without_a_line_for_them(bench):
    """Where the new page has no last line, as one for retrieval, the one with a user's notes is kept beside it."""
    known, _ = write(bench, page("one"))
    (bench.output / PAGE).write_bytes(page("one") + b"note")
    known, _ = write(bench, b"# Talk\n\none\n", known)
    assert (bench.output / "a/Talk ~1 (edited).md").read_bytes() == page("one") + b"note"
    write(bench, b"# Talk\n\ntwo\n", known)
    assert len(list(bench.output.rglob("*.md"))) == 2


@pytest.mark.parametrize("path", ["../x.md", "a/../../x", "/etc/x", "a//b", "a/..", "a\\b", "x\0y", ""])
def test_nothing_is_written_outside(bench, path):
    """A path that leads out of the output folder, or is no path, is refused."""
    with pytest.raises(RunError):
        write(bench, b"x", path=path)


def test_what_was_left_out_passes(bench):
    """A message without a conversation goes on as it is."""
    assert bench.through(ConversationWriter(), {"account": {}}) == [{"account": {}}]


def test_the_facts_name_a_page_that_is_there(bench):
    """Where the planned page is not among the files, the first page that is stands for it; none where there is none."""
    for files, page in (([("b.md", b"x"), ("c.md", b"x")], "b.md"), ([("b.html", b"x")], "b.html"), ([("x.py", b"")], "")):
        message = {"conversation": chat(), "files": files, "place": {"page": "a.md"}, "facts": {"page": "a.md"}}
        assert bench.through(ConversationWriter(), message)[0]["facts"] == {"page": page}
