"""The facts a reasoner knows, with the indexes that its rules look them up in."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .n3_terms import Triple

Rows = dict[Any, list[Any]]

GIVEN = -1
"""The origin of a fact that no rule has derived."""


class _Table:
    """The facts with one verb (or any), by the terms at some places, without those that one rule has derived."""

    def __init__(self, places: tuple[int, ...], verb: str | None, excluded: int | None) -> None:
        self.key: Any = itemgetter(*places) if places else lambda _: None
        self.verb, self.excluded = verb, excluded
        self.rows: Rows = {}

    def offer(self, triple: Triple, origin: int) -> None:
        """Take a fact if it belongs here."""
        if origin != self.excluded:
            self.rows.setdefault(self.key(triple), []).append(triple)


class Facts:
    """All facts, each with the number of the rule it came from first."""

    def __init__(self) -> None:
        self.origins: dict[Triple, int] = {}
        self._tables: dict[tuple[tuple[int, ...], str | None, int | None], _Table] = {}
        self._routes: dict[Any, list[_Table]] = {}

    def rows(self, places: tuple[int, ...], verb: str | None, excluded: int | None) -> Rows:
        """Return an index that is kept from now on: facts by what they have at `places`, and not those from rule `excluded`."""
        key = (places, verb, excluded)
        if key not in self._tables:
            self._tables[key] = table = _Table(*key)
            self._routes.clear()
            for triple, origin in self.origins.items():
                if verb in {None, triple[1]}:
                    table.offer(triple, origin)
        return self._tables[key].rows

    def show(self, triple: Triple) -> None:
        """Let rules find a fact."""
        verb = triple[1]
        routes = self._routes.get(verb)
        if routes is None:
            routes = self._routes[verb] = [table for table in self._tables.values() if table.verb in {None, verb}]
        origin = self.origins[triple]
        for table in routes:
            table.offer(triple, origin)
