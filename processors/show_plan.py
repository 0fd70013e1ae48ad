"""Parts of the checked plan, printed from inside a run: ShowSettings, ShowTransmission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transmissions import Processor, RunError, suggestion

from .show import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message
    from transmissions.plan import NodePlan


class _ShowOnce(Processor):
    """Print something before the first message."""

    def __post_init__(self) -> None:
        """Wait for the first message."""
        self._is_shown = False

    def process(self, message: Message) -> Message:
        """Print before the first message, and pass every message on."""
        if not self._is_shown:
            self._is_shown = True
            self.context.show("".join(f"{line}\n" for line in self._lines()))
        return message

    def _lines(self) -> Iterator[str]:
        raise NotImplementedError


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
