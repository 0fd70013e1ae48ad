"""Parts of the checked plan, printed from inside a run: ShowSettings, ShowTransmission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transmissions import RunError, suggestion

from .show import _ShowOnce, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions.plan import NodePlan


class ShowSettings(_ShowOnce):
    """Print the settings of some nodes once, as they are in this run, and where each was written.

    Messages go on unchanged. Settings left to their defaults are not printed; of secrets only the name is.

    ```turtle
    :SS a :ShowSettings ; :nodes "reader", "writer" .
    ```
    """

    nodes: tuple[str, ...] = ()
    "Names or paths of the nodes; this one if there are none."
    name: str = ""
    "A value to be seen in what is printed of this node itself."

    def _lines(self) -> Iterator[str]:
        plans = {node.path: node for node in self.context.plan.nodes()}
        for name in self.nodes or (self.context.node,):
            found = [node for path, node in plans.items() if name in {path, path.rpartition("/")[2]}]
            if not found:
                raise RunError(f"the plan has no node '{name}'{suggestion(name, [path.rpartition('/')[2] for path in plans])}")
            for node in found:
                yield _heading(node)
                yield from settings_of(node)


class ShowTransmission(_ShowOnce):
    """Print the transmission this node stands in once: its nodes in their order, their classes, and where each is declared.

    Messages go on unchanged.

    ```turtle
    :ST a :ShowTransmission .
    ```
    """

    def _lines(self) -> Iterator[str]:
        plan = self.context.plan
        one = next(one for one in plan.transmissions if self.context.node.startswith(f"{one.name}/"))
        yield "  ".join(filter(None, (one.name, one.label, f"({one.where})")))
        yield from (f"  {_heading(node)}" for node in plan.nodes() if node.path.startswith(f"{one.name}/"))


def _heading(node: NodePlan) -> str:
    return f"{node.path}  {node.type.rpartition('/')[2]}  ({node.where})"
