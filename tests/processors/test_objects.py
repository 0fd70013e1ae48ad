"""ObjectReader and ObjectWriter, on stores in memory and in folders."""

import sys
from pathlib import Path
from types import ModuleType

import fsspec
import pytest

from transmissions import OutputError, RunError, Secret, UsageError
from transmissions.processors.object_store import Option
from transmissions.processors.objects import ObjectReader, ObjectWriter


@pytest.fixture
def store():
    """Return an empty store in memory."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


def fill(store, **objects):
    for name, data in objects.items():
        store.pipe_file(f"/b/in/{name}.txt", data)


def read(bench, *messages, **settings):
    return bench.through(ObjectReader(**{"url": "memory://b/in/*.txt", **settings}), *(messages or ({"m": 1},)))


def test_every_object_is_a_message(bench, store):
    """Those a pattern finds, in order of their names, with URL and size."""
    fill(store, z="é".encode(), a=b"")
    assert read(bench) == [
        {"m": 1, "objectUrl": "memory://b/in/a.txt", "name": "a.txt", "size": 0, "content": ""},
        {"m": 1, "objectUrl": "memory://b/in/z.txt", "name": "z.txt", "size": 2, "content": "é"},
    ]
    assert [len(item) for item in read(bench, read="none")] == [4, 4]
    assert read(bench, url="memory://b/none/*") == []


def test_objects_may_come_in_blocks_or_as_files(bench, store):
    """So that one of any size needs little memory."""
    fill(store, a=b"abcde")
    assert [(one["blockNumber"], one["content"]) for one in read(bench, read="blocks", max_bytes=2)] == [
        (0, b"ab"), (1, b"cd"), (2, b"e"),
    ]  # fmt: skip
    (item,) = read(bench, read="file")
    assert item["fullPath"] == str(bench.output / "objects/a.txt")
    assert (bench.output / "objects/a.txt").read_bytes() == b"abcde"


def test_objects_of_many_folders_keep_their_names(bench, store):
    """Below the folder that the pattern begins with, so that equal last names do not meet."""
    for folder in ("x", "y/z"):
        store.pipe_file(f"/b/{folder}/a.txt", folder.encode())
    found = read(bench, url="memory://b/**/a.txt", read="file")
    assert [(item["name"], Path(item["fullPath"]).read_text()) for item in found] == [("x/a.txt", "x"), ("y/z/a.txt", "y/z")]


def test_an_object_cannot_choose_where_it_is_saved(bench, store):
    """Whatever a store calls it."""
    with pytest.raises(RunError, match="would be saved outside objects"):
        bench.attach(ObjectReader(url="memory://b"))._saved("b/../a.txt", "../a.txt")


def test_a_message_may_name_an_object_below_the_url(bench, store):
    """Below it only, and a wildcard in a name is a character."""
    store.pipe_file("/b/in/x[1]*.txt", b"1")
    assert read(bench, {"k": "x[1]*.txt"}, url="memory://b/in", name_field="k")[0]["content"] == "1"
    for name in ("../secret", "/etc/passwd", "http://e/", "a/../../b", "", "s3::x"):
        with pytest.raises(RunError, match="is no name below memory://b/in"):
            read(bench, {"k": name}, url="memory://b/in", name_field="k")
    with pytest.raises(RunError, match="there is no object 'memory://b/in/none'"):
        read(bench, {"k": "none"}, url="memory://b/in", name_field="k")


@pytest.mark.parametrize("url", ["in/*.txt", "file://in/*.txt", "in/a.txt", "**/a.txt"])
def test_folders_of_the_run_are_stores_too(bench, url):
    """Patterns find their files."""
    (bench.data / "in").mkdir()
    (bench.data / "in/a.txt").write_text("x")
    (item,) = read(bench, url=url)
    assert (item["content"], item["objectUrl"]) == ("x", str(bench.data / "in/a.txt"))


def test_folders_elsewhere_are_not(bench, tmp_path):
    """Neither by their path nor through a link."""
    (tmp_path / "secret.txt").write_text("x")
    (bench.data / "link.txt").symlink_to(tmp_path / "secret.txt")
    for url in ("../../*.txt", str(tmp_path / "secret.txt"), "link.txt", "*.txt"):
        with pytest.raises(RunError, match="outside the folders of this run"):
            read(bench, url=url)
    with pytest.raises(RunError, match="outside the folders of this run"):
        bench.through(ObjectWriter(url=str(tmp_path)), {"name": "x", "content": "y"})


def test_what_is_too_large_or_no_text_is_an_error(bench, store):
    """It names the object, and what to do."""
    fill(store, a=b"\xff\xfe\xfd")
    with pytest.raises(RunError, match=r"'memory://b/in/a\.txt' is larger than 2 bytes \(:maxBytes\)"):
        read(bench, max_bytes=2)
    with pytest.raises(RunError, match="is not UTF-8: invalid start byte at byte 0"):
        read(bench)
    assert read(bench, read="bytes")[0]["content"] == b"\xff\xfe\xfd"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://example.org/x", "is a page of the network: HttpClient fetches those"),
        ("https://example.org/x", "is a page of the network"),
        ("simplecache::http://example.org/x", "wraps one filesystem in another"),
        ("zip://a.txt", "wraps one filesystem in another"),
        ("reference://x", "wraps one filesystem in another"),
    ],
)
def test_the_network_is_not_reached_this_way(url, fault):
    """One door to the network is guarded; this would be another."""
    for kind in (ObjectReader, ObjectWriter):
        with pytest.raises(UsageError, match=fault):
            kind(url=url)


def test_a_filesystem_that_is_not_there_is_an_error(bench):
    """Unknown, not installed, or not with these options; secrets are not told."""
    with pytest.raises(RunError, match="the filesystem of nonesuch cannot be opened"):
        read(bench, url="nonesuch://x/*")
    with pytest.raises(RunError, match="the filesystem of dropbox is not installed"):
        read(bench, url="dropbox://x/*", options=(Option(name="token", secret=Secret("topsecret")),))


def test_a_pattern_in_a_bucket_that_is_not_there_is_an_error(bench, store):
    """Nothing found in one that is there is none: a name written wrong must not look like that."""
    fill(store, a=b"x")
    assert read(bench, url="memory://b/*.json") == []
    with pytest.raises(RunError, match=r"there is no object 'memory://bb/in/\*\.txt'"):
        read(bench, url="memory://bb/in/*.txt")


@pytest.mark.parametrize("kind", ["BotoCoreError", "TypeError"])
def test_what_a_library_of_a_store_says_is_told_by_the_url(bench, store, monkeypatch, kind):
    """Each has exceptions of its own, and most look at their options only when they connect."""
    library = ModuleType("botocore.exceptions")
    fault = library.BotoCoreError = type("BotoCoreError", (Exception,), {})

    def failing(*_, **__):
        raise (fault if kind == "BotoCoreError" else TypeError)("no option 'x'")

    monkeypatch.setitem(sys.modules, "botocore.exceptions", library)
    monkeypatch.setattr(type(store), "glob", failing)
    with pytest.raises(RunError, match=r"cannot use 'memory://b/in/\*\.txt': no option 'x'"):
        read(bench)


def test_a_store_that_says_why_there_is_no_object_is_heard(bench, store, monkeypatch):
    """That there is no bucket, say."""

    def failing(*_, **__):
        raise FileNotFoundError("there is no such bucket") from ConnectionError()

    monkeypatch.setattr(type(store), "open", failing)
    with pytest.raises(RunError, match="there is no object 'memory://b/x': there is no such bucket"):
        bench.through(ObjectWriter(url="memory://b"), {"name": "x", "content": ""})


def test_fields_become_objects(bench, store):
    """Text, bytes and JSON, under names below the URL; messages go on with the URL."""
    messages = [{"name": "a.txt", "content": "é"}, {"name": "x/b", "content": b"\0"}, {"name": "c", "content": {"d": 1}}]
    found = bench.through(ObjectWriter(url="memory://b/out/"), *[{**one} for one in messages])
    assert [one["objectUrl"] for one in found] == ["memory://b/out/a.txt", "memory://b/out/x/b", "memory://b/out/c"]
    assert store.cat("/b/out/a.txt") == "é".encode()
    assert store.cat("/b/out/x/b") == b"\0"
    assert store.cat("/b/out/c") == b'{\n  "d": 1\n}'


def test_files_of_any_size_are_sent(bench, store):
    """Where a message has no content but names one."""
    (bench.data / "big").write_bytes(b"x" * 3_000_000)
    bench.through(ObjectWriter(url="memory://b"), {"name": "one", "filepath": "big"})
    assert store.size("/b/one") == 3_000_000
    bench.through(ObjectWriter(url="out"), {"name": "x/one", "filepath": "big"})
    assert (bench.output / "out/x/one").stat().st_size == 3_000_000


def test_what_fails_leaves_nothing(bench, store, monkeypatch):
    """No half object, in memory or in a folder."""
    monkeypatch.setattr("transmissions.processors.objects._blocks_of", _failing)
    (bench.data / "big").write_bytes(b"x")
    for url in ("memory://b", "out"):
        with pytest.raises((RunError, OSError)):
            bench.through(ObjectWriter(url=url), {"name": "one", "filepath": "big"})
    assert not store.exists("/b/one")
    assert not list((bench.output / "out").iterdir())


def _failing(file):
    with file:
        yield b"half"
        raise OSError(5, "the disk is gone")


@pytest.mark.parametrize("name", ["../x", "/x", "s3://x"])
def test_names_cannot_lead_elsewhere(bench, store, name):
    """A message chooses below the URL only."""
    with pytest.raises(RunError, match="is no name below"):
        bench.through(ObjectWriter(url="memory://b"), {"name": name, "content": ""})


def test_a_folder_in_the_way_is_an_output_error(bench):
    """As for every writer of files."""
    (bench.output / "out/x").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot write"):
        bench.through(ObjectWriter(url="out"), {"name": "x", "content": ""})
