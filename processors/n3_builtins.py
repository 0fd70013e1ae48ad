"""The built-ins rules may use: the common ones of math:, string:, log: and list:.

A built-in that its values do not fit (`"x" math:lessThan 3`) does not hold; it is no error, as in any reasoner.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from transmissions import RunError

from .n3_terms import NIL, RDF
from .n3_values import from_number, from_text, items, number, order, same, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .n3_terms import Term
    from .n3_values import Number

SWAP: Final = "http://www.w3.org/2000/10/swap/"
_LARGEST: Final = 13_000
"""Bits of a power: what Python still writes out."""


class BuiltIn(NamedTuple):
    """What must be known before it can say anything, and a function that gives the values of the other side.

    With `both`, the function tells whether the two fit.
    """

    needs: Literal["subject", "object", "either", "both"]
    values: Callable[..., Any]


def is_builtin(verb: str) -> bool:
    """Whether a verb is one that is computed and not looked up."""
    return verb.startswith(
        tuple(f"<{SWAP}{name}#" for name in ("math", "string", "log", "list", "time", "crypto", "graph"))
    ) or (verb in BUILTINS)


def _numbers(term: Term) -> list[Number] | None:
    given = items(term)
    values = [number(item) for item in given or ()]
    return None if given is None or None in values else values


def _folded(function: Callable[[list[Number]], Number], count: int = 0) -> BuiltIn:
    def values(term: Term) -> Iterable[Term]:
        given = _numbers(term)
        if given is None or not given or (count and len(given) != count):
            return
        try:
            if any(isinstance(value, float) for value in given):
                given = [float(value) for value in given]
            yield from_number(function(given))
        except (ArithmeticError, ValueError):
            return

    return BuiltIn("subject", values)


def _single(function: Callable[[Number], Number]) -> BuiltIn:
    def values(term: Term) -> Iterable[Term]:
        value = number(term)
        if value is not None and math.isfinite(value):
            yield from_number(function(value))

    return BuiltIn("subject", values)


def _power(values: list[Number]) -> Number:
    base, exponent = values
    if isinstance(base, int) and isinstance(exponent, int):
        if base.bit_length() * abs(exponent) > _LARGEST:
            raise RunError(f"the power {base} to {exponent} is too large")
        return base**exponent
    return float(base) ** float(exponent)


def _divide(values: list[Number]) -> Number:
    one, other = values
    if not (isinstance(one, int) and isinstance(other, int)):
        return one / other
    from decimal import Decimal

    return one // other if one % other == 0 else Decimal(one) / Decimal(other)


def _ordered(*wanted: int) -> BuiltIn:
    return BuiltIn("both", lambda one, other: order(one, other) in wanted)


def _compared(function: Callable[[str, str], bool]) -> BuiltIn:
    def fits(one: Term, other: Term) -> bool:
        left, right = text(one), text(other)
        return left is not None and right is not None and function(left, right)

    return BuiltIn("both", fits)


def _of_text(function: Callable[[str], str]) -> BuiltIn:
    def values(term: Term) -> Iterable[Term]:
        value = text(term)
        if value is not None:
            yield function(value)

    return BuiltIn("subject", values)


def _of_list(function: Callable[[tuple[Term, ...]], Iterable[Term]]) -> BuiltIn:
    def values(term: Term) -> Iterable[Term]:
        given = items(term)
        return () if given is None else function(given)

    return BuiltIn("subject", values)


def _matches(one: str, pattern: str) -> bool:
    import pyoxigraph

    # Not Python's `re`: a pattern may come with the data, and this engine takes linear time.
    query = f"ASK {{ FILTER(REGEX({from_text(one)}, {from_text(pattern)})) }}"
    return bool(pyoxigraph.Store().query(query))


def _concatenation(given: tuple[Term, ...]) -> Iterable[Term]:
    texts = [text(item) for item in given]
    if None not in texts:
        yield from_text("".join(map(str, texts)))


def _replaced(given: tuple[Term, ...]) -> Iterable[Term]:
    import pyoxigraph

    texts = [text(item) for item in given]
    if None not in texts and len(texts) == len(("text", "pattern", "replacement")):
        query = f"SELECT (REPLACE({', '.join(from_text(str(one)) for one in texts)}) AS ?text) {{}}"
        found: Any = pyoxigraph.Store().query(query)
        yield from (str(row["text"]) for row in found if row["text"] is not None)


def _appended(given: tuple[Term, ...]) -> Iterable[Term]:
    lists = [items(item) for item in given]
    if None not in lists:
        yield tuple(item for one in lists for item in one or ()) or NIL


def _at(given: tuple[Term, ...]) -> Iterable[Term]:
    members, place = (items(given[0]), number(given[-1])) if given[1:] and not given[2:] else (None, None)
    if members is not None and isinstance(place, int) and 0 <= place < len(members):
        yield members[place]


def _either(term: Term) -> Iterable[Term]:
    yield term


def _written(term: Term) -> Iterable[Term]:
    if isinstance(term, str) and term[0] == "<":
        yield from_text(term[1:-1])


_ROUNDED: Final = {"ceiling": math.ceil, "floor": math.floor, "rounded": lambda value: math.floor(value + type(value)(1) / 2)}
_MATH: Final = {
    "sum": _folded(sum),
    "product": _folded(math.prod),
    "difference": _folded(lambda given: given[0] - given[1], 2),
    "quotient": _folded(_divide, 2),
    "integerQuotient": _folded(lambda given: int(given[0] // given[1]), 2),
    "remainder": _folded(lambda given: given[0] % given[1], 2),
    "exponentiation": _folded(_power, 2),
    "max": _folded(max),
    "min": _folded(min),
    "absoluteValue": _single(abs),
    "negation": _single(operator.neg),
    **{name: _single(function) for name, function in _ROUNDED.items()},
    "memberCount": _of_list(lambda given: [from_number(len(given))]),
    "equalTo": _ordered(0),
    "notEqualTo": _ordered(-1, 1),
    "lessThan": _ordered(-1),
    "notLessThan": _ordered(0, 1),
    "greaterThan": _ordered(1),
    "notGreaterThan": _ordered(-1, 0),
}
_STRING: Final = {
    "concatenation": _of_list(_concatenation),
    "replace": _of_list(_replaced),
    "length": _of_text(lambda value: from_number(len(value))),
    "upperCase": _of_text(lambda value: from_text(value.upper())),
    "lowerCase": _of_text(lambda value: from_text(value.lower())),
    "contains": _compared(lambda one, other: other in one),
    "containsIgnoringCase": _compared(lambda one, other: other.casefold() in one.casefold()),
    "startsWith": _compared(str.startswith),
    "endsWith": _compared(str.endswith),
    "equalIgnoringCase": _compared(lambda one, other: one.casefold() == other.casefold()),
    "notEqualIgnoringCase": _compared(lambda one, other: one.casefold() != other.casefold()),
    "greaterThan": _compared(operator.gt),
    "notGreaterThan": _compared(operator.le),
    "lessThan": _compared(operator.lt),
    "notLessThan": _compared(operator.ge),
    "matches": _compared(_matches),
    "notMatches": _compared(lambda one, other: not _matches(one, other)),
}
_LOG: Final = {
    "equalTo": BuiltIn("either", _either),
    "notEqualTo": BuiltIn("both", lambda one, other: not same(one, other)),
    "uri": BuiltIn("subject", _written),
}
_LIST: Final = {
    "member": _of_list(lambda given: given),
    "in": BuiltIn("object", lambda term: items(term) or ()),
    "first": _of_list(lambda given: given[:1]),
    "last": _of_list(lambda given: given[-1:]),
    "rest": _of_list(lambda given: [given[1:] or NIL] if given else []),
    "length": _MATH["memberCount"],
    "append": _of_list(_appended),
    "memberAt": _of_list(_at),
    "reverse": _of_list(lambda given: [given[::-1] or NIL]),
}
BUILTINS: Final[dict[str, BuiltIn]] = {
    f"<{SWAP}{space}#{name}>": builtin
    for space, table in (("math", _MATH), ("string", _STRING), ("log", _LOG), ("list", _LIST))
    for name, builtin in table.items()
} | {f"<{RDF}first>": _LIST["first"], f"<{RDF}rest>": _LIST["rest"]}
