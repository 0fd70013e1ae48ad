"""What sites ask robots to leave alone: by their rules, in their absence, and when these cannot be had."""

from local_server import Page
from site_of_pages import by_url, crawl, html, web

RULES = b"User-agent: *\nDisallow: /private\n\nUser-agent: gardener\nDisallow: /\nAllow: /open\nCrawl-delay: 0.1\n"


def codes(events):
    """Return what became of each path: `result`, or the code of its error."""
    return {
        path: event["error"]["error_code"] if event["event"] == "error" else "result" for path, event in by_url(events).items()
    }


def test_rules_are_obeyed(tmp_path):
    """A page a site asks robots to leave alone is an error that says so, and is not asked for."""
    with web({"/robots.txt": Page(RULES), "/a": html("A"), "/private/b": html("B")}) as site:
        events = crawl(site.urls("/a", "/private/b"), tmp_path)
    assert codes(events) == {"/a": "result", "/private/b": "POLICY_ROBOTS"}
    assert site.asked() == {"/a": 1}


def test_rules_may_begin_with_a_mark(tmp_path):
    """The mark of UTF-8 that some editors write is not taken for a part of the first line, whose rules would be lost."""
    with web({"/robots.txt": Page(b"\xef\xbb\xbf" + RULES), "/private/b": html("B")}) as site:
        events = crawl(site.urls("/private/b"), tmp_path)
    assert codes(events) == {"/private/b": "POLICY_ROBOTS"}


def test_rules_are_those_for_the_name(tmp_path):
    """The rules are those for the name a crawl gives, and it introduces itself by that everywhere."""
    with web({"/robots.txt": Page(RULES), "/open": html("A"), "/b": html("B")}) as site:
        events = crawl(site.urls("/open", "/b"), tmp_path, {"network.userAgent": "gardener/1.0 (+https://example.org)"})
    assert codes(events) == {"/open": "result", "/b": "POLICY_ROBOTS"}
    assert {seen.headers["user-agent"] for seen in site.seen} == {"gardener/1.0 (+https://example.org)"}


def test_rules_are_fetched_once(tmp_path):
    """A site's rules are asked for once, however many of its pages wait for them."""
    pages = {f"/{number}": html("P") for number in range(8)}
    with web(pages | {"/robots.txt": Page(RULES)}) as site:
        crawl(site.urls(*pages), tmp_path, {"admit.perHost": 8}, concurrency=8)
    assert [seen.path for seen in site.seen].count("/robots.txt") == 1


def test_a_failing_site_is_left_alone(tmp_path):
    """Where robots.txt fails, nothing of the site is asked for, and the reason is told."""
    with web({"/robots.txt": Page(b"", status=503), "/a": html("A")}) as site:
        (event,) = crawl(site.urls("/a"), tmp_path)
    assert "answers 503" in event["error"]["message"]
    assert site.asked() == {}


def test_rules_come_by_redirects(tmp_path):
    """Rules are followed over redirects, five at most; then there are none."""
    many = {f"/{number}": Page(b"", {"Location": f"/{number + 1}"}, 302) for number in range(9)}
    with web({"/robots.txt": Page(b"", {"Location": "/rules"}, 301), "/rules": Page(b"User-agent: *\nDisallow: /")}) as site:
        assert codes(crawl(site.urls("/a"), tmp_path)) == {"/a": "POLICY_ROBOTS"}
    with web(many | {"/robots.txt": Page(b"", {"Location": "/0"}, 301), "/a": html("A")}) as site:
        assert codes(crawl(site.urls("/a"), tmp_path)) == {"/a": "HTTP_REDIRECTS"}


def test_of_a_huge_file_the_beginning_counts(tmp_path):
    """Of a robots.txt of any size the first 512 KiB are read."""
    huge = b"User-agent: *\nDisallow: /private\n" + b"# filler\n" * 400_000
    with web({"/robots.txt": Page(huge), "/a": html("A"), "/private": html("P")}) as site:
        assert codes(crawl(site.urls("/a", "/private"), tmp_path)) == {"/a": "result", "/private": "POLICY_ROBOTS"}


def test_sites_of_ones_own_need_no_leave(tmp_path):
    """With `obey` false the rules are not even asked for."""
    with web({"/robots.txt": Page(RULES), "/private/a": html("A")}) as site:
        assert codes(crawl(site.urls("/private/a"), tmp_path, {"robots.obey": False})) == {"/private/a": "result"}
    assert [seen.path for seen in site.seen] == ["/private/a"]
