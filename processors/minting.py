"""Names for new things: ResourceMinter."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from transmissions import IRI, Processor, Term, set_field

from .access import need
from .changes import digest_of

if TYPE_CHECKING:
    from transmissions import Message


class ResourceMinter(Processor):
    """Make a new IRI, with the time it was made and who made it.

    Writes an object with `uri`, `created` (ISO 8601, UTC) and, if one is set, `agent` to `targetField`. The IRI is `baseURI`
    and 32 letters: random ones, or with `fromField` always the same for the same value. Without `baseURI` it is `urn:uuid:`.

    ```turtle
    :mint a :ResourceMinter ; :baseURI <http://example.org/notes/> ; :agentURI <http://example.org/me> .
    ```
    """

    target_field: str = "content"
    "Dotted path the object is written to."
    base_uri: Annotated[str, Term("baseURI")] = ""
    "What the IRI begins with."
    agent_uri: Annotated[IRI | None, Term("agentURI")] = None
    "Who makes the resource."
    from_field: str = ""
    "Dotted path of a value that says which resource it is; each message is a new one if empty."

    def process(self, message: Message) -> Message:
        """Make the IRI."""
        made = self._number(message)
        resource = {
            "uri": f"{self.base_uri}{made.hex}" if self.base_uri else made.urn,
            "created": datetime.now(UTC).isoformat(),
        }
        set_field(message, self.target_field, resource | ({"agent": self.agent_uri} if self.agent_uri else {}))
        return message

    def _number(self, message: Message) -> uuid.UUID:
        if not self.from_field:
            return uuid.uuid4()
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self.base_uri}{digest_of(need(message, self.from_field))}")
