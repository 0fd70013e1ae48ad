"""Compress and Decompress."""

import bz2
import gzip
import lzma
import random
import sys
from types import SimpleNamespace

import brotli
import pytest

from transmissions import RunError, UsageError
from transmissions.processors.compression import Compress, Decompress
from transmissions.processors.content_coding import PIECE, CodingError, decoder_of, encodings

CODECS = ("gzip", "bz2", "xz", "zstd")


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("content", ["", "é" * 1000, b"\x00\xff" * 100_000])
def test_what_is_compressed_comes_out_again(bench, codec, content):
    """Text and bytes of any length, in a field of their own, with the codec told by the first bytes."""
    (packed,) = bench.through(Compress(codec=codec, output_field="x.packed"), {"content": content})
    assert packed["content"] == content
    (message,) = bench.through(Decompress(input_field="x.packed", encoding="utf-8" if content.__class__ is str else ""), packed)
    assert message["x"]["packed"] == content


def test_other_programs_read_it(bench):
    """The formats are those of the standard tools, and the same data gives the same bytes."""
    for codec, opened in (("gzip", gzip.decompress), ("bz2", bz2.decompress), ("xz", lzma.decompress)):
        results = [bench.through(Compress(codec=codec, level=1), {"content": "abc"})[0]["content"] for _ in range(2)]
        assert opened(results[0]) == b"abc"
        assert results[0] == results[1]


@pytest.mark.parametrize("codec", CODECS)
def test_files_go_through_block_by_block(bench, codec):
    """The new file is named after the old one, and its path is in the message."""
    (bench.data / "log.txt").write_bytes(b"line\n" * 100_000)
    (message,) = bench.through(Compress(codec=codec, source_file="log.txt"), {})
    packed = bench.output / message["filePath"]
    assert packed.stat().st_size < 5000
    (bench.data / packed.name).write_bytes(packed.read_bytes())
    (message,) = bench.through(Decompress(), {"filepath": packed.name})
    assert message["filePath"] == str(bench.output / "log.txt")
    assert (bench.output / "log.txt").read_bytes() == b"line\n" * 100_000


@pytest.mark.parametrize("codec", CODECS)
def test_parts_that_were_joined_are_one(bench, codec):
    """As files that are added to are; padding behind them is nothing."""
    (message,) = bench.through(Compress(codec=codec), {"content": "ab"})
    data = message["content"] * 3 + b"\0" * 8
    assert bench.through(Decompress(codec=codec), {"content": data}) == [{"content": b"ababab"}]


@pytest.mark.parametrize("codec", CODECS)
def test_bombs_and_damage_are_errors(bench, codec):
    """More than `maxBytes`, a cut and a wrong byte are told with the name of the field."""
    (message,) = bench.through(Compress(codec=codec), {"content": b"\0" * 10_000_000})
    data = message["content"]
    with pytest.raises(RunError, match="field 'content': decompressed it is more than 1000 bytes"):
        bench.through(Decompress(max_bytes=1000), {"content": data})
    with pytest.raises(RunError, match=f"field 'content': not whole {codec} data: it is cut off"):
        bench.through(Decompress(), {"content": data[:-1]})
    with pytest.raises(RunError, match=f"not whole {codec} data"):
        bench.through(Decompress(codec=codec), {"content": b"nothing of the kind"})


def test_a_file_that_fails_leaves_nothing(bench):
    """Neither under its name nor a temporary one."""
    (bench.data / "a.gz").write_bytes(gzip.compress(b"x" * 100_000)[:-5])
    with pytest.raises(RunError, match=r"a\.gz: not whole gzip data"):
        bench.through(Decompress(source_file="a.gz"), {})
    assert not list(bench.output.iterdir())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("text", "begins like none of gzip, bz2, xz, zstd"),
        (5, "is neither text nor bytes but a int"),
        (gzip.compress(b"\xff", mtime=0), "not utf-8"),  # the same name in each process that runs tests
    ],
)
def test_what_is_not_compressed_is_an_error(bench, content, fault):
    """Nothing is guessed."""
    with pytest.raises(RunError, match=fault):
        bench.through(Decompress(encoding="utf-8"), {"content": content})


@pytest.fixture
def without_zstd(monkeypatch):
    """Make an environment in which nothing is installed below `backports`."""
    monkeypatch.setitem(sys.modules, "backports", None)
    monkeypatch.delitem(sys.modules, "backports.zstd", raising=False)


class OldDecompressor:
    """What brotli had before 1.2: nothing that stops it in the middle of a bomb."""

    process = is_finished = None


@pytest.fixture
def looked_for_anew():
    """Forget which decoders there are, before a test and behind it."""
    encodings.cache_clear()
    yield
    encodings.cache_clear()


@pytest.mark.parametrize("brotli", [None, SimpleNamespace(Decompressor=OldDecompressor)], ids=["none", "old"])
def test_servers_are_not_asked_for_what_cannot_be_read(without_zstd, looked_for_anew, monkeypatch, brotli):
    """What is accepted is what there is a decoder for that keeps to a limit."""
    monkeypatch.setitem(sys.modules, "brotli", brotli)
    assert encodings() == ("gzip", "deflate")
    with pytest.raises(CodingError, match="there is no decoder for the content-encoding 'br'"):
        decoder_of("br")


def test_a_library_that_is_absent_is_looked_for_once(looked_for_anew, monkeypatch):
    """Not again for each body: that searches all folders that modules may be in."""
    asked = []

    def find_spec(name, *_):
        asked.append(name)
        if name == "brotli":
            raise ModuleNotFoundError(name)

    monkeypatch.delitem(sys.modules, "brotli")
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=find_spec), *sys.meta_path])
    for _ in range(3):
        decoder_of("gzip")
    assert asked.count("brotli") == 1


def test_impossible_settings_are_refused(without_zstd):
    """A level the codec has not, and zstd where its library is absent."""
    with pytest.raises(UsageError, match="level 0 is none of bz2; it has 1 to 9"):
        Compress(codec="bz2", level=0)
    for kind in (Compress, Decompress):
        with pytest.raises(UsageError, match=r"the codec zstd needs 'backports\.zstd'"):
            kind(codec="zstd")


def decode(body, size):
    """Return the pieces a brotli body is decoded to that comes a few bytes at a time."""
    decoder = decoder_of("br")
    pieces = [piece for at in range(0, len(body), size) for piece in decoder.decode(body[at : at + size])]
    decoder.end()
    return pieces


@pytest.mark.parametrize("size", [1, 7, 10**9])
@pytest.mark.parametrize("text", [b"", b"x", bytes(2 * PIECE), random.Random(1).randbytes(5 * PIECE)], ids=len)
def test_brotli_comes_in_pieces_that_are_no_larger_than_others(text, size):
    """However the body is cut."""
    pieces = decode(brotli.compress(text), size)
    assert b"".join(pieces) == text
    assert all(0 < len(piece) <= PIECE for piece in pieces)


@pytest.mark.parametrize("size", [1, 10**9])
def test_brotli_that_is_not_one_whole_stream_is_an_error(size):
    """What is cut off, goes on behind its end, or is something else; no body at all is none of these."""
    body = brotli.compress(b"text" * 999)
    assert decode(b"", size) == []
    with pytest.raises(CodingError, match="the br body ends early"):
        decode(body[:-1], size)
    for broken in (body + b"\0", body + body, b"<html>", b"\x11" + bytes(99)):
        with pytest.raises(CodingError, match="the body is not br, though its headers say so: brotli: decoder failed"):
            decode(broken, size)
