"""What the structure of an app is read into: pipelines, the nodes placed in them, forks and their branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from rdflib import Namespace, URIRef

from .terms import NAMESPACE, local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdflib.term import Node

    from .loader import Value
    from .problem import Span
    from .spec import Spec

TRN: Final = Namespace(NAMESPACE)


class Placed(NamedTuple):
    """A processor's node at one place in a pipe."""

    path: str
    node: Node
    spec: Spec
    span: Span
    depth: int = 0

    @property
    def name(self) -> str:
        """The node's own name, without its way."""
        return self.path.rpartition("/")[2]


class Branch(NamedTuple):
    """One way out of a fork; `condition` is the value of its `:when`."""

    condition: Value | None
    steps: Steps
    span: Span


class Forked(NamedTuple):
    """A fork at its place: `kind` is `all` or `first`."""

    path: str
    kind: str
    branches: tuple[Branch, ...]
    span: Span
    depth: int = 0


class Shared(NamedTuple):
    """A stretch of a pipe for several processes; `node` says how many."""

    path: str
    node: Node
    steps: Steps
    span: Span
    depth: int = 0


Step: TypeAlias = "Placed | Forked | Shared"
Steps: TypeAlias = tuple["Placed | Forked | Shared", ...]


class Pipeline(NamedTuple):
    """A transmission with everything nested in it laid out."""

    name: str
    label: str
    node: Node
    entry: bool
    steps: Steps
    span: Span


def walk(steps: Steps) -> Iterator[Step]:
    """Yield every step, forks and workers before what is in them."""
    for step in steps:
        yield step
        if isinstance(step, Shared):
            yield from walk(step.steps)
        if isinstance(step, Forked):
            for branch in step.branches:
                yield from walk(branch.steps)


def show(node: Node) -> str:
    """Return a node as people write it: `:render`."""
    if not isinstance(node, URIRef):
        return "a blank node"
    return f":{local_name(node)}" if node.startswith(NAMESPACE) else f"<{node}>"


class Names:
    """Gives every step of a pipe a name of its own: the node's, or its class where the node has none."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, node: Node, kind: str) -> str:
        """Return a name that was not given before."""
        name = local_name(node) if isinstance(node, URIRef) else kind[:1].lower() + kind[1:]
        unique, number = name, 2
        while unique in self._taken:
            unique, number = f"{name}-{number}", number + 1
        self._taken.add(unique)
        return unique
