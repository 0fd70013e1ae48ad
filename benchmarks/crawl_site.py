"""The site that `crawl.py` has crawled: pages as sites of articles have them, each a while after it was asked for.

Run as a program it says its port, and serves at several addresses of the loopback until it is killed. `/p/N` is a page,
`/hub/FIRST+COUNT` one of links, `/sitemap.xml` lists sitemaps, and whatever lies below `/q/` is never answered.
"""

from __future__ import annotations

import asyncio
import random

HOSTS, LATENCY, BODIES = 8, 0.02, 250
LISTED, SITEMAPS = 100_000, 4
"""Pages in the sitemaps, and how many of those there are."""
WORDS = "garden", "rose", "spring", "cut", "leaf", "tool", "water", "soil", "winter", "plant", "path", "stone", "seed", "bed"


def sentence(chance):
    """Return some words."""
    return " ".join(chance.choices(WORDS, k=chance.randint(8, 24))).capitalize() + "."


def body(number):
    """Return a page without its title, as sites of articles have them."""
    chance = random.Random(number)
    links = [f'<li><a href="/p/{chance.randrange(2000)}">{sentence(chance)[:30]}</a></li>' for _ in range(60)]
    parts, size = [], chance.randint(6_000, 52_000)
    while sum(map(len, parts)) < size:
        parts.append(f"<h2>{sentence(chance)[:40]}</h2>")
        for _ in range(chance.randint(2, 5)):
            text = " ".join(sentence(chance) for _ in range(chance.randint(3, 7)))
            parts.append(f'<p class="body">{text} See <a href="/p/{chance.randrange(2000)}">this</a>.</p>')
        if chance.random() < 0.4:
            rows = "".join(f"<tr><td>{sentence(chance)[:20]}</td><td>{chance.randrange(999)}</td></tr>" for _ in range(6))
            parts.append(f"<table><tbody>{rows}</tbody></table><pre><code>print({number})\n</code></pre>")
    head = '<meta charset="utf-8"><link rel="stylesheet" href="/s.css"><script>window.data = {};</script></head>'
    nav = f"<body><header><nav><ul>{''.join(links[:30])}</ul></nav></header><main><article>"
    aside = f"</article><aside><ul>{''.join(links[30:])}</ul></aside></main><footer><p>All rights.</p></footer></body></html>"
    return (head + nav + "".join(parts) + aside).encode()


class Site:
    """What is served, by path: its type and its parts."""

    def __init__(self):
        self.bodies = [body(number) for number in range(BODIES)]

    def page(self, path, host):
        """Return the answer for a path, or None for one that is never answered."""
        kind, _, number = path[1:].partition("/")
        if kind == "p":
            head = f"<!doctype html><html><head><title>Page {number}</title>"
            return answer([head.encode(), self.bodies[int(number) % BODIES]])
        if kind == "hub":
            first, _, count = number.partition("+")
            links = "".join(f'<li><a href="/q/{one}">{one}</a></li>' for one in range(int(first), int(first) + int(count)))
            return answer([f"<html><head><title>Hub</title></head><body><ul>{links}</ul></body></html>".encode()])
        if kind == "sitemap.xml":
            places = "".join(f"<sitemap><loc>http://{host}/map/{one}</loc></sitemap>" for one in range(SITEMAPS))
            return answer([f"<sitemapindex>{places}</sitemapindex>".encode()], "text/xml")
        if kind == "map":
            first, count = int(number) * LISTED // SITEMAPS, LISTED // SITEMAPS
            places = "".join(f"<url><loc>http://{host}/q/{one}</loc></url>" for one in range(first, first + count))
            return answer([f"<urlset>{places}</urlset>".encode()], "text/xml")
        return None if kind == "q" else answer([b"nothing here"], status="404 Not Found")


def answer(parts, kind="text/html; charset=utf-8", status="200 OK"):
    """Return the bytes of an answer, in pieces."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {sum(map(len, parts))}\r\n\r\n"
    return [head.encode(), *parts]


class Connection(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, site):
        self.site, self.data = site, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            host = head.lower().partition(b"\nhost:")[2].partition(b"\r")[0].strip().decode()
            parts = self.site.page(head.split(b" ", 2)[1].decode(), host)
            if parts:
                asyncio.get_running_loop().call_later(LATENCY, self.transport.writelines, parts)


async def serve():
    """Serve the site, and say at which port."""
    site, port = Site(), 0
    loop = asyncio.get_running_loop()
    for number in range(HOSTS):
        server = await loop.create_server(lambda: Connection(site), f"127.0.0.{number + 2}", port, backlog=1024)
        port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
