"""Figures of many values: sums, extremes, lists, and quantiles in bounded memory. Each takes values and can take in another."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, Protocol

from transmissions import RunError, compare

from .keys import key_text

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCURACY: Final = 400
"""Values the largest level of a sketch holds; the rank of a quantile is then off by less than 1 % of all, as a rule."""
_SHRINK: Final = 2 / 3
_SMALLEST: Final = 8


class Cell(Protocol):
    """One figure in the making."""

    def add(self, value: Any, /) -> None:
        """Take a value."""

    def merge(self, other: Any, /) -> None:
        """Take in another of its kind, whose values came later."""

    def result(self) -> Any:
        """Return the figure."""


class Count:
    """How many values there were."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def add(self, _value: object) -> None:
        """Count one."""
        self._count += 1

    def merge(self, other: Count) -> None:
        """Count those of another."""
        self._count += other._count

    def result(self) -> int:
        """Return how many."""
        return self._count


class Total:
    """The sum of numbers, or their mean; what floating point loses on the way is kept beside it (Neumaier)."""

    __slots__ = ("_count", "_is_mean", "_lost", "_sum")

    def __init__(self, *, is_mean: bool) -> None:
        self._is_mean = is_mean
        self._count = 0
        self._sum: int | float = 0
        self._lost = 0.0

    def add(self, value: float) -> None:
        """Take a number."""
        self._count += 1
        self._plus(value)

    def merge(self, other: Total) -> None:
        """Take in another total."""
        self._count += other._count
        self._plus(other._sum)
        self._lost += other._lost

    def _plus(self, value: float) -> None:
        total = self._sum + value
        if isinstance(total, float):
            larger, smaller = (self._sum, value) if abs(self._sum) >= abs(value) else (value, self._sum)
            lost = (larger - total) + smaller
            self._lost += lost if math.isfinite(lost) else 0.0  # Infinity loses nothing.
        self._sum = total

    def result(self) -> float | None:
        """Return the sum or the mean; null of nothing."""
        if not self._count:
            return None
        total = self._sum + self._lost if self._lost else self._sum
        return total / self._count if self._is_mean else total


class Chosen:
    """One of the values: the least, the greatest, the first or the last."""

    __slots__ = ("_prefers", "_value")

    def __init__(self, prefers: Callable[[Any, Any], bool]) -> None:
        self._prefers = prefers
        self._value: Any = None

    def add(self, value: Any) -> None:
        """Take a value, if it is preferred to the one there is."""
        if self._value is None or self._prefers(value, self._value):
            self._value = value

    def merge(self, other: Chosen) -> None:
        """Take in the choice of another."""
        if other._value is not None:
            self.add(other._value)

    def result(self) -> Any:
        """Return the value; null of nothing."""
        return self._value


class Collected:
    """Values in order of arrival."""

    __slots__ = ("_most", "_values")

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: list[Any] = []

    def add(self, value: Any) -> None:
        """Take a value.

        Raises:
            RunError: there are too many.

        """
        if len(self._values) >= self._most:
            raise RunError(f"a group has more than {self._most} values to list or to tell apart (:maxValues)")
        self._values.append(value)

    def merge(self, other: Collected) -> None:
        """Take in those of another."""
        for value in other._values:
            self.add(value)

    def result(self) -> Any:
        """Return the list."""
        return self._values


class Distinct(Collected):
    """Values that differ, in order of arrival, or how many they are."""

    __slots__ = ("_counts", "_known")

    def __init__(self, most: int, *, counts: bool) -> None:
        super().__init__(most)
        self._counts = counts
        self._known: set[str | None] = set()

    def add(self, value: Any) -> None:
        """Take a value, if it is none of those there are."""
        key = key_text(value)
        if key not in self._known:
            super().add(value)
            self._known.add(key)

    def result(self) -> Any:
        """Return the list, or its length."""
        return len(self._values) if self._counts else self._values


class Sketch:
    """A KLL sketch: numbers thinned out level by level, each of which stands for twice as many as one a level below.

    Up to 400 numbers quantiles are exact; of any more the sketch holds about 1200, and the rank of what it answers is off by
    less than 1 % of all with 99 % probability.
    """

    __slots__ = ("_levels", "_random", "_share")

    def __init__(self, share: float) -> None:
        self._share = share
        self._levels: list[list[float]] = [[]]
        self._random = random.Random(0)  # noqa: S311 - which half stays is a matter of chance, not of secrecy

    def add(self, value: float) -> None:
        """Take a number."""
        self._levels[0].append(value)
        if len(self._levels[0]) > self._room(0):
            self._compress()

    def merge(self, other: Sketch) -> None:
        """Take in another sketch."""
        more = len(other._levels) - len(self._levels)
        self._levels += [[] for _ in range(more)]
        for number, values in enumerate(other._levels):
            self._levels[number] += values
        self._compress()

    def result(self) -> float | None:
        """Return the least number that at least that share of all is not above; null of nothing."""
        weighed = sorted((value, 1 << level) for level, values in enumerate(self._levels) for value in values)
        if not weighed:
            return None
        ranks = list(accumulate(weight for _, weight in weighed))
        return weighed[min(bisect_left(ranks, self._share * ranks[-1]), len(weighed) - 1)][0]

    def _room(self, level: int) -> int:
        return max(int(_ACCURACY * _SHRINK ** (len(self._levels) - level - 1)), _SMALLEST)

    def _compress(self) -> None:
        """Thin out the levels that are too full: each second number goes up, by chance the even or the odd ones."""
        number = 0
        while number < len(self._levels):  # It may grow on the way.
            if len(self._levels[number]) > self._room(number):
                self._thin_out(number)
            number += 1

    def _thin_out(self, number: int) -> None:
        if number + 1 == len(self._levels):
            self._levels.append([])
        values = sorted(self._levels[number])
        self._levels[number] = [values.pop()] if len(values) % 2 else []
        self._levels[number + 1] += values[self._random.randrange(2) :: 2]


_PREFERENCES: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "min": lambda value, there: compare("less", value, there),
    "max": lambda value, there: compare("greater", value, there),
    "first": lambda _value, _there: False,
    "last": lambda _value, _there: True,
}


def make_cell(function: str, share: float, most: int) -> Cell:
    """Return an empty cell for a function; `share` says which quantile, `most` bounds lists."""
    if function in _PREFERENCES:
        return Chosen(_PREFERENCES[function])
    makers: dict[str, Callable[[], Cell]] = {
        "count": Count,
        "sum": lambda: Total(is_mean=False),
        "mean": lambda: Total(is_mean=True),
        "list": lambda: Collected(most),
        "distinct": lambda: Distinct(most, counts=False),
        "distinctCount": lambda: Distinct(most, counts=True),
        "quantile": lambda: Sketch(share),
    }
    return makers[function]()
