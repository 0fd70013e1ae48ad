"""The types of settings are evaluated where they were written, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, get_type_hints

import pytest

from transmissions import Processor, Range, Record, values_of
from transmissions.settings import setting_types

if TYPE_CHECKING:
    from pathlib import Path


class Opened(Processor):
    """Keep a file whose type only the checker knows."""

    class Inner(Record):
        """A record inside a class."""

        word: str = ""

    size: Annotated[int, Range(ge=1)] = 1
    inner: tuple[Inner, ...] = ()
    home: ClassVar[Path]
    _file: Path | None = None


class Reopened(Opened):
    """Take more."""

    size: float = 1.5  # type: ignore[assignment]
    more: str = ""


def test_types_imported_for_the_checker_do_no_harm():
    """Private fields and class variables may have types that do not exist at run time."""
    with pytest.raises(NameError):
        get_type_hints(Opened)
    assert setting_types(Opened) == {"size": Annotated[int, Range(ge=1)], "inner": tuple[Opened.Inner, ...]}


def test_a_setting_declared_again_has_its_new_type():
    """The nearest class decides, and the order is that of the first declaration."""
    types = setting_types(Reopened)
    assert list(types) == ["size", "inner", "more"]
    assert types["size"] is float


def test_a_plan_revives_records_beside_such_fields():
    """Records come back from JSON although another type cannot be evaluated."""
    assert Opened.from_plan({"inner": [{"word": "a"}]}).inner[0].word == "a"


def test_the_values_of_settings_are_those_given_and_the_defaults_of_others():
    """All settings have a value, inherited ones too, and nothing else is told."""
    assert values_of(Reopened(more="x")) == {"size": 1.5, "inner": (), "more": "x"}
