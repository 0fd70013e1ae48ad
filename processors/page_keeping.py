"""What the two steps that keep pages have in common: where these are kept, how long, and how much of them."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, ClassVar, Self

from transmissions import LessThanOrEquals, Processor, Protected, Range, Secret, Settings, Unit, UsageError, missing_extra

from .page_shelf import shelf_at
from .page_stores import MEMORY, Limits
from .redis_clients import shown_redis


class Keeping(Settings):
    """Settings that are said once for both steps, in a node of their own: `:settings :cache`."""

    store: Annotated[str, Protected()] = ""
    """Where pages are kept: a file of the output folder, `memory:`, or Redis or Valkey by its URL (`redis://…`). If not said, a
    file in the user's cache folder, which all crawls of that user share."""
    password: Annotated[Secret | None, Protected()] = None
    'The password of Redis, `[ :env "NAME" ]`.'
    ttl: Annotated[int, Range(ge=0), Unit("ms")] = 3_600_000
    "How long a page is taken as it was kept; one that is older is asked for again, on condition."
    keep: Annotated[int, Range(ge=1), Unit("ms")] = 30 * 86_400_000
    "How long a page is kept to be asked for on condition."
    max_entry: Annotated[int, Range(ge=1), Unit("bytes"), LessThanOrEquals("max_bytes")] = 4 * 2**20
    "How large a page may be to be kept, as JSON."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 512 * 2**20
    "How much is kept in a file or in memory; the oldest pages go."
    max_entries: Annotated[int, Range(ge=1)] = 100_000
    "How many pages are kept there."
    patience: Annotated[int, Range(ge=0), Unit("ms")] = 30_000
    "How long a page that is being fetched already, by this crawl or another of the process, is waited for."
    obey: bool = True
    "Whether pages are left out that their server asks not to keep (`Cache-Control: no-store` or `private`)."

    def __post_init__(self) -> None:
        """Refuse places that are none."""
        if "://" in self.store:
            try:
                shown_redis(self.store)
            except UsageError as error:
                raise UsageError(str(error).replace(":url", ":store")) from None
            if not find_spec("redis"):
                raise missing_extra("redis", ":store")
        elif self.password:
            raise UsageError(":password is for a :store that is a URL")


class _AtTheShelf(Keeping, Processor):
    """Opens the store and counts what comes of it."""

    one_by_one: ClassVar[bool] = True

    async def __aenter__(self) -> Self:
        self._counted: Counter[str] = Counter()
        self._stack = AsyncExitStack()
        place = self.store if self.store == MEMORY or "://" in self.store else str(self._file())
        limits = Limits(self.max_bytes, self.max_entries, self.keep)
        self._shelf = await self._stack.enter_async_context(shelf_at(place, limits, self.password))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def finish(self) -> None:
        """Tell what came of it."""
        if self._counted:
            self.context.emit("summary", cache=dict(self._counted))

    def _file(self) -> Path:
        if self.store:
            return self.context.output_path(self.store)
        root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - pathlib raises without a home
        return Path(root, "transmissions", "pages.db")
