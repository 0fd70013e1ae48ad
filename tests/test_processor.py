"""Settings become constructor arguments, and a processor knows what it overrides."""

from __future__ import annotations

import pytest

from transmissions import Processor, Record, Secret, UsageError
from transmissions.processor import is_overridden


class Pair(Record):
    """Two words."""

    pre: str
    post: str = "after"


class Sample(Processor):
    """Do nothing with settings of every kind."""

    name: str
    times: int = 3
    pairs: tuple[Pair, ...] = ()
    key: Secret | None = None
    _seen: int = 0

    def __post_init__(self) -> None:
        self._seen = self.times


def test_defaults_and_values_meet_in_the_instance():
    """What is given wins, what is not given has its default, and own state is prepared."""
    sample = Sample(name="x", times=5)
    assert (sample.name, sample.times, sample.pairs, sample._seen) == ("x", 5, (), 5)


def test_missing_and_unknown_settings_are_named():
    """A call that cannot be right says which setting is at fault."""
    with pytest.raises(TypeError, match=r"Sample needs \['name'\]"):
        Sample()
    with pytest.raises(TypeError, match=r"Sample has no setting \['nmae'\]"):
        Sample(name="x", nmae="y")


def test_a_plan_gives_back_records_tuples_and_secrets(monkeypatch):
    """JSON lists become tuples, dicts records, and a reference the secret it names."""
    monkeypatch.setenv("SAMPLE_KEY", "s3cret")
    sample = Sample.from_plan({"name": "x", "pairs": [{"pre": "a"}, {"pre": "b", "post": "c"}], "key": {"env": "SAMPLE_KEY"}})
    assert [(pair.pre, pair.post) for pair in sample.pairs] == [("a", "after"), ("b", "c")]
    assert sample.key.reveal() == "s3cret"


def test_a_secret_that_is_not_there_is_named(monkeypatch):
    """A reference to a variable that is not set stops the run before it starts, rather than being an empty password."""
    monkeypatch.delenv("SAMPLE_KEY", raising=False)
    with pytest.raises(UsageError, match="SAMPLE_KEY is not set"):
        Sample.from_plan({"name": "x", "key": {"env": "SAMPLE_KEY"}})


def test_a_secret_never_prints():
    """Neither its own text forms nor a processor's show the value."""
    sample = Sample(name="x", key=Secret("s3cret"))
    assert "s3cret" not in f"{sample!r} {sample.key} {sample.key!r}"


def test_a_dynamic_setting_is_the_messages_where_it_has_one():
    """The message's field of the same term wins, null and absent leave the setting."""
    sample = Sample(name="x")
    assert sample.dynamic({"times": 7}, "times") == 7
    assert sample.dynamic({"times": None}, "times") == 3


def test_is_overridden_sees_through_inheritance():
    """A method counts as brought along if any class below Processor defines it."""

    class Ending(Sample):
        """Finish."""

        def finish(self) -> None:
            """Do nothing."""

    assert is_overridden(type("Child", (Ending,), {}), "finish")
    assert not is_overridden(Sample, "finish")
