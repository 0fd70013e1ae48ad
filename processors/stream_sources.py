"""Somebody else's streams over HTTP as sources: SSESource and NDJSONSource."""

from __future__ import annotations

import json
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from transmissions import RunError, Source, get_field, set_field

from .egress import take_apart
from .fetch import FetchError
from .stream_following import NOTHING_MORE, _Following
from .structure import parse_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from transmissions import Message

    from .fetch import Answer
    from .stream_following import Place


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

    def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield a message for each event."""
        return self.follow(partial(self._once, message), returns=self.reconnect)

    async def _once(self, message: Message, place: Place) -> AsyncGenerator[Message]:
        asked = {"Last-Event-ID": place.last} if place.last else {}
        connected = self._connected(*self._address(message), "text/event-stream", asked)
        async with connected as answer, aclosing(self._events(answer)) as events:
            async for event in events:
                place.last = event["id"] = event["id"] or place.last or ""
                if event["data"] in self.end_data:
                    return
                yield {**message, **event, "data": self._value(event["data"])}
                if event["event"] in self.end_event:
                    return
            if self.reconnect and answer.status != NOTHING_MORE:
                raise FetchError(f"{take_apart(answer.url).shown} ended the stream")

    async def _events(self, answer: Answer) -> AsyncGenerator[dict[str, str]]:
        reading = _Event(self.max_record)
        async with aclosing(self._lines(answer)) as lines:
            async for line in lines:
                event = reading.take(line.decode("utf-8", "replace"))
                if reading.wait is not None:
                    self.asked_to_wait(reading.wait)
                if event:
                    yield event

    def _value(self, text: str) -> Any:
        if self.data_as == "text":
            return text
        if self.data_as == "json":
            return parse_json(text, "the data of an event")
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text


class _Event:
    """An event that is read line by line."""

    def __init__(self, most: int) -> None:
        self.wait: int | None = None
        """Milliseconds the server wants to be left alone before a client comes back, if it has said so."""
        self._most = most
        self._fields: dict[str, str] = {}
        self._data: list[str] = []
        self._is_first = True

    def take(self, line: str) -> dict[str, str] | None:
        """Take a line; return the event that it ends, if it does and there is one."""
        line, self._is_first = line.removeprefix("\ufeff") if self._is_first else line, False
        if line:
            name, _, value = line.partition(":")
            self._note(name, value.removeprefix(" "))
            return None
        data, fields = self._data, self._fields
        self._data, self._fields = [], {}
        if not data:
            return None
        return {"event": fields.get("event") or "message", "data": "\n".join(data), "id": fields.get("id", "")}

    def _note(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
            if sum(map(len, self._data)) > self._most:
                raise RunError(f"an event is larger than {self._most} bytes")
        elif name == "event" or (name == "id" and "\0" not in value):
            self._fields[name] = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.wait = int(value[:9])


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

    def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield a message for each line."""
        return self.follow(partial(self._once, message), returns=bool(self.resume_field))

    async def _once(self, message: Message, place: Place) -> AsyncGenerator[Message]:
        url, trusted = self._address(message)
        connected = self._connected(self._from(url, place.last), trusted, "application/x-ndjson", {})
        async with connected as answer, aclosing(self._records(answer)) as records:
            async for record in records:
                fields = record if isinstance(record, dict) else {}
                place.last = get_field(fields, self.resume_field, place.last) if self.resume_field else None
                yield self._shaped(record, message)
                if fields.get("event") in self.end_event:
                    return
            if self.end_event and answer.status != NOTHING_MORE:
                raise FetchError(f"{take_apart(answer.url).shown} ended the stream before its last record")

    async def _records(self, answer: Answer) -> AsyncGenerator[Any]:
        async with aclosing(self._lines(answer)) as lines:
            async for line in lines:
                if line.strip():
                    yield parse_json(line.decode("utf-8", "replace"), "a line")

    def _from(self, url: str, last: Any) -> str:
        if last is None:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode({self.resume_parameter: last})}"

    def _shaped(self, record: Any, message: Message) -> Message:
        if isinstance(record, dict) and not self.target_field:
            return record
        item = message.copy()
        set_field(item, self.target_field or "content", record)
        return item
