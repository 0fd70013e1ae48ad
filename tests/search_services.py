"""Services that search, as servers on the loopback that speak the formats of SearXNG, Brave and Serper."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from local_server import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local_server import Seen


def page(body: Any, status: int = 200) -> Page:
    """Return an answer of JSON."""
    return Page(json.dumps(body).encode(), {"Content-Type": "application/json"}, status)


def searxng(urls: Sequence[str], size: int = 10) -> Callable[[Seen], Page]:
    """Return a SearXNG that finds some URLs, `size` on a page."""

    def answer(seen: Seen) -> Page:
        asked = {name: values[0] for name, values in parse_qs(seen.query).items()}
        if seen.path != "/search" or asked.get("format") != "json":
            return Page(b"<html>results</html>", {"Content-Type": "text/html"})
        start = (int(asked["pageno"]) - 1) * size
        results = [_of_searxng(url) for url in urls[start : start + size]]
        return page({
            "query": asked["q"], "number_of_results": 0, "results": results, "answers": [], "corrections": [], "infoboxes": [],
            "suggestions": ["rose pruning"], "unresponsive_engines": [["qwant", "too many requests"]],
        })  # fmt: skip

    return answer


def _of_searxng(url: str) -> dict[str, Any]:
    return {
        "url": url,
        "title": f"Title of {url}",
        "content": f"A snippet\n of {url}",
        "engine": "duckduckgo",
        "engines": ["duckduckgo", "brave"],
        "positions": [1, 2],
        "score": 3.0,
        "category": "general",
        "parsed_url": ["https", "example.org", "/", "", "", ""],
        "thumbnail": None,
        "publishedDate": None,
    }


def brave(urls: Sequence[str], size: int = 20) -> Callable[[Seen], Page]:
    """Return a Brave that finds some URLs."""

    def answer(seen: Seen) -> Page:
        if not seen.headers.get("x-subscription-token"):
            return page({"type": "ErrorResponse", "error": {"status": 422, "code": "VALIDATION"}}, 422)
        asked = {name: values[0] for name, values in parse_qs(seen.query).items()}
        count = min(size, int(asked["count"]))
        start = int(asked["offset"]) * count
        query = {"original": asked["q"], "more_results_available": start + count < len(urls), "country": "us"}
        results = [_of_brave(url) for url in urls[start : start + count]]
        web = {"web": {"type": "search", "results": results, "family_friendly": True}} if results else {}
        return page({"type": "search", "query": query, "mixed": {"type": "mixed", "main": []}, **web})

    return answer


def _of_brave(url: str) -> dict[str, Any]:
    return {
        "type": "search_result",
        "subtype": "generic",
        "url": url,
        "title": "Roses &amp; gardens",
        "description": "How roses&#x27; leaves are cut",
        "age": "2 days ago",
        "language": "en",
        "profile": {"name": "Example"},
        "meta_url": {"scheme": "https", "hostname": "example.org"},
        "is_live": False,
        "family_friendly": True,
    }


def serper(urls: Sequence[str]) -> Callable[[Seen], Page]:
    """Return a Serper that finds some URLs."""

    def answer(seen: Seen) -> Page:
        if seen.method != "POST" or not seen.headers.get("x-api-key"):
            return page({"message": "Unauthorized.", "statusCode": 403}, 403)
        asked = json.loads(seen.body)
        start = (asked["page"] - 1) * asked["num"]
        found = enumerate(urls[start : start + asked["num"]], 1)
        organic = [{"title": f"Title of {url}", "link": url, "snippet": "A snippet", "position": at} for at, url in found]
        return page({"searchParameters": {**asked, "type": "search", "engine": "google"}, "organic": organic, "credits": 1})

    return answer
