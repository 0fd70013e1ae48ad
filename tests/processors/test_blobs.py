import io
import json
import pickle
import zipfile

import pytest

from transmissions import RunError
from transmissions.processors.blobs import Members
from transmissions.processors.inputs import Archive
from transmissions.processors.spool import pieces
from transmissions.processors.zip_archive import Limits

FILES = {
    "img/file-AbCdEf123-cat.png": b"\x89PNG cat",
    "names.json": b'\xef\xbb\xbf{"a": "b"}',
    "sub/names.json": b"[1",
    "Readme.txt": b"read me" * 200_000,
}


@pytest.fixture(params=["folder", "zip", "zip in zip"])
def archive(tmp_path, request):
    """Return the same files as a folder, a ZIP, and a ZIP in a ZIP."""
    target = tmp_path / "a"
    if request.param == "folder":
        for name, data in FILES.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)
        return Archive(target, Limits())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    if request.param == "zip in zip":
        inner, packed = packed.getvalue(), io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", inner)
    target.write_bytes(packed.getvalue())
    return Archive(target, Limits())


def members_of(archive):
    return Members(part.blob for part in archive.parts)


def test_files_are_found_by_path_name_and_id(archive):
    """A file is found by its path, its name, the id its name begins with, and in the end whatever the case."""
    members = members_of(archive)
    prefix = members.names()[0].removesuffix("Readme.txt")
    for wanted in (f"{prefix}img/file-AbCdEf123-cat.png", "file-AbCdEf123-cat.png", "file-AbCdEf123", "FILE-abcdef123"):
        assert members.find(wanted).read() == FILES["img/file-AbCdEf123-cat.png"]
    assert members.used == {f"{prefix}img/file-AbCdEf123-cat.png": 4}
    assert [members.find(nothing) for nothing in ("", "file", None, 5, "nobody-knows-this")] == [None] * 5


def test_small_sidecars_are_read(archive):
    """A JSON file gives what it says; one that is broken, or none, gives nothing."""
    members = members_of(archive)
    prefix = members.names()[0].removesuffix("Readme.txt")
    assert members.json("names.json") == {"a": "b"}
    assert members.json(f"{prefix}sub/names.json") is None
    assert members.json("nowhere.json") is None


def test_a_blob_travels_and_is_written_in_pieces(archive):
    """A blob can be pickled, has its length, and gives its bytes block by block as part of a file."""
    blob = pickle.loads(pickle.dumps(members_of(archive).find("Readme.txt")))
    assert len(blob) == len(FILES["Readme.txt"])
    assert b"".join(pieces([b"<", blob, b">"])) == b"<" + FILES["Readme.txt"] + b">"
    assert len(list(blob.blocks())) == 2


def test_an_unpacked_archive_goes_with_its_reader(tmp_path):
    """What was unpacked from a ZIP in a ZIP is removed once nobody reads it."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("a.json", json.dumps([1]))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("b.zip", inner.getvalue())
    archive = Archive(tmp_path / "a.zip", Limits())
    (blob,) = [part.blob for part in archive.parts]
    assert blob.read() == b"[1]"
    del archive
    with pytest.raises(RunError, match=r"cannot be read"):
        blob.read()


def test_members_that_are_too_much_together_are_refused(tmp_path):
    """A ZIP whose members, each harmless, unpack to far more than itself is refused; so is one with too many."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(20):
            packed.writestr(f"{number}.json", b" " * 10_000)
    for limits, words in (
        (Limits(first=1000, ratio=20), "20 times its size (:maxRatio)"),
        (Limits(members=5), "20 files, more than 5"),
    ):
        (part,) = Archive(tmp_path / "a.zip", limits).parts
        assert words in part.fault
