"""FileReader and FileWriter."""

import asyncio
import gzip
import hashlib
import json
from pathlib import Path

import pytest

from transmissions import RunError
from transmissions.processors.compression import Compress
from transmissions.processors.files import FileReader, FileWriter
from transmissions.processors.hashes import Hash


@pytest.mark.parametrize("size", [3, 70_000])
def test_a_file_is_read_into_a_field(bench, size):
    """Small and large files are read whole, and a byte order mark is dropped."""
    (bench.data / "input").mkdir()
    (bench.data / "input/input.md").write_bytes(b"\xef\xbb\xbf" + b"a" * size)
    (message,) = bench.through(FileReader(target_field="page.text"), {"page": {"n": 1}})
    assert message["page"] == {"n": 1, "text": "a" * size}
    assert Path(message["filePath"]).name == "input.md"


def test_the_message_names_the_file_before_the_setting_does(bench):
    """`fullPath` wins over `filepath`, that over `sourceFile` in the message, that over the setting."""
    for name in "abcd":
        (bench.data / name).write_text(name)
    (bench.data / "sub").mkdir()
    (bench.data / "sub/b").write_text("below")
    full = {"fullPath": str(bench.data / "a"), "filepath": "b", "sourceFile": "c"}
    messages = [full, {"filepath": "b"}, {"filepath": "b", "targetPath": "sub"}, {"sourceFile": "c"}, {}]
    results = bench.through(FileReader(source_file="d"), *messages)
    assert [result["content"] for result in results] == ["a", "b", "below", "c", "d"]


@pytest.mark.parametrize("size", [3, 70_000])
def test_a_file_that_is_no_text_is_read_as_bytes(bench, size):
    """With `application/octet-stream` every byte arrives as it is, and can be written, hashed and compressed."""
    data = b"\xef\xbb\xbf\xff" + b"\x00" * size
    (bench.data / "in.bin").write_bytes(data)
    reader = FileReader(source_file="in.bin", media_type="application/octet-stream", cache=True)
    (message,) = bench.through(reader, {})
    assert message["content"] == data
    bench.through(Hash(input_field="content", output_field="sum"), message)
    assert message["sum"] == hashlib.sha256(data).hexdigest()
    bench.through(Compress(input_field="content", output_field="packed", codec="gzip"), message)
    assert gzip.decompress(message["packed"]) == data
    bench.through(FileWriter(destination_file="out.bin"), message)
    assert (bench.output / "out.bin").read_bytes() == data


def test_json_is_parsed(bench):
    """With a JSON media type the content is data, and a fault in it names file, line and column."""
    (bench.data / "good.json").write_text('{"a": [1]}')
    (bench.data / "bad.json").write_text('{"a":\n [1')
    reader = FileReader(media_type="application/json", target_field="data")
    assert bench.through(reader, {"sourceFile": "good.json"})[0]["data"] == {"a": [1]}
    with pytest.raises(RunError, match=r"bad\.json:2:4: not valid JSON"):
        bench.through(reader, {"sourceFile": "bad.json"})


def test_the_latest_content_may_be_kept(bench):
    """With `cache` an unchanged file is read once; a changed one is read again."""
    path = bench.data / "a.json"
    path.write_text("[1]")
    reader = FileReader(source_file="a.json", media_type="application/json", cache=True)
    first, second = bench.through(reader, {}, {})
    assert first["content"] is second["content"]
    path.write_text("[1, 2]")
    assert bench.through(reader, {})[0]["content"] == [1, 2]


def test_facts_about_the_file_are_kept(bench):
    """`metaField` takes name, size, times and mode."""
    (bench.data / "a.txt").write_text("abc")
    (message,) = bench.through(FileReader(source_file="a.txt", meta_field="meta"), {})
    meta = message["meta"]
    assert (meta["filename"], meta["size"], meta["isFile"]) == ("a.txt", 3, True)
    assert meta["modified"].endswith("+00:00")


def test_a_missing_file_is_an_error_that_says_where_it_was_looked_for(bench):
    """The error names the file and the folders; a folder in its place is named as such."""
    with pytest.raises(RunError, match=rf"no file 'none\.md'; looked in {bench.data}"):
        bench.through(FileReader(source_file="none.md"), {})
    with pytest.raises(RunError, match="it is a folder"):
        bench.through(FileReader(source_file="."), {})
    with pytest.raises(RunError, match="outside the folders of this run"):
        bench.through(FileReader(source_file="/etc/passwd"), {})


def test_bytes_that_are_not_in_the_encoding_are_located(bench):
    """A wrong byte is an error with its line, or replaced where that is wished."""
    (bench.data / "latin.txt").write_bytes(b"one\ncaf\xe9")
    with pytest.raises(RunError, match=r"latin\.txt:2: not utf-8: .* at byte 7"):
        bench.through(FileReader(source_file="latin.txt"), {})
    assert bench.through(FileReader(source_file="latin.txt", encoding="latin-1"), {})[0]["content"] == "one\ncafé"
    assert "\ufffd" in bench.through(FileReader(source_file="latin.txt", encoding_errors="replace"), {})[0]["content"]


def test_an_unknown_encoding_is_refused_at_once():
    """A misspelt encoding fails before any message comes."""
    with pytest.raises(LookupError, match="unknown encoding: utf-88"):
        FileReader(encoding="utf-88")


def test_a_field_is_written_to_a_file(bench):
    """Folders are made, text is written as it is and data as JSON, and the message goes on."""
    writer = FileWriter(destination_file="deep/er/out.txt", content_field="page.text")
    assert bench.through(writer, {"page": {"text": "é\n"}}) == [{"page": {"text": "é\n"}}]
    bench.through(writer, {"page": {"text": {"k": ["é"]}}, "filepath": "x.json", "targetPath": "sub"})
    assert (bench.output / "deep/er/out.txt").read_text(encoding="utf-8") == "é\n"
    assert (bench.output / "sub/x.json").read_text(encoding="utf-8") == '{\n  "k": [\n    "é"\n  ]\n}'


@pytest.mark.parametrize("fsync", [False, True])
def test_a_file_is_replaced_in_one_step_and_nothing_else_is_left(bench, fsync):
    """A second write replaces the first, with and without waiting for the disk, for large content too."""
    writer = FileWriter(destination_file="out.bin", fsync=fsync)
    bench.through(writer, {"content": b"old"}, {"content": "new" * 50_000})
    assert [path.name for path in bench.output.iterdir()] == ["out.bin"]
    assert (bench.output / "out.bin").read_text() == "new" * 50_000


def test_a_message_is_dumped(bench):
    """Setting or field has the whole message written, whatever is in it; it goes on."""
    assert bench.through(FileWriter(dump=True), {"n": Path("x")}) == [{"n": Path("x")}]
    assert json.loads((bench.output / "message.json").read_text()) == {"n": "x"}
    bench.through(FileWriter(), {"dump": True})
    assert json.loads((bench.output / "message.json").read_text()) == {"dump": True}


def test_half_a_character_pair_does_not_spoil_a_file(bench):
    """A lone surrogate is marked in text and named in JSON; the file is valid UTF-8 either way."""
    bench.through(FileWriter(destination_file="a"), {"content": "x\ud83dy"}, {"content": ["\ud83d"], "filepath": "b"})
    assert (bench.output / "a").read_text(encoding="utf-8") == "x\ufffdy"
    assert "\\ud83d" in (bench.output / "b").read_text(encoding="utf-8")


def test_nothing_is_written_outside_the_folders(bench):
    """A path in a message that leads out is refused."""
    with pytest.raises(RunError, match="outside the folders of this run"):
        bench.through(FileWriter(), {"content": "x", "filepath": "../../../evil"})


def test_a_message_without_the_content_field_fails(bench):
    """There is nothing to write, and the error names what there is."""
    with pytest.raises(RunError, match="no field 'content'; it has text"):
        asyncio.run(bench.attach(FileWriter()).process({"text": 1}))


def test_a_name_may_be_as_long_as_the_disk_allows(bench):
    """Names are limited in bytes; one of many letters outside ASCII that just fits can be written."""
    name = "\N{CJK UNIFIED IDEOGRAPH-65E5}" * 84 + ".md"
    bench.through(FileWriter(), {"filepath": name, "content": "x"})
    assert [path.name for path in bench.output.iterdir()] == [name]
