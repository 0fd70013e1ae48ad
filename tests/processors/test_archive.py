import json
import zipfile

import pytest
from generate_claude import make_conversation, make_message, sample, text_block

from transmissions import RunError
from transmissions.processors.archive import ArchiveReader

LOGINS = {"login_events": [{"time": "2026-03-07T12:00:00Z"}]}


@pytest.fixture
def export(bench):
    """Put an export into the data folder: conversations under a name that says nothing, and logins beside them."""
    (bench.data / "export").mkdir()
    (bench.data / "export/zz.json").write_text(json.dumps(sample()))
    (bench.data / "export/conversations.json").write_text(json.dumps(LOGINS))
    return bench.data / "export"


def ids(messages):
    return [message["element"]["uuid"][-2:] for message in messages]


def test_a_folder_is_known_by_the_shape_of_its_files(bench, export):
    """Conversations are found in a folder whatever the file is called; other files are told of, not read."""
    start = {"archive": "export"}
    assert ids(bench.through(ArchiveReader(), start)) == ["01", "02", "03", "04"]
    assert [file["holds"] for file in start["input"]["files"]] == ["the history of logins", "Claude conversations"]
    assert (start["input"]["elements"], start["input"]["broken"]) == (4, 0)


def test_file_folder_and_zip_give_the_same(bench, export):
    """One archive as a file, a folder, a ZIP and a folder of ZIPs gives the same conversations."""
    (bench.data / "zips").mkdir()
    for number, name in enumerate(("zips/a", "zips/b")):
        with zipfile.ZipFile(bench.data / name, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("deep/c.json", json.dumps(sample()[2 * number : 2 * number + 2]))
            packed.writestr("logins.json", json.dumps(LOGINS))
    for name in ("export/zz.json", "export", "zips"):
        assert ids(bench.through(ArchiveReader(archive=name), {})) == ["01", "02", "03", "04"]
    assert ids(bench.through(ArchiveReader(archive="zips/b"), {})) == ["03", "04"]


def test_a_single_conversation_is_an_archive(bench):
    """A file that holds one conversation, not a list, is converted."""
    (bench.data / "one").write_text(json.dumps(sample()[0], indent=2))
    assert ids(bench.through(ArchiveReader(archive="one"), {})) == ["01"]


def test_an_empty_export_is_no_error(bench):
    """A list without conversations gives none."""
    (bench.data / "none.json").write_text(" [ ]\n")
    assert bench.through(ArchiveReader(archive="none.json"), {}) == []


def test_what_holds_no_conversations_is_refused(bench, export):
    """Without conversations the error says what there is instead."""
    (export / "zz.json").unlink()
    with pytest.raises(RunError, match=r"no claude conversations .* 'conversations.json' holds the history of logins"):
        bench.through(ArchiveReader(archive="export", provider="claude"), {})
    with pytest.raises(RunError, match="no archive at"):
        bench.through(ArchiveReader(archive="nowhere"), {})


def test_links_in_a_folder_are_not_followed(bench, export, tmp_path):
    """A link inside an archive leads nowhere."""
    (tmp_path / "secret.json").write_text(json.dumps(sample()))
    (export / "zz.json").unlink()
    (export / "zz.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(RunError, match="no conversations in"):
        bench.through(ArchiveReader(archive="export"), {})


def test_a_bomb_is_refused(bench):
    """A ZIP whose content is far larger than itself is refused, by ratio or by size."""
    with zipfile.ZipFile(bench.data / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("conversations.json", b'[{"chat_messages": []' + b" " * (20 << 20))
    with pytest.raises(RunError, match=r"times its size, more than 200; refused"):
        bench.through(ArchiveReader(archive="bomb.zip"), {})
    with pytest.raises(RunError, match="more than 1000; refused"):
        bench.through(ArchiveReader(archive="bomb.zip", max_unpacked=1000), {})


def test_a_damaged_zip_is_an_error(bench, export):
    """A ZIP that is cut off, or whose content is spoilt, is an error that names it."""
    with zipfile.ZipFile(bench.data / "cut.zip", "w") as packed:
        packed.write(export / "zz.json", "c.json")
    data = (bench.data / "cut.zip").read_bytes()
    (bench.data / "cut.zip").write_bytes(data[:-40])
    with pytest.raises(RunError, match=r"cut.zip' cannot be read as a ZIP"):
        bench.through(ArchiveReader(archive="cut.zip"), {})
    (bench.data / "cut.zip").write_bytes(data.replace(b"Is anybody there?", b"Is anybody here?!"))
    with pytest.raises(RunError, match=r"'c.json' in .* is damaged"):
        bench.through(ArchiveReader(archive="cut.zip"), {})


def test_broken_conversations_become_dead_letters(bench):
    """A conversation that cannot be read is set aside with its file and byte offset; the others are read."""
    text = json.dumps(sample()).replace('"chat_messages"', '"chat_messages" oops', 1)
    (bench.data / "c.json").write_text(text)
    start = {"archive": "c.json"}
    assert ids(bench.through(ArchiveReader(), start)) == ["02", "03", "04"]
    ((fragment, _, where),) = bench.rejected
    assert (where["file"], where["offset"]) == ("c.json", 1)
    assert text[1:].startswith(fragment)
    assert start["input"]["broken"] == 1


def test_progress_is_told_in_bytes(bench):
    """While it reads, the reader says how many bytes of how many are done."""
    long = [make_conversation([make_message(1, "human", [text_block("word " * 100_000)])], number=n) for n in range(5)]
    (bench.data / "c.json").write_text(json.dumps(long))
    bench.through(ArchiveReader(archive="c.json"), {})
    told = [(fields["done"], fields["total"]) for event, fields in bench.events if event == "progress"]
    assert len(told) >= 2
    assert told == sorted(told)
    assert told[-1] == ((bench.data / "c.json").stat().st_size,) * 2
