"""What holds for every test of crawls."""

from collections import defaultdict
from itertools import chain

import pytest

from transmissions.processors import page_workers


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep pages, and plans, for this session alone: at the same port there may have been other pages an hour ago."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def spare():
    """Hold the processes that read pages from one test to the next, by the memory they may take."""
    spare = defaultdict(list)
    yield spare
    for worker in chain(*spare.values()):
        worker.end()


@pytest.fixture(autouse=True)
def _kept_workers(monkeypatch, spare):
    """Begin no process where one is spare: half a second goes into each."""
    begin, close = page_workers._Worker, page_workers.PageWorkers.close

    def hired(limits):
        while spare[limits.memory]:
            worker = spare[limits.memory].pop()
            worker._limits = limits
            if worker.is_alive:
                return worker
            worker.end()
        return begin(limits)

    async def leave(self):
        spare[self.limits.memory] += self._idle
        self._idle = []
        await close(self)

    monkeypatch.setattr(page_workers, "_Worker", hired)
    monkeypatch.setattr(page_workers.PageWorkers, "close", leave)
