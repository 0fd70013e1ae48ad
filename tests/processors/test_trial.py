"""Processors that show their settings."""

from transmissions.processors.trial import Example, Item, TestSetting, TestSettings


def test_a_setting_is_shown_and_put_into_the_message(bench):
    """TestSetting prints its value once and sets `settingValue`."""
    assert bench.through(TestSetting(the_setting_property="x"), {"a": 1}) == [{"a": 1, "settingValue": "x"}]
    assert bench.shown == "message.settingValue x\n"


def test_settings_of_every_kind_are_shown(bench):
    """TestSettings prints a line for each value that is given, and leaves the message alone."""
    step = TestSettings(me="m", name=("a", "b"), items=(Item(value=1),))
    assert bench.through(step, {}) == [{}]
    assert sorted(bench.shown.splitlines()) == ["items = 1", 'me = "m"', 'name = "a"', 'name = "b"']


def test_settings_become_fields(bench):
    """Example copies its settings, with a default for the one nobody sets."""
    step = Example(me="one", common="c", something1="s", added="+")
    fields = {"common": "c", "something1": "s+", "something2": "", "notavalue": "fallback value"}
    assert bench.through(step, {}) == [fields]
    assert bench.shown == "I am one\n"
