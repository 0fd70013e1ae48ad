"""Events as older clients read them: `?compat=v1` has a `start` behind the metadata, and a result's fields at its top, too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .envelope import encode as as_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from .envelope import Event

    Encode = Callable[..., bytes]


def flat(encode: Encode) -> Encode:
    """Return an encoder of events that writes them so, for streams of text."""

    def written(event: Event, *, bare: bool = False) -> bytes:
        if bare or event.name not in {"metadata", "result"}:
            return encode(event, bare=bare)
        fields = json.loads(event.body)
        if event.name == "metadata":
            # It has no number of its own: whoever comes back asks for what is behind the metadata.
            start = as_bytes({name: value for name, value in fields.items() if name != "seq"} | {"event": "start"})
            return encode(event) + encode(event._replace(name="start", seq=0, body=start))
        result = fields["result"]
        return encode(event._replace(body=as_bytes({**result, **fields} if isinstance(result, dict) else fields)))

    return written
