"""Hash, Dedupe and Sample."""

import hashlib
import sqlite3

import pytest

from transmissions import NodeFailed, RunError, UsageError
from transmissions.processors.hashes import Dedupe, Hash, Sample
from transmissions.processors.structure import JSONWalker
from transmissions.testing import through


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1", "md5", "blake2b"])
def test_text_and_bytes_are_hashed_as_they_are(bench, algorithm):
    """Every algorithm gives what other programs give."""
    wanted = hashlib.new(algorithm, "é".encode()).hexdigest()
    for content in ("é", "é".encode()):
        (message,) = bench.through(Hash(input_field="a.b", algorithm=algorithm), {"a": {"b": content}})
        assert message == {"a": {"b": content}, "hash": wanted}


def test_equal_messages_have_equal_digests(bench):
    """The order of fields, and a digest that is there already, make no difference."""
    step = Hash(encoding="base64")
    one, other, third = bench.through(step, {"a": 1, "b": [2]}, {"b": [2], "hash": "old", "a": 1}, {"a": 1, "b": [3]})
    assert one == other
    assert one["hash"] != third["hash"]
    assert bench.through(Dedupe(), {"a": b"\0"}, {"a": b"\1"}, {"a": b"\0"}) == [{"a": b"\0"}, {"a": b"\1"}]
    with pytest.raises(RunError, match="plain data only"):
        bench.through(Hash(), {"a": object()})


def test_the_first_of_each_key_passes(bench):
    """Numbers and text that is one are the same, null is only itself, and the whole message counts without a key."""
    values = [1, "1", 1.0, "01", None, "null", True, "x", "x"]
    passed = bench.through(Dedupe(key=("k.v",)), *[{"k": {"v": value}, "n": n} for n, value in enumerate(values)])
    assert [message["n"] for message in passed] == [0, 3, 4, 5, 6, 7]
    assert bench.through(Dedupe(), {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}) == [{"a": 1, "b": 2}, {"a": 1}]


def test_a_window_forgets(bench):
    """By number, and by time."""
    messages = [{"k": key} for key in "abcab"]
    assert [m["k"] for m in bench.through(Dedupe(key=("k",), window=2), *messages)] == list("abcab")
    assert [m["k"] for m in bench.through(Dedupe(key=("k",), window=3), *messages)] == list("abc")
    assert [m["k"] for m in bench.through(Dedupe(key=("k",), seconds=1e-9), *messages)] == list("abcab")
    assert [m["k"] for m in bench.through(Dedupe(key=("k",), seconds=1000), *messages)] == list("abc")


def test_memory_is_bounded(bench):
    """One key too many is an error that says what to do, and so is an absent one."""
    with pytest.raises(RunError, match=r"more than 2 keys \(:maxKeys\); set :window, or :stateFile"):
        bench.through(Dedupe(key=("k",), max_keys=2), *[{"k": n} for n in range(3)])
    with pytest.raises(RunError, match="no field 'k'"):
        bench.through(Dedupe(key=("k",)), {"x": 1})


def test_a_file_remembers_across_runs(bench):
    """What an earlier run passed is dropped; `seconds` forgets there too."""
    step = {"key": ("k",), "state_file": "seen.db"}
    assert bench.through(Dedupe(**step), {"k": 1}, {"k": 1}, {"k": 2}) == [{"k": 1}, {"k": 2}]
    assert bench.through(Dedupe(**step), {"k": 2}, {"k": 3}) == [{"k": 3}]
    assert bench.through(Dedupe(**step, seconds=1e-6), {"k": 3}) == [{"k": 3}]


def test_a_failed_run_remembers_nothing(bench):
    """Its messages may not have arrived, so the next run lets them pass again."""
    step = {"key": ("k",), "state_file": "seen.db"}
    with pytest.raises(RunError):
        bench.through(Dedupe(**step), {"k": 1}, {})
    assert bench.through(Dedupe(**step), {"k": 1}) == [{"k": 1}]


def test_another_database_is_left_alone(bench):
    """A file that is not ours is an error that names it."""
    bench.output.mkdir()
    with sqlite3.connect(bench.output / "seen.db") as database:
        database.execute("CREATE TABLE other (x)")
    database.close()
    with pytest.raises(RunError, match=r"seen\.db.* another program's database"):
        bench.through(Dedupe(state_file="seen.db"), {})
    with pytest.raises(UsageError, match="not by :window"):
        Dedupe(state_file="seen.db", window=5)


def test_a_rate_is_kept(bench):
    """By chance it is the same draw for the same seed, by key all messages of a key pass or none."""
    messages = [{"n": n, "k": n % 1000} for n in range(5000)]
    drawn = [bench.through(Sample(rate=0.2, seed=7), *messages) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert 800 < len(drawn[0]) < 1200
    keys = {seed: {m["k"] for m in bench.through(Sample(rate=0.2, key=("k",), seed=seed), *messages)} for seed in (0, 1 << 55)}
    assert all(150 < len(one) < 250 for one in keys.values())
    assert len(bench.through(Sample(rate=0.2, key=("k",)), *messages)) == 5 * len(keys[0])
    assert keys[0] != keys[1 << 55]
    assert bench.through(Sample(rate=1.0), *messages) == messages
    assert bench.through(Sample(rate=0.0), *messages) == []


def test_every_nth_passes(bench):
    """The first of each so many."""
    assert [m["n"] for m in bench.through(Sample(every=3), *[{"n": n} for n in range(7)])] == [0, 3, 6]
    assert len(bench.through(Sample(every=1), {}, {})) == 2


def test_so_many_are_drawn_at_the_end(bench):
    """In order, each as likely as the other; fewer if there are no more."""
    messages = [{"n": n} for n in range(100)]
    sums = []
    for seed in range(60):
        drawn = [m["n"] for m in bench.through(Sample(count=10, seed=seed), *messages)]
        assert len(drawn) == 10
        assert drawn == sorted(set(drawn))
        sums.append(sum(drawn))
    assert 440 < sum(sums) / 60 < 550
    assert bench.through(Sample(count=10), {"a": 1}) == [{"a": 1}]


def test_each_group_has_its_own_draw():
    """So many of every group."""
    drawn = through([JSONWalker(), Sample(count=2)], [{"content": list(range(9))}, {"content": list(range(10, 19))}])
    assert [message["content"] // 10 for message in drawn] == [0, 0, 1, 1]


@pytest.mark.parametrize("settings", [{}, {"rate": 0.5, "every": 2}, {"every": 2, "key": ("a",)}])
def test_one_way_is_needed(settings):
    """None, two, and a key without a rate are refused."""
    with pytest.raises(UsageError):
        Sample(**settings)


def test_a_failure_names_the_node():
    """In a run the error of an absent key says which step it was."""
    with pytest.raises(NodeFailed, match="test/Dedupe: the message has no field 'k'"):
        through(Dedupe(key=("k",)), [{"x": 1}])
