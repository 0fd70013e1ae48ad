"""GitHubList, against a server on the loopback that answers as GitHub does."""

import json

import pytest
from local_server import Page, serving

from transmissions import NodeFailed, Secret, UsageError
from transmissions.processors.github import GitHubList
from transmissions.testing import through

MESSAGE = {"github": {"name": "danja"}}


def repos(*names, **headers):
    body = json.dumps([{"name": name, "id": len(name)} for name in names]).encode()
    return Page(body, {"Content-Type": "application/json", **headers})


def pages(seen):
    """Answer two pages, the first with a link to the second."""
    if "page=2" in seen.query.split("&"):
        return repos("c")
    return repos("a", "b", Link=f'<{seen.path}?page=2>; rel="next", <{seen.path}?page=2>; rel="last"')


def listing(answer, **settings):
    with serving(answer if callable(answer) else lambda _: answer) as server:
        (message,) = through(GitHubList(base_url=server.url, **settings), [dict(MESSAGE)])
    return server.seen, message["payload"]["github"]


def test_the_repositories_of_all_pages_are_listed():
    """By name, or with everything GitHub says of them; the token goes along."""
    seen, listed = listing(pages, token=Secret("t0ken"))
    assert listed == {"repositories": ["a", "b", "c"], "totalRepos": 3}
    assert [(one.path, one.headers["authorization"]) for one in seen] == [("/users/danja/repos", "Bearer t0ken")] * 2
    seen, listed = listing(repos("a"), owner="organisation", details=True)
    assert (seen[0].path, listed["repositories"]) == ("/orgs/danja/repos", [{"name": "a", "id": 1}])
    assert "authorization" not in seen[0].headers


@pytest.mark.parametrize(("answer", "fault"), [
    (Page(b"{}", {}, 404), "GitHub knows no user 'danja'"),
    (Page(b"{}", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000000"}, 403),
     r"used up until 2023-11-14 22:13:20 UTC; with a :token there are more"),
    (Page(b"{}", {"X-RateLimit-Remaining": "0"}, 429), "used up until later"),
    (Page(b"{}", {}, 403), "answered 403 Forbidden"),
    (Page(b"{}"), "something else than a list of repositories"),
    (Page(b"["), "not valid JSON"),
    (repos("a", Link='<http://127.0.0.2:1/>; rel="next"'), "http://127.0.0.2:1/, which is another server"),
    (repos("a", Link='</users/danja/repos>; rel="next"'), "more than 3 repositories"),
])  # fmt: skip
def test_what_is_no_list_is_an_error_that_says_why(answer, fault):
    """And the token goes to no other server."""
    with pytest.raises(NodeFailed, match=fault):
        listing(answer, limit=3)


@pytest.mark.parametrize("name", ["..", "a/b", "", "a?b", "a b"])
def test_a_name_that_is_none_is_not_asked_for(name):
    """It could lead elsewhere in the API."""
    with serving({}) as server, pytest.raises(NodeFailed, match="no name GitHub would give"):
        through(GitHubList(base_url=server.url), [{"github": {"name": name}}])
    assert server.connections == 0


def test_a_base_that_is_none_is_refused():
    """Before anything runs."""
    with pytest.raises(UsageError, match=r":baseURL 'ftp://x\.example'"):
        GitHubList(base_url="ftp://x.example")
