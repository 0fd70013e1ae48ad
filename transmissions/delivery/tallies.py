"""What is counted of each event: plain numbers, of which a scrape makes series. The library's cost locks and ten calls each."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

    from .measures import Measure


class Tally:
    """A counter: numbers by the values of its labels."""

    def __init__(self, measure: Measure, registry: CollectorRegistry) -> None:
        self.numbers: dict[tuple[str, ...], int] = {}
        self._measure = measure
        registry.register(self)

    def add(self, number: int, *labels: str) -> None:
        """Count so many more."""
        self.numbers[labels] = self.numbers.get(labels, 0) + number

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the series."""
        family = CounterMetricFamily(self._measure.name, self._measure.about, labels=self._measure.labels)
        for labels, number in list(self.numbers.items()):
            family.add_metric(labels, number)
        yield family


class Spread:
    """A histogram of seconds, with one value for its labels."""

    def __init__(self, measure: Measure, registry: CollectorRegistry, *labels: str) -> None:
        self._measure = measure
        self._labels = labels
        self._counts = [0] * (len(measure.buckets) + 1)
        self._seconds = 0.0
        registry.register(self)

    def add(self, seconds: float, times: int = 1) -> None:
        """Count a value, as often as it was seen."""
        self._counts[bisect_left(self._measure.buckets, seconds)] += times
        self._seconds += seconds * times

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the series."""
        family = HistogramMetricFamily(self._measure.name, self._measure.about, labels=self._measure.labels)
        bounds = map(floatToGoString, (*self._measure.buckets, float("inf")))
        family.add_metric(self._labels, [*zip(bounds, accumulate(self._counts), strict=True)], self._seconds)
        yield family
