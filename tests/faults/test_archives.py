"""Random damage to chat archives: whatever happens to one, every byte of it is output, skipped with a reason, or set aside."""

from __future__ import annotations

import copy
import io
import json
import logging
import os
import random
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from transmissions import RunError
from transmissions.context import Context, Folders
from transmissions.processors import text_window
from transmissions.processors.archive import ArchiveReader
from transmissions.processors.importer import ConversationImporter
from transmissions.processors.shapes import BY_NAME

ROOT = Path(__file__).resolve().parent.parent.parent
MUTANTS = 10_000 if os.environ.get("TRANS_LONG") else 400
SAMPLES = sorted(
    file
    for folder in ("chat-archive/data/samples", "claude-json-converter/data/sample")
    for file in (ROOT / "apps" / folder).rglob("*")
    if file.is_file() and file.read_bytes().lstrip()[:1] in (b"[", b"{", b"<")
)
PIECES = [
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"null",
    b"\\ud83d",
    b'{"a":',
    b"[" * 2000,
    b"1e999",
    b"<",
]
VALUES = [
    None,
    True,
    -1,
    1e300,
    10**30,
    "",
    "x",
    "\x00\ud83d\u202e",
    [],
    [None],
    [[]],
    {},
    {"a": None},
    [{"type": 5}],
    {"parts": [7]},
]
BETWEEN = re.compile(rb"[\s,\[\]{}]*|\xef\xbb\xbf")


def damage(data, chance):
    """Return a file with one to three pieces of damage: cut off, cut out, doubled, inserted, flipped."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 1, 5, 80)))
        piece = chance.choice(PIECES)
        data = data[:at] + chance.choice((piece, b"", data[at:end] * 2, data[at:end][::-1], piece + data[at:end])) + data[end:]
        data = data[: chance.randrange(len(data) + 1)] if chance.random() < 0.05 else data
    return data


def spoil(data, chance):
    """Return a file with odd values in the place of some of its values, or damaged if it is not JSON."""
    lines = data.split(b"\n") if data.count(b"\n{") > 1 else [data]
    at = chance.randrange(len(lines))
    try:
        value = json.loads(lines[at])
    except ValueError:
        return damage(data, chance)
    for _ in range(chance.randint(1, 4)):
        value = replace(value, chance)
    lines[at] = json.dumps(value).encode()
    return b"\n".join(lines)


def replace(value, chance):
    """Return a value with something in it replaced, removed or doubled."""
    if not isinstance(value, list | dict) or not value or chance.random() < 0.12:
        return copy.deepcopy(chance.choice(VALUES))
    key = chance.randrange(len(value)) if isinstance(value, list) else chance.choice(list(value))
    if chance.random() < 0.1:
        value.pop(key)
    elif isinstance(value, list) and chance.random() < 0.1:
        value.append(copy.deepcopy(value[key]))
    else:
        value[key] = replace(value[key], chance)
    return value


class Trial:
    """One archive, read and converted, with all that was said on the way."""

    def __init__(self, folder, large=1 << 20):
        self.rejected, self.skipped, self.conversations, self.refused = [], [], [], []
        self.start, self.fault = {}, None
        services = SimpleNamespace(emit=lambda *_: None, reject=self._reject, skip=lambda *told: self.skipped.append(told))
        folders = Folders(app=folder, data=folder, output=folder)
        self.steps = [ArchiveReader(large_element=large), ConversationImporter()]
        for step in self.steps:
            step.attach(Context("it", None, folders, logging.getLogger("test"), services))
        try:
            self._read()
        except RunError as error:
            self.fault = str(error)

    def _reject(self, node, fragment, error, fields):
        self.rejected.append(fields)

    def _read(self):
        read, convert = self.steps
        for message in read.produce(self.start):
            source = message["source"]
            try:
                given = convert.process(message)
            except RunError:
                self.refused.append(source)
            else:
                self.conversations += [
                    (source, each["conversation"]) for each in (given if isinstance(given, list) else [given])
                ]
        convert.end_group(self.start)
        read.finish()


def assert_bytes_add_up(trial, data, name):
    """Hold the account of one file against its bytes."""
    (file,) = [file for file in trial.start["input"]["files"] if file["name"] == name]
    assert file["bytes"] == len(data)
    if "read" not in file:
        assert file["reason"]
        return
    assert sum(file["read"].values()) == len(data)
    assert min(file["read"].values()) >= 0
    shape = BY_NAME[file["shape"]]
    if shape.layout.gathers or shape.layout.wrapper or shape.html:
        return
    ends = [(source["offset"], source["size"]) for source, _ in trial.conversations] + [
        (s["offset"], s["size"]) for s in trial.refused
    ]
    ends += [(fields["offset"], fields["bytes"]) for fields in trial.rejected]
    at = 0
    for offset, size in sorted(ends):
        assert BETWEEN.fullmatch(data, at, offset), (at, offset)
        at = offset + size
    assert BETWEEN.fullmatch(data, at)


def assert_balanced(conversation):
    """Hold what a conversation was counted to be against what it became."""
    found = {"messages": 0, "attachments": len(conversation.get("attachments", ())), "files": 0}
    sources = {}
    for message in conversation["messages"]:
        found["messages"] += 1
        found["attachments"] += len(message["attachments"])
        found["files"] += len(message["files"])
        for block in message["blocks"]:
            for source in block["sources"]:
                sources[source] = sources.get(source, 0) + 1
    counts = conversation["counts"]
    assert {key: counts[key] for key in found} == found
    assert {kind: number for kind, number in counts["blocks"].items() if number} == sources


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("harm", [damage, spoil])
def test_a_damaged_archive_costs_what_is_damaged(harm, tmp_path, monkeypatch):
    """No mutant raises anything but an error in words; its bytes add up, and what was converted balances."""
    chance = random.Random(7)
    for number in range(MUTANTS // 2):
        sample = SAMPLES[number % len(SAMPLES)]
        data = harm(sample.read_bytes(), chance)
        (tmp_path / "data").write_bytes(data)
        about = f"{sample.relative_to(ROOT)}, mutant {number}"
        # Small samples meet the edges of the window, and are taken apart, if both are small.
        monkeypatch.setattr(text_window, "CHUNK", chance.choice((3, 64, 500, 1 << 20)))
        try:
            trial = Trial(tmp_path, chance.choice((300, 2000, 1 << 20)))
            if trial.start.get("input"):
                assert_bytes_add_up(trial, data, "data")
            for _, conversation in trial.conversations:
                assert_balanced(conversation)
        except Exception as error:
            raise AssertionError(f"{about}: {error!r}") from error


@pytest.mark.timeout(600)
def test_a_damaged_zip_costs_what_is_damaged(tmp_path):
    """A ZIP with spoilt bytes is read as far as it can be; each file that cannot be is skipped with a reason."""
    chance = random.Random(8)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in SAMPLES:
            archive.writestr(file.relative_to(ROOT).as_posix(), file.read_bytes())
    whole = packed.getvalue()
    for _ in range(MUTANTS // 20):
        at = chance.randrange(len(whole))
        noise = chance.randbytes(chance.choice((1, 4)))
        (tmp_path / "a.zip").write_bytes(whole[:at] + noise + whole[at + len(noise) :])
        trial = Trial(tmp_path)
        assert trial.fault or len(trial.conversations) > 20
        for file in (trial.start.get("input") or {"files": ()})["files"]:
            assert file.get("reason") or sum(file["read"].values()) == file["bytes"]


def test_undamaged_samples_are_converted_whole(tmp_path):
    """The archives that are damaged are whole to begin with: nothing in them is refused or set aside."""
    for sample in SAMPLES:
        copied = tmp_path / sample.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(sample.read_bytes())
    trial = Trial(tmp_path)
    assert (trial.fault, trial.rejected, trial.refused, trial.skipped) == (None, [], [], [])
    for _, conversation in trial.conversations:
        assert_balanced(conversation)
