"""The whiteboard of a run: what one processor leaves there for others, under a label. CaptureAll, WhiteboardToMessage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transmissions import Processor, Range, RunError, set_field, suggestion

if TYPE_CHECKING:
    from transmissions import Message


class CaptureAll(Processor):
    """Keep a copy of every message in a list on the whiteboard of the run, and let the message go on.

    The list is held in memory until the run ends; more than `limit` messages end the run with an error. For one field of the
    messages of a group use Accumulate.

    ```turtle
    :keep a :CaptureAll ; :label "seen" ; :limit 100 .
    ```
    """

    stateful = True

    label: str = "captured"
    "The name of the list; nodes with the same label share it."
    limit: Annotated[int, Range(ge=1)] = 10000
    "How many messages the list takes."

    def process(self, message: Message) -> Message:
        """Keep a copy of the message."""
        captured = self.context.whiteboard.setdefault(self.label, [])
        if not isinstance(captured, list):
            raise RunError(
                f"'{self.label}' on the whiteboard is not a list but a {type(captured).__name__}; choose another :label"
            )
        if len(captured) >= self.limit:
            raise RunError(f"'{self.label}' holds {len(captured)} messages already, which is its :limit")
        captured.append(message.copy())
        return message


class WhiteboardToMessage(Processor):
    """Write what is on the whiteboard of the run into the message.

    The whiteboard holds what CaptureAll and Accumulate, where it has a `label`, have left there before this message came.
    Writes an object with a member for each label to `targetField`.

    ```turtle
    :look a :WhiteboardToMessage ; :labels "seen", "titles" ; :targetField "run" .
    ```
    """

    stateful = True

    labels: tuple[str, ...] = ()
    "The labels that are looked at; all if there are none."
    target_field: str = "whiteboard"
    "Dotted path of the object."

    def process(self, message: Message) -> Message:
        """Write the object."""
        board = self.context.whiteboard
        missing = next((label for label in self.labels if label not in board), None)
        if missing is not None:
            raise RunError(f"there is no '{missing}' on the whiteboard{suggestion(missing, board)}")
        # What is on it may grow; what is in a message may not.
        seen = {label: _copy(board[label]) for label in self.labels or board}
        set_field(message, self.target_field, seen)
        return message


def _copy(value: object) -> object:
    return value.copy() if isinstance(value, list) else value
