"""What GitHub knows: GitHubList."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import Protected, Range, RunError, Secret, Term, set_field

from .access import need_text
from .egress import resolve, take_apart
from .fetch import Request
from .fetching import _Fetching, check_status, check_url

if TYPE_CHECKING:
    from transmissions import Message

    from .fetch import Reply

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_NEXT: Final = re.compile(r'<([^>]*)>[^,<]*;\s*rel="?next"?')
_PER_PAGE: Final = 100
_FORBIDDEN: Final = {403, 429}
_NOT_FOUND: Final = 404


class GitHubList(_Fetching):
    """List the repositories of a GitHub user or organisation.

    Reads the name at `nameField`. Writes to `targetField` an object of `repositories`, their names in the order of the
    alphabet, and `totalRepos`, how many they are. Without a token GitHub answers 60 requests in an hour, of 100 repositories
    each, and shows public ones only. When they are used up, the error says until when.

    ```turtle
    :repos a :GitHubList ; :nameField "github.name" ; :token [ :env "GITHUB_TOKEN" ] .
    ```
    """

    name_field: str = "github.name"
    "Dotted path of the user's or organisation's name."
    target_field: str = "payload.github"
    "Dotted path the list is written to."
    owner: Literal["user", "organisation"] = "user"
    "Whose name it is. An organisation is found as a user too, but shows what is not public as an organisation only."
    details: bool = False
    "Whether `repositories` are the objects GitHub describes them by, instead of their names."
    limit: Annotated[int, Range(ge=1)] = 10_000
    "How many repositories are listed at most; more are an error."
    token: Annotated[Secret | None, Protected()] = None
    'A token of GitHub: `[ :env "NAME" ]`.'
    base_url: Annotated[str, Protected(), Term("baseURL")] = "https://api.github.com"
    "Where the API is, for a GitHub of one's own."

    def __post_init__(self) -> None:
        """Refuse a base that is none."""
        check_url("baseURL", self.base_url)

    async def process(self, message: Message) -> Message:
        """List the repositories of one name."""
        name = need_text(message, self.name_field)
        if not _NAME.fullmatch(name):
            raise RunError(f"the field '{self.name_field}' is {name[:100]!r}, which is no name GitHub would give")
        repositories = await self._list(name)
        listed = repositories if self.details else [one["name"] for one in repositories]
        set_field(message, self.target_field, {"repositories": listed, "totalRepos": len(listed)})
        return message

    async def _list(self, name: str) -> list[Any]:
        kind = "users" if self.owner == "user" else "orgs"
        url = f"{self.base_url.rstrip('/')}/{kind}/{name}/repos?per_page={_PER_PAGE}&sort=full_name"
        found: list[Any] = []
        while url:
            reply = await self._door.fetch(Request(url, headers=self._headers()), trusted=True)
            self._check(reply, name)
            page = _repositories(reply)
            found += page
            if len(found) > self.limit:
                raise RunError(f"'{name}' has more than {self.limit} repositories; set :limit to what you expect")
            url = self._next(reply) if page else ""
        return found

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        return headers | ({"Authorization": f"Bearer {self.token.reveal()}"} if self.token else {})

    def _check(self, reply: Reply, name: str) -> None:
        if reply.status == _NOT_FOUND:
            raise RunError(f"GitHub knows no {self.owner} '{name}'")
        if reply.status in _FORBIDDEN and reply.headers.get("x-ratelimit-remaining") == "0":
            known = "" if self.token else "; with a :token there are more"
            raise RunError(f"the requests GitHub allows are used up until {_reset(reply)}{known}")
        check_status(reply)

    def _next(self, reply: Reply) -> str:
        """Return the URL of the next page; as the token goes there, it must be on the same server."""
        found = _NEXT.search(reply.headers.get("link", ""))
        if not found:
            return ""
        here = take_apart(self.base_url)
        following = resolve(take_apart(reply.url), found[1])
        if following.origin != here.origin:
            raise RunError(f"the next page of {here.shown} is said to be at {following.shown}, which is another server")
        return following.url


def _repositories(reply: Reply) -> list[Any]:
    listed = reply.json()
    if not isinstance(listed, list) or not all(isinstance(one, dict) and "name" in one for one in listed):
        raise RunError(f"{take_apart(reply.url).shown} answered something else than a list of repositories")
    return listed


def _reset(reply: Reply) -> str:
    seconds = reply.headers.get("x-ratelimit-reset", "")
    return (
        f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M:%S} UTC" if re.fullmatch(r"\d{1,11}", seconds) else "later"
    )
