"""Somebody else's streams over HTTP as sources: SSESource and NDJSONSource."""

from __future__ import annotations

import re
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from transmissions import RunError, Source, get_field, set_field

from .fetch import FetchError
from .stream_following import NOTHING_MORE, _Following, value_in
from .structure import parse_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from transmissions import Message

    from .fetch import Answer
    from .stream_following import Lines, Place

_EVENTS: Final = "text/event-stream"
_RECORDS: Final = re.compile(r"(application|text)/[^/]*json[^/]*|text/plain|(application|binary)/octet-stream|")
"""The types that lines of JSON go by."""


class SSESource(_Following, Source):
    """Follow a stream of Server-Sent Events, and send one message for each event.

    Each is a copy of the incoming message with `event` (`message` where the event has no name), `data` and `id`. A connection
    that is lost, or that the server ends, is made again with the last id (`Last-Event-ID`), after the wait the server asks for
    with `retry`; 204 is its word that there is nothing more. `endEvent` and `endData` tell of an end that comes in the stream:
    then a stream that ends without any was cut off, as one is that ends in the middle of an event.

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
        connected = self._connected(*self._address(message), _EVENTS, re.compile(_EVENTS), asked)
        async with connected as (answer, lines), aclosing(self._events(answer, lines, place)) as events:
            async for event in events:
                if event["data"] in self.end_data:
                    return
                yield {**message, **event, "data": self._value(event["data"])}
                if event["event"] in self.end_event:
                    return
            if answer.status == NOTHING_MORE:
                return
            if self.end_data or self.end_event:
                raise FetchError(f"{lines.shown} ended the stream before its last event")
            if self.reconnect:
                raise FetchError(f"{lines.shown} ended the stream")

    async def _events(self, answer: Answer, lines: Lines, place: Place) -> AsyncGenerator[dict[str, str]]:
        reading = _Event(self.max_record, place)
        async for piece in answer.pieces:
            for line in lines.take(piece):
                event = reading.take(line.decode("utf-8", "replace"))
                if event:
                    yield event
        half = reading.end(lines.rest.decode("utf-8", "replace"))
        if half and half["data"] not in self.end_data:
            raise FetchError(f"{lines.shown} ended the stream in the middle of an event")
        if half:
            yield half

    def _value(self, text: str) -> Any:
        if self.data_as == "text":
            return text
        return parse_json(text, "the data of an event") if self.data_as == "json" else value_in(text)


class _Event:
    """An event that is read line by line; the ids of those that are whole are the `place`, as are waits that are asked for."""

    def __init__(self, most: int, place: Place) -> None:
        self._most = most
        self._place = place
        self._name = ""
        self._id: str = place.last or ""
        self._data: list[str] = []
        self._size = 0
        self._is_first = True

    def take(self, line: str) -> dict[str, str] | None:
        """Take a line; return the event that it ends, if it does and there is one."""
        line, self._is_first = line.removeprefix("\ufeff") if self._is_first else line, False
        if line:
            name, _, value = line.partition(":")
            self._note(name, value.removeprefix(" "))
            return None
        self._place.last = self._id
        event = {"event": self._name or "message", "data": "\n".join(self._data), "id": self._id} if self._data else None
        self._name, self._data, self._size = "", [], 0
        return event

    def end(self, rest: str) -> dict[str, str] | None:
        """Return the event that was on its way when the stream ended, if one was; `rest` is the line it ended in."""
        last = self._place.last
        if rest:
            self.take(rest)
        half = self.take("")
        self._place.last = last
        return half

    def _note(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
            self._size += len(value) + 1
            if self._size > self._most:
                raise RunError(f"an event is larger than {self._most} bytes")
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self._place.wait = int(value[:9])


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
        connected = self._connected(self._from(url, place.last), trusted, "application/x-ndjson", _RECORDS, {})
        async with connected as (answer, lines), aclosing(self._records(answer, lines)) as records:
            async for record in records:
                fields = record if isinstance(record, dict) else {}
                place.last = get_field(fields, self.resume_field, place.last) if self.resume_field else None
                yield self._shaped(record, message)
                if fields.get("event") in self.end_event:
                    return
            if self.end_event and answer.status != NOTHING_MORE:
                raise FetchError(f"{lines.shown} ended the stream before its last record")

    async def _records(self, answer: Answer, lines: Lines) -> AsyncGenerator[Any]:
        before = 0
        async for piece in answer.pieces:
            whole = lines.take(piece)
            for number, line in enumerate(whole, before + 1):
                if line.strip():
                    yield _record(line, number, lines.shown)
            before += len(whole)
        if not lines.rest.strip():
            return
        try:
            yield _record(lines.rest, before + 1, lines.shown)
        except RunError as error:
            raise FetchError(f"{error}; the stream ended there") from error

    def _from(self, url: str, last: Any) -> str:
        """Return the URL that begins behind the last record."""
        if last is None:
            return url
        parts, since = urlsplit(url), urlencode({self.resume_parameter: last})
        name = since.partition("=")[0]
        kept = [one for one in parts.query.split("&") if one and one.partition("=")[0] != name]
        return parts._replace(query="&".join([*kept, since])).geturl()

    def _shaped(self, record: Any, message: Message) -> Message:
        if isinstance(record, dict) and not self.target_field:
            return record
        item = message.copy()
        set_field(item, self.target_field or "content", record)
        return item


def _record(line: bytes, number: int, shown: str) -> Any:
    text = line.decode("utf-8", "replace")
    return parse_json(text.removeprefix("\ufeff") if number == 1 else text, f"line {number} of {shown}")
