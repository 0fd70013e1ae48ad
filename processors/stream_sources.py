"""Somebody else's streams over HTTP as sources: SSESource and NDJSONSource."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from transmissions import MISSING, RunError, Source, get_field, set_field

from .fetch import FetchError
from .stream_following import _Following
from .structure import parse_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from transmissions import Message

    from .fetch import Answer


class SSESource(_Following, Source):
    """Follow a stream of Server-Sent Events, and send one message for each event.

    Each is a copy of the incoming message with `event` (`message` where the event has no name), `data` and `id`. A connection
    that is lost, or that the server ends, is made again with the last id (`Last-Event-ID`), after the wait the server asks for
    with `retry`; 204 is its word that there is nothing more. `endEvent` and `endData` tell of an end that comes in the stream.

    ```turtle
    :changes a :SSESource ; :url "https://example.org/changes" ; :endEvent "done" .
    :answer a :SSESource ; :urlField "link" ; :endData "[DONE]" ; :dataAs "json" ; :reconnect false .
    ```
    """

    data_as: Literal["auto", "json", "text"] = "auto"
    "What `data` becomes; `auto` parses what is JSON, with `json` anything else is an error."
    reconnect: bool = True
    "Whether a connection is made again; without, the end of the first one is the end, and a loss an error."
    end_event: tuple[str, ...] = ()
    "Names of events that are the last; they are sent on, too."
    end_data: tuple[str, ...] = ()
    "Texts that stand for the end where they are the data of an event; they are not sent on."

    async def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield a message for each event."""
        url, trusted = self._address(message)
        last = ""
        while True:
            lost = FetchError("the server ended the stream")
            try:
                asked = {"Last-Event-ID": last} if last else {}
                async with self._connected(url, trusted, "text/event-stream", asked) as answer:
                    if answer.status == 204:  # noqa: PLR2004 - nothing more
                        return
                    async for event in self._events(answer):
                        last = event["id"] = event["id"] or last
                        self.arrived()
                        if event["data"] in self.end_data:
                            return
                        yield {**message, **event, "data": self._value(event["data"])}
                        if event["event"] in self.end_event:
                            return
            except FetchError as error:
                lost = error
            if not self.reconnect:
                if str(lost) == "the server ended the stream":
                    return
                raise lost
            await self.wait_after(lost)

    async def _events(self, answer: Answer) -> AsyncIterator[dict[str, Any]]:
        fields: dict[str, Any] = {}
        data: list[str] = []
        first = True
        async with aclosing(self._lines(answer)) as lines:
            async for line in lines:
                text = line.decode("utf-8", "replace")
                text, first = text.removeprefix("\ufeff") if first else text, False
                if not text:
                    if data:
                        yield {"event": fields.get("event") or "message", "data": "\n".join(data), "id": fields.get("id", "")}
                    fields, data = {}, []
                    continue
                name, _, value = text.partition(":")
                self._take(name, value.removeprefix(" "), fields, data)

    def _take(self, name: str, value: str, fields: dict[str, Any], data: list[str]) -> None:
        if name == "data":
            data.append(value)
            if sum(map(len, data)) > self.max_record:
                raise RunError(f"an event is larger than {self.max_record} bytes")
        elif name == "event" or (name == "id" and "\0" not in value):
            fields[name] = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.delay = min(int(value[:9]), self.max_delay)

    def _value(self, text: str) -> Any:
        if self.data_as == "text":
            return text
        if self.data_as == "json":
            return parse_json(text, "the data of an event")
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text


class NDJSONSource(_Following, Source):
    """Follow a stream of JSON lines, and send one message for each.

    An object is the message itself; with `targetField`, and for anything else, it is a copy of the incoming message with the
    value in that field (`content` if none is set). Blank lines are passed over, and a line that is no JSON is an error. Where
    each record has a number, `resumeField` is its place, and a connection that is lost is made again with the last one in the
    query, under `resumeParameter`; without, a loss is an error. A record whose field `event` is one of `endEvent` is the last:
    then a stream that ends without any was cut off.

    ```turtle
    :rows a :NDJSONSource ; :url "https://example.org/rows.ndjson" .
    :run a :NDJSONSource ; :url "http://localhost:8080/runs/42/stream" ; :resumeField "seq" ; :endEvent "summary" ;
        :secretHeaders ( [ :name "Authorization" ; :prefix "Bearer " ; :value [ :env "TRANS_TOKEN" ] ] ) .
    ```
    """

    target_field: str = ""
    "Dotted path each value is written to; if empty, an object is the message itself."
    resume_field: str = ""
    "Dotted path of the number or name of a record."
    resume_parameter: str = "since"
    "The parameter of the query that says which record was the last."
    end_event: tuple[str, ...] = ()
    "What the field `event` of the last record is."

    async def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield a message for each line."""
        url, trusted = self._address(message)
        last: Any = MISSING
        while True:
            lost = FetchError("the server ended the stream before its last record")
            try:
                async with self._connected(self._from(url, last), trusted, "application/x-ndjson", {}) as answer:
                    if answer.status == 204:  # noqa: PLR2004 - nothing more
                        return
                    async for record in self._records(answer):
                        self.arrived()
                        if self.resume_field and isinstance(record, dict):
                            last = get_field(record, self.resume_field, last)
                        yield self._shaped(record, message)
                        if isinstance(record, dict) and record.get("event") in self.end_event:
                            return
                if not self.end_event:
                    return
            except FetchError as error:
                lost = error
            if not self.resume_field:
                raise lost
            await self.wait_after(lost)

    async def _records(self, answer: Answer) -> AsyncIterator[Any]:
        async with aclosing(self._lines(answer)) as lines:
            async for line in lines:
                if line.strip():
                    yield parse_json(line.decode("utf-8", "replace"), "a line")

    def _from(self, url: str, last: Any) -> str:
        if last is MISSING:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode({self.resume_parameter: last})}"

    def _shaped(self, record: Any, message: Message) -> Message:
        if isinstance(record, dict) and not self.target_field:
            return record
        item = message.copy()
        set_field(item, self.target_field or "content", record)
        return item
