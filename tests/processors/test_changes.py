"""FileChangeDetector and MessageChangeDetector."""

import asyncio
import json
import os

import pytest

from transmissions import RunError
from transmissions.processors.changes import FileChangeDetector, MessageChangeDetector, digest_of


def test_only_changed_files_pass(bench):
    """The first run passes all, the next one what has another time or size."""
    paths = [bench.data / name for name in "abc"]
    for path in paths:
        path.write_text("x")
    messages = [{"fullPath": str(path)} for path in paths]
    assert len(bench.through(FileChangeDetector(), *messages)) == 3
    assert bench.through(FileChangeDetector(), *messages) == []
    paths[0].write_text("xy")
    os.utime(paths[1], ns=(1, 1))
    assert bench.through(FileChangeDetector(), *messages) == messages[:2]


def test_what_has_not_changed_may_be_marked_or_forced(bench):
    """Marked messages go on with `skipped`; a forced run takes everything for changed."""
    detector = {"key_field": "id", "value_field": "v"}
    first, second = {"id": 1, "v": [1]}, {"id": 1, "v": [2]}
    assert bench.through(MessageChangeDetector(**detector), first, first, second) == [first, second]
    assert bench.through(MessageChangeDetector(**detector, unchanged="mark"), dict(second)) == [{**second, "skipped": True}]
    assert bench.through(MessageChangeDetector(**detector, force_rebuild=True), dict(second)) == [second]
    assert len(bench.through(MessageChangeDetector(**detector), {**second, "forceRebuild": True})) == 1
    assert bench.through(MessageChangeDetector(**detector), {**second, "forceRebuild": False}) == []


async def fail_after(step, message):
    """Take one message, then fail as another step of the run would have it."""
    async with step:
        step.process(message)
        raise RunError("broken")


def test_a_failed_run_is_repeated(bench):
    """What was seen is written down only if the whole run ended well."""
    step = bench.attach(MessageChangeDetector(key_field="id", value_field="id", cache_file="c"))
    with pytest.raises(RunError, match="broken"):
        asyncio.run(fail_after(step, {"id": 1}))
    assert not (bench.output / "c").exists()


def test_nodes_may_share_a_file(bench):
    """What one node writes down, another does not wipe out."""
    for field in "ab":
        bench.through(MessageChangeDetector(key_field=field, value_field=field, cache_file="c"), {field: field})
    assert json.loads((bench.output / "c").read_text()) == {"a": digest_of("a"), "b": digest_of("b")}


@pytest.mark.parametrize(
    ("text", "fault"), [("[1]", "not an object but a list; remove the file"), ("{", "c:1:2: not valid JSON")]
)
def test_a_broken_cache_is_an_error(bench, text, fault):
    """It is named, and not silently begun anew."""
    bench.output.mkdir()
    (bench.output / "c").write_text(text)
    with pytest.raises(RunError, match=fault):
        bench.through(MessageChangeDetector(key_field="a", value_field="a", cache_file="c"), {"a": 1})


def test_bad_messages_are_refused(bench):
    """A key must name something, a file must be there, and inside the folders of the run."""
    with pytest.raises(RunError, match="'k' is neither text nor a whole number but a list"):
        bench.through(MessageChangeDetector(key_field="k", value_field="k"), {"k": []})
    with pytest.raises(RunError, match=r"cannot look at '.*none': no such file"):
        bench.through(FileChangeDetector(), {"fullPath": "none"})
    with pytest.raises(RunError, match="outside the folders"):
        bench.through(FileChangeDetector(path_field="p"), {"p": "/etc/passwd"})
