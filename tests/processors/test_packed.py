import bz2
import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile

import pytest
from generate_claude import sample

from transmissions import RunError
from transmissions.processors.archive import ArchiveReader
from transmissions.processors.importer import ConversationImporter
from transmissions.processors.inputs import Archive
from transmissions.processors.packed import Unpacked, encoding_of
from transmissions.processors.tar_archive import in_tar
from transmissions.processors.zip_archive import Limits

TEXT = json.dumps(sample()[:2])
LINES = "".join(json.dumps({"messages": [{"role": "user", "content": words}]}) + "\n" for words in ("a", "ÿ"))


def tarred(mode, **files):
    """Return the bytes of a tar."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w{mode}") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return stream.getvalue()


def zipped(**files):
    """Return the bytes of a ZIP."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return stream.getvalue()


def written(folder, data):
    """Return where a tar was written."""
    (folder / "t.tar").write_bytes(data)
    return folder / "t.tar"


def read(bench, data, name="given", **settings):
    """Return what a file gives, and the account of it."""
    (bench.data / name).write_bytes(data)
    start = {"archive": name}
    return bench.through(ArchiveReader(**settings), start), start["input"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(TEXT.encode()), "given/given"),
        (bz2.compress(TEXT.encode()), "given/given"),
        (lzma.compress(TEXT.encode()), "given/given"),
        (tarred("", **{"c.json": TEXT.encode()}), "given/c.json"),
        (tarred(":gz", **{"c.json": TEXT.encode()}), "given/c.json"),
        (tarred(":gz", **{"c.zip": zipped(**{"c.json": TEXT})}), "given/c.zip/c.json"),
        (TEXT.encode("utf-16"), "given"),
        ((" " + TEXT).encode("utf-16-be"), "given"),
        (zipped(**{"c.json": TEXT.encode("utf-16")}), "given/c.json"),
    ],
)
def test_what_is_packed_is_read_as_what_is_in_it(bench, data, name):
    """A tar, compressed files and text in UTF-16 give what the same JSON gives, and every byte of it is accounted for."""
    messages, account = read(bench, data)
    assert [message["element"] for message in messages] == sample()[:2]
    file = account["files"][0]
    assert (file["name"], sum(file["read"].values())) == (name, file["bytes"])


@pytest.mark.parametrize("data", [LINES.encode("utf-16"), gzip.compress(LINES.encode()), LINES.encode("utf-8-sig")])
def test_lines_of_json_may_be_packed_too(bench, data):
    """So are files with an object to a line, whatever marks they begin with."""
    messages, _ = read(bench, data)
    assert [message["element"]["messages"][0]["content"] for message in messages] == ["a", "ÿ"]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (("\n" + TEXT).encode("utf-16-be"), "utf-16-be"),
        ("<html>".encode("utf-16-le"), "utf-16-le"),
        (b'{\0"uuid": "x"}', ""),
        (b"{\0\n}", ""),
        (b'\0{"uuid": "x"}', ""),
    ],
)
def test_one_zero_does_not_make_a_file_utf_16(data, encoding):
    """Without a mark UTF-16 is told by a zero in each of the first two characters: one alone is damage, and read as that."""
    assert encoding_of(data) == encoding


def test_links_in_a_tar_are_not_followed(bench):
    """A tar holds its own files: a link is told of among what was not looked at."""
    _, account = read(bench, tarred("", **{"c.json": TEXT.encode()}))
    assert account["files"][-1] == {"name": "given/link", "reason": "hidden, or a link: skipped"}


def test_a_tar_of_very_many_files_is_refused(tmp_path):
    """As a ZIP is: it would take all the places for files a disk has."""
    (tmp_path / "a.tar").write_bytes(tarred("", a=b"1", b=b"2", c=b"3"))
    assert "more than 3 files" in Archive(tmp_path / "a.tar", Limits(members=3)).parts[0].fault
    assert len(Archive(tmp_path / "a.tar", Limits(members=4)).parts) == 3


def test_a_damaged_tar_of_very_many_files_says_both(tmp_path):
    """That it was cut off does not hide that there is more in it than was read."""
    cut = tarred(":gz", **{f"{number}.json": random.Random(number).randbytes(5000) for number in range(9)})[:-9000]
    (tmp_path / "a.tgz").write_bytes(cut)
    faults = [part.fault for part in Archive(tmp_path / "a.tgz", Limits(members=3)).parts if part.fault]
    assert ["not whole gzip data" in fault for fault in faults] == [True, False]
    assert "more than 3 files" in faults[1]


def test_ways_in_a_zip_may_be_written_with_backslashes(tmp_path):
    """A ZIP made so on Windows holds the same files as any; in one that has slashes, a backslash is part of a name."""
    files = {"export\\": "", "export\\c.json": TEXT, ".git\\c.json": TEXT}
    for name, more in (("a.zip", {}), ("b.zip", {"d/e.json": TEXT})):
        (tmp_path / name).write_bytes(zipped(**files, **more))
    assert [part.blob.name for part in Archive(tmp_path / "a.zip", Limits()).parts] == ["a.zip/export/c.json"]
    assert "b.zip/export\\c.json" in [part.blob.name for part in Archive(tmp_path / "b.zip", Limits()).parts]


def test_a_zip_without_its_directory_is_held_to_the_limits_as_a_whole(tmp_path):
    """Members that are small enough each may be a bomb together, as in a ZIP with its directory."""
    data = zipped(**{f"{number}.json": "[" + " " * 100_000 + "]" for number in range(20)})
    (tmp_path / "a.zip").write_bytes(data[: data.index(b"PK\x01\x02")])
    (part,) = Archive(tmp_path / "a.zip", Limits(first=1_000_000)).parts
    assert "bytes, more than 200 times its size (:maxRatio)" in part.fault
    assert len(Archive(tmp_path / "a.zip", Limits()).parts) == 21


@pytest.mark.parametrize(
    ("data", "settings", "words"),
    [
        (gzip.compress(b"[" + b" " * (20 << 20)), {}, "'given' unpacks to more than 200 times its size"),
        (gzip.compress(TEXT.encode()), {"max_unpacked": 1000}, "'given' unpacks to more than 1000 bytes"),
        (gzip.compress(TEXT.encode())[:12], {}, "'given': not whole gzip data"),
        (tarred("", **{"c.json": TEXT.encode()})[:2000], {}, "'given' cannot be read as a tar"),
        (b"7z\xbc\xaf'\x1c" + b"x" * 600, {}, "'given' holds a 7-Zip archive; unpack it first"),
        (b"Rar!\x1a\x07" + b"x" * 600, {}, "'given' holds a RAR archive; unpack it first"),
    ],
)
def test_what_cannot_be_unpacked_says_why(bench, data, settings, words):
    """A bomb, a file that is cut off and one that nobody here can unpack are named with the reason."""
    with pytest.raises(RunError) as caught:
        read(bench, data, **settings)
    assert words in str(caught.value)


def test_what_stands_before_a_damage_is_read(bench):
    """Of an archive that is cut off, as a broken download is, all chats come that are whole; the rest is told of."""
    noise = random.Random(1).randbytes(40000).hex()
    chats = json.dumps(
        [{**sample()[0], "uuid": f"{n:08x}", "name": noise[n * 2000 : n * 2000 + 2000]} for n in range(40)]
    ).encode()
    for packed in (gzip.compress(chats), tarred(":gz", **{"c.json": chats})):
        (bench.data / "given").write_bytes(packed[: len(packed) // 2])
        start = {"archive": "given"}
        assert 10 < len(bench.through(ArchiveReader(), start)) < 30
        assert start["input"]["broken"] == 1
        assert [fault.partition(":")[0] for fault in start["input"]["faults"]] == ["'given'"]


def test_what_is_packed_too_deep_is_told(bench):
    """What unpacks to itself does not unpack for ever."""
    data = TEXT.encode()
    for _ in range(4):
        data = gzip.compress(data)
    with pytest.raises(RunError, match="something packed in what is packed twice"):
        read(bench, data)


def produced(bench, data):
    """Return what a reader whose run has not ended gives of a file, and the account of it."""
    (bench.data / "given").write_bytes(data)
    reader, start = ArchiveReader(), {"archive": "given"}
    messages = list(bench.attach(reader).produce(start))
    return messages, start["input"], reader


def test_a_packed_file_is_an_attachment_as_it_is(bench):
    """A ZIP or a compressed table that somebody attached is found whole; its files are said to be used with it."""
    attached = {"file-1234.zip": zipped(**{"a.py": "x"}), "file-5678.gz": gzip.compress(b"a,b")}
    messages, account, _reader = produced(bench, zipped(**attached, **{"c.json": TEXT}))
    members = messages[0]["members"]
    assert {name: members.find(name.partition(".")[0]).read() for name in attached} == attached
    importer = bench.attach(ConversationImporter())
    importer.process(messages[0])
    importer.end_group({"input": account})
    reasons = {file["name"]: file.get("reason") for file in account["files"]}
    assert reasons["given/file-1234.zip/a.py"] == "used by 1 conversation"


def test_what_is_unpacked_stays_until_the_run_ends(bench):
    """Steps behind the reader find an attachment of a ZIP in a ZIP when the archive has been read to its end."""
    messages, _, _reader = produced(bench, zipped(**{"inner.zip": zipped(**{"c.json": TEXT, "a.png": b"png"})}))
    assert messages[-1]["members"].find("a.png").read() == b"png"


def test_a_tar_that_is_damaged_behind_a_file_says_so(tmp_path):
    """What stands behind the damage is not left out without a word; what stands before it is read."""
    data = bytearray(tarred("", **{"a.json": TEXT.encode(), "b.json": TEXT.encode()}))
    damage = data.index(b"./b.json")
    data[damage] = 0xFF
    with pytest.raises(RunError, match=rf"'t.tar' cannot be read as a tar: what is at byte {damage} is no file of it"):
        list(in_tar(written(tmp_path, bytes(data)), "t.tar", Unpacked(), Limits()))


def test_a_tar_without_its_end_is_read(tmp_path):
    """Two empty blocks at the end are no more than a custom."""
    data = tarred("", **{"a.json": TEXT.encode()})
    end = data.index(b"link") + 512
    assert [name for name, _ in in_tar(written(tmp_path, data[:end]), "t.tar", Unpacked(), Limits())] == ["./a.json", "link"]


def test_a_name_in_a_tar_does_not_fill_the_memory(tmp_path):
    """Names and attributes of a file may be as long as names are: they are read whole."""
    long = tarfile.TarInfo("././@LongLink")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    with pytest.raises(RunError, match="the name or attributes of a file take 8589934592 bytes"):
        list(in_tar(written(tmp_path, long.tobuf(tarfile.GNU_FORMAT)), "t.tar", Unpacked(), Limits()))
