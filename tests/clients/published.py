"""The client that is published with the streaming API, as far as it touches the wire, with its faults mended.

It reads as `requests` does with `decode_unicode=True`: by the charset that the answer names, and without one it would be given
bytes and fail where it adds them to text. Mended: events are counted, a total that is not known is none to divide by, and what
is left at the end is handled as the rest.
"""

import codecs
import contextlib
import http.client
import json
import random
import time
from collections import Counter, deque
from urllib.parse import urlsplit


class Metrics:
    """What was seen."""

    def __init__(self):
        self.counts = Counter()
        self.buffer_utilization_history = deque(maxlen=100)


class PublishedClient:
    """Crawls at a server, and calls handlers by the names of events."""

    def __init__(self, base_url="http://localhost:8080", buffer_size=1024, chunk_size=8192):
        self.base_url, self.buffer_size, self.chunk_size = base_url, buffer_size, chunk_size
        self.metrics = Metrics()
        self.headers = {}
        self._handlers = {}

    def register_handler(self, event, handler):
        """Have a function called with each event of a name."""
        self._handlers[event] = handler

    def stream_crawl_results(self, urls, options=None):
        """Crawl, and return the metrics."""
        headers = {
            "Content-Type": "application/json",
            "X-Session-ID": f"session-{int(time.time())}-{random.randint(100000, 999999)}",
            "X-Buffer-Size": str(self.buffer_size),
            "X-Enable-Backpressure": str(True).lower(),
            "X-Slow-Client-Threshold": "100",
        }
        place = urlsplit(self.base_url)
        with contextlib.closing(http.client.HTTPConnection(place.netloc, timeout=30)) as connection:
            body = json.dumps({"urls": urls, "options": options or {}})
            connection.request("POST", f"{place.path}/crawl/stream", body, headers)
            reply = connection.getresponse()
            assert reply.status == 200
            self.headers = {name: reply.headers.get(name) for name in ("X-Buffer-Capacity", "X-Backpressure-Threshold")}
            self._read(reply)
        return self.metrics

    def _read(self, reply):
        text = ""
        for chunk in decoded(reply, self.chunk_size):
            *lines, text = (text + chunk).split("\n")
            for line in filter(str.strip, lines):
                self._take(line)
        if text.strip():
            self._take(text)

    def _take(self, line):
        event = json.loads(line)
        self.metrics.counts[event["event"]] += 1
        if "buffer_info" in event:
            told = event["buffer_info"]
            self.metrics.buffer_utilization_history.append(told.get("used", 0) / max(told.get("capacity", 1), 1))
        if event["event"] == "progress" and event.get("total"):
            assert event["completed"] <= event["total"]
        self._handlers.get(event["event"], id)(event)


def decoded(reply, size):
    """Yield what comes as `requests` gives it: text if the answer names its charset, else bytes."""
    charset = reply.headers.get_content_charset()
    decoder = codecs.getincrementaldecoder(charset)(errors="replace") if charset else None
    for chunk in iter(lambda: reply.read1(size), b""):
        yield decoder.decode(chunk) if decoder else chunk
