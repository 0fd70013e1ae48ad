"""`--set NODE.SETTING=VALUE`: the strongest layer, written on the command line.

Instead of a node's name the name of what its `:settings` leads to may stand: it speaks about every node that has those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rdflib import Literal

from .findings import ERROR, did_you_mean
from .loader import OVERRIDE, Value
from .problem import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from .findings import Findings


class Override(NamedTuple):
    """One `--set`: the name or path of a node, or the name of settings; a setting's term; and the text it is set to."""

    node: str
    term: str
    value: Value

    def meets(self, path: str, settings: Collection[str] = ()) -> bool:
        """Whether this speaks about the node at `path`, which has the settings of these names."""
        return self.node in (path, path.rpartition("/")[2]) or self.node in settings


def read_overrides(texts: Sequence[str], findings: Findings) -> list[Override]:
    """Split each `NODE.SETTING=VALUE`; report those that are none."""
    found = []
    for text in texts:
        target, equals, value = text.partition("=")
        node, dot, term = target.rpartition(".")
        if not (equals and dot and node and term):
            # What stands behind the sign is not shown: it may be a secret.
            whole = Span(OVERRIDE, 1, 1, max(1, len(target)), target + equals)
            findings.report(ERROR, "bad-override", f"'{target}{equals}' is not NODE.SETTING=VALUE", whole)
            continue
        key = Span(OVERRIDE, 1, len(node) + 2, len(term), target + equals)
        place = Span(OVERRIDE, 1, len(target) + 2, max(1, len(value)), text)
        found.append(Override(node, term.removeprefix(":"), Value(Literal(value), place, key, OVERRIDE)))
    return found


def report_unmet(overrides: Iterable[Override], paths: Sequence[str], settings: Collection[str], findings: Findings) -> None:
    """Report every override whose node is in no pipe, and that names no settings of one."""
    names = [*paths, *(path.rpartition("/")[2] for path in paths), *settings]
    for override in overrides:
        if any(override.meets(path, settings) for path in paths):
            continue
        text = override.value.key.text if override.value.key else ""
        span = Span(OVERRIDE, 1, 1, len(override.node), text)
        node, _, record = override.node.rpartition(".")
        if node in names:
            mend = f"say it in Turtle, of the node: `:{record} [ :{override.term} … ]`"
            findings.report(ERROR, "bad-override", f"--set cannot reach into :{record}", span, mend=mend)
        else:
            mend = did_you_mean(override.node, names, "")
            findings.report(ERROR, "unknown-node", f"no pipe has a node '{override.node}'", span, mend=mend)
