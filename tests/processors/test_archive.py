import io
import json
import random
import zipfile
from pathlib import Path

import pytest
from generate_claude import make_conversation, make_message, sample, text_block

from transmissions import RunError, UsageError
from transmissions.processors.archive import ArchiveReader
from transmissions.processors.importer import ConversationImporter

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


@pytest.mark.parametrize("order", [1, -1])
def test_an_archive_without_conversations_costs_no_other(bench, export, order):
    """Of several archives those that have something are read, whichever comes first; the others are told of."""
    (bench.data / "none").mkdir()
    messages = [{"archive": "none"}, {"archive": "export"}][::order]
    assert bench.through(ArchiveReader(), *messages)
    assert [reason.partition(" in ")[0] for reason, _ in bench.skipped] == ["no conversations"]


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
    with pytest.raises(RunError, match=r"times its size, more than 200 \(:maxRatio\)"):
        bench.through(ArchiveReader(archive="bomb.zip"), {})
    with pytest.raises(RunError, match=r"more than 1000 \(:maxUnpacked\)"):
        bench.through(ArchiveReader(archive="bomb.zip", max_unpacked=1000), {})


def test_a_damaged_zip_is_an_error(bench, export):
    """A ZIP of which nothing is left, or whose content is spoilt, is an error that names it."""
    with zipfile.ZipFile(bench.data / "cut.zip", "w") as packed:
        packed.write(export / "zz.json", "c.json")
    data = (bench.data / "cut.zip").read_bytes()
    (bench.data / "cut.zip").write_bytes(data[:20])
    with pytest.raises(RunError, match=r"cut.zip' cannot be read as a ZIP"):
        bench.through(ArchiveReader(archive="cut.zip"), {})
    (bench.data / "cut.zip").write_bytes(data.replace(b"Is anybody there?", b"Is anybody here?!"))
    with pytest.raises(RunError, match=r"'c.json' in .* is damaged"):
        bench.through(ArchiveReader(archive="cut.zip"), {})


class Pipe(io.BytesIO):
    """Something a ZIP can only be streamed to: sizes follow each file."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise io.UnsupportedOperation


@pytest.mark.parametrize("make", [io.BytesIO, Pipe])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("share", [0.5, 0.99])
@pytest.mark.parametrize("is_wide", [False, True])
def test_what_stands_before_the_end_of_a_cut_zip_is_read(bench, make, method, share, is_wide):
    """Of a download that was broken off, all chats come that are whole; that it was is told."""
    noise = random.Random(1).randbytes(20000).hex()
    chats = [{**sample()[0], "uuid": f"{n:08x}", "name": noise[n * 1000 :][:1000]} for n in range(40)]
    stream = make()
    with zipfile.ZipFile(stream, "w", method) as packed:
        for name, held in {"a/é.json": chats[:4], "c.json": chats[4:]}.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with packed.open(info, "w", force_zip64=is_wide) as member:
                member.write(json.dumps(held).encode())
    data = stream.getvalue()
    (bench.data / "cut.zip").write_bytes(data[: int(len(data) * share)])
    start = {"archive": "cut.zip"}
    messages = bench.through(ArchiveReader(), start)
    assert [message["element"] for message in messages[:10]] == chats[:10]
    assert [message["source"]["file"] for message in messages[3:5]] == ["cut.zip/a/é.json", "cut.zip/c.json"]
    assert ["download broken off" in fault for fault in start["input"]["faults"]] == [True]


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


def zipped(**files):
    """Return the bytes of a ZIP."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name.replace("__", "/"), data)
    return stream.getvalue()


def test_every_byte_is_accounted_for(bench):
    """What elements, broken stretches and the marks between them take adds up to the size of each file."""
    text = json.dumps(sample(), indent=1).replace('"sender"', '"sender', 1)
    (bench.data / "c.json").write_text(f"\ufeff {text}\n")
    start = {"archive": "c.json"}
    messages = bench.through(ArchiveReader(), start)
    (file,) = start["input"]["files"]
    assert sum(file["read"].values()) == file["bytes"] == (bench.data / "c.json").stat().st_size
    assert file["read"]["elements"] == sum(message["source"]["size"] for message in messages)
    assert file["read"]["broken"] == bench.rejected[0][2]["bytes"]


def test_a_file_that_cannot_be_read_costs_itself(bench):
    """Of an archive with a damaged, an encrypted and an exploding part the others are read; each is skipped with its reason."""
    folder = bench.data / "parts"
    folder.mkdir()
    good = zipped(**{"c.json": json.dumps(sample()[:1])})
    (folder / "a.zip").write_bytes(good)
    (folder / "b.zip").write_bytes(good[:20])
    (folder / "c.zip").write_bytes(zipped(**{"c.json": b"[" + b" " * (20 << 20)}))
    (folder / "d.zip").write_bytes(
        zipped(**{"c.json": json.dumps(sample()[1:2])}).replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
        )
    )
    start = {"archive": "parts"}
    assert ids(bench.through(ArchiveReader(), start)) == ["01"]
    reasons = [reason for reason, _ in bench.skipped]
    assert [
        words in reason
        for words, reason in zip(("cannot be read as a ZIP", "times its size", "is encrypted"), reasons, strict=True)
    ]
    assert start["input"]["faults"] == reasons
    assert [file.get("reason") for file in start["input"]["files"]] == [None, *reasons]


def test_a_zip_in_a_zip_is_opened_and_a_document_is_not(bench):
    """A ZIP in a ZIP is read; one deeper is told of; a text document, which is a ZIP too, is a file."""
    inner = zipped(**{"c.json": json.dumps(sample()[:1]), "deeper.zip": zipped(x="1")})
    document = zipped(**{"[Content_Types].xml": "<x/>", "c.json": json.dumps(sample()[1:])})
    (bench.data / "outer.zip").write_bytes(zipped(**{"inner.zip": inner, "notes.docx": document}))
    start = {"archive": "outer.zip"}
    assert ids(bench.through(ArchiveReader(), start)) == ["01"]
    files = {file["name"]: file["holds"] for file in start["input"]["files"]}
    assert files["outer.zip/notes.docx"] == "a document"
    assert files["outer.zip/inner.zip/deeper.zip"] == "a ZIP in a ZIP in a ZIP"


def test_hidden_files_are_told_of(bench, export):
    """A folder whose own name begins with a dot is read; what is hidden inside it is skipped and said so."""
    (export / ".git").mkdir()
    (export / ".git/c.json").write_text(json.dumps(sample()))
    export.rename(bench.data / ".export")
    start = {"archive": ".export"}
    assert len(bench.through(ArchiveReader(), start)) == 4
    assert start["input"]["files"][-1] == {"name": ".git", "reason": "hidden, or a link: skipped"}


def test_what_programs_hide_their_chats_in_is_read(bench, export):
    """A backup of somebody's home has its sessions in hidden folders; `./` and `../` in a ZIP hide nothing."""
    (export / ".claude").mkdir()
    (export / "zz.json").rename(export / ".claude/zz.json")
    assert len(bench.through(ArchiveReader(), {"archive": "export"})) == 4
    names = (".codex/a.json", "./b.json", "../c.json", ".git/d.json", ".claude-old/e.json")
    packed = {name: json.dumps([one]) for name, one in zip(names, sample() * 2, strict=False)}
    (bench.data / "home.zip").write_bytes(zipped(**packed))
    assert ids(bench.through(ArchiveReader(), {"archive": "home.zip"})) == [
        one["uuid"][-2:] for one in (sample()[2], sample()[1], sample()[0])
    ]


MANIFEST = {
    "version": "1.0",
    "data_files": [
        {
            "category": "conversations",
            "part": part,
            "filename": f"conversations-00{part}.zip",
            "export_url": f"https://x.org/{part}",
        }
        for part in range(3)
    ],
}


@pytest.mark.parametrize("name", ["parts", "parts/manifest-1.json"])
def test_a_missing_part_of_an_export_is_told_of(bench, name):
    """The manifest's parts are read in any order, one that is not listed too; one that is missing is skipped input."""
    folder = bench.data / "parts"
    folder.mkdir()
    (folder / "manifest-1.json").write_text(json.dumps(MANIFEST))
    for part, number in ((2, 0), (0, 1), (7, 2)):
        data = zipped(**{"conversations.json": json.dumps(sample()[number : number + 1])})
        (folder / f"conversations-00{part}{' (1)' if part == 2 else ''}.zip").write_bytes(data)
    start = {"archive": name}
    assert sorted(ids(bench.through(ArchiveReader(), start))) == ["01", "02", "03"]
    assert start["input"]["missing"] == ["conversations-001.zip"]
    ((reason, fields),) = bench.skipped
    assert ("'conversations-001.zip'" in reason, fields["file"]) == (True, "conversations-001.zip")
    assert "https" not in json.dumps(start)


def test_an_app_says_which_other_reads_an_archive(bench):
    """A reader of one provider's chats names what it found instead, and who reads that."""
    (bench.data / "c.json").write_text(json.dumps(sample()))
    with pytest.raises(RunError, match=r"no chatgpt conversations .* holds Claude conversations; run 'claude-json-converter'"):
        bench.through(ArchiveReader(archive="c.json", provider="chatgpt"), {})
    with pytest.raises(UsageError, match="did you mean 'claude'"):
        ArchiveReader(provider="cloude")


def test_any_json_can_be_read_as_it_is(bench):
    """For a converter of one's own, the elements of any JSON come as they are, of no known shape."""
    (bench.data / "a.json").write_text('[{"a": 1}, {"a": 2}]')
    (bench.data / "b.jsonl").write_text('{"b": 1}\n{"b": 2}\n')
    (bench.data / "c.txt").write_text("no JSON")
    messages = bench.through(ArchiveReader(provider="json"), {})
    assert [message["element"] for message in messages] == [{"a": 1}, {"a": 2}, {"b": 1}, {"b": 2}]


def test_a_dry_run_says_what_was_found(bench, export):
    """Before a run, each file is named with what is in it and whether it will be read."""
    reader = bench.attach(ArchiveReader(archive="export"))
    assert [line.partition(": ")[2].rpartition(", ")[2] for line in reader.foresee({})] == ["not to be read", "to be read"]


def test_a_dead_letter_is_read_again(bench):
    """A letter's text, mended, gives its conversation with its place; unmended, it is set aside again."""
    (bench.data / "c.json").write_text(json.dumps(sample()).replace('"chat_messages"', '"chat_messages" oops', 1))
    reader = ArchiveReader(archive="c.json")
    bench.through(reader, {})
    fragment, _, fields = bench.rejected.pop()
    assert list(reader.retry({"message": fragment, **fields})) == []
    assert bench.rejected.pop()[2] == fields
    (message,) = reader.retry({"message": fragment.replace(" oops", ""), **fields})
    assert message["element"] == sample()[0]
    assert (message["source"]["offset"], message["shape"]) == (1, "claude")


def test_archives_that_are_listed_together_have_their_files_in_common(bench):
    """An image in the second part of an export is found for a chat of the first, and its archive is nothing to complain of."""
    conversations = json.dumps(sample()[:1])
    (bench.data / "1.zip").write_bytes(zipped(**{"c.json": conversations, "own.png": b"one"}))
    (bench.data / "2.zip").write_bytes(zipped(**{"file-abcd.png": b"image", "own.png": b"two"}))
    start = {"archive": ["1.zip", "2.zip"]}
    (message,) = bench.through(ArchiveReader(), start)
    assert [message["members"].find(name).read() for name in ("file-abcd", "own.png")] == [b"image", b"one"]
    importer = bench.attach(ConversationImporter())
    importer.process(message)
    importer.end_group(start)
    assert [account["name"] for account in start["input"]] == ["1.zip", "2.zip"]
    assert start["input"][1]["files"][0]["reason"] == "used by 1 conversation"
    assert not bench.skipped


def test_files_of_one_name_in_two_archives_are_told_apart(bench):
    """Where a conversation stood says in which archive: every export calls its file the same."""
    for folder in ("may", "june"):
        (bench.data / folder).mkdir()
        (bench.data / folder / "conversations.json").write_text(json.dumps(sample()[:1]))
    messages = bench.through(ArchiveReader(), {"archive": ["may", "june"]})
    assert [Path(message["source"]["archive"]).name for message in messages] == ["may", "june"]


def test_one_of_several_archives_that_is_none_is_told(bench, export):
    """A file that was listed by mistake, or holds chats nobody asked for, is told of; the others are read."""
    (bench.data / "notes.txt").write_text("notes")
    assert bench.through(ArchiveReader(), {"archive": ["notes.txt", "export"]})
    assert [reason.partition(" in ")[0] for reason, _ in bench.skipped] == ["no conversations"]
    with pytest.raises(RunError, match="no conversations in"):
        bench.through(ArchiveReader(), {"archive": ["notes.txt"]})
